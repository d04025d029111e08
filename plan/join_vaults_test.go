package plan

import (
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

func TestAVaultThatJoinsIsNeverCreatedAndIsNoPartOfTheHash(t *testing.T) {
	const sub = "11111111-1111-1111-1111-111111111111"
	c := &config.Config{
		Subscriptions: []string{sub},
		VaultMatches:  []config.Vault{{Match: &config.VaultSelector{Names: []string{"rsv-*"}}, Manage: true}},
	}
	found := []Vault{
		{ID: armid.Vault(sub, "rg", "rsv-b"), Name: "rsv-b", Location: "westeurope"},
		{ID: armid.Vault(sub, "rg", "rsv-a"), Name: "rsv-a", Location: "westeurope"},
		{ID: armid.Vault(sub, "rg", "rsv-nowhere"), Name: "rsv-nowhere"},
		{ID: armid.Vault(sub, "rg", "other"), Name: "other", Location: "westeurope"},
	}
	joined := JoinVaults(c, found)
	if len(joined.Vaults) != 2 || joined.Vaults[0].Name != "rsv-a" || joined.Vaults[1].Name != "rsv-b" || len(c.Vaults) != 0 {
		t.Errorf("joined: %+v", joined.Vaults)
	}
	if again := JoinVaults(&joined, found); len(again.Vaults) != 2 {
		t.Errorf("joined twice: %+v", again.Vaults)
	}
	if ConfigHash(c) != ConfigHash(&joined) {
		t.Error("a saved plan is void when a vault joins")
	}
	if p := Make(c, Observed{}, Options{}); len(p.Changes) != 0 {
		t.Errorf("without any vault the plan has %+v", p.Changes)
	}
}

func TestANameMeansTheVaultOfTheFileAndNotOneOfItsNameThatJoins(t *testing.T) {
	const sub = "11111111-1111-1111-1111-111111111111"
	vm := armid.VM(sub, "rg-app", "app01")
	found := []Vault{
		{ID: armid.Vault(sub, "rg-a", "rsv"), Name: "rsv", Location: "westeurope"},
		{ID: armid.Vault(sub, "rg-b", "rsv"), Name: "rsv", Location: "westeurope"},
	}
	named := []config.Vault{{Name: "rsv", ResourceGroup: "rg-b", Subscription: sub, Location: "westeurope"}}
	for name, tc := range map[string]struct {
		named  []config.Vault
		vault  string
		spread bool
		items  []Item
		want   Action
		in     string
		why    Reason
	}{
		"one is named":                     {named: named, vault: "rsv", want: Protect, in: found[1].ID},
		"none is named":                    {vault: "rsv", want: Blocked, why: ReasonAmbiguousVault},
		"no vault has the name":            {vault: "rsv-typo", want: Blocked, why: ReasonNoSuchVault},
		"none is named, and both may do":   {vault: "rsv", spread: true, want: Protect, in: found[0].ID},
		"the rule says the resource group": {vault: "rg-b/rsv", want: Protect, in: found[1].ID},
		"one of two has the item": {
			vault: "rsv", want: Modify, in: found[1].ID,
			items: []Item{{ID: "item", Vault: found[1].ID, VM: vm, State: StateProtected, PolicyID: armid.Policy(found[1].ID, "old")}},
		},
	} {
		c := &config.Config{
			Subscriptions: []string{sub}, Vaults: tc.named,
			VaultMatches: []config.Vault{{Match: &config.VaultSelector{Names: []string{"rsv*"}}}},
			Policies:     []config.Policy{{Name: "daily"}},
			Rules:        []config.Rule{{Name: "r", ID: vm, Policy: "daily", Vault: []string{tc.vault}, Spread: tc.spread, Protect: config.ProtectOn}},
		}
		o := Observed{
			VMs:    []VM{{ID: vm, Name: "app01", ResourceGroup: "rg-app", Subscription: sub, Location: "westeurope"}},
			Vaults: found, Items: tc.items,
			Policies: []Policy{{ID: armid.Policy(found[0].ID, "daily"), Vault: found[0].ID, Name: "daily"}, {ID: armid.Policy(found[1].ID, "daily"), Vault: found[1].ID, Name: "daily"}},
		}
		var got []Change
		for _, ch := range Make(c, o, Options{}).Changes {
			if ch.Action != Refresh {
				got = append(got, ch)
			}
		}
		if len(got) != 1 || got[0].Action != tc.want || !armid.Same(got[0].Vault, tc.in) {
			t.Errorf("%s: got %+v, want %s in %q", name, got, tc.want, tc.in)
		}
		if tc.why != "" && (len(got) != 1 || got[0].Reason != tc.why) {
			t.Errorf("%s: got %+v, want %s", name, got, tc.why)
		}
	}
}
