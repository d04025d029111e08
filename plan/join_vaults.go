package plan

import (
	"slices"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// JoinVaults returns a copy of c in which every vault that was read and matches an entry of `vaults` with a match stands
// like one that the file names. Its compiled part is that of c: the caller compiles it.
func JoinVaults(c *config.Config, vaults []Vault) config.Config {
	own := *c
	if len(c.VaultMatches) == 0 {
		return own
	}
	own.Vaults = slices.Clone(c.Vaults)
	match := c.VaultMatcher()
	sorted := slices.Clone(vaults)
	slices.SortFunc(sorted, func(a, b Vault) int { return compareIDs(a.ID, b.ID) })
	for _, v := range sorted {
		if entry, ok := match(vaultTarget(v)); ok && v.Location != "" {
			own.Vaults = append(own.Vaults, entry)
		}
	}
	return own
}

func vaultTarget(v Vault) config.VaultTarget {
	t := config.VaultTarget{Name: v.Name, Location: v.Location, Tags: v.Settings.Tags}
	if id, err := armid.ParseVault(v.ID); err == nil {
		t.Subscription, t.ResourceGroup = id.Subscription, id.ResourceGroup
	}
	return t
}
