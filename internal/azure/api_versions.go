package azure

// The api-versions of this program. A version decides about behaviour and not only about the shape of documents: Trusted
// Launch VMs need 2025-01-01 or later (docs/azure.md §0.3). URLs returned by the service carry their own.
const (
	apiBackup        = "2025-08-01"
	apiVault         = "2025-08-01"
	apiCompute       = "2025-04-01"
	apiSubscriptions = "2022-12-01"
	apiGroups        = "2021-04-01"
	apiDisks         = "2024-03-02"
	apiStorage       = "2023-01-01"
)

// APIVersion is the api-version that requests to one group of resource types carry.
type APIVersion struct {
	// API names the resource types, as Azure's reference does.
	API     string `json:"api"`
	Version string `json:"version"`
}

// APIVersions returns the api-versions of the client's requests, by API. A URL that the service returned carries its own.
func APIVersions() []APIVersion {
	return []APIVersion{
		{"Microsoft.Compute/disks", apiDisks},
		{"Microsoft.Compute/virtualMachines", apiCompute},
		{"Microsoft.Management/managementGroups", apiManagementGroups},
		{"Microsoft.RecoveryServices/vaults", apiVault},
		{"Microsoft.RecoveryServices/vaults (backup)", apiBackup},
		{"Microsoft.ResourceGraph/resources", apiGraph},
		{"Microsoft.Resources/resourceGroups", apiGroups},
		{"Microsoft.Resources/subscriptions", apiSubscriptions},
		{"Microsoft.Storage/storageAccounts", apiStorage},
	}
}
