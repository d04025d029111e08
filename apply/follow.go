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
	if itemAction(l.Action) {
		return l.followByLists(ctx)
	}
	return l.followByPolls(ctx)
}

// followByLists waits until the lists show the end: the item as desired with no job running and none failed, or
// the failed job. The operation itself is asked only where the lists are silent, and its word alone is never
// enough: an operation can succeed while its job fails, and before its item is listed.
func (l *life) followByLists(ctx context.Context) Result {
	var (
		age      time.Duration // at the last look that did not settle it
		pollAge  time.Duration // do not ask the operation before
		ended    time.Time     // when the operation said that it had succeeded
		lagging  = time.Second // between looks after that
		hint     = l.op.RetryAfter
		unlisted bool // the lists cannot be read
	)
	for {
		w := wish{since: l.accepted, again: func(sparing bool) (time.Time, bool) {
			at, likely := l.usual.next(l.Action, age, hint, sparing)
			return l.accepted.Add(at), likely
		}}
		if !ended.IsZero() {
			w = wish{due: ended, since: l.accepted, likely: true}
		}
		s, err := l.watch.next(ctx, w)
		if err != nil {
			return l.gaveUp(err)
		}
		ask := false
		switch {
		case s.err != nil:
			l.trouble = s.err
			e, is := errors.AsType[*Error](s.err)
			unlisted = !is || ruleFor(e.Code, e.Status).reaction == never
			ask = unlisted
		case s.look == nil:
			ask = ended.IsZero()
		default:
			unlisted = false
			st, job := s.look.standing(l.Change, l.op.Accepted, l.op.JobID)
			switch st {
			case asDesired:
				l.learn(age, s.look.at.Sub(l.accepted), job)
				return l.result(Done, "", "", Result{Job: job.ID})
			case jobFailed:
				return l.jobFailed(ctx, job)
			case working:
				l.op.JobID = bareJob(job.ID)
			case silent:
				ask = ended.IsZero() && (time.Since(l.accepted) >= l.usual.typical(l.Action) || l.mayAsk())
			}
		}
		age = max(age, time.Since(l.accepted))
		if s.look != nil {
			age = s.look.at.Sub(l.accepted)
		}
		if !ended.IsZero() {
			ended = time.Now().Add(lagging)
			lagging = min(lagging*3/2, time.Minute)
		}
		if !ask || time.Since(l.accepted) < pollAge || !l.mayPoll() {
			continue
		}
		p, err := l.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return l.gaveUp(context.Cause(ctx))
		case err != nil && endedBadly(err):
			return l.failed(err)
		case err != nil:
			l.trouble = err
		case p.Done && unlisted:
			return l.result(Unconfirmed, "", "the operation succeeded, but the vault cannot be listed to see its effect", l.fromError(l.trouble))
		case p.Done:
			ended = time.Now()
		}
		now := time.Since(l.accepted)
		pollAge = now + max(now/4, p.RetryAfter, time.Second)
	}
}

// followByPolls asks the operation itself until it is over: vaults, policies, refreshes and backups have no item
// whose state would show the end. A backup is done when its job is there.
func (l *life) followByPolls(ctx context.Context) Result {
	age, hint := time.Duration(0), l.op.RetryAfter
	waitForJob := false
	for {
		at, _ := l.usual.next(l.Action, age, hint, false)
		if l.op.Status == "" && l.op.Result == "" && age == 0 {
			at = 0 // it was carried out before it was answered; only the reading back is left
		}
		if err := sleep(ctx, time.Until(l.accepted.Add(at))); err != nil {
			return l.gaveUp(err)
		}
		age = time.Since(l.accepted)
		p, err := l.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return l.gaveUp(context.Cause(ctx))
		case err != nil && endedBadly(err):
			return l.failed(err)
		case err != nil:
			l.trouble = err
		case p.Done && l.Action == plan.Backup && l.opt.AwaitBackups && !waitForJob && p.JobID != "":
			waitForJob, l.op.JobID = true, p.JobID // from now on the job counts
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
func (l *life) mayPoll() bool {
	b := l.opt.budget(l.Vault, ReadOperation)
	return (l.op.Status != "" || l.op.Result != "") && !b.Next.After(time.Now())
}

// poll asks the operation once.
func (l *life) poll(ctx context.Context) (Progress, error) {
	var p Progress
	var err error
	within(&l.reads, func() { p, err = l.backend.Poll(ctx, l.op) })
	if err == nil && p.JobID != "" && itemAction(l.Action) {
		l.op.JobID = p.JobID
	}
	return p, err
}

// endedBadly says whether a poll's error is the operation's own end, rather than trouble with the look.
func endedBadly(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return !ok || e.Ended
}

// jobFailed makes the job's own code and text the result. Lists leave them out (azure-api.md §11), so the job is
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
