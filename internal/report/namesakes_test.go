package report

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestWhatHasOneNameInSeveralPlacesIsToldApart(t *testing.T) {
	const shop, zone = "11111111-1111-1111-1111-111111111111", "aaaaaaaa-1111-1111-1111-111111111111"
	policy := func(subscription, vault, name string) string {
		return armid.Vault(subscription, "rg-backup", vault) + "/backupPolicies/" + name
	}
	for _, tt := range []struct {
		what          string
		subscriptions map[string]string
		ids, want     []string
	}{
		{
			"a policy of one name in two vaults", nil,
			[]string{policy(shop, "rsv-a", "daily"), policy(shop, "rsv-b", "DAILY"), policy(shop, "rsv-b", "weekly")},
			[]string{"rsv-a/daily", "rsv-b/DAILY", "weekly"},
		},
		{
			"in vaults of one name",
			map[string]string{shop: "Shop", zone: "Landing zone"},
			[]string{policy(shop, "rsv", "daily"), policy(zone, "rsv", "daily")},
			[]string{"Shop/rsv/daily", "Landing zone/rsv/daily"},
		},
		{
			"subscriptions whose names look alike",
			map[string]string{shop: "Shop", zone: "shop"},
			[]string{armid.VM(shop, "rg", "web"), armid.VM(zone, "rg", "web")},
			[]string{"Shop " + shop + "/rg/web", "shop " + zone + "/rg/web"},
		},
		{
			"a machine and a policy of one name", nil,
			[]string{armid.VM(shop, "rg", "daily"), policy(shop, "rsv", "daily")},
			[]string{"rg/daily", "daily"},
		},
	} {
		name := Namer(tt.subscriptions, slices.Values(tt.ids))
		for i, id := range tt.ids {
			if got := name(id); got != tt.want[i] {
				t.Errorf("%s: %q, want %q", tt.what, got, tt.want[i])
			}
		}
	}
}

// The risks of a plan stand above its vaults, so a policy there says in which vault it is.
func TestTheRisksOfPoliciesOfOneNameSayTheirVaults(t *testing.T) {
	p := plan.Plan{Complete: true}
	for _, vault := range []string{"rsv-a", "rsv-b"} {
		id := armid.Vault(sampleSub1, "rg-backup", vault)
		p.Changes = append(p.Changes, plan.Change{
			ID: "update-policy:" + id, Action: plan.UpdatePolicy, Vault: id, Target: id + "/backupPolicies/daily", Risk: plan.RiskReducesRetention,
			Before: &plan.State{}, After: &plan.State{},
		})
	}
	var text, markdown strings.Builder
	if err := errors.Join(PlanText(&text, p, Style{}), PlanMarkdown(&markdown, p)); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{text.String(), markdown.String()} {
		for _, want := range []string{"rsv-a/daily", "rsv-b/daily"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %s in\n%s", want, out)
			}
		}
	}
}
