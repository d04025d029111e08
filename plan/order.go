package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// order returns the rank of an action in a plan: actions that other changes need come first.
func (a Action) order() int {
	return slices.Index([]Action{
		CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh,
		Undelete, Protect, Modify, Resume, Stop, Backup, Restore, RestoreTest, Blocked, Unchanged,
	}, a)
}

// sortChanges sorts changes into plan order: by action, vault and target. Every change comes after those that it
// needs.
func (pl *planner) sortChanges() {
	slices.SortFunc(pl.changes, func(a, b pendingChange) int { return compareOrder(&a.Change, &b.Change, pl.index.key) })
}

// SortChanges sorts changes into plan order, as sortChanges does.
func SortChanges(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int { return compareOrder(&a, &b, armid.Of) })
}

func compareOrder(a, b *Change, key func(id string) armid.Key) int {
	return cmp.Or(
		cmp.Compare(a.Action.order(), b.Action.order()),
		strings.Compare(string(key(a.Vault)), string(key(b.Vault))),
		strings.Compare(a.ID, b.ID),
	)
}
