package plan

import (
	"time"

	"github.com/azbackup/azbackup/config"
)

// Observed is all that was read of Azure, with its gaps, as plain data. Times are UTC; a zero time means that Azure
// gave none (its sentinels 0001-01-01 and 2001-01-01 are read as zero).
type Observed struct {
	VMs      []VM
	Vaults   []Vault
	Policies []Policy
	Items    []Item
	Jobs     []Job // the jobs that run, and the Backup jobs that [Scope.BackupJobsSince] requests
	// Protectable lists, per subscription and region, the VMs that the service offers for protection.
	Protectable []Protectable
	// Missing are the VMs of `id` rules that answered 404: known not to exist.
	Missing []string
	// Points are the recovery points of items that a plan requested ([Questions]).
	Points []Points
	// Tests are the facts about restore tests that a plan requested ([Questions]).
	Tests TestFacts
	// Subscriptions are those that the identity can see; empty when they were not requested.
	Subscriptions []Subscription
	Gaps          []Gap
	// Taken are the ids of policies for other workloads than VMs: their names are taken.
	Taken []string
	// Notes list resources that were left out because they are clearly unrelated, a sentence each.
	Notes []string
}

// Subscription is a subscription that the identity can see.
type Subscription struct {
	ID     string
	Name   string
	Tenant string
	// State is as read: Enabled, Warned, PastDue, Disabled or Deleted (docs/azure.md §21).
	State string
	// ManagedBy are the tenants that manage it (Azure Lighthouse).
	ManagedBy []string
}

// VM is a virtual machine as the Compute list shows it.
type VM struct {
	ID            string
	Name          string
	ResourceGroup string
	Subscription  string
	Location      string
	Tags          map[string]string
	TimeCreated   time.Time
	// NeedsEnhanced is the reason why only an Enhanced policy can protect this VM (docs/azure.md §8.3), or "".
	NeedsEnhanced string
	// Unreadable is the part of the VM that was not understood, with its value ([GapVM]). Only the id is reliable
	// then: no rule is matched with such a VM.
	Unreadable string
	// Unsupported is the reason why Azure Backup cannot or should not protect this VM (docs/design.md §4), whatever
	// its disk filter, or "". [VM.WhyUnprotectable] decides.
	Unsupported string
	// LargeDisks are the LUNs of the data disks that are too large to be backed up.
	LargeDisks []int
	// DiskSizes are the sizes of the disks; nil where they were not requested ([Scope.DiskSizes]), and where the size of
	// the OS disk is unknown, because the size of the VM is unknown then.
	DiskSizes []DiskSize
}

// Target returns the VM as config rules see it.
func (vm VM) Target() config.Target {
	return config.Target{
		ID: vm.ID, Name: vm.Name, ResourceGroup: vm.ResourceGroup,
		Subscription: vm.Subscription, Location: vm.Location, Tags: vm.Tags,
	}
}

// Vault is a Recovery Services vault that exists. Settings the service left null have the value that null
// means (immutability null = Disabled).
type Vault struct {
	ID       string
	Name     string
	Location string
	// InFile is true where the config names this vault; other vaults only show where else a VM is protected.
	InFile   bool
	Settings VaultSettings
	// ResourceGuards are the guards (multi-user authorisation) of the vault; nil when not requested ([Questions]).
	ResourceGuards []string
	// GuardedOperations are the operations that those guards cover.
	GuardedOperations []GuardedOperation
	// ProvisioningState as read.
	ProvisioningState string
	// SoftDeleteState is as read: AlwaysON, Enabled, Disabled or "".
	SoftDeleteState string
}

// VaultSettings are the vault settings that the file can set. Nil and "" mean: not set (desired), not read (observed).
type VaultSettings struct {
	Redundancy          string            `json:"redundancy,omitempty"`
	CrossRegionRestore  *bool             `json:"crossRegionRestore,omitempty"`
	SoftDeleteDays      *int              `json:"softDeleteDays,omitempty"`
	Immutability        string            `json:"immutability,omitempty"`
	PublicNetworkAccess *bool             `json:"publicNetworkAccess,omitempty"`
	Tags                map[string]string `json:"tags,omitempty"`
	// Location is set for create-vault only.
	Location string `json:"location,omitempty"`
}

// Policy is an AzureIaasVM backup policy that exists in a vault.
type Policy struct {
	ID    string
	Name  string
	Vault string // vault id
	Spec  PolicySpec
	// Items is the number of items that the policy protects, as the service counts them, or [ItemsNotKnown].
	Items int
	// Unreadable is the reason why the schedule or retention could not be understood (a kind this program does not
	// know); such a policy is never written, and no item is newly put under it.
	Unreadable string
}

// ItemsNotKnown is the number of items of a policy that was read by itself, and whose document does not count them.
const ItemsNotKnown = -1

