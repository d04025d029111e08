package apply

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// awaitOperation waits for the end of an accepted operation. What the lists show is followed by the sweeps of the vault;
// the rest is asked for singly.
func (ex *execution) awaitOperation(ctx context.Context) Result {
	if ex.watch == nil {
		return ex.awaitByPolls(ctx)
	}
	return ex.awaitByLists(ctx)
}

// awaitByLists waits until the lists show the end: the item as desired with no job running and none failed, or
// the failed job; of a backup, its job. The operation itself is asked only where the lists are silent, and its word
// alone is never enough: an operation can succeed while its job fails, and before its item is listed.
func (ex *execution) awaitByLists(ctx context.Context) Result {
	p := &pursuit{ex: ex, hint: ex.op.RetryAfter}
	for {
		s, err := ex.watch.next(ctx, p.wish())
		if err != nil {
			return ex.abortedResult(err)
		}
		res, over := p.read(ctx, s)
		if !over && p.mayAskNow() {
			res, over = p.ask(ctx)
		}
		if over {
			return res
		}
	}
}

// pursuit is what is known of an operation while its vault is watched.
type pursuit struct {
	ex       *execution
	hint     time.Duration // the service's Retry-After
	age      time.Duration // at the last look that did not settle it
	looked   bool          // a look that was due did not settle it
	asks     bool          // the last look left something to ask the operation
	askAge   time.Duration // do not ask it before
	unlisted bool          // the lists cannot be read
	ended    bool          // the operation said that it had succeeded
	lookAt   time.Time     // when to look for its effect then
}

// wish is for the next look: when the operation is probably over or, once it said so, when its effect may show.
func (p *pursuit) wish() wish {
	if p.ended {
		return wish{since: p.ex.acceptedAt, outlook: outlook{due: p.lookAt, latest: p.lookAt, likely: true}}
	}
	accepted, age, hint, looked := p.ex.acceptedAt, p.age, p.hint, p.looked // asked for while the pursuit goes on
	mayBeAsked := accepted.Add(p.askAge)
	hasURL := p.ex.hasURL()
	return wish{
		since: accepted,
		again: func(sparing bool) outlook {
			return p.ex.run.durations.nextPoll(p.ex.task.Action, accepted, age, hint, looked, sparing)
		},
		single: func(now time.Time) bool { return hasURL && !mayBeAsked.After(now) && p.ex.mayRead(ReadOperation) },
	}
}

// read takes in what a look shows, or why there is none; over says that res is how the change ends.
func (p *pursuit) read(ctx context.Context, s sight) (res Result, over bool) {
	before := p.age
	p.age = max(p.age, p.ex.run.since(p.ex.acceptedAt))
	p.asks = !p.ended
	p.looked = p.looked || s.due
	if p.ended {
		p.lookAt = p.ex.run.now().Add(min(pollIntervalAfter(p.age), time.Minute))
	}
	if s.err != nil {
		p.ex.lastErr = s.err
		e, is := errors.AsType[*Error](s.err)
		p.unlisted = !is || ruleOf(e).reaction == never
		p.asks = p.unlisted
	}
	if s.look == nil {
		return Result{}, false
	}
	p.unlisted = false
	p.age = s.look.at.Sub(p.ex.acceptedAt)
	st, job := s.look.phase(p.ex.task.Change, p.ex.op.Accepted, p.ex.op.JobID)
	switch st {
	case phaseSucceeded:
		p.ex.observeDuration(before, p.age, job)
		return p.ex.result(Done, "", "", Result{Job: job.ID}), true
	case phaseFailed:
		return p.ex.failedJobResult(ctx, job), true
	case phaseInProgress:
		p.ex.op.JobID, p.asks = bareJob(job.ID), false
	case phaseUnknown:
		p.asks = !p.ended && (p.ex.run.since(p.ex.acceptedAt) >= p.ex.run.durations.expected(p.ex.task.Action) || p.ex.run.takeDirectPoll())
	}
	return Result{}, false
}

func (p *pursuit) mayAskNow() bool {
	return p.asks && p.ex.run.since(p.ex.acceptedAt) >= p.askAge && p.ex.canPoll()
}

