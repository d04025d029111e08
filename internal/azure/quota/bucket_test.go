package quota

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	testVault = "/subscriptions/S1/resourceGroups/providers/providers/Microsoft.RecoveryServices/vaults/V1"
	testItem  = testVault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm/protectedItems/VM;iaasvmcontainerv2;rg;vm"
)

// The buckets of every request the program makes, in the letter case of the service's own messages.
func TestBucketOfNamesTheLimitsOfARequest(t *testing.T) {
	const rs = "Microsoft.RecoveryServices/vaults"
	item := rs + "/backupFabrics/protectionContainers/protectedItems"
	for _, test := range []struct {
		method, path string
		want         []Bucket
	}{
		{"GET", "/subscriptions", []Bucket{ARMReads}},
		{"GET", "/subscriptions/S1/resourcegroups/providers", []Bucket{ARMReads}},
		{"GET", "/subscriptions/S1/providers/Microsoft.RecoveryServices/vaults", []Bucket{ARMReads}},
		{"GET", testVault, []Bucket{ARMReads}},
		{"GET", testVault + "/operationStatus/MjA0Nzs=", []Bucket{ARMReads}},
		{"GET", testVault + "/backupResourceGuardProxies", []Bucket{ARMReads}},
		{"PUT", testVault, []Bucket{ARMWrites, "Microsoft.RecoveryServices/vaults/write"}},
		{"PATCH", testVault, []Bucket{ARMWrites, "Microsoft.RecoveryServices/vaults/write"}},
		{"DELETE", testVault, []Bucket{ARMDeletes, "Microsoft.RecoveryServices/vaults/delete"}},

		{"GET", testVault + "/backupJobs", []Bucket{ARMReads, ListJobs}},
		{"GET", testVault + "/backupJobs/0b1f", []Bucket{ARMReads, ListJobs}},
		{"GET", "/Subscriptions/s1/resourcegroups/G/providers/microsoft.recoveryservices/VAULTS/v/BACKUPJOBS", []Bucket{ARMReads, ListJobs}},
		{"GET", testVault + "/backupProtectedItems", []Bucket{ARMReads, ListItems}},
		{"GET", testVault + "/backupProtectableItems", []Bucket{ARMReads, ListOffered}},
		{"GET", testVault + "/backupPolicies/", []Bucket{ARMReads, ListPolicies}},
		{"GET", testVault + "/backupPolicies/P", []Bucket{ARMReads, ListPolicies}},
		{"GET", testVault + "/backupPolicies/P/operations/1", []Bucket{ARMReads, Bucket(rs + "/backupPolicies/operations/read")}},
		{"GET", testVault + "/backupOperations/1", []Bucket{ARMReads, Bucket(rs + "/backupOperations/read")}},
		{"GET", testVault + "/backupFabrics/Azure/operationResults/1", []Bucket{ARMReads, Bucket(rs + "/backupFabrics/operationResults/read")}},
		{"GET", testItem, []Bucket{ARMReads, Bucket(item + "/read")}},
		{"GET", testItem + "/operationsStatus/1", []Bucket{ARMReads, ItemOperation}},
		{"GET", testItem + "/recoveryPoints", []Bucket{ARMReads, Bucket(item + "/recoveryPoints/read")}},
		{"GET", testVault + "/backupconfig/vaultconfig", []Bucket{ARMReads, Bucket(rs + "/backupconfig/read")}},

		{"PUT", testItem, []Bucket{ARMWrites, ProtectionChanges(testVault)}},
		{"PUT", testVault + "/backupPolicies/P", []Bucket{ARMWrites, PolicyWrites(testVault)}},
		{"POST", testItem + "/backup", []Bucket{ARMWrites}},
		{"POST", testVault + "/backupFabrics/Azure/refreshContainers", []Bucket{ARMWrites}},
		{"POST", "/subscriptions/S1/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus", []Bucket{ARMWrites}},

		{"GET", "/subscriptions/S1/providers/Microsoft.Compute/virtualMachines", []Bucket{ARMReads, ComputeReads}},
		{"GET", "/subscriptions/S1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm", []Bucket{ARMReads, ComputeReads}},
		{"POST", "/providers/Microsoft.ResourceGraph/resources", []Bucket{ARMWrites, ResourceGraph}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, "https://management.azure.com"+test.path+"?api-version=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, BucketOf(r)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.method, test.path, diff)
		}
	}
}
