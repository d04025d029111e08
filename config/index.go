package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// index finds vaults and policies without going through all of them: it is asked for every VM. Numbers are positions in
// the lists of the Config.
type index struct {
	policies       map[string]int      // by folded name; the first of a name
	vaultsByName   map[string][]int    // vaults by folded name, in the order of the file
	vaultsByRegion map[regionKey][]int // vaults by subscription and region, in the order of the file
	vaultsByPolicy map[string][]int    // vaults that rules with a policy may route to, by its folded name, in the order of the file
}

// regionKey is a subscription and a region, folded: a vault takes VMs of its own place only (docs/azure.md §13).
type regionKey struct{ subscription, location string }

func regionKeyOf(subscription, location string) regionKey {
	return regionKey{strings.ToLower(subscription), armid.Location(location)}
}

func (v Vault) regionKey() regionKey { return regionKeyOf(v.Subscription, v.Location) }

func newIndex(c *Config) index {
	x := index{
		policies: make(map[string]int, len(c.Policies)), vaultsByName: make(map[string][]int, len(c.Vaults)),
		vaultsByRegion: map[regionKey][]int{}, vaultsByPolicy: map[string][]int{},
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
		x.vaultsByRegion[v.regionKey()] = append(x.vaultsByRegion[v.regionKey()], i)
	}
	x.indexRoutes(c)
	return x
}

func (x *index) hasPolicy(folded string) bool {
	_, ok := x.policies[folded]
	return ok
}

// indexRoutes fills in which vaults the rules of each policy may route to.
func (x *index) indexRoutes(c *Config) {
	sets := map[string]map[int]bool{}
	for i := range c.Rules {
		r := &c.Rules[i]
		policy := strings.ToLower(r.Policy)
		if policy == "" || len(sets[policy]) == len(c.Vaults) {
			continue
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

// findVaults lists the vaults that a reference may mean, in the order of the file.
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
	return found
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
	var found []int
	for at, numbers := range x.vaultsByRegion {
		if r.admits(at) {
			found = append(found, numbers...)
		}
	}
	slices.Sort(found)
	return found
}

// admits says whether a VM of the rule may live in a place.
func (r *Rule) admits(at regionKey) bool {
	if r.ID != "" {
		return strings.EqualFold(armid.SubscriptionOf(r.ID), at.subscription)
	}
	return slices.ContainsFunc(r.Match, func(s Selector) bool { return s.admits(at) })
}

func (s Selector) admits(at regionKey) bool {
	inSubscription := func(id string) bool { return strings.EqualFold(id, at.subscription) }
	inLocation := func(l string) bool { return armid.Location(l) == at.location }
	return (s.Subscriptions == nil || slices.ContainsFunc(s.Subscriptions, inSubscription)) &&
		(s.Locations == nil || slices.ContainsFunc(s.Locations, inLocation))
}
