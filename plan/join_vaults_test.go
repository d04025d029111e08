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
