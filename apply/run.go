package apply

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

// Run carries a plan out and returns one result per change, in plan order, also when ctx ends early. The error
// gathers, in plan order, every change that is not done (see [Report.Err]); an [*InternalError] is joined to it where
// a fault of this program left changes undone. A plan that [plan.Validate] refuses is not begun. No goroutine
// outlives Run.
func Run(ctx context.Context, p plan.Plan, b Backend, o Options) (Report, error) {
	o.Limits = o.Limits.withDefaults()
	r := newRun(p, b, o)
	ctx, stop := r.begin(ctx)

	r.say(Event{Kind: EventRunStarted})
	invalid := plan.Validate(p)
	if invalid == nil {
		r.schedule.open()
		r.tell()
		r.startAll(ctx)
	}
	fault := r.close(invalid)
	report := r.report()
	stop()
	r.say(Event{Kind: EventRunDone})
	if fault != nil {
		return report, errors.Join(fault, report.Err())
	}
	return report, report.Err()
}

// run is what the changes of a run share. Safe for concurrent use.
type run struct {
	clock
	backend  Backend
	opt      Options
	began    time.Time
	door     *door
	schedule *schedule
	usual    *usual
	watches  map[armid.Key]*watch // by vault

	refreshes *refreshes
	slots     *semaphore.Weighted // operations in flight
	writes    *semaphore.Weighted // HTTP writes in flight
	reads     *semaphore.Weighted // sweeps and polls in flight

	telling chan struct{} // holds a token while events are told: one at a time
	told    chan struct{} // has a token when some were

	mu       mutex
	random   *rand.Rand
	accepted int // operations
	asked    int // single questions about operations that the lists were silent on
}

func newRun(p plan.Plan, b Backend, o Options) *run {
	u, c := newUsual(o), newClock(o.Now)
	r := &run{
		clock: c, backend: b, opt: o, began: c.now(),
		schedule:  newSchedule(p.Changes, u, o),
		usual:     u,
		watches:   map[armid.Key]*watch{},
		refreshes: &refreshes{clock: c, mu: newMutex(o), vaults: map[armid.Key]*refreshed{}},
		slots:     semaphore.NewWeighted(slotsOf(o.Limits)),
		writes:    semaphore.NewWeighted(int64(o.Limits.Writes)),
		reads:     semaphore.NewWeighted(int64(o.Limits.Polls)),
		telling:   make(chan struct{}, 1),
		told:      make(chan struct{}, 1),
		mu:        newMutex(o),
		random:    rand.New(rand.NewPCG(o.Seed, 1)),
	}
	for _, c := range p.Changes {
		if key := armid.Of(c.Vault); watched(c.Action) && r.watches[key] == nil {
			r.watches[key] = r.newWatch(c.Vault)
		}
	}
	return r
}

// begin makes the contexts of the run and starts what goes on beside the changes: the heartbeat, the sweeping, and
// the wait for an interrupt. The context it returns ends when nothing is waited for any more. stop ends it all.
func (r *run) begin(parent context.Context) (_ context.Context, stop func()) {
	limit := r.opt.Limits.RunTimeout
	limited, cancelLimit := context.WithTimeoutCause(parent, limit, &limitError{"the run", limit})
	ctx, leave := context.WithCancelCause(limited)
	r.door = newDoor(ctx)

	var helpers sync.WaitGroup
	helpersCtx, end := context.WithCancel(ctx)
	helpers.Go(func() {
		defer crash.ExitOnPanic()
		r.heartbeat(helpersCtx)
	})
	helpers.Go(func() {
		defer crash.ExitOnPanic()
		r.awaitInterrupt(helpersCtx, leave)
	})
	for _, w := range r.watches {
		helpers.Go(func() {
			defer crash.ExitOnPanic()
			w.run(helpersCtx)
		})
	}
	return ctx, func() {
		end()
		helpers.Wait()
		leave(nil)
		cancelLimit()
	}
}

