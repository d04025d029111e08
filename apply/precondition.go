package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// A change is written onto the approved state, or not at all. The service has no If-Match, so the present state is
// compared before each write, repeats included: by the vault's list here, for every change of an item; and by the
// backend, with its own read right before the write ([Backend.Start]).

// CodeChangedMeanwhile is the code of a change that was not written, because the present state is neither the planned
// nor the desired one: another client was at work after the plan was made.
const CodeChangedMeanwhile = "ChangedMeanwhile"

// ChangedMeanwhile returns the error of a change with [CodeChangedMeanwhile].
func ChangedMeanwhile(op string, drifts []plan.Drift) *Error {
	words := make([]string, len(drifts))
	for i, d := range drifts {
		words[i] = d.String()
	}
	return &Error{Op: op, Code: CodeChangedMeanwhile, Message: "changed since it was approved, so it was not written: " + strings.Join(words, "; ")}
}

// errListTooOld means that the list with which a change was compared is too old for a write.
var errListTooOld = errors.New("the list of the vault is too old to write by")

// snapshotTTL is the age from which a list is too old for a write.
const snapshotTTL = 5 * time.Minute

// Tunable: maxQueueTime is how long a compared change may wait for its slot before it is compared again. Without it
// every list that expires while changes wait for slots would be read at once, and not when it serves most changes.
const maxQueueTime = 30 * time.Second

// minSnapshotTime returns the earliest time at which the list for a write may have been read: after the approval, and at
// most [snapshotTTL] ago. A backup and a restore need a list of jobs that is at most a minute old, because the item does
// not show whether another client started one.
func (ex *execution) minSnapshotTime() time.Time {
	age := snapshotTTL
	if ex.task.Action == plan.Backup || ex.task.Action == plan.Restore {
		age = time.Minute
	}
	if limit := ex.run.now().Add(-age); limit.After(ex.run.opt.Approved) {
		return limit
	}
	return ex.run.opt.Approved
}

// checkPrecondition compares the item, as its vault lists it, with the state for which the change was approved;
// hasEnded reports that res is the change's result, without a write. As long as the plan's own list is young enough,
// the item is as planned. It relists the vault if the last list is stale.
func (ex *execution) checkPrecondition(ctx context.Context) (res Result, hasEnded bool) {
	for ex.poller != nil {
		if limit := ex.minSnapshotTime(); ex.poller.lastListedAt().Before(limit) {
			if err := ex.waitForSnapshot(ctx, limit, func(*vaultSnapshot) bool { return true }); err != nil {
				return ex.abortedResult(err), true
			}
		}
		seen := ex.poller.lastSnapshot()
		if seen == nil {
			return Result{}, false
		}
		switch ex.task.Action {
		case plan.Restore:
			return ex.adoptStarted(ctx, seen)
		case plan.Backup:
			j, is := seen.backupJob(ex.task.Change, ex.planObservedAt())
			return ex.result(AlreadyDone, "", "a backup of it was started by somebody else", Result{Job: j.ID}), is
		default:
		}
		if seen.isUnsettled(ex.task.Change) {
			if err := ex.withoutSlot(ctx, func() error {
				return ex.waitForSnapshot(ctx, seen.at.Add(1), func(k *vaultSnapshot) bool { return !k.isUnsettled(ex.task.Change) })
			}); err != nil {
				return ex.abortedResult(err), true
			}
			continue
		}
		now := seen.findItem(ex.task.Change)
		condition := plan.CheckItem(ex.task.Change, now)
		if !condition.IsConverged && len(condition.Drifts) == 0 {
			ex.keepDiskFilter(now)
			return Result{}, false
		}
		if !ex.isIdle(seen) {
			// Another client is at work on it: the state after its operation decides.
			if err := ex.withoutSlot(ctx, func() error { return ex.waitForSnapshot(ctx, seen.at, ex.isIdle) }); err != nil {
				return ex.abortedResult(err), true
			}
			continue
		}
		if condition.IsConverged {
			ex.keepDiskFilter(now)
			return ex.result(AlreadyDone, "", "it is listed as desired", Result{}), true
		}
		return ex.changedMeanwhileResult(ctx, *ChangedMeanwhile("", condition.Drifts)), true
	}
	return Result{}, false
}

// isIdle reports whether a snapshot shows no operation in progress on the item.
func (ex *execution) isIdle(k *vaultSnapshot) bool {
	s, _ := k.phase(ex.task.Change, k.at, "")
	return s != phaseInProgress
}

// keepDiskFilter replaces the disk filter of the change by the one that the item has now, where the file does not set
// disks.
func (ex *execution) keepDiskFilter(now *plan.Item) {
	if now == nil {
		return
	}
	c, kept := plan.WithDisksKept(ex.task.Change, *now)
	if kept != "" {
		ex.task, ex.keptNote = &task{Change: c}, kept
	}
}

// adoptWritten takes over the disk filter that the backend wrote: it may have kept one that the lists did not show, and the
// item with that filter confirms the change.
func (ex *execution) adoptWritten(after *plan.State) {
	if after == nil || !isItemAction(ex.task.Action) {
		return
	}
	ex.keepDiskFilter(&plan.Item{Disks: after.Disks})
}

// changedMeanwhileResult returns the result of a change that was not written, with the job of the other client, if
// listed.
func (ex *execution) changedMeanwhileResult(ctx context.Context, e Error) Result {
	if ex.poller != nil {
		seen := ex.poller.lastSnapshot()
		if seen == nil || seen.at.Before(ex.run.now().Add(-time.Minute)) {
			if err := ex.waitForSnapshot(ctx, ex.run.now(), func(*vaultSnapshot) bool { return true }); err == nil {
				seen = ex.poller.lastSnapshot()
			}
		}
		e.Message += seen.describeLastJob(ex.task.Change, ex.planObservedAt())
	}
	return ex.failedResult(&e)
}

// findItem returns the item of a change, or nil.
func (s *vaultSnapshot) findItem(c plan.Change) *plan.Item {
	it, ok := s.item(c)
	if !ok {
		return nil
	}
	return &it
}

// describeLastJob describes the newest job that configured the item after since; "" where the lists show none.
func (s *vaultSnapshot) describeLastJob(c plan.Change, since time.Time) string {
	if s == nil {
		return ""
	}
	var newest plan.Job
	for _, j := range s.jobs[containerOf(c)] {
		if isConfigureJob(j) && j.Start.After(since) && j.Start.After(newest.Start) {
			newest = j
		}
	}
	if newest.ID == "" {
		return ""
	}
	return fmt.Sprintf("; by job %s (%s, started %s)", bareJob(newest.ID), newest.Operation, newest.Start.UTC().Format(time.RFC3339))
}
