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
		TimeCreated    string `json:"timeCreated"`
		StorageProfile struct {
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
		ScaleSet struct {
			ID string `json:"id"`
		} `json:"virtualMachineScaleSet"`
	} `json:"properties"`
}

type wireDisk struct {
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
		NeedsEnhanced: w.needsEnhanced(), Unsupported: w.unsupported(id.ResourceGroup),
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

// unsupported is the rule of design.md §4. The managed groups and publishers are those that Azure's own
// built-in policy leaves out (azure-api.md §10).
func (w wireVM) unsupported(resourceGroup string) string {
	publishers := strings.ToLower(w.Properties.StorageProfile.ImageReference.Publisher + " " + w.Plan.Publisher)
	switch {
	case strings.HasPrefix(strings.ToLower(resourceGroup), "databricks-rg-"), strings.Contains(publishers, "azuredatabricks"):
		return "it belongs to a Databricks workspace"
	case strings.Contains(publishers, "azureopenshift"):
		return "it belongs to an OpenShift cluster"
	case w.Properties.ScaleSet.ID != "":
		return "it is a member of a scale set"
	case strings.EqualFold(w.Properties.StorageProfile.OSDisk.DiffDiskSettings.Option, "Local"):
		return "its OS disk is ephemeral"
	}
	return ""
}
