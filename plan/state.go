package plan

import (
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// StateSoftDeleted is the word of a [State] for an item that was deleted and can still be recovered; the
// service itself calls it ProtectionStopped and sets a flag (azure-api.md §3).
const StateSoftDeleted = "soft-deleted"

// itemClass is what an item's state means for a plan: a row of the table.
type itemClass int

const (
	noItem itemClass = iota
	active
	stopped
	suspended
	softDeleted
	unknownState // paused, invalid, or a word this program does not know
)

// class folds an item's state. An item of which only backupStatus spoke is active: that is all it says.
func (it *Item) class() itemClass {
	switch {
	case it == nil:
		return noItem
	case it.SoftDeleted:
		return softDeleted
	case it.Partial || IsActive(it.State):
		return active
	case strings.EqualFold(it.State, StateProtectionStopped):
		return stopped
	case strings.EqualFold(it.State, StateBackupsSuspended):
		return suspended
	}
	return unknownState
}

// IsActive says whether an item in this state gets backups by a schedule, even where they fail.
func IsActive(state string) bool {
	for _, s := range [...]string{StateIRPending, StateProtected, StateProtectionError} {
		if strings.EqualFold(state, s) {
			return true
		}
	}
	return false
}

// Satisfied says whether the item, as listed, is what the change wants: its state, and where the change
// protects, its policy and disks. It is false for changes that are not about an item, and for a backup,
// which leaves no mark on the item that proves it.
func Satisfied(c Change, it Item) bool {
	switch c.Action {
	case Undelete:
		return !it.SoftDeleted
	case Stop:
		return it.class() == stopped
	case Protect, Modify, Resume:
		return c.After != nil && it.class() == active && !it.Partial &&
			samePolicy(&it, c.After.Policy) && it.Disks.Equal(c.After.Disks)
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh, Backup, Blocked, Unchanged, Excluded:
		return false
	}
	return false
}

// samePolicy says whether the item is under the policy with this id. Where the service gave only the
// policy's name, the name decides within the item's vault.
func samePolicy(it *Item, policyID string) bool {
	if it.PolicyID != "" {
		return armid.Same(it.PolicyID, policyID)
	}
	return it.PolicyName != "" && armid.Same(armid.Policy(it.Vault, it.PolicyName), policyID)
}
