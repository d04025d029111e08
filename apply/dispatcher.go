package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// dispatcher guards the [workQueue] of a run, and the events not yet passed to the observer. Safe for concurrent use.
//
// Each of its methods is one critical section: a caller sees the queue before a result or after all its consequences.
// The event of a result is recorded in the same section, so no child's event can come before it; it is passed to the
// observer outside (see [executor.publish]), so a slow observer delays only the goroutines that publish events.
type dispatcher struct {
	clock clock

	mu          mutex
	queue       *workQueue
	unpublished []Event
	admitting   int           // 1 while the change that next returned last waits for an operation slot and does not run yet
	changed     chan struct{} // has a token when next may have a new answer
}

func newDispatcher(changes []plan.Change, durations *durationEstimator, o Options) *dispatcher {
	return &dispatcher{mu: newMutex(o), clock: newClock(o.Now), queue: newWorkQueue(changes, durations, o.Limits.Restores), changed: make(chan struct{}, 1)}
}

// open records the results that the plan itself settles, and makes the other changes ready.
func (d *dispatcher) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.queue.tasks {
		switch t.Action {
		case plan.Blocked:
			d.recordEvents(d.queue.complete(t, newResult(t.Change, Blocked, t.Because)))
		case plan.Unchanged, plan.Excluded:
			d.recordEvents(d.queue.complete(t, newResult(t.Change, AlreadyDone, t.Because)))
		default:
		}
	}
	d.queue.open()
}

// next waits until a change may start, and returns it; nil where no further change can start, or ctx has ended. The change
// counts as running at once, but in events only after the call of [dispatcher.admitted]. may returns 0 where a change may
// start in addition to those in flight, else after how long at most it is to be called again. Only one goroutine may call
// next.
func (d *dispatcher) next(ctx context.Context, may admit) *task {
	for {
		d.mu.Lock()
		var t *task
		again := forever
		hasEnded := ctx.Err() != nil
		if !hasEnded {
			t = d.queue.start(func(t *task) bool {
				wait := may(t, d.queue.inFlight)
				if wait > 0 {
					again = min(again, wait)
				}
				return wait <= 0
			})
			hasEnded = t == nil && d.queue.running == 0 && again == forever
		}
		if t != nil {
			d.admitting = 1
		}
		d.mu.Unlock()
		if t != nil || hasEnded {
			return t
		}
		timer := time.NewTimer(again)
		select {
		case <-d.changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// admitted records that the change that next returned last has an operation slot, or ended without one.
func (d *dispatcher) admitted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.admitting = 0
}

// complete records the result of a change, and its consequences.
func (d *dispatcher) complete(t *task, res Result) {
	d.mu.Lock()
	d.recordEvents(d.queue.complete(t, res))
	d.mu.Unlock()
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// close records for every change without a result the one that ending returns; stuck is true where the change could never
// have become ready.
func (d *dispatcher) close(ending func(t *task, stuck bool) Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stuck := d.queue.isStuck()
	for _, t := range d.queue.unfinished() {
		d.queue.record(t, ending(t, stuck))
		d.recordEvents([]Result{*t.result})
	}
}

// results returns the results in plan order. Every change must have one.
func (d *dispatcher) results() []Result {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Result, 0, len(d.queue.tasks))
	for _, t := range d.queue.tasks {
		all = append(all, *t.result)
	}
	return all
}

// unfinished returns the number of changes of a subscription without a result, and of the vaults they are in.
func (d *dispatcher) unfinished(subscription armid.Key) unfinishedWork {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue.bySubscription[subscription]
}

// record queues an event for the observer, together with the step that it reports: first, which may be nil, runs in
// the same critical section, and where it fails there is no event.
func (d *dispatcher) record(e Event, first func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if first != nil {
		if err := first(); err != nil {
			return err
		}
	}
	d.recordLocked(e)
	return nil
}

func (d *dispatcher) recordLocked(e Event) {
	e.Time = d.clock.now()
	e.Total = len(d.queue.tasks)
	e.Done, e.Running = e.Total-d.queue.remaining, d.queue.running-d.admitting
	d.unpublished = append(d.unpublished, e)
}

func (d *dispatcher) recordEvents(results []Result) {
	for _, res := range results {
		d.recordLocked(Event{
			Kind: EventFinished, Change: res.ID, Action: res.Action, Target: res.Target, Vault: res.Vault,
			Outcome: res.Outcome, Code: res.Code, Message: res.Message,
			RequestID: res.RequestID, Operation: res.Operation, Job: res.Job,
		})
	}
}

// drainEvents returns the events recorded since it was last called, in order.
func (d *dispatcher) drainEvents() []Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	events := d.unpublished
	d.unpublished = nil
	return events
}
