// Package audit determines the backup state of every VM, and the findings that need action. It is pure: the observed
// state and the config go in, a [Result] comes out; it reads no clock, no file and no network.
//
// # States and their evidence
//
// A VM is joined to its protected items by sourceResourceId, folded, and by nothing else: names repeat across resource
// groups, and a re-created VM keeps the name of the old one. Of several items the active one decides, so a VM that was
// soft-deleted in one vault and is protected in another is protected; the others are noted. The first state that holds
// is the VM's; the rest are in `also`.
//
//	unknown       no active item, and a read that may hide one failed (its scope and code are in `gap`); or only
//	              backupStatus answered, which does not return the recovery points; or the item's protectionState is
//	              ProtectionPaused, Invalid or an unknown word; or an active item with a recovery point names no
//	              policy; or what was read of the VM or its item was not
//	              understood; or lastBackupStatus is an unknown word; or lastRecoveryPoint lies in the future; or the
//	              VM was created while azbackup was reading; or the age is between the densest and the sparsest
//	              possible schedule and the policy's own could not be read
//	unsupported   plan returns why Azure Backup cannot or should not protect it (plan.VM.WhyUnprotectable)
//	excluded      the matching rule has protect: false; its reason is given
//	soft-deleted  no active item; an item with isScheduledForDeferredDelete; days left = to the purge time
//	stopped       no active item; an item in ProtectionStopped
//	suspended     no active item; an item in BackupsSuspended
//	unprotected   no item at all, and all that could hold one was read
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
// A failed read is never an absence. A gap on a vault, on its items or on a subscription's vault list touches every VM
// of that subscription (and region, where the vault's is known) that has no active item elsewhere. A gap on the VM
// list does not change the VMs that were read, but makes the result incomplete and keeps items from being reported as
// orphans. An identity that sees too few VMs (a visibility gap) may see too few vaults as well, so it touches the same
// VMs as an unread vault list. Adding a gap turns states into unknown and into nothing else.
//
// # Restore tests
//
// plan.AssessTests decides which VMs a restore has proven. A proof changes no state: tests that failed, are overdue or never
// ran are findings of their own, of VMs whose state is known.
//
// # Decisions
//
//   - Vaults and policies differ from the file exactly where a plan over the same reads would write to them: the
//     differences are taken from plan.SettingDrifts, not computed a second time.
//   - An item without recovery points is no orphan: there is no data that could have lost its VM, and a VM that
//     was created and protected while azbackup was reading looks the same.
//   - A VM that is unknown, excluded or unsupported has no other findings.
//   - A VM named by id in the file that could not be read is a VM here, and unknown.
//   - Rejected: judging from healthStatus (it lags, and includes warnings), from backup jobs (the service lists
//     them for a window only, at one more call per vault for what lastBackupStatus already returns), and from
//     Resource Graph's currentProtectionState (minutes to hours old).
//
// # Reading order
//
//	what an audit is                                     result.go, state.go, vm_row.go
//	what is looked up, and the order of all of it        assess.go, items.go, gaps.go, sort.go
//	the state of a VM                                    evaluate.go, backup_interval.go
//	what needs action                                    finding_codes.go, findings.go, policies.go, vaults.go, namesakes.go
//	what restores have proven                            restore_tests.go
//	the numbers; an earlier audit; the audits of shards  summary.go, baseline.go, merge.go
package audit
