package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// This file is the one place where words of the service are compared. The service's spelling is not to be relied on
// (docs/azure.md §0.4), so all of it is without case.

// CanonicalWord is a word of the service in the spelling of its documentation, whatever case and spaces it came with; a
// word that is not known stays as it is.
func CanonicalWord(word string) string {
	switch word {
	case StateIRPending, StateProtected, StateProtectionStopped, jobCompleted, jobInProgress, jobBackup, "":
		return word // nearly all there are
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

// The statuses of jobs (docs/azure.md §5), which are those of last backups, too, and the operation of a backup job.
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

// IsRunning says whether the job has not reached a final status. A status that is not known is none.
func (j Job) IsRunning() bool {
	switch CanonicalWord(j.Status) {
	case jobCompleted, jobWithWarnings, jobFailed, jobCancelled:
		return false
	}
	return true
}

// HasFailed says whether the job has ended without having done what it was for.
func (j Job) HasFailed() bool {
	switch CanonicalWord(j.Status) {
	case jobFailed, jobCancelled:
		return true
	}
	return false
}

// IsBackup says whether the job takes a backup.
func (j Job) IsBackup() bool { return CanonicalWord(j.Operation) == jobBackup }

// mayBackUp says whether the job takes a backup, or runs and does something that this program does not know.
func (j Job) mayBackUp() bool {
	known := slices.Contains(jobOperations(), CanonicalWord(j.Operation))
	return j.IsBackup() || !known && j.IsRunning()
}

// jobOperations are the operations of jobs (docs/azure.md §5).
func jobOperations() []string {
	return []string{
		jobBackup, "ConfigureBackup", "DisableBackup", JobRestore, "Undelete", "DeleteBackupData", "Register", "UnRegister",
		"CrossRegionRestore", "UpdateCustomerManagedKey",
	}
}

// StateSoftDeleted is the word of a [State] for an item that was deleted and can still be recovered; the
// service itself calls it ProtectionStopped and sets a flag (docs/azure.md §3).
const StateSoftDeleted = "soft-deleted"

// ItemClass is what an item's state means: a row of a plan's table. It is decided here alone ([Item.Class]); what else
// depends on an item's state goes by its class, so that a word means the same everywhere.
type ItemClass int

// The classes of items.
const (
	NoItem          ItemClass = iota
	ItemActive                // gets backups by a schedule, even where they fail
	ItemStopped               // gets none, and keeps all it has
	ItemSuspended             // gets none, while what it has ages out
	ItemSoftDeleted           // was deleted and can still be recovered
	ItemUnknown               // paused, invalid, not understood, or in a word this program does not know
)

// Class folds an item's state; nil is no item. An item of which only backupStatus spoke ([Item.Partial]) is active: that
// is all it says.
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

// IsActive says whether an item in this state gets backups by a schedule, even where they fail.
func IsActive(state string) bool {
	switch CanonicalWord(state) {
	case StateIRPending, StateProtected, StateProtectionError:
		return true
	}
	return false
}

// IsStopped says whether an item in this state gets no backups and keeps all it has. A soft-deleted item says so, too.
func IsStopped(state string) bool { return CanonicalWord(state) == StateProtectionStopped }

// IsSuspended says whether an item in this state gets no backups while what it has ages out.
func IsSuspended(state string) bool { return CanonicalWord(state) == StateBackupsSuspended }

// IsConverged says whether the item, as listed, is what the change wants: its state, and where the change
// protects, its policy and disks. It is false for changes that are not about an item, and for a backup,
// which leaves no mark on the item that proves it.
func IsConverged(c Change, it Item) bool {
	switch c.Action {
	case Undelete:
		return it.Unreadable == "" && !it.SoftDeleted
	case Stop:
		return it.Class() == ItemStopped
	case Protect, Modify, Resume:
		return c.After != nil && it.Class() == ItemActive && !it.Partial &&
			isSamePolicy(&it, c.After.Policy) && it.Disks.Equal(c.After.Disks)
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh, Backup, Restore, Blocked, Unchanged, Excluded:
		return false
	}
	return false
}

// isSamePolicy says whether the item is under the policy with this id. Where the service gave only the
// policy's name, the name decides within the item's vault.
func isSamePolicy(it *Item, policyID string) bool {
	if it.PolicyID != "" {
		return armid.Same(it.PolicyID, policyID)
	}
	return it.PolicyName != "" && armid.Same(armid.Policy(it.Vault, it.PolicyName), policyID)
}
