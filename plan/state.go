package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// This file is the only place that compares words of the service. The service's spelling is unreliable
// (docs/azure.md §0.4), so every comparison ignores case.

// CanonicalWord returns a word of the service as its documentation spells it, whatever its case and surrounding
// spaces; an unknown word is returned unchanged.
func CanonicalWord(word string) string {
	switch word {
	case StateIRPending, StateProtected, StateProtectionStopped, jobCompleted, jobInProgress, jobBackup, "":
		return word // the common case
	}
	trimmed := strings.TrimSpace(word)
	for _, w := range append([]string{
		StateIRPending, StateProtected, StateProtectionError, StateProtectionStopped, StateBackupsSuspended, StateProtectionPaused, StateInvalid,
		jobCompleted, jobWithWarnings, jobFailed, jobCancelled, jobInProgress, "Cancelling",
	}, jobOperations()...) {
		if strings.EqualFold(trimmed, w) {
			return w
		}
	}
	return word
}

// The statuses of jobs (docs/azure.md §5), which last backups share, and the operation of a backup job.
const (
	jobCompleted    = "Completed"
	jobWithWarnings = "CompletedWithWarnings"
	jobFailed       = "Failed"
	jobCancelled    = "Cancelled"
	jobInProgress   = "InProgress"
	jobBackup       = "Backup"
)

// JobRestore is the operation of a job that restores (docs/azure.md §33.48).
const JobRestore = "Restore"

// IsRunning reports whether the job has not reached a final status. An unknown status is not final.
func (j Job) IsRunning() bool {
	switch CanonicalWord(j.Status) {
	case jobCompleted, jobWithWarnings, jobFailed, jobCancelled:
		return false
	}
	return true
}

// HasFailed reports whether the job has ended without completing its operation.
func (j Job) HasFailed() bool {
	switch CanonicalWord(j.Status) {
	case jobFailed, jobCancelled:
		return true
	}
	return false
}

// HasWarnings reports whether the job has completed its operation, with warnings.
func (j Job) HasWarnings() bool { return CanonicalWord(j.Status) == jobWithWarnings }

// IsBackup reports whether the job takes a backup.
func (j Job) IsBackup() bool { return CanonicalWord(j.Operation) == jobBackup }

// mayBackUp reports whether the job takes a backup, or runs with an operation that this program does not know.
func (j Job) mayBackUp() bool {
	known := slices.Contains(jobOperations(), CanonicalWord(j.Operation))
	return j.IsBackup() || !known && j.IsRunning()
}

// jobOperations returns the operations of jobs (docs/azure.md §5).
func jobOperations() []string {
	return []string{
		jobBackup, "ConfigureBackup", "DisableBackup", JobRestore, "Undelete", "DeleteBackupData", "Register", "UnRegister",
		"CrossRegionRestore", "UpdateCustomerManagedKey",
	}
}

// StateSoftDeleted is the [State] of an item that was deleted and can still be recovered; the service itself returns
// ProtectionStopped with a flag (docs/azure.md §3).
const StateSoftDeleted = "soft-deleted"

// ItemClass is the meaning of an item's state: a row of a plan's table. Only [Item.Class] decides it; all code that
// depends on an item's state uses its class, so that a word means the same everywhere.
type ItemClass int

// The classes of items.
const (
	NoItem          ItemClass = iota
	ItemActive                // is backed up by a schedule, even if backups fail
	ItemStopped               // is not backed up, and keeps all its points
	ItemSuspended             // is not backed up, while its points expire
	ItemSoftDeleted           // was deleted and can still be recovered
	ItemUnknown               // paused, invalid, unreadable, or in an unknown state
)

// Class returns the class of the item's state; a nil item is [NoItem]. An item that only backupStatus reported
// ([Item.Partial]) is active: backupStatus reports nothing else.
func (it *Item) Class() ItemClass {
	switch {
	case it == nil:
		return NoItem
	case it.Unreadable != "":
		return ItemUnknown
	case it.SoftDeleted:
		return ItemSoftDeleted
	case it.Partial || IsActive(it.State):
		return ItemActive
	case IsStopped(it.State):
		return ItemStopped
	case IsSuspended(it.State):
		return ItemSuspended
	}
	return ItemUnknown
}

// IsActive reports whether an item in this state is backed up by a schedule, even if the backups fail.
func IsActive(state string) bool {
	switch CanonicalWord(state) {
	case StateIRPending, StateProtected, StateProtectionError:
		return true
	}
	return false
}

// IsStopped reports whether an item in this state is not backed up and keeps all its points. A soft-deleted item has
// this state too.
func IsStopped(state string) bool { return CanonicalWord(state) == StateProtectionStopped }

// IsSuspended reports whether an item in this state is not backed up while its points expire.
func IsSuspended(state string) bool { return CanonicalWord(state) == StateBackupsSuspended }

// IsConverged reports whether the item, as listed, is as the change wants it: its state, and for a change that
// protects, its policy and disks. It is false for changes that are not about an item, and for a backup, because the item
// does not show that it was taken.
func IsConverged(c Change, it Item) bool {
	switch c.Action {
	case Undelete:
		return it.Unreadable == "" && !it.SoftDeleted
	case Stop:
		return it.Class() == ItemStopped
	case Protect, Modify, Resume:
		return c.After != nil && it.Class() == ItemActive && !it.Partial &&
			isSamePolicy(&it, c.After.Policy) && it.Disks.Equal(c.After.Disks)
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh, Backup, Restore, RestoreTest, Blocked, Unchanged, Excluded:
		return false
	}
	return false
}

// isSamePolicy reports whether the item is under the policy with this id. Where the service returned only the policy's
// name, the name within the item's vault decides.
func isSamePolicy(it *Item, policyID string) bool {
	if it.PolicyID != "" {
		return armid.Same(it.PolicyID, policyID)
	}
	return it.PolicyName != "" && armid.Same(armid.Policy(it.Vault, it.PolicyName), policyID)
}
