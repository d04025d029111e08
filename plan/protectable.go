package plan

import (
	"fmt"
	"iter"
	"slices"

	"github.com/azbackup/azbackup/config"
)

// WhyUnprotectable returns why Azure Backup cannot or should not back up the VM, or "". It is the only place that
// decides this: a plan backs up no such VM, an audit leaves it out of the coverage, an export writes no rule for it,
// whatever item it has. Its existing items are kept, and a file may stop them.
//
// A disk that is too large counts where it would be backed up: by the disks of the rule (which may be nil), else by
// the filter of the active item, else by those of the other items except soft-deleted ones. A filter that was not read
// is taken to leave the disk out.
func (vm *VM) WhyUnprotectable(rule *config.Rule, items iter.Seq[*Item]) string {
	if vm.Unsupported != "" || len(vm.LargeDisks) == 0 {
		return vm.Unsupported
	}
	for _, lun := range vm.LargeDisks {
		if isDiskBackedUp(lun, rule, items) {
			return fmt.Sprintf("its disk at LUN %d is larger than %d GiB; `disks: {exclude: [%d]}` leaves it out", lun, MaxDiskGiB, lun)
		}
	}
	return ""
}

// isDiskBackedUp reports whether a data disk is backed up, or would be.
func isDiskBackedUp(lun int, rule *config.Rule, items iter.Seq[*Item]) bool {
	if rule != nil && rule.Disks != nil {
		return disksOf(rule.Disks).backsUp(lun)
	}
	var running *Item
	left := false
	for it := range items {
		switch {
		case it.SoftDeleted:
		case it.Unreadable == "" && IsActive(it.State):
			if running == nil || compareIDs(it.ID, running.ID) < 0 {
				running = it
			}
		default:
			left = left || it.Partial || it.Unreadable != "" || !it.Disks.backsUp(lun)
		}
	}
	if running != nil {
		return running.Disks.backsUp(lun)
	}
	return !left
}

// backsUp reports whether a data disk is backed up under the filter.
func (d *Disks) backsUp(lun int) bool {
	return d == nil || d.Include == slices.Contains(d.LUNs, lun)
}
