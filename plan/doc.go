// Package plan works out the difference between what is and what should be. It is pure: no I/O, no clock,
// no log; the same input gives the same bytes.
//
//	config.Config ─┐
//	               ├─► vaults ──► policies ──► VMs ──► refresh ──► guards, forecast, fingerprint ──► Plan
//	Observed ──────┘   vaults.go  policies.go  decide.go             guard.go  forecast.go
//
// A change needs those before it: vault ─► policy ─► refresh ─► item (undelete ─► resume) ─► backup.
//
// # The table
//
// decide.go is this table: a method per column, a case per row. "Here" is a vault that the rule may use; for a
// rule with `protect: stopped` that names no vault it is every vault of the file, and so it is without a rule.
// Every cell is a file in testdata/table, named ROW--COLUMN.
//
//	 what is              │ protected      │ stopped       │ left alone │ no rule
//	──────────────────────┼────────────────┼───────────────┼────────────┼───────────────────────────
//	 touched by a gap     │ blocked        │ blocked       │ unchanged  │ unchanged
//	 VM does not exist    │ blocked        │ as below      │ unchanged  │ unchanged: never stopped
//	 no item              │ protect        │ unchanged     │ unchanged  │ unchanged
//	 active here          │ (modify)       │ stop          │ unchanged  │ stop, if the vault says so
//	 stopped here         │ resume         │ unchanged     │ unchanged  │ unchanged
//	 suspended here       │ resume         │ noted         │ unchanged  │ unchanged
//	 soft-deleted here    │ undelete,resume│ undelete      │ unchanged  │ unchanged
//	 unknown state        │ blocked        │ blocked       │ unchanged  │ unchanged
//	 active elsewhere     │ blocked (*)    │ blocked       │ unchanged  │ unchanged
//	 stopped elsewhere    │ blocked        │ noted         │ unchanged  │ unchanged
//	 soft-del. elsewhere  │ protect        │ noted         │ unchanged  │ unchanged
//	 several items        │ the active one decides, else a state that is not known, else what is stopped here,
//	                      │ else what is soft-deleted here; the others are noted
//	 a job runs           │ waits for it   │ waits for it  │ unchanged  │ unchanged, no stop this run
//	 a limit, a guard     │ blocked, each with its own reason; a limit never blocks a stop, a resource guard does
//
//	(*) `elsewhere: accept`: unchanged, noted
//
// # Decisions
//
//   - Gaps. What a gap touches is in gap.go. "Could not read" is never "not there": a vault, a policy or a VM
//     that was not seen counts as missing only when the read that would have shown it succeeded. Any gap makes
//     the plan incomplete, even one that touches nothing in it, and an incomplete plan stops nothing. Recovery
//     points alone decide nothing, so a gap on them only stands in the plan.
//     A visibility gap alone blocks nothing: a VM that was seen is real, and whoever sees some groups only must
//     still be able to protect those.
//   - Routing comes last (decide.go, newcomers): undeleted items take their places first, and a candidate that
//     cannot take the VM is passed over. Otherwise the load of a vault could turn a block of this plan into a
//     change of the next one. Blocking on the emptiest vault, fit or not, was tried; the property
//     TestAppliedPlanLeavesNothingToDo found the case.
//   - A VM that Azure Backup cannot protect is blocked where the file names it by id, and left out, with a note,
//     where a pattern happens to catch it: a blocked change asks somebody to act. That holds whatever item it has:
//     nothing is protected, modified, resumed or undeleted for it, but what is there may be stopped. What cannot be
//     protected is decided once, for audit and export as well (protectable.go): a VM that is being deleted, and one
//     with a disk beyond the limit that its filter does not leave out.
//   - Undelete stands even where the resume behind it is blocked, and waits for nothing but a running job:
//     soft-deleted data has a date. Blocked by a gap it is all the same.
//   - A change needs the changes of its vault and policy, all of them. Needing only what matters (creation,
//     redundancy) was considered: a failed tag would then not hold up protection. One plain order won, the one
//     a reader expects from the drawing above.
//   - Retention. A policy reduces retention when a count or a selection shrinks; a selection that changes its
//     form (week to date) counts as shrunk. Without items there is nothing to prune and no risk, but an
//     immutable vault and a resource guard refuse the cut all the same. A resume of an item with points reduces
//     retention, because a stopped item keeps every point and a policy does not; which points are older than
//     the policy allows is in no list.
//   - What a cut costs is counted from the recovery points that exist (retention_expiry.go): at most those that no daily
//     retention keeps and some shortened retention lets go of, at least those older than all that is kept. Which
//     point a weekly, monthly or yearly retention selected is in no list, and a point made on demand has a date of
//     its own, so neither is exact. Fewer days of instant restore only take points out of a tier.
//   - Two reads depend on the plan: the resource guards of vaults where something is stopped or cut, and those
//     recovery points (questions.go). The plan is made again with them: guards can block, points only inform. That they could not be read is a gap like any
//     other all the same: an exception for one kind would be the first of many.
//   - Fewer days of soft delete weaken security, like immutability taken back and public access opened: recovery
//     points that exist stay where they are, but whoever deletes them is found out too late.
//   - Each guard looks at all the risks of a change, not at the worst alone: a vault that is locked for good and
//     opened to the public by one change needs both flags.
//   - Creating a vault is never irreversible: an empty vault can be thrown away. Locking one is, so a vault that
//     shall be locked is created unlocked and locked by a change of its own, which the guard judges.
//   - One thing takes two runs: a policy that gets longer retention while an item under it is suspended and
//     resumed by the same plan. The service refuses it until the item is resumed, and the resume needs the policy.
//   - Limits of size (VMs and policies in a vault, vaults in a region) block what exceeds them; limits of a day
//     (policy writes, protection changes) refuse the plan, because half a plan is not what was reviewed. Policy
//     writes are counted per subscription: the documentation does not say per what, and this is the safer reading.
//   - Operation. Whatever job runs on an item is waited for, a backup too: the service answers a change during
//     a backup with a conflict (docs/azure.md §14).
//   - Preconditions. What is written as one is compared as one (precondition.go). Comparing whole resources was
//     considered: a colleague's tag would then hold up a vault's soft delete. Comparing field by field was, too: half
//     of another's move (state, but not yet policy) would look like half of ours.
//   - What policies keep stands in the changes of items that go between them (retention_text.go), but not in the fingerprint:
//     a plan that is made again judges the risk again.
//   - The fingerprint covers what somebody approves, its risks included, not when it runs: IRPending, Protected and ProtectionError
//     are one state in it, refreshes and backups are left out.
//   - Of a saved plan (subset.go) each change is still to be done, done, or stale. Done is what the plan now leaves as
//     it is, because the file is the same. Stale is what stands otherwise than it was approved for, or got a risk
//     that the saved plan does not show: it is never written, and neither is what needs it. Of a change of a policy
//     or a vault nothing is written when one of its fields moved: what was approved was the whole. What is new is
//     left and no failure. A guard judges the whole that was approved, so the refusals are those of the saved plan.
//   - `--only` is applied after everything is decided, so that a part of a plan is a part of the whole plan.
//     Like -target of Terraform it brings the vaults and policies that the chosen VMs use.
//   - Reasons are for people; nothing branches on them, save the count of excluded VMs in the summary.
//   - An Options.Zone function finds time zones: loading one is I/O.
package plan
