package audit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// itemClass is the meaning of an item for its VM.
type itemClass int

// The classes. Of several items of a VM the one of the first class here decides: a VM that was soft-deleted in one vault and
// is protected in another is protected.
const (
	classActive      itemClass = iota // backups are taken
	classPartial                      // active, but its recovery points are unknown
	classUnknown                      // in a state that this program does not know
	classSoftDeleted                  // soft-deleted: its data will be purged
	classStopped                      // no backups, data kept
	classSuspended                    // no backups, data kept by policy
	classNone                         // no item
	classCount                        // the number of classes
)

func classOf(it plan.Item) itemClass {
	switch it.Class() {
	case plan.ItemActive:
		if it.Partial {
			return classPartial
		}
		return classActive
	case plan.ItemStopped:
		return classStopped
	case plan.ItemSuspended:
		return classSuspended
	case plan.ItemSoftDeleted:
		return classSoftDeleted
	case plan.NoItem, plan.ItemUnknown:
	}
	return classUnknown
}

// vmItems are the items of one VM, the deciding one first.
type vmItems struct {
	all []*plan.Item
	// hasClass is true for the classes that occur.
	hasClass [classCount]bool
}

func newVMItems(items []*plan.Item) vmItems {
	v := vmItems{all: items}
	if len(items) > 1 {
		v.all = slices.Clone(items)
		slices.SortStableFunc(v.all, func(a, b *plan.Item) int {
			return cmp.Or(
				cmp.Compare(classOf(*a), classOf(*b)), b.LastRecoveryPoint.Compare(a.LastRecoveryPoint), armid.Compare(a.ID, b.ID),
			)
		})
	}
	for _, it := range v.all {
		v.hasClass[classOf(*it)] = true
	}
	return v
}

// first returns the first item of a class, or the zero item.
func (v vmItems) first(c itemClass) plan.Item {
	for _, it := range v.all {
		if classOf(*it) == c {
			return *it
		}
	}
	return plan.Item{}
}

// primary returns the item that decides for the VM, and its class.
func (v vmItems) primary() (plan.Item, itemClass) {
	if len(v.all) == 0 {
		return plan.Item{}, classNone
	}
	return *v.all[0], classOf(*v.all[0])
}

// dedupeByID returns the items sorted by id, each once: a list that changes during paging contains an item twice. Of two
// readings it keeps the one with the newer recovery point, else the one that says less: the other may be what the item was
// before. The items themselves are not moved.
func dedupeByID(items []plan.Item) []*plan.Item {
	all := make([]*plan.Item, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	slices.SortStableFunc(all, func(a, b *plan.Item) int {
		return cmp.Or(
			armid.Compare(a.ID, b.ID),
			b.LastRecoveryPoint.Compare(a.LastRecoveryPoint), cmp.Compare(readingRank(*a), readingRank(*b)), strings.Compare(a.State, b.State),
			strings.Compare(a.PolicyID, b.PolicyID), strings.Compare(a.LastBackupStatus, b.LastBackupStatus),
		)
	})
	return slices.CompactFunc(all, func(a, b *plan.Item) bool { return a.ID == b.ID || armid.Same(a.ID, b.ID) })
}

// readingRank orders two readings of one item: first what is not known, then what is worst.
func readingRank(it plan.Item) int {
	switch c := classOf(it); c {
	case classUnknown:
		return -2
	case classSoftDeleted:
		return -1
	default:
		return int(classCount - c)
	}
}

// machine is the observed state of one VM. A large estate has many VMs, so each is stored once, under one key.
type machine struct {
	isRead bool
	items  []*plan.Item
}

// itemIndex joins items to VMs by sourceResourceId and by nothing else: names repeat across resource groups.
type itemIndex struct {
	all      []*plan.Item // by id, each once
	machines map[armid.Key]*machine
	byVault  map[armid.Key]int
	byPolicy map[armid.Key]int
}

func newItemIndex(o plan.Observed) itemIndex {
	inv := itemIndex{
		all: dedupeByID(o.Items), machines: make(map[armid.Key]*machine, len(o.VMs)), byVault: map[armid.Key]int{}, byPolicy: map[armid.Key]int{},
	}
	for i := range o.VMs {
		inv.machine(o.VMs[i].ID).isRead = true
	}
	vaults, policies := map[string]int{}, map[string]int{} // by spelling, of which there are few
	for _, it := range inv.all {
		vaults[it.Vault]++
		policies[it.PolicyID]++
		m := inv.machine(it.VM)
		m.items = append(m.items, it)
	}
	for id, n := range vaults {
		inv.byVault[armid.Of(id)] += n
	}
	delete(policies, "")
	for id, n := range policies {
		inv.byPolicy[armid.Of(id)] += n
	}
	return inv
}

// machine returns the entry of a VM, which it creates if necessary.
func (inv itemIndex) machine(id string) *machine {
	c := armid.Of(id)
	m := inv.machines[c]
	if m == nil {
		m = &machine{}
		inv.machines[c] = m
	}
	return m
}

// itemsOf returns the items of a VM.
func (inv itemIndex) itemsOf(vm string) []*plan.Item {
	if m := inv.machines[armid.Of(vm)]; m != nil {
		return m.items
	}
	return nil
}

// wasRead reports whether a VM was read.
func (inv itemIndex) wasRead(vm armid.Key) bool {
	m := inv.machines[vm]
	return m != nil && m.isRead
}
