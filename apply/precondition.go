package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// A change is written onto the state that was approved, or not at all. The service has no If-Match, so what is there is
// compared before each write, repeats included: by the vault's list here, for every change of an item; and by the
// backend, for what it reads right before the write ([Backend.Start]).

// CodeChangedMeanwhile is the code of a change that was not written, because what is there is neither as the plan showed
// it nor as the change wants it: somebody else was at work after the plan was made.
const CodeChangedMeanwhile = "ChangedMeanwhile"

// ChangedMeanwhile is the error for such a change.
func ChangedMeanwhile(op string, drifts []plan.Drift) *Error {
	words := make([]string, len(drifts))
	for i, d := range drifts {
		words[i] = d.String()
	}
	return &Error{Op: op, Code: CodeChangedMeanwhile, Message: "changed since it was approved, so it was not written: " + strings.Join(words, "; ")}
}

// errListTooOld says that the list by which a change was compared is too old to write by.
var errListTooOld = errors.New("the list of the vault is too old to write by")

// snapshotTTL is the age at which a list is no longer good enough to write by.
const snapshotTTL = 5 * time.Minute

// maxQueueTime is how long a change that was compared may wait for its slot before it is compared again. Without it every
// list that gets too old while changes wait for their turn would be read at once, and not when it serves most.
const maxQueueTime = 30 * time.Second

// minSnapshotTime is when the list by which a change is written must have been read at the earliest: after the approval, and
// lately. A backup is not a state that can be compared: what proves that it is still wanted is the list of jobs, so
// that is read right before.
func (ex *execution) minSnapshotTime() time.Time {
	age := snapshotTTL
	if ex.task.Action == plan.Backup {
		age = time.Minute
	}
	if limit := ex.run.now().Add(-age); limit.After(ex.run.opt.Approved) {
		return limit
	}
	return ex.run.opt.Approved
}

// checkPrecondition compares the item, as its vault lists it, with what the change was approved for; over says that res is how the
// change ends, without a write. As long as the plan's own list is good enough to write by, the item is as the plan saw it.
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
		if ex.task.Action == plan.Backup {
			j, is := seen.backupJob(ex.task.Change, ex.planObservedAt())
			return ex.result(AlreadyDone, "", "a backup of it was started by somebody else", Result{Job: j.ID}), is
		}
		now := seen.findItem(ex.task.Change)
		condition := plan.CheckItem(ex.task.Change, now)
		if !condition.IsConverged && len(condition.Drifts) == 0 {
			ex.keepDiskFilter(now)
			return Result{}, false
		}
		if !ex.isIdle(seen) {
			// Somebody is at work on it: the end of that decides.
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

// isIdle says that a look shows nobody at work on the item.
func (ex *execution) isIdle(k *vaultSnapshot) bool {
	s, _ := k.phase(ex.task.Change, k.at, "")
	return s != phaseInProgress
}

// keepDiskFilter lets the change leave a disk filter that was set meanwhile, where the file says nothing of disks.
func (ex *execution) keepDiskFilter(now *plan.Item) {
	if now == nil {
		return
	}
	c, kept := plan.WithDisksKept(ex.task.Change, *now)
	if kept != "" {
		ex.task, ex.keptNote = &task{Change: c}, kept
	}
}

// adoptWritten makes what the backend wrote, which may keep what it found, what the change is waited for by.
func (ex *execution) adoptWritten(after *plan.State) {
	if after == nil || !isItemAction(ex.task.Action) {
		return
	}
	ex.keepDiskFilter(&plan.Item{Disks: after.Disks})
}

// changedMeanwhileResult is the result of a change that was not written, with the job that shows who was at work, if one does.
func (ex *execution) changedMeanwhileResult(ctx context.Context, e Error) Result {
	if ex.poller != nil {
		seen := ex.poller.lastSnapshot()
		if seen == nil || ex.run.since(seen.at) > time.Minute {
			if err := ex.waitForSnapshot(ctx, ex.run.now(), func(*vaultSnapshot) bool { return true }); err == nil {
				seen = ex.poller.lastSnapshot()
			}
		}
		e.Message += seen.describeLastJob(ex.task.Change, ex.planObservedAt())
	}
	return ex.failedResult(&e)
}

// findItem is the item of a change, or nil.
func (s *vaultSnapshot) findItem(c plan.Change) *plan.Item {
	it, ok := s.item(c)
	if !ok {
		return nil
	}
	return &it
}

// describeLastJob names the newest job that configured the item after since; "" where the lists show none.
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
