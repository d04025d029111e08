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

// Run executes a plan and returns one result per change, in plan order, also when ctx ends early. The error
// contains, in plan order, a [*ChangeError] for every change that is not done (see [Report.Err]); an [*InternalError] is
// joined to it where a fault of this program left changes undone. A plan that [plan.Validate] rejects is not started. No
// goroutine outlives Run.
func Run(ctx context.Context, p plan.Plan, b Backend, o Options) (Report, error) {
	o.Limits = o.Limits.withDefaults()
	r := newRun(p, b, o)
	ctx, stop := r.start(ctx)

	r.emit(Event{Kind: EventRunStarted})
	invalid := plan.Validate(p)
	if invalid == nil {
		r.dispatcher.open()
		r.publish()
		r.dispatch(ctx)
	}
	fault := r.recordRemaining(invalid)
	report := r.report()
	stop()
	r.emit(Event{Kind: EventRunDone})
	if fault != nil {
		return report, errors.Join(fault, report.Err())
	}
	return report, report.Err()
}

// executor holds the state that the changes of a run share. Safe for concurrent use.
type executor struct {
	clock
	backend    Backend
	opt        Options
	startedAt  time.Time
	gate       *gate
	dispatcher *dispatcher
	durations  *durationEstimator
	pollers    map[armid.Key]*vaultPoller // by vault

	refreshes      *vaultRefresher
	operationSlots *semaphore.Weighted // operations in flight
	writeSlots     *semaphore.Weighted // HTTP writes in flight
	readSlots      *semaphore.Weighted // sweeps and polls in flight that no quota holds back

	publishToken chan struct{} // holds a token while events are passed to the observer: one at a time
	published    chan struct{} // has a token when events were passed to the observer

	mu            mutex
	random        *rand.Rand
	acceptedCount int // the number of accepted operations
	directPolls   int // the number of early polls of operations that the lists do not decide
}

func newRun(p plan.Plan, b Backend, o Options) *executor {
	u, c := newDurationEstimator(o), newClock(o.Now)
	r := &executor{
		clock: c, backend: b, opt: o, startedAt: c.now(),
		dispatcher:     newDispatcher(p.Changes, u, o),
		durations:      u,
		pollers:        map[armid.Key]*vaultPoller{},
		refreshes:      &vaultRefresher{clock: c, mu: newMutex(o), vaults: map[armid.Key]*refreshCall{}},
		operationSlots: semaphore.NewWeighted(slotsOf(o.Limits)),
		writeSlots:     semaphore.NewWeighted(int64(o.Limits.Writes)),
		readSlots:      semaphore.NewWeighted(int64(o.Limits.Polls)),
		publishToken:   make(chan struct{}, 1),
		published:      make(chan struct{}, 1),
		mu:             newMutex(o),
		random:         rand.New(rand.NewPCG(o.Seed, 1)),
	}
	needsItems := map[armid.Key]bool{}
	for _, c := range p.Changes {
		needsItems[armid.Of(c.Vault)] = needsItems[armid.Of(c.Vault)] || isListed(c.Action) && !isRestore(c.Action)
	}
	for _, c := range p.Changes {
		if key := armid.Of(c.Vault); isListed(c.Action) && r.pollers[key] == nil {
			r.pollers[key] = r.newPoller(c.Vault, needsItems[key])
		}
	}
	return r
}

