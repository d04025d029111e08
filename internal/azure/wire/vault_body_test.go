package wire

import (
	"encoding/json"
	"testing"

	"github.com/azbackup/azbackup/plan"
)

func TestANewVaultIsOpenToTheNetworkUnlessTheFileSaysOtherwise(t *testing.T) {
	const head = `{"location":"westeurope","sku":{"name":"Standard"},"properties":{`
	for _, c := range []struct {
		settings plan.VaultSettings
		want     string
	}{
		{plan.VaultSettings{}, head + `"publicNetworkAccess":"Enabled"}}`},
		{plan.VaultSettings{PublicNetworkAccess: new(true)}, head + `"publicNetworkAccess":"Enabled"}}`},
		{plan.VaultSettings{PublicNetworkAccess: new(false)}, head + `"publicNetworkAccess":"Disabled"}}`},
		{plan.VaultSettings{Immutability: "Unlocked"}, head + `"publicNetworkAccess":"Enabled","securitySettings":{"immutabilitySettings":{"state":"Unlocked"}}}}`},
	} {
		c.settings.Location = "westeurope"
		if got, err := json.Marshal(NewVaultBody(c.settings)); err != nil || string(got) != c.want {
			t.Errorf("sent %s, %v\nwant %s", got, err, c.want)
		}
	}
}

// The service takes some settings only together with others, which go back as they were read.
func TestAChangeOfAVaultSendsWhatItChangesAndWhatTheServiceTakesWithIt(t *testing.T) {
	now := read[Vault](t, `{"properties":{"redundancySettings":{"standardTierStorageRedundancy":"ZoneRedundant","crossRegionRestore":"Invalid"},
		"securitySettings":{"softDeleteSettings":{"softDeleteState":"AlwaysON","softDeleteRetentionPeriodInDays":14}}}}`)
	const redundancy = `{"properties":{"redundancySettings":{"standardTierStorageRedundancy":`
	for _, c := range []struct {
		settings plan.VaultSettings
		want     string
	}{
		{plan.VaultSettings{}, `{}`},
		{plan.VaultSettings{Tags: map[string]string{"a": "b"}}, `{"tags":{"a":"b"}}`},
		{plan.VaultSettings{PublicNetworkAccess: new(false)}, `{"properties":{"publicNetworkAccess":"Disabled"}}`},
		{plan.VaultSettings{CrossRegionRestore: new(true)}, redundancy + `"ZoneRedundant","crossRegionRestore":"Enabled"}}}`},
		{plan.VaultSettings{Redundancy: "GeoRedundant"}, redundancy + `"GeoRedundant","crossRegionRestore":"Disabled"}}}`},
		{plan.VaultSettings{Immutability: "Locked"}, `{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Locked"}}}}`},
		{plan.VaultSettings{SoftDeleteDays: new(60)}, `{"properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"AlwaysON","softDeleteRetentionPeriodInDays":60}}}}`},
	} {
		if got, err := json.Marshal(NewVaultPatch(c.settings, now)); err != nil || string(got) != c.want {
			t.Errorf("sent %s, %v\nwant %s", got, err, c.want)
		}
	}
}

func TestRequestsOfGuardsGoWithThePropertiesThatNeedThem(t *testing.T) {
	for name, c := range map[string]struct {
		settings plan.VaultSettings
		ids      []string
		want     string
	}{
		"a property": {plan.VaultSettings{Immutability: "Locked"}, []string{"/g"}, `{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Locked"}},"resourceGuardOperationRequests":["/g"]}}`},
		"no guard":   {plan.VaultSettings{PublicNetworkAccess: new(true)}, nil, `{"properties":{"publicNetworkAccess":"Enabled"}}`},
		"tags alone": {plan.VaultSettings{Tags: map[string]string{"a": "b"}}, []string{"/g"}, `{"tags":{"a":"b"}}`},
	} {
		b := NewVaultPatch(c.settings, Vault{})
		b.NameGuardRequests(c.ids)
		if got, err := json.Marshal(b); err != nil || string(got) != c.want {
			t.Errorf("%s: sent %s, %v\nwant %s", name, got, err, c.want)
		}
	}
}
