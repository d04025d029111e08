// Package apply executes a plan: bounded writes, bounded reads, events, and one result per change.
//
//	plan ─► dispatcher ─► execution of a change ──────────────────────────► result ─► report
//	        (admission)   precondition ─► write ─► accepted ─► await          │
//	                           ▲            │                    ▲            └─► events
//	                           └─ response ◄┘ refused            │
//	                      (error codes, refresh, recover)   poller of the vault: one sweep for all
//
// # Contract
//
// A change ends exactly once. It starts when all changes it needs are done; when one of them failed it is blocked, when
// one was left unfinished it is not started, and nothing else waits for it. A failed change cancels none of its
// siblings. Every wait is bounded: by the change's own limit, the run's, the grace after an interrupt, or the context;
// the cause is in the result.
//
// The engine relies on what [plan.Validate] checks, and starts no other plan. Changes left when nothing runs and
// nothing is ready are an [InternalError], never the fault of the plan's changes. A result and all its consequences are
// one step of the queue (dag.go, dispatcher.go), and so are its events, in the order in which the observer gets them
// later: a change's started event comes after the finished events of all it needs, however slow the observer is.
//
// The engine calls the service through a [Backend] and never prints: it passes events to an [Observer]. Time is the Go
// clock, so tests run hours of virtual time in an instant (testing/synctest).
//
// # Done
//
// An item's change is done when the vault lists the item as desired and neither lists a running job for it nor a newer
// failed one. An operation's own status is not enough: it can succeed while its job fails (docs/azure.md §4), and its
// effect is listed later (§12). A job belongs to the change if it started after the write was accepted, by the
// service's clock. Vaults and policies are done when, read back, they equal the desired state; a backup when its job is
// listed; a restore when its job has ended, which has the operation's name (§33.47).
//
// # Restore tests
//
// A restore test (docs/design.md §12) starts when everything else has a result. It is a restore with steps around it, each
// with a deadline and an outcome of its own (test_run.go). Its disks are found by their tag alone, and deleted only where
// [plan.CleanUp] allows it: the job that made them must be known to be this run's, so where the answer to its request was
// lost they stay. What stays is in the result ([LeftBehind]); a test whose disks stay has proven its point all the same.
//
// # When to poll
//
// Polling each operation costs a request per VM and round; an hour has 150 of them, for all clients of the
// subscription (docs/azure.md §12). So one sweep of a vault, its items and its jobs, serves all changes that wait for
// something in it. What remains is to choose the moments. The duration of a run is max(t_i + d_i), t_i being
// when the write quota admits the i-th write and d_i how long its operation takes: only the last poll decides, all
// others free slots, start dependants, and show progress to the operator.
//
//   - Each operation has a next poll: at the quantiles 75, 95 and 100 of the durations observed in this run, and at the
//     ages recorded for its kind beyond (enable: 36, 71 and 324 s) and, as long as few were observed, before. The first
//     of them that it has not reached is when it is due. Where durations cluster, as recorded, that finds nearly
//     everything at a cost of one sweep per cluster; where they do not, observations soon replace the records.
//   - Once an operation was due and had not ended, the gap to its next poll is at most a quarter of its age, whatever is
//     observed meanwhile: no end is noticed more than a quarter too late. A short Retry-After is followed instead, as
//     long as nothing was observed yet; a longer one than usual is not: it describes the operation, not the lists.
//   - The first poll of an operation waits until enough are due to share its requests ten to one, or all are,
//     but not longer than 10 s. The remaining operations are polled when due, without batching.
//   - Where the budget is scarcer than that, the share is the remaining budget by the remaining work, less a quarter
//     for other clients and three sweeps of each vault for its slow operations. Then, and when few sweeps are left, polls
//     between the checkpoints and for a short Retry-After are left out, and the due ones wait for half of the others.
//   - Restores wait for the jobs of their vault alone, and there are fewer slots than restores: an end that is noticed late
//     delays all restores that wait for the slot. So the vault is swept at even intervals (restore_sweeps.go).
//   - A few operations whose lists would probably show nothing are polled directly, and so is one that the lists do not
//     decide: not as desired, and no job.
//
// Subscriptions have a write quota each, so they take turns; within one, vaults are filled one after the other: the
// operations of a vault then end together and its sweeps find more. Mixing the vaults would need a sweep of each of
// them for the same result.
//
// # Writes
//
// A write is sent once. It is sent again only after an answer that proves it was refused (error_codes.go), or when
// no response came and the lists, read until the end of the unknown-outcome window, show neither its effect nor its job
// (recover.go). A failed read proves no absence. A conflict means that another client is at work: the change waits for
// its end and the vault is listed again, so that the other client's work is not done twice.
//
// A write is made onto the approved state, or not at all (docs/operations.md, "Changed meanwhile"). Before each
// write and each repeat an item is compared as its vault lists it (precondition.go), by a list that is younger than the
// approval and at most five minutes old; the plan's own list counts if it is that young. The backend compares what it
// reads right before the write ([Backend]).
//
// # Rejected
//
//   - Workers that hold an operation from write to end: 64 workers would limit the operations in flight, though only the
//     requests need a limit. A slot for writing is free at the 202.
//   - errgroup.WithContext: it cancels siblings at the first error.
//   - A GET per item before its write: the vault's list covers all items, if it is at most five minutes old. Only a
//     change with a risk is worth the request.
//   - The backend's read for vaults and policies as a method of its own, with the comparison here: a PUT is merged into
//     the very document that was compared, so both belong to one call.
//   - Confirming by the operation's status alone: see Done.
//   - Listing only the jobs with status InProgress: a failed job would be missed, and with it the reason.
//   - Sweeping at a fixed interval: 10 s would cost 85 sweeps of 10 pages for 1000 VMs, and an hour's
//     budget in the first minutes.
//
// # Reading order
//
//	what a run gets, and what it gives    options.go, backend.go, event.go, result.go, report.go
//	which change runs when                executor.go, dispatcher.go, dag.go, priority.go, admission.go, gate.go
//	one change, up to the accepted write  change.go, precondition.go, refresher.go, recover.go
//	what an error means                   error_codes.go, error_table.go, error_help.go
//	one change, up to its end             await.go, vault_poller.go, vault_snapshot.go, poll_schedule.go, restore_sweeps.go,
//	                                      duration_estimator.go
//	restores and their tests              restore_backend.go, adopted_restore.go, test_run.go, test_check.go, test_clean_up.go
//	time, and the one kind of lock        clock.go, mutex.go
package apply
