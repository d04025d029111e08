package audit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// kind is what an item does for its VM.
type kind int

// The kinds, in the order in which they decide for a VM that has several items: a VM that was soft-deleted in
// one vault and is protected in another is protected.
const (
	active     kind = iota // backups are taken
	partial                // active, but its recovery points are not known
	odd                    // in a state that this program cannot judge
	deleted                // soft-deleted: its data goes
	stopped                // no backups, data kept
	suspended              // no backups, data kept by policy
	noItem                 // there is none
	kindsTotal             // how many there are
)

func kindOf(it plan.Item) kind {
	switch it.Class() {
	case plan.ItemActive:
		if it.Partial {
			return partial
		}
		return active
	case plan.ItemStopped:
		return stopped
	case plan.ItemSuspended:
		return suspended
	case plan.ItemSoftDeleted:
		return deleted
	case plan.NoItem, plan.ItemUnknown:
	}
	return odd
}

// vmItems are the items of one VM, best first.
type vmItems struct {
	all []*plan.Item
	// has says which kinds occur.
	has [kindsTotal]bool
}

func newVMItems(items []*plan.Item) vmItems {
	v := vmItems{all: items}
	if len(items) > 1 {
		v.all = slices.Clone(items)
		slices.SortStableFunc(v.all, func(a, b *plan.Item) int {
			return cmp.Or(
				cmp.Compare(kindOf(*a), kindOf(*b)), b.LastRecoveryPoint.Compare(a.LastRecoveryPoint), armid.Compare(a.ID, b.ID),
			)
		})
	}
	for _, it := range v.all {
		v.has[kindOf(*it)] = true
	}
	return v
}

// first is the best item of a kind, or none.
func (v vmItems) first(k kind) plan.Item {
	for _, it := range v.all {
		if kindOf(*it) == k {
			return *it
		}
	}
	return plan.Item{}
}

// each yields every item.
func (v vmItems) each(yield func(*plan.Item) bool) {
	for _, it := range v.all {
		if !yield(it) {
			return
		}
	}
}

// deciding is the item that stands for the VM, and its kind.
func (v vmItems) deciding() (plan.Item, kind) {
	if len(v.all) == 0 {
		return plan.Item{}, noItem
	}
	return *v.all[0], kindOf(*v.all[0])
}

// distinct is items by id, each once: a list that moves while it is paged shows an item twice. The newer look is
// kept, as far as its recovery point tells. The items themselves stay where they are.
func distinct(items []plan.Item) []*plan.Item {
	all := make([]*plan.Item, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	slices.SortStableFunc(all, func(a, b *plan.Item) int {
		return cmp.Or(
			armid.Compare(a.ID, b.ID),
			b.LastRecoveryPoint.Compare(a.LastRecoveryPoint), cmp.Compare(kindOf(*a), kindOf(*b)), strings.Compare(a.State, b.State),
			strings.Compare(a.PolicyID, b.PolicyID), strings.Compare(a.LastBackupStatus, b.LastBackupStatus),
		)
	})
	return slices.CompactFunc(all, func(a, b *plan.Item) bool { return a.ID == b.ID || armid.Same(a.ID, b.ID) })
}

// machine is what was read of one VM: of a large estate there are many, so that each stands once, under one key.
type machine struct {
	read  bool
	items []*plan.Item
}

// inventory joins items to VMs by sourceResourceId and by nothing else: names repeat across resource groups.
type inventory struct {
	all      []*plan.Item // by id, each once
	machines map[armid.Key]*machine
	byVault  map[armid.Key]int
	byPolicy map[armid.Key]int
}

func newInventory(o plan.Observed) inventory {
	inv := inventory{
		all: distinct(o.Items), machines: make(map[armid.Key]*machine, len(o.VMs)), byVault: map[armid.Key]int{}, byPolicy: map[armid.Key]int{},
	}
	for i := range o.VMs {
		inv.machine(o.VMs[i].ID).read = true
	}
	vaults, policies := map[string]int{}, map[string]int{} // by their spelling, of which there are few
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

// machine is the entry of a VM, which is made where it is not there.
func (inv inventory) machine(id string) *machine {
	k := armid.Of(id)
	m := inv.machines[k]
	if m == nil {
		m = &machine{}
		inv.machines[k] = m
	}
	return m
}

// of are the items of a VM.
func (inv inventory) of(vm string) []*plan.Item {
	if m := inv.machines[armid.Of(vm)]; m != nil {
		return m.items
	}
	return nil
}

// wasRead says whether a VM was read.
func (inv inventory) wasRead(vm armid.Key) bool {
	m := inv.machines[vm]
	return m != nil && m.read
}
