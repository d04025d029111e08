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
