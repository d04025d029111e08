package wire

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// VM is the part of a VM's body that decides about backup (docs/azure.md §10).
type VM struct {
	tolerantRow
	ID       Field    `json:"id"`
	Name     Field    `json:"name"`
	Location Field    `json:"location"`
	Tags     tagField `json:"tags"`
	Plan     struct {
		Publisher Field `json:"publisher"`
	} `json:"plan"`
	Properties struct {
		TimeCreated       Field `json:"timeCreated"`
		ProvisioningState Field `json:"provisioningState"`
		StorageProfile    struct {
			ImageReference struct {
				Publisher Field `json:"publisher"`
			} `json:"imageReference"`
			OSDisk struct {
				vmDisk
				DiffDiskSettings struct {
					Option Field `json:"option"`
				} `json:"diffDiskSettings"`
			} `json:"osDisk"`
			DataDisks []vmDisk `json:"dataDisks"`
		} `json:"storageProfile"`
	} `json:"properties"`
}

type vmDisk struct {
	LUN         Field `json:"lun"`
	SizeGiB     Field `json:"diskSizeGB"` // absent where the VM is deallocated
	ManagedDisk struct {
		StorageAccountType Field `json:"storageAccountType"`
	} `json:"managedDisk"`
}

// ToPlan converts w to plan's type; at is when it was listed (zero: future times are accepted). Fields that were not
// understood are in its Unreadable. False = the body does not even name a VM. known shares the values that VMs have in
// common.
func (w *VM) ToPlan(at time.Time, known *StringPool) (plan.VM, bool) {
	r := &fieldReader{}
	r.checkForm(w.tolerantRow)
	id, err := armid.ParseVM(r.id("id", w.ID))
	if err != nil {
		return plan.VM{}, false
	}
	vm := plan.VM{
		ID: string(w.ID), Name: w.name(id, r), ResourceGroup: id.ResourceGroup, Subscription: id.Subscription,
		Location: known.intern(r.required("location", w.Location)), Tags: r.tags(w.Tags, known), TimeCreated: r.pastTime("properties.timeCreated", w.Properties.TimeCreated, at),
		NeedsEnhanced: w.needsEnhanced(r), Unsupported: w.unsupported(id.ResourceGroup, r), LargeDisks: w.largeDisks(r),
	}
	vm.Unreadable = r.describeProblems()
	return vm, true
}

// name returns the VM's name, which its id repeats: a different one is not understood.
func (w *VM) name(id armid.ID, r *fieldReader) string {
	switch name := w.Name.Text(); {
	case name == id.Name():
		return id.Name() // which takes no memory of its own
	case strings.EqualFold(name, id.Name()):
		return name
	case name != "":
		r.recordMisread("name", w.Name)
	}
	return id.Name()
}

// needsEnhanced returns why only an Enhanced policy can back the VM up, or "": it has an Ultra or Premium SSD v2 disk
// (docs/azure.md §8.3). Trusted Launch is not a reason at this api-version (docs/azure.md §0.3).
func (w *VM) needsEnhanced(r *fieldReader) string {
	profile := &w.Properties.StorageProfile
	needs := profile.OSDisk.needsEnhanced(r)
	for i := 0; i < len(profile.DataDisks) && needs == ""; i++ {
		needs = profile.DataDisks[i].needsEnhanced(r)
	}
	return needs
}

func (d *vmDisk) needsEnhanced(r *fieldReader) string {
	switch kind := r.word("storageAccountType of a disk", d.ManagedDisk.StorageAccountType); {
	case strings.EqualFold(kind, "UltraSSD_LRS"):
		return "it has an Ultra disk"
	case strings.EqualFold(kind, "PremiumV2_LRS"):
		return "it has a Premium SSD v2 disk"
	}
	return ""
}

// largeDisks returns the LUNs of the data disks above the size limit (docs/azure.md §13). No OS disk can be that large.
func (w *VM) largeDisks(r *fieldReader) []int {
	var luns []int
	for i := range w.Properties.StorageProfile.DataDisks {
		d := &w.Properties.StorageProfile.DataDisks[i]
		lun, size := r.number("lun of a disk", d.LUN, maxLUN), r.number("diskSizeGB of a disk", d.SizeGiB, math.MaxInt32)
		if size > plan.MaxDiskGiB {
			luns = append(luns, lun)
		}
	}
	return luns
}

// DiskSizes returns the sizes of all disks; nil where that of the OS disk is unknown. They only inform: a size that is
// not understood counts as unknown, and does not make the VM unreadable.
func (w *VM) DiskSizes() []plan.DiskSize {
	size := func(d vmDisk) int { return (&fieldReader{}).number("diskSizeGB", d.SizeGiB, maxDiskGB) }
	profile := &w.Properties.StorageProfile
	system := size(profile.OSDisk.vmDisk)
	if system == 0 {
		return nil
	}
	all := make([]plan.DiskSize, 1, 1+len(profile.DataDisks))
	all[0] = plan.DiskSize{LUN: plan.OSDiskLUN, GB: system}
	for _, d := range profile.DataDisks {
		all = append(all, plan.DiskSize{LUN: (&fieldReader{}).number("lun", d.LUN, maxLUN), GB: size(d)})
	}
	return all
}

// unsupported returns the obstacle that no disk filter removes. The managed groups and publishers are those that
// Azure's own built-in policy leaves out (docs/azure.md §10). A scale set is no reason: a VM that is a resource of its
// own is at most a member of a Flexible one, and those are supported; members of Uniform ones are no such resources,
// and no list of VMs shows them (docs/azure.md §32). Nor are disks with Write Accelerator, since 2022 (ibid.).
func (w *VM) unsupported(resourceGroup string, r *fieldReader) string {
	profile := &w.Properties.StorageProfile
	publishers := strings.ToLower(r.word("publisher of the image", profile.ImageReference.Publisher) + " " + r.word("publisher of the plan", w.Plan.Publisher))
	state, diff := r.word("properties.provisioningState", w.Properties.ProvisioningState), r.word("diffDiskSettings.option", profile.OSDisk.DiffDiskSettings.Option)
	switch {
	case strings.HasPrefix(strings.ToLower(resourceGroup), "databricks-rg-"), strings.Contains(publishers, "azuredatabricks"):
		return "it belongs to a Databricks workspace"
	case strings.Contains(publishers, "azureopenshift"):
		return "it belongs to an OpenShift cluster"
	case strings.EqualFold(state, "Deleting"):
		return "it is being deleted"
	case strings.EqualFold(diff, "Local"):
		return "its OS disk is ephemeral"
	}
	return ""
}

// GraphPage is a page of an answer of Resource Graph (docs/azure.md §10).
type GraphPage struct {
	tolerantRow
	Total     int               `json:"totalRecords"`
	Data      []json.RawMessage `json:"data"`
	Truncated string            `json:"resultTruncated"`
	Token     string            `json:"$skipToken"`
}

// Problem describes what was not understood of the page as a whole; "" = nothing.
func (p *GraphPage) Problem() string {
	if p.Data == nil && p.wrong == "" {
		return "the answer has no list in it"
	}
	return p.wrong
}
