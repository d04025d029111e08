package plan

import (
	"cmp"
	"slices"
	"strings"
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
	slices.SortFunc(pl.changes, func(a, b pendingChange) int {
		return cmp.Or(
			cmp.Compare(a.Action.order(), b.Action.order()),
			strings.Compare(string(pl.index.key(a.Vault)), string(pl.index.key(b.Vault))),
			strings.Compare(a.ID, b.ID),
		)
	})
}
