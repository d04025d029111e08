package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	vmsPerVault  = 800  // machines in a vault by default
	vaultMaximum = 1000 // docs/azure.md §13
	tenant       = "22222222-2222-2222-2222-222222222222"
)

// fleet describes the layout. Its size does not depend on the number of machines: each is generated from its number
// alone, on demand.
type fleet struct {
	vms   int
	seed  uint64
	share float64
	taken time.Time
	// organisation puts the subscriptions below management groups; not all of them can be read.
	organisation bool

	subscriptions []string
	vaults        []vault // of the file
	legacy        []vault // one a subscription, created by hand and in no file
	cells         []cell
}

// cell is the set of machines a vault can protect: the machines of one region of one subscription.
type cell struct {
	subscription string
	region       region
	vaults       []int // indices into fleet.vaults
}

type region struct{ name, short string }

type vault struct {
	subscription string
	region       region
	group, name  string
	immutability string // "" = null
	// policy is how the vault's daily-30d differs from the file: "", "drifted" or "missing".
	policy string
}

func (v vault) id() string {
	return "/subscriptions/" + v.subscription + "/resourceGroups/" + v.group +
		"/providers/Microsoft.RecoveryServices/vaults/" + v.name
}

func (v vault) policyID(name string) string { return v.id() + "/backupPolicies/" + name }

func regions() []region {
	return []region{{"westeurope", "weu"}, {"northeurope", "neu"}, {"francecentral", "frc"}}
}

// layout is a fleet's size. Numbers that are 0 are derived from the others.
type layout struct {
	vms, vaults, subscriptions int
	crowded                    bool // a vault may hold more than Azure allows
	organisation               bool
}

func newFleet(l layout, seed uint64, share float64, taken time.Time) (*fleet, error) {
	if l.vaults == 0 {
		l.vaults = max(1, (l.vms+vmsPerVault-1)/vmsPerVault)
	}
	if l.subscriptions == 0 {
		l.subscriptions = min(max(2, l.vaults/12), 10)
	}
	switch {
	case l.vms < 1 || l.vaults < 1 || l.subscriptions < 1:
		return nil, errors.New("a fleet has at least one machine, one vault and one subscription")
	case !l.crowded && l.vms > l.vaults*(vaultMaximum-vaultMaximum/20): // orphans take places too
		return nil, fmt.Errorf("%d vaults cannot hold %d machines: a vault holds %d", l.vaults, l.vms, vaultMaximum)
	case l.organisation && l.subscriptions <= disabledFromEnd:
		return nil, fmt.Errorf("an organisation has more than %d subscriptions", disabledFromEnd)
	case share < 0 || share > 1:
		return nil, fmt.Errorf("the protected share is %v, expected 0 to 1", share)
	}
	f := &fleet{vms: l.vms, seed: seed, share: share, taken: taken.UTC(), organisation: l.organisation}
	f.build(l.vaults, l.subscriptions)
	return f, nil
}

// build lays out subscriptions, cells and vaults.
func (f *fleet) build(vaults, subscriptions int) {
	r := f.random("layout", 0)
	for range subscriptions {
		s := uuid(r)
		f.subscriptions = append(f.subscriptions, s)
		f.legacy = append(f.legacy, vault{subscription: s, region: regions()[0], group: "rg-legacy", name: "rsv-legacy"})
	}
	n := min(vaults, len(f.subscriptions)*len(regions()))
	for i := range n {
		f.cells = append(f.cells, cell{
			subscription: f.subscriptions[i%len(f.subscriptions)],
			region:       regions()[i/len(f.subscriptions)%len(regions())],
		})
	}
	for i := range vaults {
		c := &f.cells[i%n]
		c.vaults = append(c.vaults, i)
		v := vault{
			subscription: c.subscription, region: c.region, group: "rg-backup",
			name:         fmt.Sprintf("rsv-%s-%03d", c.region.short, i),
			immutability: []string{"", "Disabled", "Unlocked"}[i%3],
		}
		switch i % 25 {
		case 7:
			v.policy = "drifted"
		case 11:
			v.policy = "missing"
		}
		f.vaults = append(f.vaults, v)
	}
}

// random returns the random source of one object, by its kind and number alone.
func (f *fleet) random(kind string, n int) *rand.Rand {
	h := f.seed
	for _, c := range []byte(kind) {
		h = h*1099511628211 + uint64(c)
	}
	return rand.New(rand.NewPCG(h, uint64(n))) //nolint:gosec // repeatable on purpose
}

func uuid(r *rand.Rand) string {
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}
