package azure

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
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

// A vault that joins by its tags is in the list with all that a plan needs, unless the file manages it or a part of it
// was not understood: such a vault is read by itself.
func TestAVaultThatJoinsIsReadByItselfWhereTheListDoesNotAnswer(t *testing.T) {
	noPlace := strings.Replace(rawVault(otherID), `"location":"westeurope",`, "", 1)
	for name, c := range map[string]struct {
		listed  string
		managed bool
		reads   int
	}{
		"listed in full":           {rawVault(otherID), false, 0},
		"managed":                  {rawVault(otherID), true, 1},
		"not in full":              {noPlace, false, 1},
		"managed, and not in full": {noPlace, true, 1},
	} {
		f := estate().on("GET", vaults, lists(rawVault(vaultID), c.listed)).on("GET", otherID, says(200, rawVault(otherID))).
			on("GET", otherID+"/backupProtectedItems", lists(azuretest.Item(otherID, "VM2"))).on("GET", otherID+"/backupPolicies", lists()).
			on("GET", otherID+"/backupJobs", lists()).on("GET", otherID+"/backupResourceGuardProxies", lists())
		s := scope()
		s.Joins = func(v plan.Vault) (plan.VaultRef, bool) {
			return plan.VaultRef{ID: v.ID, Location: "westeurope", Manage: c.managed}, true
		}
		o := discover(t, f.client(t, CommandPlan), s)
		if n := f.count("GET", otherID); n != c.reads {
			t.Errorf("%s: read %d times, want %d", name, n, c.reads)
		}
		if len(o.Vaults) != 2 || !o.Vaults[0].InFile || !o.Vaults[1].InFile || len(o.Items) != 2 || len(o.Gaps) != 0 {
			t.Errorf("%s: vaults %+v, items %+v, gaps %+v", name, o.Vaults, o.Items, o.Gaps)
		}
	}
}

// Where the VMs in no vault of the file are protected is asked only where the scope has it, and once.
func TestOtherVaultsAreReadWhereTheScopeHasThemAndOnce(t *testing.T) {
	for name, c := range map[string]struct {
		elsewhere, all bool
		reads          int
	}{
		"neither": {false, false, 0}, "elsewhere": {true, false, 1}, "all vaults": {false, true, 1}, "both": {true, true, 1},
	} {
		f := estate().on("GET", vaults, lists(rawVault(vaultID), rawVault(otherID))).
			on("GET", otherID+"/backupProtectedItems", lists()).on("GET", otherID+"/backupPolicies", lists()).
			on("GET", "/subscriptions", lists(`{"id":"/subscriptions/`+sub+`","subscriptionId":"`+sub+`","displayName":"Prod","tenantId":"t"}`))
		s := scope()
		s.Elsewhere, s.AllVaults = c.elsewhere, c.all
		o := discover(t, f.client(t, CommandAudit), s)
		if n := f.count("GET", otherID+"/backupProtectedItems"); n != c.reads || len(o.Gaps) != 0 {
			t.Errorf("%s: its items were read %d times, want %d; gaps %+v", name, n, c.reads, o.Gaps)
		}
	}
}

// That too few VMs are seen is one gap for each subscription; every other read that failed is a gap of its own.
func TestGapsOfVisibilityAreOneForEachSubscription(t *testing.T) {
	gap := func(kind plan.GapKind, subscription, target string) plan.Gap {
		return plan.Gap{Kind: kind, Subscription: subscription, Target: target, Code: "AuthorizationFailed"}
	}
	want := []plan.Gap{
		gap(plan.GapStatus, sub, "a"), gap(plan.GapStatus, sub, "b"),
		gap(plan.GapVisibility, sub, "a"), gap(plan.GapVisibility, "2"+sub[1:], "d"),
		gap(plan.GapVM, "2"+sub[1:], "a"), gap(plan.GapVM, "2"+sub[1:], "b"),
	}
	d := &discovery{}
	d.out.Gaps = append([]plan.Gap{gap(plan.GapVisibility, sub, "b"), gap(plan.GapVisibility, sub, "c")}, want...)
	if diff := cmp.Diff(want, d.sortedResult().Gaps); diff != "" {
		t.Errorf("gaps (-want +got)\n%s", diff)
	}
}
