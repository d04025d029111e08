package apply

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// awaitOperation waits for the end of an accepted operation: by sweeps of the vault where its lists show the effect,
// else by polling the operation.
func (ex *execution) awaitOperation(ctx context.Context) Result {
	if ex.poller == nil {
		return ex.awaitByPolls(ctx)
	}
	return ex.awaitByLists(ctx)
}

// awaitByLists waits until the lists show the end: the item as desired with no job running and none failed, or
// the failed job; for a backup, its job. The operation itself is polled only if the lists do not decide it, and its
// status alone is never enough: an operation can succeed while its job fails, and before its item is listed.
func (ex *execution) awaitByLists(ctx context.Context) Result {
	p := &listAwaiter{ex: ex, hint: ex.op.RetryAfter}
	for {
		s, err := ex.poller.next(ctx, p.nextRequest())
		if err != nil {
			return ex.abortedResult(err)
		}
		res, hasEnded := p.handleResult(ctx, s)
		if !hasEnded && p.canPollNow() {
			res, hasEnded = p.pollOperation(ctx)
		}
		if hasEnded {
			return res
		}
	}
}

// listAwaiter is the state of an operation while it is confirmed by the lists of its vault.
type listAwaiter struct {
	ex                 *execution
	hint               time.Duration // the service's Retry-After
	age                time.Duration // at the last snapshot that did not decide it
	hasMissed          bool          // a due poll did not decide it
	wantsPoll          bool          // the last snapshot did not decide it: poll the operation
	nextPollAge        time.Duration // do not poll the operation before
	listFailed         bool          // the lists cannot be read
	operationSucceeded bool          // the operation reported success
	nextListAt         time.Time     // when to list its effect then
}

// nextRequest returns the request for the next snapshot: due when the operation has probably ended or, once it reported
// success, when its effect may be listed.
func (p *listAwaiter) nextRequest() pollRequest {
	if p.operationSucceeded {
		return pollRequest{since: p.ex.acceptedAt, pollSchedule: pollSchedule{due: p.nextListAt, deferUntil: p.nextListAt, isLikely: true}}
	}
	accepted, age, hint, looked := p.ex.acceptedAt, p.age, p.hint, p.hasMissed // copies for the poller's goroutine
	mayBeAsked := accepted.Add(p.nextPollAge)
	hasURL := p.ex.hasURL()
	return pollRequest{
		since: accepted,
		reschedule: func(sparing bool) pollSchedule {
			s := p.ex.run.durations.nextPoll(p.ex.task.Action, accepted, age, hint, looked, sparing)
			if isRestore(p.ex.task.Action) {
				s = s.noLaterThan(later(accepted, p.ex.poller.lastListedAt()).Add(p.ex.run.restoreSweepInterval(p.ex.task.Action, p.ex.poller, age)))
			}
			return s
		},
		canPollSingly: func(now time.Time) bool { return hasURL && !mayBeAsked.After(now) && p.ex.canRead(ReadOperation) },
	}
}

// handleResult records what a snapshot shows, or why there is none; hasEnded reports that res is the change's result.
func (p *listAwaiter) handleResult(ctx context.Context, s pollResult) (res Result, hasEnded bool) {
	before := p.age
	p.age = max(p.age, p.ex.run.since(p.ex.acceptedAt))
	p.wantsPoll = !p.operationSucceeded
	p.hasMissed = p.hasMissed || s.wasDue
	if p.operationSucceeded {
		p.nextListAt = p.ex.run.now().Add(min(pollIntervalAfter(p.age), time.Minute))
	}
	if s.err != nil {
		p.ex.lastErr = s.err
		e, is := errors.AsType[*Error](s.err)
		p.listFailed = !is || policyOf(e).class == permanent
		p.wantsPoll = p.listFailed
	}
	if s.snapshot == nil {
		return Result{}, false
	}
	p.listFailed = false
	p.age = s.snapshot.at.Sub(p.ex.acceptedAt)
	st, job := s.snapshot.phase(p.ex.task.Change, p.ex.op.Accepted, p.ex.jobID())
	switch st {
	case phaseSucceeded:
		p.ex.observeDuration(before, p.age, job)
		return p.ex.result(Done, "", "", Result{Job: job.ID, Took: tookOf(job)}), true
	case phaseFailed:
		return p.ex.failedJobResult(ctx, job), true
	case phaseInProgress:
		p.ex.op.JobID, p.wantsPoll = bareJob(job.ID), false
	case phaseUnknown:
		p.wantsPoll = !p.operationSucceeded && (p.ex.run.since(p.ex.acceptedAt) >= p.ex.run.durations.expected(p.ex.task.Action) || p.ex.run.takeDirectPoll())
	}
	return Result{}, false
}

func (p *listAwaiter) canPollNow() bool {
	return p.wantsPoll && p.ex.run.since(p.ex.acceptedAt) >= p.nextPollAge && p.ex.canPoll()
}

// pollOperation polls the operation itself; hasEnded reports that res is the change's result.
func (p *listAwaiter) pollOperation(ctx context.Context) (res Result, hasEnded bool) {
	answer, err := p.ex.poll(ctx)
	switch {
	case ctx.Err() != nil:
		return p.ex.abortedResult(context.Cause(ctx)), true
	case err != nil && isTerminal(err):
		return p.ex.failedResult(err), true
	case err != nil:
		p.ex.lastErr = err
	case answer.Done && (p.ex.task.Action == plan.Backup || isRestore(p.ex.task.Action)):
		return p.ex.result(Done, "", "", Result{Job: answer.JobID}), true
	case answer.Done && p.listFailed:
		return p.ex.result(Unconfirmed, "", "the operation succeeded, but the vault cannot be listed to see its effect", p.ex.resultOfError(p.ex.lastErr)), true
	case answer.Done:
		p.operationSucceeded, p.nextListAt = true, p.ex.run.now()
	}
	p.nextPollAge = p.age + max(pollIntervalAfter(p.age), min(answer.RetryAfter, maxPollHint))
	return Result{}, false
}

