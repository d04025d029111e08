package apply

import (
	"context"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// A restore is not started where a job does the same already: a job that the plan adopted, or a job that another client, or
// a run that was killed, started after the plan was made.

// followAdopted returns the result of a change whose job the plan adopted.
func (ex *execution) followAdopted(ctx context.Context) Result {
	ex.admitted()
	a := ex.task.Adopted
	if !a.IsRunning() {
		return ex.result(AlreadyDone, "", "restored by a job that was started before", Result{Job: a.ID})
	}
	return ex.followJob(ctx, bareJob(a.ID), a.Started)
}

// followJob waits for the end of a job that this change did not start, and returns the change's result.
func (ex *execution) followJob(ctx context.Context, id string, started time.Time) Result {
	ex.mayHaveTakenEffect = true
	ex.trackOperation(Operation{
		Change: ex.task.ID, Vault: ex.task.Vault, Action: ex.task.Action, Target: ex.task.Target, After: ex.task.After,
		Restore: ex.task.RestoreOrder, Accepted: started, JobID: id,
	})
	res := ex.awaitOperation(ctx)
	switch res.Outcome {
	case Done:
		res.Outcome, res.Message = AlreadyDone, "restored by a job that was started before"
	case Failed:
		res.Hint = strings.TrimSpace(res.Hint + " the job was started before this run: another run starts it again")
	default:
	}
	return res
}

// adoptStarted follows a Restore job that a list of the vault shows, that began after the plan's reads and that does what
// the change orders; hasEnded reports that res is the change's result. The list does not show what a job restores, so the
// backend reads the job, at a request or two for each such job. A failed read proves no absence: nothing is started then.
func (ex *execution) adoptStarted(ctx context.Context, seen *vaultSnapshot) (res Result, hasEnded bool) {
	since := ex.planObservedAt()
	if !seen.hasRestoreSince(ex.task.Change, since) {
		return Result{}, false
	}
	op := Operation{
		Change: ex.task.ID, Vault: ex.task.Vault, Action: ex.task.Action, Target: ex.task.Target, Restore: ex.task.RestoreOrder, Accepted: since,
	}
	for tries := 0; ; tries++ {
		var p Progress
		err := ex.run.withReadSlot(ctx, func(ctx context.Context) (err error) {
			p, err = ex.run.backend.Poll(ctx, op)
			return err
		})
		switch {
		case ctx.Err() != nil:
			return ex.abortedResult(context.Cause(ctx)), true
		case err == nil && p.JobID == "", err != nil && isTerminal(err): // another restore, or one that failed
			return Result{}, false
		case err == nil:
			return ex.followJob(ctx, p.JobID, since), true
		case tries == 2:
			return ex.failedResult(err), true
		}
		ex.lastErr = err
		if err := ex.withoutSlot(ctx, func() error { return ex.pause(ctx, 10*time.Second) }); err != nil {
			return ex.abortedResult(err), true
		}
	}
}

// hasRestoreSince reports whether a snapshot shows a Restore job of the change's item that began after since and has not
// failed.
func (s *vaultSnapshot) hasRestoreSince(c plan.Change, since time.Time) bool {
	for _, j := range s.jobs[containerOf(c)] {
		if strings.EqualFold(j.Operation, plan.JobRestore) && j.Start.After(since) && !j.HasFailed() {
			return true
		}
	}
	return false
}