// awaitInterrupt shuts the door at an interrupt, and leaves when the grace period is over.
func (r *run) awaitInterrupt(ctx context.Context, leave context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
		return
	case <-r.opt.Interrupt:
	}
	e := Event{Kind: EventInterrupt, Wait: plan.Duration(r.opt.Grace), Message: "nothing new is started; what runs is waited for"}
	_ = r.sayWith(e, func() error { // no change is told to start after it
		r.door.close(errInterrupted)
		return nil
	})
	if sleep(ctx, r.opt.Grace) == nil {
		leave(errGraceOver)
	}
}

// startAll starts one change after the other, as operation slots get free, until none is left or nothing new may
// start, and waits for those that run.
func (r *run) startAll(ctx context.Context) {
	open, stop := r.door.while(ctx)
	defer stop()
	var lives sync.WaitGroup
	for {
		t := r.schedule.next(open, r.admit)
		if t == nil {
			break
		}
		if err := r.acquireSlot(ctx, open); err != nil {
			r.finish(t, bare(t.Change, NotStarted, text(err)))
			break
		}
		placed := make(chan struct{})
		lives.Go(func() {
			defer crash.ExitOnPanic()
			r.live(ctx, t, sync.OnceFunc(func() { close(placed) }))
		})
		<-placed // with a slot for its write: whoever only queues for one can be overtaken
	}
	lives.Wait()
}

// acquireSlot waits for an operation slot, and returns why there is none. When the time of the run is over its changes
// end one by one, and a slot that one of them gave back then is for nobody.
func (r *run) acquireSlot(ctx, open context.Context) error {
	if r.slots.Acquire(open, 1) != nil {
		return context.Cause(open)
	}
	if err := context.Cause(ctx); err != nil {
		r.slots.Release(1)
		return err
	}
	return nil
}

// live carries one change out, within its time. It calls placed once it has a slot for its write or waits for something.
func (r *run) live(ctx context.Context, t *task, placed func()) {
	defer placed()
	limit := r.opt.Limits.ItemTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &limitError{"a change", limit})
	defer cancel()
	l := &execution{run: r, task: t, startedAt: r.now(), hasSlot: true, admitted: placed}
	if watched(t.Action) {
		l.watch = r.watches[t.vault]
	}
	res := l.execute(ctx)
	if l.hasSlot {
		r.slots.Release(1)
	}
	r.finish(t, res)
}

// finish records how a change ended, and returns once that was told.
func (r *run) finish(t *task, res Result) {
	r.schedule.finish(t, res)
	r.tell()
}

// close gives what was never started its result. It returns an [*InternalError] where neither an interrupt nor the
// end of the run is why: then the plan is invalid, or nothing would ever have made those changes ready.
func (r *run) close(invalid error) error {
	why := r.door.closed()
	var left []string
	r.schedule.close(func(t *task, stuck bool) Result {
		if invalid == nil && !stuck && why != nil {
			return bare(t.Change, NotStarted, text(why))
		}
		left = append(left, t.ID)
		return bare(t.Change, NotStarted, "a fault of azbackup itself kept it from starting; please report it")
	})
	r.tell()
	if len(left) == 0 {
		return nil
	}
	return &InternalError{Changes: left, Err: invalid}
}

// newWatch makes the watch of a vault, with what it needs to know of the run.
func (r *run) newWatch(vault string) *watch {
	w := newWatch(vault, r.opt)
	w.known = r.opt.Observed
	w.budget = func(k ReadKind) Budget { return r.opt.budget(vault, k) }
	subscription := armid.Of(armid.SubscriptionOf(vault))
	w.unfinished = func() unfinishedWork { return r.schedule.unfinished(subscription) }
	w.list = func(ctx context.Context) (s Snapshot, err error) {
		err = withSlot(ctx, r.reads, func() error {
			s, err = r.backend.List(ctx, vault)
			return err
		})
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

// watched says whether an action is followed by what its vault lists.
func watched(a plan.Action) bool { return itemAction(a) || a == plan.Backup }

// itemAction says whether an action writes a protected item.
func itemAction(a plan.Action) bool {
	switch a {
	case plan.Protect, plan.Modify, plan.Resume, plan.Stop, plan.Undelete:
		return true
	default:
		return false
	}
}
