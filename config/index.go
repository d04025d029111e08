package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// index finds vaults and policies without a search through all of them, because every VM needs it. Numbers are positions in
// the lists of the Config.
type index struct {
	policies       map[string]int         // by folded name; the first of a name
	vaultsByName   map[string][]int       // vaults by folded name, in the order of the file
	vaultsByRegion map[armid.Region][]int // vaults by subscription and region, in the order of the file
	vaultsBySub    map[string][]int       // vaults by folded subscription, in the order of the file
	vaultsByPlace  map[string][]int       // vaults by folded region, in the order of the file
	vaultsByPolicy map[string][]int       // vaults that rules with a policy may route to, by its folded name, in the order of the file
}

// region returns where the vault is: it takes VMs of its own region and subscription only (docs/azure.md §13).
func (v Vault) region() armid.Region { return armid.RegionOf(v.Subscription, v.Location) }

func newIndex(c *Config) index {
	x := index{
		policies: make(map[string]int, len(c.Policies)), vaultsByName: make(map[string][]int, len(c.Vaults)),
		vaultsByRegion: map[armid.Region][]int{}, vaultsBySub: map[string][]int{}, vaultsByPlace: map[string][]int{},
		vaultsByPolicy: map[string][]int{},
	}
	for i, p := range c.Policies {
		if name := strings.ToLower(p.Name); !x.hasPolicy(name) {
			x.policies[name] = i
		}
	}
	for i, v := range c.Vaults {
		if v.Match != nil {
			continue // not a vault, until the lints are done
		}
		name := strings.ToLower(v.Name)
		x.vaultsByName[name] = append(x.vaultsByName[name], i)
		at := v.region()
		x.vaultsByRegion[at] = append(x.vaultsByRegion[at], i)
		x.vaultsBySub[at.Subscription] = append(x.vaultsBySub[at.Subscription], i)
		x.vaultsByPlace[at.Location] = append(x.vaultsByPlace[at.Location], i)
	}
	x.indexRoutes(c)
	return x
}

func (x *index) hasPolicy(folded string) bool {
	_, ok := x.policies[folded]
	return ok
}

// indexRoutes fills in which vaults the rules of each policy may route to. Rules of one reach route alike; a rule that wants
// no backup routes nowhere, whatever policy it still names.
func (x *index) indexRoutes(c *Config) {
	type route struct{ policy, reach string }
	seen := map[route]bool{}
	sets := map[string]map[int]bool{}
	for i := range c.Rules {
		r := &c.Rules[i]
		policy := strings.ToLower(r.Policy)
		if policy == "" || r.Protect == ProtectOff || r.Protect == ProtectStopped || len(sets[policy]) == len(c.Vaults) {
			continue
		}
		if len(r.Vault) == 0 {
			via := route{policy, r.reach()}
			if seen[via] {
				continue
			}
			seen[via] = true
		}
		if sets[policy] == nil {
			sets[policy] = map[int]bool{}
		}
		for _, n := range x.reachableVaults(c.Vaults, r) {
			sets[policy][n] = true
		}
	}
	for policy, set := range sets {
		for n := range set {
			x.vaultsByPolicy[policy] = append(x.vaultsByPolicy[policy], n)
		}
		slices.Sort(x.vaultsByPolicy[policy])
	}
}

// findVaults lists the vaults that a reference may mean, in the order of the file. A vault that the file names beats those
// of its name that joined in the same place: without them the reference means that one.
func (x *index) findVaults(vaults []Vault, ref string) []int {
	var found []int
	if isPattern(ref) {
		pattern := newGlob(strings.ToLower(ref))
		for n := range vaults {
			if vaults[n].Match == nil && pattern.match(strings.ToLower(vaults[n].Name)) {
				found = append(found, n)
			}
		}
		return found
	}
	name := ref[strings.LastIndexByte(ref, '/')+1:]
	for _, n := range x.vaultsByName[strings.ToLower(name)] {
		if vaults[n].isCalled(ref) {
			found = append(found, n)
		}
	}
	if len(found) < 2 {
		return found
	}
	named := map[armid.Region]bool{}
	for _, n := range found {
		named[vaults[n].region()] = named[vaults[n].region()] || !vaults[n].Joined
	}
	return slices.DeleteFunc(found, func(n int) bool { return vaults[n].Joined && named[vaults[n].region()] })
}

func (v Vault) isCalled(ref string) bool { return armid.IsCalled(ref, v.ID(), v.ResourceGroup, v.Name) }

// findAllVaults resolves references, in their order.
func (x *index) findAllVaults(vaults []Vault, refs []string) []int {
	var found []int
	for _, ref := range refs {
		found = append(found, x.findVaults(vaults, ref)...)
	}
	return found
}

// reachableVaults lists the vaults that some VM of the rule may go to, as far as the file alone can tell.
func (x *index) reachableVaults(vaults []Vault, r *Rule) []int {
	if len(r.Vault) > 0 {
		return x.findAllVaults(vaults, r.Vault)
	}
	if r.ID != "" {
		return x.vaultsBySub[strings.ToLower(armid.SubscriptionOf(r.ID))]
	}
	var found []int
	for _, m := range r.Match {
		found = append(found, x.vaultsOfSelector(vaults, m)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// vaultsOfSelector lists the vaults where VMs of a selector may be, in any order.
func (x *index) vaultsOfSelector(vaults []Vault, s Selector) (found []int) {
	switch {
	case s.Subscriptions != nil:
		for _, id := range s.Subscriptions {
			for _, n := range x.vaultsBySub[strings.ToLower(id)] {
				if s.admits(vaults[n].region()) {
					found = append(found, n)
				}
			}
		}
	case s.Locations != nil:
		for _, l := range s.Locations {
			found = append(found, x.vaultsByPlace[armid.Location(l)]...)
		}
	default:
		for n := range vaults {
			if vaults[n].Match == nil {
				found = append(found, n)
			}
		}
	}
	return found
}

// reach describes where the VMs of a rule without "vault" may be: rules with equal texts may route to the same vaults.
func (r *Rule) reach() string {
	if r.ID != "" {
		return "id " + strings.ToLower(armid.SubscriptionOf(r.ID))
	}
	var all []string
	for _, s := range r.Match {
		if s.Subscriptions == nil && s.Locations == nil {
			return "everywhere"
		}
		all = append(all, fmt.Sprintf("%q %q", foldAll(s.Subscriptions, strings.ToLower), foldAll(s.Locations, armid.Location)))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// admits reports whether a VM of the rule may be in a region.
func (r *Rule) admits(at armid.Region) bool {
	if r.ID != "" {
		return strings.EqualFold(armid.SubscriptionOf(r.ID), at.Subscription)
	}
	return slices.ContainsFunc(r.Match, func(s Selector) bool { return s.admits(at) })
}

func (s Selector) admits(at armid.Region) bool {
	inSubscription := func(id string) bool { return strings.EqualFold(id, at.Subscription) }
	inLocation := func(l string) bool { return armid.Location(l) == at.Location }
	return (s.Subscriptions == nil || slices.ContainsFunc(s.Subscriptions, inSubscription)) &&
		(s.Locations == nil || slices.ContainsFunc(s.Locations, inLocation))
}