// awaitByPolls polls the operation itself until it has ended, because the lists of a vault show no end of the changes of
// vaults and policies, and of refreshes.
func (ex *execution) awaitByPolls(ctx context.Context) Result {
	age, hint := time.Duration(0), ex.op.RetryAfter
	for hasPolled := false; ; hasPolled = true {
		at := ex.run.durations.nextPoll(ex.task.Action, ex.acceptedAt, age, hint, hasPolled, false).due
		switch {
		case hasPolled:
			at = later(at, ex.acceptedAt.Add(age+min(hint, maxPollHint)))
		case !ex.hasURL():
			at = ex.acceptedAt // it was done before the response; only the read-back remains
		}
		if err := sleep(ctx, ex.run.until(at)); err != nil {
			return ex.abortedResult(err)
		}
		age = ex.run.since(ex.acceptedAt)
		p, err := ex.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return ex.abortedResult(context.Cause(ctx))
		case err != nil && isTerminal(err):
			return ex.failedResult(err)
		case err != nil:
			ex.lastErr = err
		case p.Done:
			if ex.task.Action == plan.Refresh && !ex.isInternal {
				ex.run.refreshes.markDone(ctx, ex.task.Vault)
			}
			return ex.result(Done, "", "", Result{Job: p.JobID})
		case p.Message != "":
			ex.emit(Event{Kind: EventProgress, Message: p.Message})
		}
		hint = cmp.Or(p.RetryAfter, hint)
	}
}

// Tunable: maxPollHint is the longest Retry-After of an operation that is followed: one odd header must not cost its end.
const maxPollHint = 2 * time.Minute

// canPoll reports whether the operation has a URL to poll, and a budget to do so.
func (ex *execution) canPoll() bool { return ex.hasURL() && ex.canRead(ReadOperation) }

// hasURL reports whether the operation can be polled: by one of its URLs or, for a restore, by its job, which the backend
// finds where the answer named none.
func (ex *execution) hasURL() bool {
	return ex.op.Status != "" || ex.op.Result != "" || isRestore(ex.task.Action)
}

// jobID returns the id of the operation's job as far as it is known; "" = not known. The job of a restore has the id of its
// operation (docs/azure.md §33.47).
func (ex *execution) jobID() string {
	if isRestore(ex.task.Action) {
		return cmp.Or(ex.op.JobID, ex.op.ID)
	}
	return ex.op.JobID
}

// tookOf returns how long a job ran, by the service's clock; 0 = not known.
func tookOf(j plan.Job) plan.Duration {
	if j.Start.IsZero() || j.End.IsZero() {
		return 0
	}
	return plan.Duration(j.End.Sub(j.Start))
}

// canRead reports whether the budget for a kind of read has room for one now.
func (ex *execution) canRead(kind ReadKind) bool {
	return !ex.run.opt.budget(ex.task.Vault, kind).Next.After(ex.run.now())
}

// poll polls the operation once.
func (ex *execution) poll(ctx context.Context) (Progress, error) {
	var p Progress
	err := ex.run.withReadSlot(ctx, func(ctx context.Context) (err error) {
		p, err = ex.run.backend.Poll(ctx, ex.op)
		return err
	})
	if err == nil && p.JobID != "" && (isItemAction(ex.task.Action) || isRestore(ex.task.Action)) {
		ex.op.JobID, ex.isJobInferred = p.JobID, ex.isJobInferred || p.IsJobInferred
	}
	return p, err
}

// isTerminal reports whether a poll's error is the operation's own end. Any other error means that the poll failed: a
// URL that may not be requested, a token that cannot be renewed, a refusal.
func isTerminal(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Ended
}

// failedJobResult returns a result with the job's own code and text. Lists leave them out (docs/azure.md §11), so the
// job is polled.
func (ex *execution) failedJobResult(ctx context.Context, job plan.Job) Result {
	ex.op.JobID = bareJob(job.ID)
	if len(job.Errors) == 0 {
		if _, err := ex.poll(ctx); err != nil && isTerminal(err) && ctx.Err() == nil {
			return ex.failedResult(err)
		}
		return ex.result(Failed, "", "its job ended as "+job.Status+" and did not say why", Result{Job: job.ID})
	}
	e := job.Errors[0]
	return ex.result(Failed, jobCode(e), cmp.Or(e.Message, e.Title), Result{
		Job: job.ID, Hint: strings.Join(e.Recommendations, " "),
	})
}

// observeDuration records how long the operation took: the time of its job, but not less than the age at the last poll
// before the end and not more than at the first poll after it.
func (ex *execution) observeDuration(before, after time.Duration, job plan.Job) {
	d := (before + after) / 2
	if !job.End.IsZero() && !job.Start.IsZero() {
		d = job.End.Sub(job.Start)
	}
	ex.run.durations.observe(ex.task.Action, min(max(d, before), after))
}

// bareJob returns the name of a job, the last segment of its id.
func bareJob(id string) string { return id[strings.LastIndex(id, "/")+1:] }
