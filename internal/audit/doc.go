// Package audit says where every VM stands with its backup, and what somebody should do something about. It is
// pure: what was read and what should be go in, a [Result] comes out; it reads no clock, no file and no network.
//
// # States and what they rest on
//
// A VM is joined to its protected items by sourceResourceId, folded, and by nothing else: names repeat across
// resource groups, and a VM made anew keeps the name of the old one. Of several items the active one decides, so
// a VM that was soft-deleted in one vault and is protected in another is protected; the others are noted. The
// first state that holds is the VM's; the rest stand in `also`.
//
//	unknown       no active item, and a read that may hide one failed (its scope and code are in `gap`); or only
//	              backupStatus answered, which does not know the recovery points; or the item's protectionState is
//	              ProtectionPaused, Invalid or a word that is not known; or the VM was created while azbackup was
//	              reading; or the age lies between the densest and the sparsest schedule there can be and the
//	              policy's own could not be read
//	unsupported   plan says why Azure Backup cannot or should not protect it (plan.VM.WhyUnprotectable)
//	excluded      the rule that matches says protect: false; its reason is given
//	soft-deleted  no active item; an item with isScheduledForDeferredDelete; days left = to the purge time
//	stopped       no active item; an item in ProtectionStopped
//	suspended     no active item; an item in BackupsSuspended
//	unprotected   no item at all, and nothing that could hold one went unread
//	pending       active, and no lastRecoveryPoint; or the VM's timeCreated is later than it: the points are of an
//	              earlier VM of that id
//	stale         active, and lastRecoveryPoint is older than --max-age, or else than the longest pause in the
//	              policy's schedule (for an hourly one: the night) plus the tolerance
//	failing       active, and lastBackupStatus is Failed or protectionState is ProtectionError
//	other-vault   active in a vault that the file does not name, or that the VM's rule does not route to
//	other-policy  active under a policy that the VM's rule does not name
//	protected     active, and none of these
//
// Active means protectionState IRPending, Protected or ProtectionError. Covered are protected, other-policy and
// other-vault; coverage is covered / (all − unknown − excluded − unsupported).
//
// # Gaps
//
// A failed read is never an absence. A gap on a vault, on its items or on a subscription's vault list touches
// every VM of that subscription (and region, where the vault's is known) that has no active item elsewhere. A
// gap on the VM list leaves the VMs that were read as they are, but makes the result incomplete and keeps items
// from being called orphans. An identity that sees too few VMs (a visibility gap) may see too few vaults as well,
// so it touches like an unread vault list. Adding a gap turns states into unknown and into nothing else.
//
// # Decisions
//
//   - Vaults and policies differ from the file exactly where a plan over the same reads would write to them: the
//     differences are taken from plan.SettingDrifts, not worked out a second time.
//   - An item without recovery points is no orphan: there is no data that could have lost its VM, and a VM that
//     was created and protected while azbackup was reading looks like that.
//   - Of a VM that is unknown, excluded or unsupported no other finding is made.
//   - A VM named by id in the file that could not be read is a VM here, and unknown.
//   - Rejected: judging from healthStatus (it lags, and mixes warnings in), from backup jobs (the service lists
//     them for a window only, and one call per vault more for what lastBackupStatus says already), and from
//     Resource Graph's currentProtectionState (minutes to hours old).
package audit
