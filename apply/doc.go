// Package apply carries a plan out: bounded writes, bounded reads, events, and one result per change.
//
//	plan ─► schedule ─► life of a change ─────────────────────────────► outcome ─► report
//	        (who may    clear the way ─► write ─► accepted ─► follow        │
//	         start)          ▲             │                    ▲           └─► events
//	                         └── answer ◄──┘ refused            │
//	                      (codes, refresh, read-back)      watch of the vault: one sweep for all
//
// # Contract
//
// A change ends exactly once. It starts when all it needs is done; when a need went wrong it is blocked, when one was left
// unfinished it is not started, and nothing else waits for it. A failed change cancels none of its siblings. Every
// wait ends by itself: with the change's own limit, the run's, the grace after an interrupt, or the context; the
// cause is in the result.
//
// The engine relies on what [plan.Validate] checks, and begins no other plan. What is left when nothing runs and
// nothing is ready is an [InternalError], never the fault of the plan's changes. A result and all that follows from it are one
// step of the queue (dag.go, dispatcher.go), and so are the events of it, in the order in which the observer is told
// of them later: a change is told to start after the ends of all it needs were told, however slow the observer is.
//
// The engine talks to the service through a [Backend] and never prints: it tells an [Observer]. Time is the Go
// clock, so tests run hours in no time (testing/synctest).
//
// # Done
//
// An item's change is done when the vault lists the item as desired and neither lists a running job for it nor a
// newer failed one. An operation's word alone is not enough: it can succeed while its job fails (docs/azure.md
// §4), and its effect is listed later (§12). Jobs count as ours when they started after the write was accepted, by the
// service's clock. Vaults and policies are done when, read back, they are what was wanted; a backup when its job
// is there.
//
// # When to look
//
// Asking for each operation costs a request per VM and round; an hour has 150 of them, for everybody in the
// subscription (docs/azure.md §12). So everybody who waits for something in a vault is served by one sweep: its
// items and its jobs. What remains is to choose the moments. The duration of a run is max(t_i + d_i), t_i being
// when the write quota lets the i-th write go and d_i how long its operation takes: only the last look decides, all
// others are for slots, for those who need a parent, and for the people who watch.
//
//   - Each operation has a next look: at the quantiles 75, 95 and 100 of what this run has seen so far, and at the
//     ages recorded for its kind beyond (enable: 36, 71 and 324 s) and, as long as few were seen, before. The first of them that it has not
//     reached is when it is due. Where durations cluster, as recorded, that finds nearly everything at a cost of
//     one sweep per cluster; where they do not, what is seen soon replaces what was recorded.
//   - Once an operation was due and not over, the gap to its next look is a quarter of its age at most, whatever is
//     learned meanwhile: nothing is noticed more than a quarter too late. A short Retry-After is followed instead, as
//     long as nothing was seen yet; a longer one than is usual is not, because lists are not the operation it speaks of.
//   - The first look at an operation waits until enough are due for its requests to be shared ten to one, or all are,
//     but not longer than 10 s. The last ones have nobody to wait for: they are looked at when due.
//   - Where the budget is scarcer than that, the share is what is left of it by what is left to do, less a quarter for
//     others and three sweeps of each vault for its stragglers. Then, and when few sweeps are left, the looks
//     between the marks and those for a short Retry-After are left out, and those that are due wait for half of the others.
//   - A few operations whose lists would probably show nothing are asked for singly, and so is one on which the
//     lists are silent: not as desired, and no job.
//
// Subscriptions have a write quota each, so they take turns; within one, vaults are filled one after the other: the
// operations of a vault then end together and its sweeps find more. Mixing the vaults would need a sweep of each of
// them for the same result.
//
// # Writes
//
// A write is sent once. It is sent again only after an answer that proves it was refused (error_codes.go), or when
// nothing came back and the lists, read until the blind window is over, show neither its effect nor its job
// (recover.go). What a failed read does not show is not absent. A conflict is somebody at work: it is waited out
// and the vault is listed again, so that what somebody else did is not done twice.
//
// A write is made onto the state that was approved, or not at all (docs/operations.md, "Changed meanwhile"). Before each
// write and each repeat an item is compared as its vault lists it (precondition.go), by a list that is younger than the
// approval and at most five minutes old; the plan's own list counts, as long as it is. What the backend reads right
// before the write, it compares itself ([Backend]).
//
// # Rejected
//
//   - Workers that hold an operation from write to end: 64 of them are a limit on operations disguised as one on
//     requests. A slot for writing is free at the 202.
//   - errgroup.WithContext: it cancels siblings at the first error.
//   - A GET per item before its write: the vault's list tells for all, when it is not older than five minutes. Only a
//     change with a risk is worth the request.
//   - The backend's read for vaults and policies as a method of its own, with the comparison here: a PUT is laid over
//     the very document that was compared, so both belong to one call.
//   - Confirming by the operation's status alone: see Done.
//   - Jobs read by status InProgress only: a failed job would be missed, and with it the reason.
//   - Sweeping at a fixed interval: 10 s would cost 85 sweeps of 10 pages for 1000 VMs, and an hour's
//     budget in the first minutes.
package apply
