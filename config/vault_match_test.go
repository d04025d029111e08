package config

import "testing"

func TestAVaultJoinsByTheFirstEntryThatMatchesUnlessItIsNamed(t *testing.T) {
	const here, elsewhere = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	days := 30
	c := &Config{
		Subscriptions: []string{here},
		Vaults:        []Vault{{Name: "rsv-named", ResourceGroup: "rg", Subscription: here, Location: "westeurope"}},
		VaultMatches: []Vault{
			{Match: &VaultSelector{Names: []string{"rsv-*"}, Tags: map[string][]string{"owner": {"platform"}, "legacy": {}}}, Manage: true, SoftDeleteDays: &days},
			{Match: &VaultSelector{Names: []string{"rsv-*"}, Locations: []string{"North Europe"}}},
		},
	}
	match := c.VaultMatcher()
	vault := func(name, subscription, location string, tags map[string]string) VaultTarget {
		return VaultTarget{Name: name, ResourceGroup: "RG", Subscription: subscription, Location: location, Tags: tags}
	}
	owned := map[string]string{"Owner": "platform"}
	for name, v := range map[string]struct {
		target VaultTarget
		want   bool
		manage bool
	}{
		"by name and tag":            {vault("RSV-one", here, "westeurope", owned), true, true},
		"the value of a tag differs": {vault("rsv-one", here, "westeurope", map[string]string{"owner": "shop"}), false, false},
		"a tag that must not be":     {vault("rsv-one", here, "westeurope", map[string]string{"owner": "platform", "legacy": "yes"}), false, false},
		"by region, the second":      {vault("rsv-one", here, "northeurope", nil), true, false},
		"both, the first counts":     {vault("rsv-one", here, "northeurope", owned), true, true},
		"another name":               {vault("backup", here, "northeurope", owned), false, false},
		"named in the file":          {vault("RSV-NAMED", here, "westeurope", owned), false, false},
		"outside the subscriptions":  {vault("rsv-one", elsewhere, "westeurope", owned), false, false},
	} {
		got, ok := match(v.target)
		if ok != v.want || ok && (got.Manage != v.manage || got.Name != v.target.Name || got.ResourceGroup != "RG" || !got.Joined || got.Match != nil) {
			t.Errorf("%s: joins %t as %+v", name, ok, got)
		}
	}
}
