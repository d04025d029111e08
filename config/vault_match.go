package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// VaultTarget is a vault that was found, with the properties that entries with a match are compared with.
type VaultTarget struct {
	Name, ResourceGroup, Subscription, Location string
	Tags                                        map[string]string
}

// splitVaults moves the entries with a match out of Vaults.
func (c *Config) splitVaults() {
	isMatch := func(v Vault) bool { return v.Match != nil }
	if !slices.ContainsFunc(c.Vaults, isMatch) {
		return
	}
	for _, v := range c.Vaults {
		if isMatch(v) {
			c.VaultMatches = append(c.VaultMatches, v)
		}
	}
	c.Vaults = slices.DeleteFunc(c.Vaults, isMatch)
	c.Compile()
}

// VaultMatcher returns a function that returns the entry by which a vault joins the file, with the vault's own name and
// place in it: the first of VaultMatches that matches. It returns false for a vault that no entry matches, that Vaults has
// already, or that lies outside the subscriptions. The function is safe for concurrent use.
func (c *Config) VaultMatcher() func(VaultTarget) (Vault, bool) {
	known := map[armid.Key]bool{}
	for _, v := range c.Vaults {
		known[armid.Of(v.ID())] = true
	}
	inside := map[string]bool{}
	for _, id := range c.Subscriptions {
		inside[strings.ToLower(id)] = true
	}
	// A vault is matched as a VM of its name, region and tags would be.
	rules := make([]Rule, len(c.VaultMatches))
	for i, v := range c.VaultMatches {
		rules[i].Match = []Selector{{Names: v.Match.Names, Locations: v.Match.Locations, Tags: v.Match.Tags}}
	}
	m := newMatcher(rules)
	return func(t VaultTarget) (Vault, bool) {
		i, ok := m.match(Target{Name: t.Name, ResourceGroup: t.ResourceGroup, Subscription: t.Subscription, Location: t.Location, Tags: t.Tags})
		if !ok || !inside[strings.ToLower(t.Subscription)] {
			return Vault{}, false
		}
		v := c.VaultMatches[i]
		v.Match, v.Joined = nil, true
		v.Name, v.ResourceGroup, v.Subscription, v.Location = t.Name, t.ResourceGroup, t.Subscription, t.Location
		return v, !known[armid.Of(v.ID())]
	}
}
