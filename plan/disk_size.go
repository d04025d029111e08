package plan

// DiskSize is the size of a disk of a VM, as its list shows it.
type DiskSize struct {
	LUN int // of a data disk; OSDiskLUN for the OS disk
	GB  int // 0 = unknown: a deallocated VM does not show it
}

// OSDiskLUN is the LUN of a [DiskSize] of an OS disk, which has none.
const OSDiskLUN = -1

// sizeGB returns the size of the disks that a filter backs up, in GB; false where one of them is unknown. The OS disk is
// always backed up.
func (vm *VM) sizeGB(filter *Disks) (int, bool) {
	sum, hasOS := 0, false
	for _, d := range vm.DiskSizes {
		isOS := d.LUN == OSDiskLUN
		if !isOS && !filter.backsUp(d.LUN) {
			continue
		}
		if d.GB <= 0 {
			return 0, false
		}
		sum += d.GB
		hasOS = hasOS || isOS
	}
	return sum, hasOS
}
