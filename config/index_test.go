package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/internal/armid"
)

// naiveVaultsOf goes through every vault for every rule.
func naiveVaultsOf(c *Config, p *Policy) []Vault {
	var found []Vault
	for _, v := range c.Vaults {
		called := func(ref string) bool { return v.isCalled(ref) }
		reached := func(r Rule) bool {
			if !strings.EqualFold(r.Policy, p.Name) {
				return false
			}
			if len(r.Vault) > 0 {
				return slices.ContainsFunc(r.Vault, called)
			}
			return r.admits(v.region())
		}
		if slices.ContainsFunc(p.Vaults, called) || len(p.Vaults) == 0 && slices.ContainsFunc(c.Rules, reached) {
			found = append(found, v)
		}
	}
	return found
}

// naiveCandidates goes through every vault.
func naiveCandidates(c *Config, r *Rule, subscription, location string) []Vault {
	var all, near []Vault
	for _, ref := range r.Vault {
		for _, v := range c.Vaults {
			if v.isCalled(ref) {
				all = append(all, v)
			}
		}
	}
	if len(r.Vault) == 0 {
		all = c.Vaults
	}
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

func TestTheIndexFindsWhatGoingThroughAllVaultsFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subs, places := []string{sub1, "ABCDEF00-1111-1111-1111-111111111111"}, []string{"westeurope", "West Europe", "northeurope"}
		word := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(t, what) }
		c := &Config{Policies: []Policy{{Name: "daily"}, {Name: "Weekly", Vaults: []string{"RSV-1", "rg-a/rsv-0"}}}}
		for i := range rapid.IntRange(0, 6).Draw(t, "vaults") {
			c.Vaults = append(c.Vaults, Vault{
				Name: fmt.Sprintf("rsv-%d", i%3), ResourceGroup: word("group", "rg-a", "RG-B"), Subscription: word("sub", subs...), Location: word("place", places...),
			})
		}
		for range rapid.IntRange(0, 5).Draw(t, "rules") {
			r := Rule{Policy: word("policy", "Daily", "weekly", "other", "")}
			switch word("kind", "vault", "match", "places", "place", "subscription", "several", "id") {
			case "vault":
				r.Vault = []string{word("ref", "rsv-0", "RG-A/RSV-1", "rsv-9", Vault{Name: "rsv-2", ResourceGroup: "rg-b", Subscription: sub1}.ID()), "rsv-1"}
			case "match":
				r.Match = []Selector{{Names: []string{"*"}}}
			case "places":
				r.Match = []Selector{{Locations: []string{word("place", places...)}, Subscriptions: []string{word("sub", subs...)}}}
			case "place":
				r.Match = []Selector{{Locations: []string{word("place", places...), word("place", places...)}}}
			case "subscription":
				r.Match = []Selector{{Subscriptions: []string{word("sub", subs...), strings.ToUpper(subs[0])}}}
			case "several":
				r.Match = []Selector{{Locations: []string{word("place", places...)}}, {Subscriptions: []string{word("sub", subs...)}, Locations: []string{word("place", places...)}}}
			case "id":
				r.ID = "/subscriptions/" + word("sub", subs...) + "/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm"
			}
			c.Rules = append(c.Rules, r)
		}
		c.Compile()
		for i := range c.Policies {
			if diff := cmp.Diff(naiveVaultsOf(c, &c.Policies[i]), c.VaultsOf(&c.Policies[i])); diff != "" {
				t.Errorf("vaults of %s (-naive +index):\n%s", c.Policies[i].Name, diff)
			}
		}
		for i := range c.Rules {
			sub, at := word("sub", subs...), word("place", places...)
			if diff := cmp.Diff(naiveCandidates(c, &c.Rules[i], sub, at), c.Candidates(&c.Rules[i], sub, at)); diff != "" {
				t.Errorf("candidates of rule %d (-naive +index):\n%s", i, diff)
			}
		}
	})
}

func TestARuleThatWantsNoBackupKeepsItsPolicyInNoVault(t *testing.T) {
	for protect, want := range map[Protect]int{ProtectOn: 1, ProtectOff: 0, ProtectStopped: 0, "": 1} {
		c := &Config{
			Vaults:   []Vault{{Name: "rsv", ResourceGroup: "rg", Location: "westeurope"}},
			Policies: []Policy{{Name: "daily", Manage: true}},
			Rules:    []Rule{{Name: "r", Match: []Selector{{Names: []string{"*"}}}, Policy: "daily", Protect: protect}},
		}
		if got := c.VaultsOf(&c.Policies[0]); len(got) != want {
			t.Errorf("protect %q: the policy is kept in %d vaults, want %d", protect, len(got), want)
		}
	}
}
