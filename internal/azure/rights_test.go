package azure

import (
	"slices"
	"testing"
)

// Azure compares the names of actions without case, and its own list of them has one spelling of each.
func TestRightsAreSpelledAsAzureListsThem(t *testing.T) {
	var got []string
	for _, r := range Rights(CommandPlan, CommandApply, CommandRestore) {
		got = append(got, r.Action)
	}
	for _, want := range []string{
		"Microsoft.RecoveryServices/Vaults/read",
		"Microsoft.RecoveryServices/Vaults/write",
		"Microsoft.RecoveryServices/Vaults/backupPolicies/write",
		"Microsoft.RecoveryServices/locations/backupStatus/action",
		"Microsoft.Compute/virtualMachines/read",
		"Microsoft.Storage/storageAccounts/read",
		"Microsoft.Resources/subscriptions/resourceGroups/read",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
}