// ask asks the operation itself.
func (p *pursuit) ask(ctx context.Context) (res Result, over bool) {
	answer, err := p.ex.poll(ctx)
	switch {
	case ctx.Err() != nil:
		return p.ex.abortedResult(context.Cause(ctx)), true
	case err != nil && endedBadly(err):
		return p.ex.failed(err), true
	case err != nil:
		p.ex.lastErr = err
	case answer.Done && p.ex.task.Action == plan.Backup:
		return p.ex.result(Done, "", "", Result{Job: answer.JobID}), true
	case answer.Done && p.unlisted:
		return p.ex.result(Unconfirmed, "", "the operation succeeded, but the vault cannot be listed to see its effect", p.ex.fromError(p.ex.lastErr)), true
	case answer.Done:
		p.ended, p.lookAt = true, p.ex.run.now()
	}
	p.askAge = p.age + max(pollIntervalAfter(p.age), answer.RetryAfter)
	return Result{}, false
}

// awaitByPolls asks the operation itself until it is over: vaults, policies and refreshes have no item whose state
// would show the end.
func (ex *execution) awaitByPolls(ctx context.Context) Result {
	age, hint := time.Duration(0), ex.op.RetryAfter
	for {
		at := ex.run.durations.nextPoll(ex.task.Action, ex.acceptedAt, age, hint, age > 0, false).due
		switch {
		case age > 0:
			at = later(at, ex.acceptedAt.Add(age+min(hint, 2*time.Minute)))
		case !ex.hasURL():
			at = ex.acceptedAt // it was carried out before it was answered; only the reading back is left
		}
		if err := sleep(ctx, ex.run.until(at)); err != nil {
			return ex.abortedResult(err)
		}
		age = ex.run.since(ex.acceptedAt)
		p, err := ex.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return ex.abortedResult(context.Cause(ctx))
		case err != nil && endedBadly(err):
			return ex.failed(err)
		case err != nil:
			ex.lastErr = err
		case p.Done:
			if ex.task.Action == plan.Refresh && !ex.isInternal {
				ex.run.refreshes.note(ctx, ex.task.Vault)
			}
			return ex.result(Done, "", "", Result{Job: p.JobID})
		case p.Message != "":
			ex.emit(Event{Kind: EventProgress, Message: p.Message})
		}
		if p.RetryAfter > 0 {
			hint = p.RetryAfter
		}
	}
}

// canPoll says whether there is something to ask the operation by, and a budget to do so.
func (ex *execution) canPoll() bool { return ex.hasURL() && ex.mayRead(ReadOperation) }

func (ex *execution) hasURL() bool { return ex.op.Status != "" || ex.op.Result != "" }

// mayRead says whether the budget for a kind of read has room for one now.
func (ex *execution) mayRead(kind ReadKind) bool {
	return !ex.run.opt.budget(ex.task.Vault, kind).Next.After(ex.run.now())
}

// poll asks the operation once.
func (ex *execution) poll(ctx context.Context) (Progress, error) {
	var p Progress
	err := withSlot(ctx, ex.run.readSlots, func() (err error) {
		p, err = ex.run.backend.Poll(ctx, ex.op)
		return err
	})
	if err == nil && p.JobID != "" && isItemAction(ex.task.Action) {
		ex.op.JobID = p.JobID
	}
	return p, err
}

// endedBadly says whether a poll's error is the operation's own end. Everything else is trouble with the look: a URL
// that may not be asked, a token that cannot be renewed, a refusal.
func endedBadly(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Ended
}

// failedJobResult makes the job's own code and text the result. Lists leave them out (docs/azure.md §11), so the job is
// asked for.
func (ex *execution) failedJobResult(ctx context.Context, job plan.Job) Result {
	ex.op.JobID = bareJob(job.ID)
	if len(job.Errors) == 0 {
		if _, err := ex.poll(ctx); err != nil && endedBadly(err) && ctx.Err() == nil {
			return ex.failed(err)
		}
		return ex.result(Failed, "", "its job ended as "+job.Status+" and did not say why", Result{Job: job.ID})
	}
	e := job.Errors[0]
	return ex.result(Failed, jobCode(e), firstOf(e.Message, e.Title), Result{
		Job: job.ID, Hint: strings.Join(e.Recommendations, " "),
	})
}

// observeDuration tells how long the operation took: by its job, within what the looks before and after its end allow.
func (ex *execution) observeDuration(before, after time.Duration, job plan.Job) {
	d := (before + after) / 2
	if !job.End.IsZero() && !job.Start.IsZero() {
		d = job.End.Sub(job.Start)
	}
	ex.run.durations.observe(ex.task.Action, min(max(d, before), after))
}

func bareJob(id string) string { return id[strings.LastIndex(id, "/")+1:] }
