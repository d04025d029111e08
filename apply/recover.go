package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// unknownOutcomeWindow returns how long to search for the effect of a write without an answer before it is sent again. It
// counts from when the answer was lost: before it is sent a write may wait for its quotas, for longer than the window.
//
// An item's operation is in the jobs list as long as it runs, and the shortest enable recorded ran 31 s
// (docs/azure.md §4): 30 s are enough to find it running at the last poll, or its item at an earlier one. An effect
// that is hidden even then does no harm: an equal PUT is accepted or meets a conflict, for whose end the change waits.
//
// A second backup or restore would do harm, so it gets ten times the longest recorded time from a trigger to its listed
// job (13 s, docs/azure.md §5).
func unknownOutcomeWindow(a plan.Action) time.Duration {
	if a == plan.Backup || isRestore(a) {
		return 130 * time.Second
	}
	return 30 * time.Second
}

// recoverUnknownWrite searches the lists for the effect of a write without an answer: it waits for the operation where
// they show its effect or its job, and permits a repeat where they show neither until the end of [unknownOutcomeWindow].
// hasEnded reports that res is the change's result; else the write is repeated.
func (ex *execution) recoverUnknownWrite(ctx context.Context) (res Result, hasEnded bool) {
	ex.emitRetry(0)
	if ex.poller == nil || isRestore(ex.task.Action) {
		return ex.recoverByPolls(ctx)
	}
	lost, window := ex.run.now(), unknownOutcomeWindow(ex.task.Action)
	for _, part := range []time.Duration{10, 3, 1} {
		due := lost.Add(window / part)
		for {
			s, err := ex.poller.next(ctx, pollRequest{pollSchedule: pollSchedule{due: due}, since: ex.sentAt, isRequired: true})
			if err != nil {
				return ex.abortedResult(err), true
			}
			if s.snapshot == nil {
				// A failed read proves no absence.
				ex.lastErr = firstErr(s.err, ex.lastErr)
				due = ex.run.now().Add(5 * time.Second)
				continue
			}
			if res, found := ex.findWriteEffect(ctx, s.snapshot); found {
				return res, true
			}
			if !s.snapshot.at.Before(due) {
				break
			}
		}
	}
	return ex.allowRetry()
}

// findWriteEffect returns the change's result where a snapshot shows the write's effect, after the operation has ended.
func (ex *execution) findWriteEffect(ctx context.Context, seen *vaultSnapshot) (Result, bool) {
	if ex.task.Action == plan.Backup {
		j, is := seen.backupJob(ex.task.Change, ex.sentAt.Add(-clockSlack))
		if !is {
			return Result{}, false
		}
		ex.op.JobID = bareJob(j.ID)
		return ex.result(Done, "", "the answer was lost, but its job is there", Result{Job: j.ID}), true
	}
	st, job := seen.phase(ex.task.Change, ex.sentAt, "")
	switch st {
	case phaseUnknown:
		return Result{}, false
	case phaseSucceeded:
		return ex.result(Done, "", "the answer was lost, but the item is listed as desired", Result{Job: job.ID}), true
	case phaseFailed:
		return ex.failedJobResult(ctx, job), true
	case phaseInProgress:
	}
	ex.trackOperation(Operation{
		Change: ex.task.ID, Vault: ex.task.Vault, Action: ex.task.Action, Target: ex.task.Target, After: ex.task.After,
		Accepted: job.Start, JobID: bareJob(job.ID),
	})
	return ex.awaitOperation(ctx), true
}

// recoverByPolls is [execution.recoverUnknownWrite] for changes that no list shows: the backend reads the resource itself,
// or for a restore the jobs of the item, and compares what they restored.
func (ex *execution) recoverByPolls(ctx context.Context) (Result, bool) {
	ex.op = Operation{
		Change: ex.task.ID, Vault: ex.task.Vault, Action: ex.task.Action, Target: ex.task.Target,
		After: ex.task.After, Restore: ex.task.RestoreOrder, Accepted: ex.sentAt,
	}
	if ex.task.Action == plan.Refresh {
		return ex.allowRetry() // nothing shows whether it ran, and a second one is harmless
	}
	lost := ex.run.now()
	var unseen error // why the last poll showed nothing
	for _, part := range []time.Duration{10, 3, 1} {
		if err := sleep(ctx, ex.run.until(lost.Add(unknownOutcomeWindow(ex.task.Action)/part))); err != nil {
			return ex.abortedResult(err), true
		}
		p, err := ex.poll(ctx)
		unseen = err
		switch {
		case ctx.Err() != nil:
			return ex.abortedResult(context.Cause(ctx)), true
		case err != nil && isTerminal(err):
			return ex.failedResult(err), true
		case err == nil && p.Done:
			return ex.result(Done, "", "the answer was lost, but it is there as desired", Result{Job: p.JobID}), true
		case err == nil && p.JobID != "": // it arrived, and its job runs
			ex.op.JobID = p.JobID
			ex.trackOperation(ex.op)
			return ex.awaitOperation(ctx), true
		}
	}
	if unseen != nil { // a failed read proves no absence
		return ex.result(Unconfirmed, "", "the answer was lost, and what became of it cannot be read: "+describeErr(unseen), Result{}), true
	}
	return ex.allowRetry()
}

// allowRetry permits that the write is sent again, a few times; else it returns the change's result, and true.
func (ex *execution) allowRetry() (Result, bool) {
	ex.op, ex.mayHaveTakenEffect = Operation{}, false
	r := errorPolicy{tries: 3}
	if e := ex.serviceError(); e != nil {
		r = policyOf(e)
	}
	if ex.attempts >= max(r.tries, 1) {
		return ex.failedResult(ex.lastErr), true
	}
	ex.attempts++
	if why := ex.run.gate.err(); why != nil {
		return ex.abortedResult(why), true
	}
	return Result{}, false
}
