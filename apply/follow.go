package apply

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// follow waits for the end of an accepted operation. What the lists show is followed by the sweeps of the vault;
// the rest is asked for singly.
func (l *life) follow(ctx context.Context) Result {
	if l.watch == nil {
		return l.followByPolls(ctx)
	}
	return l.followByLists(ctx)
}

// followByLists waits until the lists show the end: the item as desired with no job running and none failed, or
// the failed job; of a backup, its job. The operation itself is asked only where the lists are silent, and its word
// alone is never enough: an operation can succeed while its job fails, and before its item is listed.
func (l *life) followByLists(ctx context.Context) Result {
	p := &pursuit{life: l, hint: l.op.RetryAfter}
	for {
		s, err := l.watch.next(ctx, p.wish())
		if err != nil {
			return l.gaveUp(err)
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
	*life
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
		return wish{since: p.accepted, outlook: outlook{due: p.lookAt, latest: p.lookAt, likely: true}}
	}
	accepted, age, hint, looked := p.accepted, p.age, p.hint, p.looked // asked for while the pursuit goes on
	mayBeAsked := accepted.Add(p.askAge)
	hasURL := p.hasURL()
	return wish{
		since:  accepted,
		again:  func(sparing bool) outlook { return p.usual.next(p.Action, accepted, age, hint, looked, sparing) },
		single: func(now time.Time) bool { return hasURL && !mayBeAsked.After(now) && p.mayRead(ReadOperation) },
	}
}

// read takes in what a look shows, or why there is none; over says that res is how the change ends.
func (p *pursuit) read(ctx context.Context, s sight) (res Result, over bool) {
	before := p.age
	p.age = max(p.age, p.since(p.accepted))
	p.asks = !p.ended
	p.looked = p.looked || s.due
	if p.ended {
		p.lookAt = p.now().Add(min(gapAfter(p.age), time.Minute))
	}
	if s.err != nil {
		p.trouble = s.err
		e, is := errors.AsType[*Error](s.err)
		p.unlisted = !is || ruleOf(e).reaction == never
		p.asks = p.unlisted
	}
	if s.look == nil {
		return Result{}, false
	}
	p.unlisted = false
	p.age = s.look.at.Sub(p.accepted)
	st, job := s.look.standing(p.Change, p.op.Accepted, p.op.JobID)
	switch st {
	case asDesired:
		p.learn(before, p.age, job)
		return p.result(Done, "", "", Result{Job: job.ID}), true
	case jobFailed:
		return p.jobFailed(ctx, job), true
	case working:
		p.op.JobID, p.asks = bareJob(job.ID), false
	case silent:
		p.asks = !p.ended && (p.since(p.accepted) >= p.usual.typical(p.Action) || p.mayAsk())
	}
	return Result{}, false
}

func (p *pursuit) mayAskNow() bool {
	return p.asks && p.since(p.accepted) >= p.askAge && p.mayPoll()
}

// ask asks the operation itself.
func (p *pursuit) ask(ctx context.Context) (res Result, over bool) {
	answer, err := p.poll(ctx)
	switch {
	case ctx.Err() != nil:
		return p.gaveUp(context.Cause(ctx)), true
	case err != nil && endedBadly(err):
		return p.failed(err), true
	case err != nil:
		p.trouble = err
	case answer.Done && p.Action == plan.Backup:
		return p.result(Done, "", "", Result{Job: answer.JobID}), true
	case answer.Done && p.unlisted:
		return p.result(Unconfirmed, "", "the operation succeeded, but the vault cannot be listed to see its effect", p.fromError(p.trouble)), true
	case answer.Done:
		p.ended, p.lookAt = true, p.now()
	}
	p.askAge = p.age + max(gapAfter(p.age), answer.RetryAfter)
	return Result{}, false
}

// followByPolls asks the operation itself until it is over: vaults, policies and refreshes have no item whose state
// would show the end.
func (l *life) followByPolls(ctx context.Context) Result {
	age, hint := time.Duration(0), l.op.RetryAfter
	for {
		at := l.usual.next(l.Action, l.accepted, age, hint, age > 0, false).due
		switch {
		case age > 0:
			at = later(at, l.accepted.Add(age+min(hint, 2*time.Minute)))
		case !l.hasURL():
			at = l.accepted // it was carried out before it was answered; only the reading back is left
		}
		if err := sleep(ctx, l.until(at)); err != nil {
			return l.gaveUp(err)
		}
		age = l.since(l.accepted)
		p, err := l.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return l.gaveUp(context.Cause(ctx))
		case err != nil && endedBadly(err):
			return l.failed(err)
		case err != nil:
			l.trouble = err
		case p.Done:
			if l.Action == plan.Refresh && !l.inner {
				l.refreshes.note(ctx, l.Vault)
			}
			return l.result(Done, "", "", Result{Job: p.JobID})
		case p.Message != "":
			l.say(Event{Kind: EventProgress, Message: p.Message})
		}
		if p.RetryAfter > 0 {
			hint = p.RetryAfter
		}
	}
}

// mayPoll says whether there is something to ask the operation by, and a budget to do so.
func (l *life) mayPoll() bool { return l.hasURL() && l.mayRead(ReadOperation) }

func (l *life) hasURL() bool { return l.op.Status != "" || l.op.Result != "" }

// mayRead says whether the budget for a kind of read has room for one now.
func (l *life) mayRead(kind ReadKind) bool { return !l.opt.budget(l.Vault, kind).Next.After(l.now()) }

// poll asks the operation once.
func (l *life) poll(ctx context.Context) (Progress, error) {
	var p Progress
	err := withSlot(ctx, l.reads, func() (err error) {
		p, err = l.backend.Poll(ctx, l.op)
		return err
	})
	if err == nil && p.JobID != "" && itemAction(l.Action) {
		l.op.JobID = p.JobID
	}
	return p, err
}

// endedBadly says whether a poll's error is the operation's own end. Everything else is trouble with the look: a URL
// that may not be asked, a token that cannot be renewed, a refusal.
func endedBadly(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Ended
}

// jobFailed makes the job's own code and text the result. Lists leave them out (docs/azure.md §11), so the job is
// asked for.
func (l *life) jobFailed(ctx context.Context, job plan.Job) Result {
	l.op.JobID = bareJob(job.ID)
	if len(job.Errors) == 0 {
		if _, err := l.poll(ctx); err != nil && endedBadly(err) && ctx.Err() == nil {
			return l.failed(err)
		}
		return l.result(Failed, "", "its job ended as "+job.Status+" and did not say why", Result{Job: job.ID})
	}
	e := job.Errors[0]
	return l.result(Failed, jobCode(e), firstOf(e.Message, e.Title), Result{
		Job: job.ID, Hint: strings.Join(e.Recommendations, " "),
	})
}

// learn tells how long the operation took: by its job, within what the looks before and after its end allow.
func (l *life) learn(before, after time.Duration, job plan.Job) {
	d := (before + after) / 2
	if !job.End.IsZero() && !job.Start.IsZero() {
		d = job.End.Sub(job.Start)
	}
	l.usual.learn(l.Action, min(max(d, before), after))
}

func bareJob(id string) string { return id[strings.LastIndex(id, "/")+1:] }
