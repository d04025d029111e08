package report

import (
	"slices"
	"testing"

	"github.com/azbackup/azbackup/internal/armid"
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
