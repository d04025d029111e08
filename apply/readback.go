package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// blind is how long a write without an answer is looked for before it counts as never arrived.
//
// An item's operation shows in the jobs list as long as it runs, and the shortest enable recorded ran 31 s
// (docs/azure.md §4): 30 s are enough to meet it running at the last look, or its item at an earlier one. What is
// hidden even then does no harm: an equal PUT is accepted or meets a conflict, which is waited out.
//
// A second backup or restore would do harm, so it gets ten times the longest that a trigger was seen to take until its job
// was there (13 s, docs/azure.md §5).
func blind(a plan.Action) time.Duration {
	if a == plan.Backup || a == plan.Restore {
		return 130 * time.Second
	}
	return 30 * time.Second
}

// readBack finds out what became of a write that was not answered: it is followed where the lists show its effect
// or its job, and repeated where they show nothing for the blind window.
func (l *life) readBack(ctx context.Context) (res Result, over bool) {
	l.sayTrouble(0)
	if l.watch == nil {
		return l.readBackByPolls(ctx)
	}
	window := blind(l.Action)
	for _, part := range []time.Duration{10, 3, 1} {
		due := l.sent.Add(window / part)
		for {
			s, err := l.watch.next(ctx, wish{outlook: outlook{due: due}, since: l.sent, must: true})
			if err != nil {
				return l.gaveUp(err), true
			}
			if s.look == nil {
				// Not seeing is no proof of absence.
				l.trouble = cmpErr(s.err, l.trouble)
				due = l.now().Add(5 * time.Second)
				continue
			}
			if res, found := l.findEffect(ctx, s.look); found {
				return res, true
			}
			if !s.look.at.Before(due) {
				break
			}
		}
	}
	return l.repeat()
}

// findEffect follows the write where a look shows that it arrived.
func (l *life) findEffect(ctx context.Context, seen *look) (Result, bool) {
	if l.Action == plan.Backup {
		j, is := seen.backupJob(l.Change, l.sent.Add(-clockSlack))
		if !is {
			return Result{}, false
		}
		l.op.JobID = bareJob(j.ID)
		return l.result(Done, "", "the answer was lost, but its job is there", Result{Job: j.ID}), true
	}
	st, job := seen.standing(l.Change, l.sent, "")
	switch st {
	case silent:
		return Result{}, false
	case asDesired:
		return l.result(Done, "", "the answer was lost, but the item is listed as desired", Result{Job: job.ID}), true
	case jobFailed:
		return l.jobFailed(ctx, job), true
	case working:
	}
	l.take(Operation{
		Change: l.ID, Vault: l.Vault, Action: l.Action, Target: l.Target, After: l.After,
		Accepted: job.Start, JobID: bareJob(job.ID),
	})
	return l.follow(ctx), true
}

// readBackByPolls is readBack for what has no item: the resource itself is read.
func (l *life) readBackByPolls(ctx context.Context) (Result, bool) {
	l.op = Operation{Change: l.ID, Vault: l.Vault, Action: l.Action, Target: l.Target, After: l.After, Accepted: l.sent}
	if l.Action == plan.Refresh {
		return l.repeat() // nothing shows whether it ran, and once more is harmless
	}
	var unseen error // why the last look showed nothing
	for _, part := range []time.Duration{10, 3, 1} {
		if err := sleep(ctx, l.until(l.sent.Add(blind(l.Action)/part))); err != nil {
			return l.gaveUp(err), true
		}
		p, err := l.poll(ctx)
		unseen = err
		switch {
		case ctx.Err() != nil:
			return l.gaveUp(context.Cause(ctx)), true
		case err != nil && endedBadly(err):
			return l.failed(err), true
		case err == nil && p.Done:
			return l.result(Done, "", "the answer was lost, but it is there as desired", Result{Job: p.JobID}), true
		}
	}
	if unseen != nil { // not seeing is no proof of absence
		return l.result(Unconfirmed, "", "the answer was lost, and what became of it cannot be read: "+troubleText(unseen), Result{}), true
	}
	return l.repeat()
}

// repeat lets the write be sent again, a few times.
func (l *life) repeat() (Result, bool) {
	l.op, l.asked = Operation{}, false
	r := rule{tries: 3}
	if e := l.serviceError(); e != nil {
		r = ruleOf(e)
	}
	if l.repeats >= max(r.tries, 1) {
		return l.failed(l.trouble), true
	}
	l.repeats++
	if why := l.door.closed(); why != nil {
		return l.gaveUp(why), true
	}
	return Result{}, false
}
