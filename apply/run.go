package apply

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Run carries a plan out and returns one result per change, in plan order, also when ctx ends early. The error
// gathers, in plan order, every change that is not done (see [Report.Err]). No goroutine outlives it.
func Run(ctx context.Context, p plan.Plan, b Backend, o Options) (Report, error) {
	o.Limits = o.Limits.withDefaults()
	r := newRun(p, b, o)
	stop := r.openFor(ctx)
	defer stop()

	r.say(Event{Kind: EventRunStarted})
	r.settleTheBlocked()
	r.startAll()
	r.settleTheRest()
	report := r.report()
	r.say(Event{Kind: EventRunDone})
	return report, report.Err()
}

// run is what the changes of a run share. Safe for concurrent use.
type run struct {
	backend  Backend
	opt      Options
	began    time.Time
	schedule *schedule
	usual    *usual
	watches  map[armid.Key]*watch

	refreshes *refreshes
	slots     *semaphore.Weighted // operations in flight
	writes    errgroup.Group      // HTTP writes in flight
	reads     errgroup.Group      // sweeps and polls in flight

	ctx  context.Context //nolint:containedctx // ends when nothing is waited for any more
	open context.Context //nolint:containedctx // ends when nothing new may start

	saying sync.Mutex // one event at a time
	said   chan struct{}

	mu       sync.Mutex
	random   *rand.Rand
	accepted int // operations
	asked    int // single questions about operations that the lists were silent on
}

func newRun(p plan.Plan, b Backend, o Options) *run {
	u := newUsual()
	r := &run{
		backend: b, opt: o, began: time.Now(),
		schedule:  newSchedule(p.Changes, u),
		usual:     u,
		watches:   map[armid.Key]*watch{},
		refreshes: &refreshes{vaults: map[armid.Key]*refreshed{}},
		slots:     semaphore.NewWeighted(int64(o.Limits.Operations)),
		said:      make(chan struct{}, 1),
		random:    rand.New(rand.NewPCG(o.Seed, 1)),
	}
	r.writes.SetLimit(o.Limits.Writes)
	r.reads.SetLimit(o.Limits.Polls)
	for _, c := range p.Changes {
		if key := armid.Of(c.Vault); (itemAction(c.Action) || c.Action == plan.Backup) && r.watches[key] == nil {
			r.watches[key] = r.newWatch(c.Vault)
		}
	}
	return r
}

// openFor makes the two contexts of the run and what hangs on them: the run's time limit, the interrupt, the
// heartbeat and the sweeping. stop ends them all and waits for their end.
func (r *run) openFor(parent context.Context) (stop func()) {
	limit := r.opt.Limits.RunTimeout
	ctx, cancelLimit := context.WithTimeoutCause(parent, limit, &limitError{"the run", limit})
	ctx, cancel := context.WithCancelCause(ctx)
	open, shut := context.WithCancelCause(ctx)
	r.ctx, r.open = ctx, open

	var helpers sync.WaitGroup
	ended, end := context.WithCancel(ctx)
	helpers.Go(func() {
		select {
		case <-ended.Done():
			return
		case <-r.opt.Interrupt:
		}
		r.say(Event{Kind: EventInterrupt, Wait: plan.Duration(r.opt.Grace), Message: "nothing new is started; what runs is waited for"})
		shut(errInterrupted)
		if sleep(ended, r.opt.Grace) == nil {
			cancel(errGraceOver)
		}
	})
	helpers.Go(func() { r.heartbeat(ended) })
	for _, w := range r.watches {
		helpers.Go(func() { w.run(ended) })
	}
	return func() {
		end()
		helpers.Wait()
		shut(nil)
		cancel(nil)
		cancelLimit()
	}
}

// settleTheBlocked gives the changes that the plan itself leaves blocked their result.
func (r *run) settleTheBlocked() {
	for _, t := range r.schedule.rest() {
		switch t.Action {
		case plan.Blocked:
			r.schedule.settle(t, bare(t.Change, Blocked, t.Because), r.tell)
		case plan.Unchanged, plan.Excluded:
			r.schedule.settle(t, bare(t.Change, Already, t.Because), r.tell)
		}
	}
}

