package azure

import (
	"net/http"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/plan"
)

// The list of a subscription's vaults is read anyway. A vault that it does not show, or not in full, is read by itself,
// and so is one that the file manages.
func TestTheListOfVaultsSavesTheReadOfAVault(t *testing.T) {
	noPlace := strings.Replace(rawVault(vaultID), `"location":"westeurope",`, "", 1)
	for name, c := range map[string]struct {
		list    http.HandlerFunc
		managed bool
		reads   int
	}{
		"listed":           {lists(rawVault(vaultID)), false, 0},
		"in upper case":    {lists(rawVault(strings.ToUpper(vaultID))), false, 0},
		"managed":          {lists(rawVault(vaultID)), true, 1},
		"not listed":       {lists(), false, 1},
		"not in full":      {lists(noPlace), false, 1},
		"no list":          {fails(403, "AuthorizationFailed"), false, 1},
		"another with it":  {lists(rawVault(vaultID+"2"), rawVault(vaultID)), false, 0},
		"only another one": {lists(rawVault(vaultID + "2")), false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := estate().on("GET", vaults, c.list).on("GET", vaultID+"2/backupProtectedItems", lists())
			s := scope()
			s.Vaults[0].Manage = c.managed
			o := discover(t, f.client(t, CommandPlan), s)
			if n := f.count("GET", vaultID); n != c.reads {
				t.Errorf("the vault was read %d times, want %d", n, c.reads)
			}
			var found plan.Vault
			for _, v := range o.Vaults {
				if v.ID == vaultID {
					found = v
				}
			}
			if !found.InFile || found.Location != "westeurope" || found.Settings.Redundancy != "GeoRedundant" || found.ResourceGuards == nil {
				t.Errorf("the vault is %+v", found)
			}
			if len(o.Items) != 1 || len(o.Policies) != 1 {
				t.Errorf("%d items and %d policies of the vault", len(o.Items), len(o.Policies))
			}
		})
	}
}
