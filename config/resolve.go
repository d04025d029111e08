package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// Policy finds a policy of the file by name, without case; nil when there is none.
func (c *Config) Policy(name string) *Policy {
	for i := range c.Policies {
		if strings.EqualFold(c.Policies[i].Name, name) {
			return &c.Policies[i]
		}
	}
	return nil
}

// FindVaults lists the vaults that a reference may mean: `name`, `group/name` or a resource id. A file that
// [Load] accepted has exactly one for each reference in it.
func (c *Config) FindVaults(ref string) []Vault {
	var found []Vault
	for _, v := range c.Vaults {
		if v.isCalled(ref) {
			found = append(found, v)
		}
	}
	return found
}

func (v Vault) isCalled(ref string) bool {
	if strings.HasPrefix(ref, "/") {
		return armid.Same(v.ID(), ref)
	}
	if group, name, ok := strings.Cut(ref, "/"); ok {
		return strings.EqualFold(v.ResourceGroup, group) && strings.EqualFold(v.Name, name)
	}
	return strings.EqualFold(v.Name, ref)
}

// vaultsCalled resolves references, in their order.
func (c *Config) vaultsCalled(refs []string) []Vault {
	var vaults []Vault
	for _, ref := range refs {
		vaults = append(vaults, c.FindVaults(ref)...)
	}
	return vaults
}

// Candidates lists the vaults that a VM of the rule may go to: those that `vault:` names, in that order, or
// without `vault:` those of the file, in its order; of them those in the VM's subscription and region, because a
// vault takes no others (azure-api.md §13). Where `vault:` names none there, it is all that it names: what the
// rule wants cannot be, and the caller can say why.
func (c *Config) Candidates(r *Rule, subscription, location string) []Vault {
	all := c.Vaults
	if len(r.Vault) > 0 {
		all = c.vaultsCalled(r.Vault)
	}
	var near []Vault
	for _, v := range all {
		if strings.EqualFold(v.Subscription, subscription) && armid.Location(v.Location) == armid.Location(location) {
			near = append(near, v)
		}
	}
	if len(near) == 0 && len(r.Vault) > 0 {
		return all
	}
	return near
}

// VaultsOf lists the vaults that hold the policy: those that it names, or every vault that a rule with this
// policy may route to; in the order of the file.
func (c *Config) VaultsOf(p *Policy) []Vault {
	wanted := map[armid.Key]bool{}
	for _, v := range c.vaultsCalled(p.Vaults) {
		wanted[armid.Of(v.ID())] = true
	}
	for i := range c.Rules {
		if len(p.Vaults) == 0 && strings.EqualFold(c.Rules[i].Policy, p.Name) {
			for _, v := range c.reachable(&c.Rules[i]) {
				wanted[armid.Of(v.ID())] = true
			}
		}
	}
	var vaults []Vault
	for _, v := range c.Vaults {
		if wanted[armid.Of(v.ID())] {
			vaults = append(vaults, v)
		}
	}
	return vaults
}

// reachable lists the vaults that some VM of the rule may go to, as far as the file alone can tell.
func (c *Config) reachable(r *Rule) []Vault {
	if len(r.Vault) > 0 {
		return c.vaultsCalled(r.Vault)
	}
	var vaults []Vault
	for _, v := range c.Vaults {
		if r.admits(v) {
			vaults = append(vaults, v)
		}
	}
	return vaults
}

// admits says whether a VM of the rule may live in the vault's subscription and region.
func (r *Rule) admits(v Vault) bool {
	if r.ID != "" {
		return strings.EqualFold(armid.SubscriptionOf(r.ID), v.Subscription)
	}
	return slices.ContainsFunc(r.Match, func(s Selector) bool { return s.admits(v) })
}

func (s Selector) admits(v Vault) bool {
	inSubscription := func(id string) bool { return strings.EqualFold(id, v.Subscription) }
	inLocation := func(l string) bool { return armid.Location(l) == armid.Location(v.Location) }
	return (s.Subscriptions == nil || slices.ContainsFunc(s.Subscriptions, inSubscription)) &&
		(s.Locations == nil || slices.ContainsFunc(s.Locations, inLocation))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
