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
	switch {
	case it.Unreadable != "":
		return odd
	case it.SoftDeleted:
		return deleted
	case it.Partial:
		return partial
	case plan.IsActive(it.State):
		return active
	case plan.IsStopped(it.State):
		return stopped
	case plan.IsSuspended(it.State):
		return suspended
	default: // ProtectionPaused, Invalid, words of later versions of the service
		return odd
	}
}

// vmItems are the items of one VM, best first.
type vmItems struct {
	all []plan.Item
	// has says which kinds occur.
	has [kindsTotal]bool
}

func newVMItems(items []plan.Item) vmItems {
	v := vmItems{all: slices.Clone(items)}
	slices.SortStableFunc(v.all, func(a, b plan.Item) int {
		return cmp.Or(
			cmp.Compare(kindOf(a), kindOf(b)),
			b.LastRecoveryPoint.Compare(a.LastRecoveryPoint),
			strings.Compare(string(armid.Of(a.ID)), string(armid.Of(b.ID))),
		)
	})
	for _, it := range v.all {
		v.has[kindOf(it)] = true
	}
	return v
}

// first is the best item of a kind, or none.
func (v vmItems) first(k kind) plan.Item {
	for _, it := range v.all {
		if kindOf(it) == k {
			return it
		}
	}
	return plan.Item{}
}

// each yields every item.
func (v vmItems) each(yield func(*plan.Item) bool) {
	for i := range v.all {
		if !yield(&v.all[i]) {
			return
		}
	}
}

// deciding is the item that stands for the VM, and its kind.
func (v vmItems) deciding() (plan.Item, kind) {
	if len(v.all) == 0 {
		return plan.Item{}, noItem
	}
	return v.all[0], kindOf(v.all[0])
}

// distinct is items by id, each once: a list that moves while it is paged shows an item twice. The newer look is
// kept, as far as its recovery point tells.
func distinct(items []plan.Item) []plan.Item {
	all := sortKeyed(items, func(it *plan.Item) string { return it.ID }, func(x, y keyed[plan.Item]) int {
		if n := strings.Compare(string(x.key), string(y.key)); n != 0 {
			return n
		}
		a, b := *x.value, *y.value
		return cmp.Or(
			b.LastRecoveryPoint.Compare(a.LastRecoveryPoint), cmp.Compare(kindOf(a), kindOf(b)), strings.Compare(a.State, b.State),
			strings.Compare(a.PolicyID, b.PolicyID), strings.Compare(a.LastBackupStatus, b.LastBackupStatus),
		)
	})
	return slices.CompactFunc(all, func(a, b plan.Item) bool { return a.ID == b.ID || armid.Same(a.ID, b.ID) })
}

// inventory joins items to VMs by sourceResourceId and by nothing else: names repeat across resource groups.
type inventory struct {
	byVM     map[armid.Key][]plan.Item
	byVault  map[armid.Key]int
	byPolicy map[armid.Key]int
}

func newInventory(items []plan.Item) inventory {
	inv := inventory{
		byVM: map[armid.Key][]plan.Item{}, byVault: map[armid.Key]int{}, byPolicy: map[armid.Key]int{},
	}
	for _, it := range items {
		inv.byVault[armid.Of(it.Vault)]++
		if it.PolicyID != "" {
			inv.byPolicy[armid.Of(it.PolicyID)]++
		}
		key := armid.Of(it.VM)
		inv.byVM[key] = append(inv.byVM[key], it)
	}
	return inv
}
