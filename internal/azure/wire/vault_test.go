package wire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

func TestVaults(t *testing.T) {
	const nulls = `{"id":"/x","name":"v1","location":"westeurope","properties":{"provisioningState":"Succeeded",
		"securitySettings":{"immutabilitySettings":null,"softDeleteSettings":null},"redundancySettings":{"standardTierStorageRedundancy":"Invalid"},
		"publicNetworkAccess":"Enabled","secureScore":"None","multiUserAuthorization":"Invalid"}}`
	const full = `{"id":"/x","name":"v1","location":"westeurope","tags":{"a":"b"},"properties":{"provisioningState":"Updating",
		"securitySettings":{"immutabilitySettings":{"state":"Unlocked"},"softDeleteSettings":{"softDeleteState":"AlwaysON",
		"softDeleteRetentionPeriodInDays":30,"enhancedSecurityState":"Enabled"}},
		"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Enabled"},"publicNetworkAccess":"Disabled"}}`
	for raw, want := range map[string]plan.Vault{
		nulls: {
			ID: vaultID, Name: "v1", Location: "westeurope", InFile: true, ProvisioningState: "Succeeded",
			Settings: plan.VaultSettings{Immutability: "Disabled", PublicNetworkAccess: new(true)},
		},
		full: {
			ID: vaultID, Name: "v1", Location: "westeurope", InFile: true, ProvisioningState: "Updating", SoftDeleteState: "AlwaysON",
			Settings: plan.VaultSettings{
				Redundancy: "GeoRedundant", CrossRegionRestore: new(true), SoftDeleteDays: new(30), Immutability: "Unlocked",
				PublicNetworkAccess: new(false), Tags: map[string]string{"a": "b"},
			},
		},
	} {
		var w Vault
		if err := json.Unmarshal([]byte(raw), &w); err != nil {
			t.Fatal(err)
		}
		got, odd := w.ToPlan(vaultID, true)
		if d := cmp.Diff(want, got); d != "" || odd != "" {
			t.Error(odd, d)
		}
	}
}

func TestAVaultHasTheNameOfItsIDInTheLettersThatTheServiceUses(t *testing.T) {
	for said, want := range map[string]string{`"V1"`: "V1", `"another"`: "v1", `7`: "v1", `null`: "v1"} {
		if v, odd := read[Vault](t, `{"name":`+said+`,"location":"westeurope","properties":{"provisioningState":"Succeeded"}}`).ToPlan(vaultID, true); v.Name != want || odd != "" {
			t.Errorf("%s: %q, want %q %s", said, v.Name, want, odd)
		}
	}
}

// Half of a setting may mean anything, and none of it is absent.
func TestASettingOfAVaultIsReadWholeOrNotAtAll(t *testing.T) {
	for properties, want := range map[string]string{
		``: "",
		`,"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Disabled"}`: "",
		`,"redundancySettings":{"standardTierStorageRedundancy":"Invalid"}`:                                      "",
		`,"redundancySettings":{"standardTierStorageRedundancy":"Invalid","crossRegionRestore":"Disabled"}`:      "",
		`,"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant"}`:                                 `redundancySettings says standardTierStorageRedundancy "GeoRedundant" and crossRegionRestore ""`,
		`,"redundancySettings":{"crossRegionRestore":"Disabled"}`:                                                `redundancySettings says standardTierStorageRedundancy "" and crossRegionRestore "Disabled"`,
		`,"redundancySettings":{"standardTierStorageRedundancy":"Sometimes","crossRegionRestore":"Disabled"}`:    `standardTierStorageRedundancy is "Sometimes"`,
		`,"securitySettings":{"softDeleteSettings":{"softDeleteState":"AlwaysON"}}`:                              `softDeleteRetentionPeriodInDays is missing`,
		`,"securitySettings":{"softDeleteSettings":{"softDeleteRetentionPeriodInDays":14}}`:                      "",
		`,"securitySettings":{"softDeleteSettings":{"softDeleteRetentionPeriodInDays":"14"}}`:                    `softDeleteRetentionPeriodInDays is "14"`,
		`,"securitySettings":{"immutabilitySettings":{}}`:                                                        `the state of immutabilitySettings is missing`,
		`,"securitySettings":{"immutabilitySettings":{"state":"Half"}}`:                                          `immutabilitySettings.state is "Half"`,
		`,"publicNetworkAccess":"Partly"`:                                                                        `publicNetworkAccess is "Partly"`,
	} {
		if v, odd := read[Vault](t, `{"location":"westeurope","properties":{"provisioningState":"Succeeded"`+properties+`}}`).ToPlan(vaultID, true); odd != want {
			t.Errorf("%s: %q, want %q: %+v", properties, odd, want, v)
		}
	}
	for raw, want := range map[string]string{
		`{"properties":{"provisioningState":"Succeeded"}}`: "location is missing",
		// All absent settings have their defaults, but a vault always has a state: without it nothing of them was said.
		`{"location":"westeurope"}`:                                      "provisioningState is missing",
		`{"location":"westeurope","properties":null}`:                    "provisioningState is missing",
		`{"location":"westeurope","properties":{}}`:                      "provisioningState is missing",
		`{"location":"westeurope","properties":{"provisioningState":7}}`: "provisioningState is 7",
	} {
		if _, odd := read[Vault](t, raw).ToPlan(vaultID, true); odd != want {
			t.Errorf("%s: %q, want %q", raw, odd, want)
		}
	}
}