// start makes the contexts of the run and starts its background goroutines: the heartbeat, the pollers, and the wait
// for an interrupt. The returned context ends when no change may wait any longer. stop ends the goroutines and the
// context.
func (r *executor) start(parent context.Context) (_ context.Context, stop func()) {
	limit := r.opt.Limits.RunTimeout
	limited, cancelLimit := context.WithTimeoutCause(parent, limit, &limitError{"the run", limit})
	ctx, leave := context.WithCancelCause(limited)
	r.gate = newGate(ctx)

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
	for _, w := range r.pollers {
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

// awaitInterrupt stops admission at an interrupt, and cancels the run after the grace period.
func (r *executor) awaitInterrupt(ctx context.Context, leave context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
		return
	case <-r.opt.Interrupt:
	}
	e := Event{Kind: EventInterrupt, Wait: plan.Duration(r.opt.Grace), Message: "nothing new is started; what runs is waited for"}
	_ = r.emitWith(e, func() error { // no started event follows it
		r.gate.close(errInterrupted)
		return nil
	})
	if sleep(ctx, r.opt.Grace) == nil {
		leave(errGraceOver)
	}
}

// dispatch starts the changes one by one, as operation slots become free, until none is left or nothing new may
// start, and waits for the running changes.
func (r *executor) dispatch(ctx context.Context) {
	open, stop := r.gate.context(ctx)
	defer stop()
	var running sync.WaitGroup
	for {
		t := r.dispatcher.next(open, r.admit)
		if t == nil {
			break
		}
		err := r.acquireSlot(ctx, open)
		r.dispatcher.admitted()
		if err != nil {
			r.recordResult(t, newResult(t.Change, NotStarted, errText(err)))
			break
		}
		admitted := make(chan struct{})
		running.Go(func() {
			defer crash.ExitOnPanic()
			r.runChange(ctx, t, sync.OnceFunc(func() { close(admitted) }))
		})
		<-admitted // it has a write slot or waits elsewhere; two changes that queue for a write slot could lose their order
	}
	running.Wait()
}

// acquireSlot waits for an operation slot. The error is why there is none: nothing new may start, or ctx has ended. After
// the end of the run its changes end one by one, and a slot that one of them releases is not used.
func (r *executor) acquireSlot(ctx, open context.Context) error {
	if r.operationSlots.Acquire(open, 1) != nil {
		return context.Cause(open)
	}
	return context.Cause(ctx) // not nil after the run's end: the change is not started, though it has a slot
}

// runChange executes one change within its time limit. It calls admitted once the change has a write slot or waits for
// something else.
func (r *executor) runChange(ctx context.Context, t *task, admitted func()) {
	defer admitted()
	if t.Action != plan.RestoreTest { // its steps have limits of their own
		limit := r.opt.Limits.ItemTimeout
		limited, cancel := context.WithTimeoutCause(ctx, limit, &limitError{"a change", limit})
		defer cancel()
		ctx = limited
	}
	l := &execution{run: r, task: t, startedAt: r.now(), hasSlot: true, admitted: admitted}
	if isListed(t.Action) {
		l.poller = r.pollers[t.vault]
	}
	res := l.execute(ctx)
	if l.hasSlot {
		r.operationSlots.Release(1)
	}
	r.recordResult(t, res)
}

// recordResult records the result of a change, and returns once the observer has its event.
func (r *executor) recordResult(t *task, res Result) {
	r.dispatcher.complete(t, res)
	r.publish()
}

// recordRemaining records a result for each change that was never started. It returns an [*InternalError] where neither
// an interrupt nor the end of the run is the reason: the plan is invalid, or those changes could never become ready.
func (r *executor) recordRemaining(invalid error) error {
	why := r.gate.err()
	var left []string
	r.dispatcher.close(func(t *task, stuck bool) Result {
		if invalid == nil && !stuck && why != nil {
			return newResult(t.Change, NotStarted, errText(why))
		}
		left = append(left, t.ID)
		return newResult(t.Change, NotStarted, "a fault of azbackup itself kept it from starting; please report it")
	})
	if len(left) == 0 {
		return nil
	}
	return &InternalError{Changes: left, Err: invalid}
}

// newPoller returns the poller of a vault, with its budget, its remaining work and its list request taken from the run.
// Without a change that needs the items it lists the jobs alone.
func (r *executor) newPoller(vault string, needsItems bool) *vaultPoller {
	kinds := []ReadKind{ReadJobs}
	if needsItems {
		kinds = []ReadKind{ReadItems, ReadJobs}
	}
	w := newVaultPoller(vault, r.opt, kinds...)
	w.listedAt = r.opt.Observed
	w.budget = func(k ReadKind) Budget { return r.opt.budget(vault, k) }
	subscription := armid.Of(armid.SubscriptionOf(vault))
	w.unfinished = func() unfinishedWork { return r.dispatcher.unfinished(subscription) }
	w.list = func(ctx context.Context) (s Snapshot, err error) {
		err = r.withReadSlot(ctx, func(ctx context.Context) error {
			if needsItems {
				s, err = r.backend.List(ctx, vault)
			} else {
				s, err = r.backend.ListJobs(ctx, vault)
			}
			return err
		})
		if err == nil {
			r.emit(Event{Kind: EventSwept, Vault: vault})
		}
		return s, err
	}
	return w
}

// takeDirectPoll reports whether one more operation that the lists do not decide may be polled directly before its
// expected duration, and counts it: a few may, all of them would cost a request each.
func (r *executor) takeDirectPoll() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.directPolls >= 5+r.acceptedCount/50 {
		return false
	}
	r.directPolls++
	return true
}

// isListed reports whether the lists of the vault confirm an action.
func isListed(a plan.Action) bool { return isItemAction(a) || a == plan.Backup || isRestore(a) }

// isRestore reports whether an action restores disks.
func isRestore(a plan.Action) bool { return a == plan.Restore || a == plan.RestoreTest }

// isItemAction reports whether an action writes a protected item.
func isItemAction(a plan.Action) bool {
	switch a {
	case plan.Protect, plan.Modify, plan.Resume, plan.Stop, plan.Undelete:
		return true
	default:
		return false
	}
}