// Item is a protected item: the protection of one VM in one vault.
type Item struct {
	ID        string // as the service spells it; PUT goes there
	Vault     string // vault id
	VM        string // sourceResourceId
	Container string // containerName, e.g. "iaasvmcontainerv2;rg;vm"
	// State is protectionState in the spelling of [CanonicalWord]. Soft-deleted items have ProtectionStopped and
	// SoftDeleted.
	State       string
	PolicyID    string
	PolicyName  string
	Disks       *Disks // nil = no filter: all disks
	SoftDeleted bool
	// DeletedAt is when the item was deleted; PurgeAt when its data is purged.
	DeletedAt time.Time
	PurgeAt   time.Time

	// LastRecoveryPoint is when the newest point was taken, LastBackup when the last backup ran; zero = never. Status and
	// health are as read (docs/azure.md §3).
	LastRecoveryPoint time.Time
	LastBackup        time.Time
	LastBackupStatus  string
	Health            string
	// Unreadable is the part of the item that was not understood, with its value ([GapItem]). Its existence, its vault
	// and its VM are certain; how the VM is protected is unknown.
	Unreadable string
	// Partial is true where only backupStatus returned this item: it is active in Vault under PolicyName, and nothing
	// else is known.
	Partial bool
}

// mayHavePoints reports whether the item shows that it was ever backed up: by a recovery point, or, where the service
// named none, by a last backup that did not fail.
func (it *Item) mayHavePoints() bool {
	switch CanonicalWord(it.LastBackupStatus) {
	case "", jobFailed, jobCancelled:
		return !it.LastRecoveryPoint.IsZero()
	}
	return true
}

// The protection states of docs/azure.md §3.
const (
	StateIRPending         = "IRPending"
	StateProtected         = "Protected"
	StateProtectionError   = "ProtectionError"
	StateProtectionStopped = "ProtectionStopped"
	StateBackupsSuspended  = "BackupsSuspended"
	StateProtectionPaused  = "ProtectionPaused"
	StateInvalid           = "Invalid"
)

// Job is a backup job.
type Job struct {
	ID        string // resource id
	Vault     string
	Container string // containerName; joins the job to its item within the vault
	Name      string // the VM's name, for people
	Operation string // ConfigureBackup, Backup, DisableBackup, Undelete, DeleteBackupData, …
	Status    string
	Start     time.Time
	End       time.Time
	Errors    []JobError
}

// JobError is an entry of a job's errorDetails; its code is an integer there.
type JobError struct {
	Code            int
	Title           string
	Message         string
	Recommendations []string
}

// Points are the recovery points of an item whose points were requested.
type Points struct {
	Item  string // item id
	Times []time.Time
}

// Protectable is the protectable-items list of one subscription and region, read through one vault.
type Protectable struct {
	Subscription string
	Location     string
	Vault        string
	VMs          []string // VM ids
}

// Gap is a resource that could not be read, or was not understood. It is never an absence (docs/design.md §4).
type Gap struct {
	Kind         GapKind `json:"kind"`
	Subscription string  `json:"subscription,omitempty"`
	// SubscriptionName is the display name of a subscription that the identity does not see, where a management group has it.
	SubscriptionName string `json:"subscription_name,omitempty"`
	Location         string `json:"location,omitempty"`
	Vault            string `json:"vault,omitempty"` // vault id
	Target           string `json:"target,omitempty"`
	Code             string `json:"code,omitempty"`
	Message          string `json:"message,omitempty"`
	RequestID        string `json:"request_id,omitempty"`
	Status           int    `json:"status,omitempty"`
}

// GapKind is the kind of resource that could not be read.
type GapKind string

// The kinds of gap, with what they touch (docs/design.md §4).
const (
	GapVMs          GapKind = "vms"             // the VM list of a subscription: every match rule there
	GapVM           GapKind = "vm"              // one VM: that VM
	GapVault        GapKind = "vault"           // a vault of the file: every change in it
	GapVaults       GapKind = "vaults"          // the vault list of a subscription: every VM there not seen active somewhere
	GapPolicies     GapKind = "policies"        // the policies of a vault: the changes that need them
	GapPolicy       GapKind = "policy"          // one policy, by its id: the changes that need it
	GapItems        GapKind = "items"           // the items of a vault: every VM of its subscription and region not seen active elsewhere
	GapItem         GapKind = "item"            // one item of a vault, by its VM: that VM
	GapJobs         GapKind = "jobs"            // the jobs of a vault: on-demand backups in it
	GapStatus       GapKind = "status"          // backupStatus of one VM: that VM
	GapProtectable  GapKind = "protectable"     // the protectable items of a region: the refresh alone
	GapVisibility   GapKind = "visibility"      // the identity sees too few VMs of a subscription: nothing by itself
	GapGuards       GapKind = "resource-guards" // of a vault: the changes in it that a guard may refuse
	GapSubscription GapKind = "subscriptions"   // a subscription: as GapVMs and GapVaults; without an id nothing
	// GapManagementGroup is a management group, by its id: the subscriptions below it are not known, so it touches nothing
	// that was read.
	GapManagementGroup GapKind = "management-group"
	GapTargetGroup     GapKind = "resource-group"  // a group to restore into: the restores that need it
	GapStaging         GapKind = "storage-account" // a staging account: the restores that need it
	GapRestoreJobs     GapKind = "restore-jobs"    // the Restore jobs of a vault: the restore tests of its VMs
	GapPoints          GapKind = "recovery-points" // of one VM: its restores and restore tests; no other change
)

// DiskSize is the size of a disk of a VM, as its list shows it.
type DiskSize struct {
	LUN int // of a data disk; OSDiskLUN for the OS disk
	GB  int // 0 = unknown: a deallocated VM does not show it
}

// OSDiskLUN is the LUN of a [DiskSize] of an OS disk, which has none.
const OSDiskLUN = -1
