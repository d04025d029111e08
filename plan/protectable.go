package plan

import (
	"fmt"
	"slices"

	"github.com/azbackup/azbackup/config"
)

// Unprotectable says why Azure Backup cannot or should not back up the VM, or "". It is the one decision about
// that: a plan has no such VM backed up, an audit leaves it out of the coverage, an export writes no rule for it,
// whatever item it may have. What its items have already is kept, and a file may stop them.
//
// A disk that is too large counts where it would be backed up: rule is what the file says about the VM, it is the
// item that decides; either may be nil. The filter of an item that is soft-deleted does not count, because a new
// item would not have it, nor does one that was not read.
func (vm *VM) Unprotectable(rule *config.Rule, it *Item) string {
	if vm.Unsupported != "" || len(vm.LargeDisks) == 0 {
		return vm.Unsupported
	}
	var filter *Disks
	switch {
	case rule != nil && rule.Disks != nil:
		filter = disksOf(rule.Disks)
	case it == nil || it.SoftDeleted:
	case it.Partial:
		return ""
	default:
		filter = it.Disks
	}
	for _, lun := range vm.LargeDisks {
		if filter.covers(lun) {
			return fmt.Sprintf("its disk at LUN %d is larger than %d GiB; `disks: {exclude: [%d]}` leaves it out", lun, MaxDiskGiB, lun)
		}
	}
	return ""
}

// covers says whether a data disk is backed up under the filter.
func (d *Disks) covers(lun int) bool {
	return d == nil || d.Include == slices.Contains(d.LUNs, lun)
}
