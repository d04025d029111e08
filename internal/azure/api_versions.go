package azure

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
