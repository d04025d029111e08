package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// Policy finds a policy of the file by name, without case; nil when there is none.
func (c *Config) Policy(name string) *Policy {
	i, ok := c.compiled().index.policies[strings.ToLower(name)]
	if !ok {
		return nil
	}
	return &c.Policies[i]
}

// FindVaults lists the vaults that a reference may mean: `name`, `group/name`, a resource id, or a policy's pattern of
// names. In a file that [Load] accepted, a reference without a pattern means exactly one vault; where an entry with a
// match may find it ([Config.VaultMatcher]), it means none until that vault joins, and several where vaults of one name do.
func (c *Config) FindVaults(ref string) []Vault {
	return c.vaultsAt(c.compiled().index.findVaults(c.Vaults, ref))
}

// Candidates lists the vaults that a VM of the rule may go to: those that `vault:` names, in that order, or
// without `vault:` those of the file, in its order; of them those in the VM's subscription and region, because a
// vault takes no others (docs/azure.md §13). Where `vault:` names none there, it is all that it names: what the
// rule wants cannot be, and the caller can say why.
func (c *Config) Candidates(r *Rule, subscription, location string) []Vault {
	index, at := &c.compiled().index, armid.RegionOf(subscription, location)
	if len(r.Vault) == 0 {
		return c.vaultsAt(index.vaultsByRegion[at])
	}
	all := c.vaultsAt(index.findAllVaults(c.Vaults, r.Vault))
	var near []Vault
	for _, v := range all {
		if v.region() == at {
			near = append(near, v)
		}
	}
	if len(near) == 0 {
		return all
	}
	return near
}

// VaultsOf lists the vaults that hold the policy: those that it names, or every vault that a rule with this
// policy may route to; of them those that the run works in, in the order of the file.
func (c *Config) VaultsOf(p *Policy) []Vault {
	index := &c.compiled().index
	numbers := index.vaultsByPolicy[strings.ToLower(p.Name)]
	if len(p.Vaults) > 0 {
		named := slices.Clone(index.findAllVaults(c.Vaults, p.Vaults))
		slices.Sort(named)
		numbers = slices.Compact(named)
	}
	return slices.DeleteFunc(c.vaultsAt(numbers), func(v Vault) bool { return !c.Owns(v.Subscription) })
}

// vaultsAt returns the vaults with these numbers.
func (c *Config) vaultsAt(numbers []int) []Vault {
	if len(numbers) == 0 {
		return nil
	}
	vaults := make([]Vault, len(numbers))
	for i, n := range numbers {
		vaults[i] = c.Vaults[n]
	}
	return vaults
}
