package apply

import (
	"context"
	"errors"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// life is a change while it is being carried out: from its turn to its result.
type life struct {
	*run
	*task
	watch   *watch
	started time.Time
	placed  func() // tells that it has its slot for writing, or waits for something else
	holding bool   // an operation slot
	inner   bool   // not a change of the plan: it has no result there

	sent     time.Time // when the last write was sent
	asked    bool      // that write may have had an effect
	op       Operation // the write that was accepted
	accepted time.Time // by our clock; zero until then
	trouble  error     // what stood in the way last
	repeats  int       // writes that were refused and may be repeated
	limited  int       // those of them that may be repeated a few times only
	adapted  bool      // a refresh was tried
	kept     string    // what was found and left, though the plan saw it otherwise
}

// carryOut carries the change out. ctx ends with a cause when its time is up, the run's is, or the run is left.
func (l *life) carryOut(ctx context.Context) Result {
	if err := l.clearTheWay(ctx); err != nil {
		return l.gaveUp(err)
	}
	for {
		if res, over := l.compare(ctx); over {
			return res
		}
		err := l.write(ctx)
		switch {
		case errors.Is(err, errListTooOld):
			continue
		case err == nil && l.op.Already:
			return l.result(Already, "", "it is as wanted", Result{})
		case err == nil:
			return l.follow(ctx)
		}
		if res, over := l.answerTo(ctx, err); over {
			return res
		}
	}
}

// clearTheWay waits for the job that the plan saw running on the item.
func (l *life) clearTheWay(ctx context.Context) error {
	if l.watch == nil || l.WaitsFor == "" {
		return nil
	}
	l.say(Event{Kind: EventWaiting, Job: l.WaitsFor, Message: "another operation is running on it"})
	return l.lend(ctx, func() error {
		return l.lookUntil(ctx, l.started, func(k *look) bool { return !k.running(l.Change, l.WaitsFor) })
	})
}

// planned is when the plan looked at the jobs: what started later it does not know.
func (l *life) planned() time.Time {
	if l.opt.Observed.IsZero() {
		return l.began.Add(-clockSlack)
	}
	return l.opt.Observed.Add(-clockSlack)
}

// write sends the change's one write. The slot is free when the service has answered.
func (l *life) write(ctx context.Context) error {
	open, stop := l.door.while(ctx)
	defer stop()
	err := withSlot(open, l.writes, func() (err error) {
		l.placed()
		if err = l.mayWrite(ctx); err != nil {
			return err
		}
		if err = l.sayWith(l.event(Event{Kind: EventStarted}), l.door.closed); err != nil {
			return err
		}
		if err = l.mayWrite(ctx); err != nil { // telling may have taken its time
			return err
		}
		l.sent, l.asked = l.now(), true
		l.op, err = l.backend.Start(ctx, l.Change)
		return err
	})
	if err != nil {
		return err
	}
	l.adopt(l.op.After)
	if !l.op.Already {
		l.take(l.op)
	}
	return nil
}

// mayWrite returns why the write may not be sent now, or nil.
func (l *life) mayWrite(ctx context.Context) error {
	if l.watch != nil && l.watch.knownAt().Before(l.oldest().Add(-queued)) {
		return cmpErr(context.Cause(ctx), l.door.closed(), errListTooOld)
	}
	return cmpErr(context.Cause(ctx), l.door.closed())
}

// take makes op the operation that is followed.
func (l *life) take(op Operation) {
	l.op, l.accepted = op, l.now()
	l.mu.Lock()
	l.run.accepted++
	l.mu.Unlock()
	if l.op.Accepted.IsZero() {
		l.op.Accepted = l.accepted
	}
	l.say(Event{Kind: EventAccepted, Operation: op.ID, RequestID: op.RequestID})
}

// answerTo decides what becomes of a write that was not accepted; over says that res is how the change ends.
func (l *life) answerTo(ctx context.Context, err error) (res Result, over bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		if ctx.Err() != nil || l.door.closed() != nil {
			return l.gaveUp(err), true
		}
		l.asked = false // refused before it was sent, or not signed in
		return l.failed(err), true
	}
	l.trouble = err
	if e.Unknown {
		return l.readBack(ctx)
	}
	l.asked = false
	r := ruleOf(e)
	again := r.tries == 0 || l.limited < r.tries
	if r.tries > 0 {
		l.limited++
	}
	switch {
	case e.Code == CodeChangedMeanwhile:
		return l.changedMeanwhile(ctx, *e), true
	case r.reaction == waitOut && again:
		return l.standAside(ctx, r)
	case r.reaction == retry && again:
		return l.tryLater(ctx, r, e.RetryAfter)
	case r.reaction == adapt && l.Action == plan.Protect && !l.adapted && !l.opt.NoRefresh:
		l.adapted = true
		return l.refreshFirst(ctx, err)
	}
	return l.failed(err), true
}

