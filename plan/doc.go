// Package plan computes the difference between the observed and the wanted state. It is pure: no I/O, no clock,
// no log; the same input gives the same bytes.
//
//	config.Config ─┐
//	               ├─► vaults ──► policies ──► VMs ──► refresh ──► guards, forecast, fingerprint ──► Plan
//	Observed ──────┘   vaults.go  policies.go  decide.go           guard.go  forecast.go
//
// A change needs those before it: vault ─► policy ─► refresh ─► item (undelete ─► resume) ─► backup.
//
// # The table
//
// decide.go is this table: a method per column, a case per row. "Here" is a vault that the rule may use; for a
// rule with `protect: stopped` that names no vault, and without a rule, it is every vault of the file.
// Every cell is a file in testdata/table, named ROW--COLUMN.
//
//	 what is              │ protected      │ stopped       │ left alone │ no rule
//	──────────────────────┼────────────────┼───────────────┼────────────┼───────────────────────────
//	 touched by a gap     │ blocked        │ blocked       │ unchanged  │ unchanged
//	 VM does not exist    │ blocked        │ as below      │ unchanged  │ unchanged: never stopped
//	 no item              │ protect        │ unchanged     │ unchanged  │ unchanged
//	 active here          │ (modify)       │ stop          │ unchanged  │ stop, if set on the vault
//	 stopped here         │ resume         │ unchanged     │ unchanged  │ unchanged
//	 suspended here       │ resume         │ noted         │ unchanged  │ unchanged
//	 soft-deleted here    │ undelete,resume│ undelete      │ unchanged  │ unchanged
//	 unknown state        │ blocked        │ blocked       │ unchanged  │ unchanged
//	 active elsewhere     │ blocked (*)    │ blocked       │ unchanged  │ unchanged
//	 stopped elsewhere    │ blocked        │ noted         │ unchanged  │ unchanged
//	 soft-del. elsewhere  │ protect        │ noted         │ unchanged  │ unchanged
//	 several items        │ the active one decides, else an unknown state, else one stopped here,
//	                      │ else one soft-deleted here; the other items are noted
//	 a job runs           │ waits for it   │ waits for it  │ unchanged  │ unchanged, no stop this run
//	 a limit, a guard     │ blocked, each with its own reason; a limit never blocks a stop, a resource guard does
//
//	(*) `elsewhere: accept`: unchanged, noted
//
// # Decisions
//
//   - Gaps. gap.go lists what a gap touches. "Could not read" is never "does not exist": a vault, a policy or a VM
//     that was not seen counts as missing only when the read that would have shown it succeeded. Any gap makes
//     the plan incomplete, even one that touches nothing in it, and an incomplete plan stops nothing. Recovery
//     points alone decide nothing, so a gap on them is only listed in the plan.
//     A visibility gap alone blocks nothing: a VM that was seen is real, and an identity that sees only some groups
//     must still be able to protect them.
//   - Routing comes last (decide.go, newProtection): undeleted items are counted first, and a candidate that
//     cannot take the VM is passed over. Otherwise the load of a vault could turn a block of this plan into a
//     change of the next one. Blocking on the emptiest vault, suitable or not, was tried; the property
//     TestAppliedPlanLeavesNothingToDo found the case.
//   - A VM that Azure Backup cannot protect is blocked where the file names it by id, and left out, with a note,
//     where a pattern matches it by chance: a blocked change asks the operator to act. That holds whatever item it
//     has: it is not protected, modified, resumed or undeleted, but an existing item may be stopped. Whether a VM can
//     be protected is decided once, for audit and export as well (protectable.go): not a VM that is being deleted, nor
//     one with a disk beyond the limit that its filter does not leave out.
//   - An undelete is planned even where the resume after it is blocked, and waits for nothing but a running job:
//     soft-deleted data has a purge date. A gap still blocks it.
//   - A change needs the changes of its vault and policy, all of them. Needing only those that matter (creation,
//     redundancy) was considered: a failed tag would then not delay protection. One plain order was chosen, the one
//     a reader expects from the drawing above.
//   - Retention. A policy reduces retention when a count or a selection shrinks; a selection that changes its
//     form (week to date) counts as shrunk. Without items there is nothing to prune and no risk, but an
//     immutable vault and a resource guard still refuse the cut. A resume of an item with points reduces
//     retention, because a stopped item keeps every point and a policy does not; no list shows which points are older
//     than the policy allows.
//   - The cost of a cut is counted from the existing recovery points (retention_expiry.go): at most those that no
//     daily retention keeps and some shortened retention expires, at least those older than all retentions allow. No
//     list shows which point a weekly, monthly or yearly retention selected, and an on-demand point has a date of
//     its own, so neither bound is exact. Fewer days of instant restore only remove points from a tier.
//   - Two reads depend on the plan: the resource guards of vaults where something is stopped or cut, and those
//     recovery points (questions.go). The plan is made again with them: guards can block, points only inform. A failure
//     to read them is still a gap like any other: an exception for one kind would be the first of many.
//   - Fewer days of soft delete weaken security, as do immutability taken back and public access opened: existing
//     recovery points stay, but a deletion is discovered too late.
//   - Each guard checks all the risks of a change, not only the worst: a vault that is locked permanently and
//     opened to the public by one change needs both flags.
//   - Creating a vault is never irreversible: an empty vault can be deleted. Locking one is, so a vault that
//     is to be locked is created unlocked and locked by a separate change, which the guard judges.
//   - One thing takes two runs: a policy that gets longer retention while an item under it is suspended and
//     resumed by the same plan. The service refuses it until the item is resumed, and the resume needs the policy.
//   - Limits of size (VMs and policies in a vault, vaults in a region) block what exceeds them; limits per day
//     (policy writes, protection changes) refuse the plan, because half a plan is not what was reviewed. Policy
//     writes are counted per subscription: the documentation does not give the scope, and this is the safer reading.
//   - Operation. A change waits for any job that runs on its item, a backup too: the service answers a change during
//     a backup with a conflict (docs/azure.md §14).
//   - Preconditions. Values that are written together are compared together (precondition.go). Comparing whole
//     resources was considered: another client's tag would then block a vault's soft delete. Comparing field by field
//     was, too: half of another client's change (state, but not yet policy) would look like half of this one.
//   - The retention of policies is part of the changes of items that move between them (retention_text.go), but not of
//     the fingerprint: a plan that is made again judges the risk again.
//   - The fingerprint covers what the operator approves, including its risks, not when it runs: IRPending, Protected
//     and ProtectionError are one state in it; refreshes and backups are left out.
//   - Each change of a saved plan (subset.go) is still to be done, done, or stale. It is done when the plan now leaves
//     its target unchanged, because the file is the same. It is stale when its target differs from the approved one, or
//     it got a risk that the saved plan does not show: it is never written, nor is any change that needs it. A change
//     of a policy or a vault is not written at all when one of its fields moved: the whole was approved. New changes
//     are not carried out, which is no failure. A guard judges the whole that was approved, so the refusals are those
//     of the saved plan.
//   - `--only` is applied after everything is decided, so that a part of a plan is a part of the whole plan.
//     Like -target of Terraform it includes the vaults and policies that the chosen VMs use.
//   - Reasons are for people; no write depends on one (reason.go).
//   - An Options.Zone function finds time zones: loading one is I/O.
//
// # Reading order
//
//	what is read, in one spelling                    observed.go, state.go, spec.go, policy_spec.go, normalize.go,
//	                                                 duration.go, recovery_point.go
//	what to read; numbers of the service             scope.go, subscriptions.go, service_limits.go, recorded_durations.go
//	a plan, a change, why it is there                plan.go, reason.go
//	the five steps, and what they look things up in  make.go, questions.go, index.go, gap.go, subscription_names.go
//	vaults and policies                              vaults.go, policies.go, diff.go, wording.go
//	a VM: its row, its column, its vault             vm_state.go, decide.go, items.go, resume.go, route.go, protectable.go
//	changes that belong to others                    refresh.go, backup.go
//	what a change can cost, and what refuses a plan  risk.go, retention_expiry.go, retention_text.go, resource_guard.go,
//	                                                 guard.go
//	what is said of the whole plan                   forecast.go, cost.go, amount.go, fingerprint.go, origin.go, validate.go
//	--only                                           target.go
//	what is compared right before a write            precondition.go
//	a plan that was approved earlier, or elsewhere   saved.go, subset.go, stale.go, compare.go, merge.go
//	all about one VM                                 schedule.go, explain.go
//	restores                                         restore.go, restore_point.go, restore_target.go, restored.go,
//	                                                 adopted_restore.go, earlier_vm.go, restore_forecast.go
//	restore tests                                    restore_tests.go, restore_tests_choice.go, asked_tests.go, test_facts.go,
//	                                                 test_assessment.go, proof.go, clean_up.go, left_disks.go
package plan
