package plan

import "testing"

func TestWhatAVaultChangeRisks(t *testing.T) {
	none, security, final := risks{}, risks{security: true}, risks{irreversible: true}
	for _, tt := range []struct {
		name          string
		before, after VaultSettings
		want          risks
	}{
		{"nothing", VaultSettings{}, VaultSettings{}, none},
		{"immutability taken back", VaultSettings{Immutability: "Unlocked"}, VaultSettings{Immutability: "Disabled"}, security},
		{"immutability taken back, in other letters", VaultSettings{Immutability: "unlocked"}, VaultSettings{Immutability: "disabled"}, security},
		{"immutability was off already", VaultSettings{Immutability: "disabled"}, VaultSettings{Immutability: "Disabled"}, none},
		{"immutability off, where nobody knows what it was", VaultSettings{}, VaultSettings{Immutability: "Disabled"}, security},
		{"immutability off, where it was a word that nobody knows", VaultSettings{Immutability: "Sealed"}, VaultSettings{Immutability: "Disabled"}, security},
		{"immutability on", VaultSettings{Immutability: "Disabled"}, VaultSettings{Immutability: "Unlocked"}, none},
		{"immutability no longer locked", VaultSettings{Immutability: "Locked"}, VaultSettings{Immutability: "Unlocked"}, security},
		{"immutability kept", VaultSettings{Immutability: "Unlocked"}, VaultSettings{Immutability: "unlocked"}, none},
		{"immutability turned to a word that nobody knows", VaultSettings{Immutability: "Unlocked"}, VaultSettings{Immutability: "Sealed"}, security},
		{"immutability not said", VaultSettings{Immutability: "Unlocked"}, VaultSettings{Tags: map[string]string{"a": "b"}}, none},
		{"public access opened", VaultSettings{PublicNetworkAccess: new(false)}, VaultSettings{PublicNetworkAccess: new(true)}, security},
		{"public access open already", VaultSettings{PublicNetworkAccess: new(true)}, VaultSettings{PublicNetworkAccess: new(true)}, none},
		{"public access open, where nobody knows what it was", VaultSettings{}, VaultSettings{PublicNetworkAccess: new(true)}, security},
		{"public access closed", VaultSettings{PublicNetworkAccess: new(true)}, VaultSettings{PublicNetworkAccess: new(false)}, none},
		{"shorter soft delete", VaultSettings{SoftDeleteDays: new(15)}, VaultSettings{SoftDeleteDays: new(14)}, security},
		{"no soft delete", VaultSettings{SoftDeleteDays: new(14)}, VaultSettings{SoftDeleteDays: new(0)}, security},
		{"the same soft delete", VaultSettings{SoftDeleteDays: new(14)}, VaultSettings{SoftDeleteDays: new(14)}, none},
		{"longer soft delete", VaultSettings{SoftDeleteDays: new(14)}, VaultSettings{SoftDeleteDays: new(15)}, none},
		{"the least soft delete, where nobody set it", VaultSettings{}, VaultSettings{SoftDeleteDays: new(14)}, none},
		{"less soft delete than what nobody set", VaultSettings{}, VaultSettings{SoftDeleteDays: new(13)}, security},
		{"tags", VaultSettings{}, VaultSettings{Tags: map[string]string{"a": "b"}}, none},
		{"locked for good", VaultSettings{Immutability: "Unlocked"}, VaultSettings{Immutability: "Locked"}, final},
		{"cross-region restore", VaultSettings{Redundancy: "GeoRedundant"}, VaultSettings{CrossRegionRestore: new(true)}, final},
		{"another redundancy", VaultSettings{Redundancy: "GeoRedundant"}, VaultSettings{Redundancy: "LocallyRedundant"}, final},
		{
			"two kinds at once",
			VaultSettings{Redundancy: "LocallyRedundant", PublicNetworkAccess: new(false)},
			VaultSettings{Redundancy: "GeoRedundant", PublicNetworkAccess: new(true)},
			risks{security: true, irreversible: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := vaultRisks(tt.before, tt.after); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
