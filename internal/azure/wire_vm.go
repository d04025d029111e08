package azure

import (
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// wireVM is what decides about backup in a VM's body (azure-api.md §10).
type wireVM struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags"`
	Plan     struct {
		Publisher string `json:"publisher"`
	} `json:"plan"`
	Properties struct {
		TimeCreated       string `json:"timeCreated"`
		ProvisioningState string `json:"provisioningState"`
		StorageProfile    struct {
			ImageReference struct {
				Publisher string `json:"publisher"`
			} `json:"imageReference"`
			OSDisk struct {
				wireDisk
				DiffDiskSettings struct {
					Option string `json:"option"`
				} `json:"diffDiskSettings"`
			} `json:"osDisk"`
			DataDisks []wireDisk `json:"dataDisks"`
		} `json:"storageProfile"`
	} `json:"properties"`
}

type wireDisk struct {
	LUN         int `json:"lun"`
	SizeGiB     int `json:"diskSizeGB"` // absent where the VM is deallocated
	ManagedDisk struct {
		StorageAccountType string `json:"storageAccountType"`
	} `json:"managedDisk"`
}

// vm says false when the body does not even name a VM.
func (w wireVM) vm() (plan.VM, bool) {
	id, err := armid.ParseVM(w.ID)
	if err != nil {
		return plan.VM{}, false
	}
	return plan.VM{
		ID: w.ID, Name: firstOf(w.Name, id.Name()), ResourceGroup: id.ResourceGroup, Subscription: id.Subscription,
		Location: w.Location, Tags: w.Tags, TimeCreated: parseTime(w.Properties.TimeCreated),
		NeedsEnhanced: w.needsEnhanced(), Unsupported: w.unsupported(id.ResourceGroup), LargeDisks: w.largeDisks(),
	}, true
}

// needsEnhanced names the disks that only an Enhanced policy can back up (azure-api.md §8.3). Trusted Launch is
// none of the reasons at the api-version we speak (§0.3).
func (w wireVM) needsEnhanced() string {
	for _, d := range append([]wireDisk{w.Properties.StorageProfile.OSDisk.wireDisk}, w.Properties.StorageProfile.DataDisks...) {
		switch strings.ToLower(d.ManagedDisk.StorageAccountType) {
		case "ultrassd_lrs":
			return "it has an Ultra disk"
		case "premiumv2_lrs":
			return "it has a Premium SSD v2 disk"
		}
	}
	return ""
}

// largeDisks are the LUNs of the data disks beyond the limit of size (azure-api.md §13). An OS disk never is.
func (w wireVM) largeDisks() []int {
	var luns []int
	for _, d := range w.Properties.StorageProfile.DataDisks {
		if d.SizeGiB > plan.MaxDiskGiB {
			luns = append(luns, d.LUN)
		}
	}
	return luns
}

// unsupported is what no disk filter helps against. The managed groups and publishers are those that Azure's own
// built-in policy leaves out (azure-api.md §10). A scale set is no reason: a VM that is a resource of its own is at
// most a member of a Flexible one, and those are supported; members of Uniform ones are no such resources, and no
// list of VMs shows them (azure-api-2.md §32). Nor are disks with Write Accelerator, since 2022 (ibid.).
func (w wireVM) unsupported(resourceGroup string) string {
	publishers := strings.ToLower(w.Properties.StorageProfile.ImageReference.Publisher + " " + w.Plan.Publisher)
	switch {
	case strings.HasPrefix(strings.ToLower(resourceGroup), "databricks-rg-"), strings.Contains(publishers, "azuredatabricks"):
		return "it belongs to a Databricks workspace"
	case strings.Contains(publishers, "azureopenshift"):
		return "it belongs to an OpenShift cluster"
	case strings.EqualFold(w.Properties.ProvisioningState, "Deleting"):
		return "it is being deleted"
	case strings.EqualFold(w.Properties.StorageProfile.OSDisk.DiffDiskSettings.Option, "Local"):
		return "its OS disk is ephemeral"
	}
	return ""
}