// startAll starts one change after the other, as operation slots get free, until none is left or nothing new may
// start, and waits for those that run.
func (r *run) startAll() {
	var lives sync.WaitGroup
	for {
		t := r.schedule.next(r.open)
		if t == nil || r.slots.Acquire(r.open, 1) != nil {
			break
		}
		placed := make(chan struct{})
		lives.Go(func() { r.live(t, sync.OnceFunc(func() { close(placed) })) })
		<-placed // in the queue for its write, so that the order of starting is the order of writing
	}
	lives.Wait()
}

// live carries one change out, within its time. It calls placed once it queues for its write or waits for something.
func (r *run) live(t *task, placed func()) {
	defer placed()
	limit := r.opt.Limits.ItemTimeout
	ctx, cancel := context.WithTimeoutCause(r.ctx, limit, &limitError{"a change", limit})
	defer cancel()
	l := &life{run: r, task: t, watch: r.watches[armid.Of(t.Vault)], started: time.Now(), holding: true, placed: placed}
	if !itemAction(t.Action) && t.Action != plan.Backup {
		l.watch = nil
	}
	res := l.carryOut(ctx)
	if l.holding {
		r.slots.Release(1)
	}
	r.schedule.finish(t, res, r.tell)
}

// settleTheRest gives what was never started its result.
func (r *run) settleTheRest() {
	message := "its needs form a circle"
	outcome := Blocked
	if r.open.Err() != nil {
		message, outcome = text(context.Cause(r.open)), NotStarted
	}
	for _, t := range r.schedule.rest() {
		r.schedule.settle(t, bare(t.Change, outcome, message), r.tell)
	}
}

func (r *run) report() Report {
	rep := Report{
		FormatVersion: FormatVersion, Summary: map[Outcome]int{}, Results: []Result{},
		Started: r.began, Finished: time.Now(), Interrupted: r.leaving(),
	}
	for _, t := range r.schedule.tasks {
		rep.Results = append(rep.Results, *t.result)
		rep.Summary[t.result.Outcome]++
	}
	return rep
}

// leaving says that the run was asked to stop, by an interrupt or by its context.
func (r *run) leaving() bool {
	if r.open.Err() == nil {
		return false
	}
	cause := context.Cause(r.open)
	_, limit := cause.(*limitError)
	return !limit
}

func (r *run) newWatch(vault string) *watch {
	w := newWatch(vault)
	w.known = r.opt.Observed
	w.budget = func(k ReadKind) Budget { return r.opt.budget(vault, k) }
	w.left = func() int {
		done, _, total := r.schedule.counts()
		return total - done
	}
	w.list = func(ctx context.Context) (s Snapshot, err error) {
		within(&r.reads, func() { s, err = r.backend.List(ctx, vault) })
		if err == nil {
			r.say(Event{Kind: EventSwept, Vault: vault})
		}
		return s, err
	}
	return w
}

// mayAsk says whether one more operation that the lists are silent on may be asked for singly, before its usual
// time: a few may, all of them would cost a request each.
func (r *run) mayAsk() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked >= 5+r.accepted/50 {
		return false
	}
	r.asked++
	return true
}

// backoff is how long to wait before repeat number n (from 0): half as long again each time, up to a minute, and up
// to a tenth more, so that those who were refused together do not come back together.
func (r *run) backoff(first time.Duration, n int) time.Duration {
	d := first
	for range min(n, 10) {
		d = min(d*3/2, time.Minute)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return d + time.Duration(r.random.Float64()*float64(d)/10)
}

// lend gives the operation slot to others while the change waits for something else.
func (l *life) lend(ctx context.Context, wait func() error) error {
	if !l.holding {
		return wait()
	}
	l.placed()
	l.holding = false
	l.slots.Release(1)
	if err := wait(); err != nil {
		return err
	}
	if err := l.slots.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	l.holding = true
	return nil
}

// pause waits before something is asked of the service; an interrupt ends it.
func (l *life) pause(ctx context.Context, d time.Duration) error {
	ctx, stop := l.whileOpen(ctx)
	defer stop()
	return sleep(ctx, d)
}

// whileOpen is ctx that also ends when nothing new may start.
func (r *run) whileOpen(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(r.open, func() { cancel(context.Cause(r.open)) })
	return ctx, func() {
		unhook()
		cancel(nil)
	}
}

// sleep waits for d, or until ctx ends; then it returns why.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// within runs f in one of the group's slots, and waits for its end.
func within(group *errgroup.Group, f func()) {
	done := make(chan struct{})
	group.Go(func() error {
		defer close(done)
		f()
		return nil
	})
	<-done
}