// tryLater waits before the write is repeated.
func (l *life) tryLater(ctx context.Context, r rule, retryAfter time.Duration) (Result, bool) {
	d := retryAfter
	if d <= 0 {
		d = l.backoff(r.wait, l.repeats)
	}
	l.repeats++
	if endsWithin(ctx, d) {
		return l.result(TimedOut, "", "the service asks to wait "+d.String()+", which is longer than there is time", l.fromError(l.trouble)), true
	}
	l.sayTrouble(d)
	if err := l.lend(ctx, func() error { return l.pause(ctx, d) }); err != nil {
		return l.gaveUp(err), true
	}
	return Result{}, false
}

// standAside waits until whatever holds the item or the vault is over. A conflict also means that somebody else is
// at work there, so the vault is listed again before the write is repeated.
func (l *life) standAside(ctx context.Context, r rule) (Result, bool) {
	d := l.backoff(r.wait, l.repeats)
	l.repeats++
	l.sayTrouble(d)
	met := l.now()
	err := l.lend(ctx, func() error {
		if err := l.pause(ctx, d); err != nil || l.watch == nil {
			return err
		}
		return l.lookUntil(ctx, met, func(k *look) bool {
			s, _ := k.standing(l.Change, k.at, "")
			return s != working
		})
	})
	if err != nil {
		return l.gaveUp(err), true
	}
	if l.Action == plan.Backup {
		if j, is := l.watch.last().backupJob(l.Change, l.planned()); is {
			return l.result(Already, "", "a backup of it is running", Result{Job: j.ID}), true
		}
	}
	return Result{}, false
}

// lookUntil waits for a look, begun after since, that satisfies ok. Nothing was asked of the service yet, so an
// interrupt ends the wait.
func (l *life) lookUntil(ctx context.Context, since time.Time, ok func(*look) bool) error {
	l.placed()
	ctx, stop := l.door.while(ctx)
	defer stop()
	began, from, often, seldom := l.now(), l.now(), time.Duration(0), time.Duration(0)
	if k := l.watch.last(); k != nil && !k.at.Before(since) {
		if ok(k) {
			return nil
		}
		from, often, seldom = k.at, gapAfter(0), sparingGap
	}
	for {
		due, sparingDue := outlook{due: from.Add(often)}, outlook{due: from.Add(seldom)}
		s, err := l.watch.next(ctx, wish{since: since, must: true, again: func(sparing bool) outlook {
			if sparing {
				return sparingDue
			}
			return due
		}})
		if err != nil {
			return err
		}
		if s.look != nil && ok(s.look) {
			return nil
		}
		if s.err != nil {
			l.trouble = s.err
			if e, is := errors.AsType[*Error](s.err); !is || ruleOf(e).reaction == never {
				return s.err
			}
		}
		from, often = l.now(), min(gapAfter(l.since(began)), longestGap)
		seldom = min(max(seldom*3/2, sparingGap), longestGap)
	}
}

// sparingGap is the gap to the first look, behind the one that did not show what is waited for, where reads are scarce;
// longestGap is the longest.
const (
	sparingGap = 5 * time.Second
	longestGap = 30 * time.Second
)
