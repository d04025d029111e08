package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// schedule guards the [workQueue] of a run, and the events that wait to be told. Safe for concurrent use.
//
// Each of its methods is one critical section: whoever looks sees the queue before a result or after all that
// follows from it. The event of a result is recorded in the same section, so no child's event can come before it; it is told
// outside (see [executor.publish]), so a slow observer holds up nothing but those who wait to be told.
type schedule struct {
	clock clock

	mu      mutex
	queue   *workQueue
	untold  []Event
	changed chan struct{} // has a token when next may have something new to say
}

func newSchedule(changes []plan.Change, usual *durationEstimator, o Options) *schedule {
	return &schedule{mu: newMutex(o), clock: newClock(o.Now), queue: newWorkQueue(changes, usual), changed: make(chan struct{}, 1)}
}

// open records what the plan itself settles, and lets the rest begin.
func (s *schedule) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.queue.tasks {
		switch t.Action {
		case plan.Blocked:
			s.recordEvents(s.queue.finish(t, newResult(t.Change, Blocked, t.Because)))
		case plan.Unchanged, plan.Excluded:
			s.recordEvents(s.queue.finish(t, newResult(t.Change, AlreadyDone, t.Because)))
		default:
		}
	}
	s.queue.open()
}

// next waits until a change may start, and counts it as running; nil when none will, or ctx has ended. may says whether
// a change may start beside those in flight, and if not, how long it takes at most until that may have changed. One caller at a time.
func (s *schedule) next(ctx context.Context, may admit) *task {
	for {
		s.mu.Lock()
		var t *task
		again := forever
		over := ctx.Err() != nil
		if !over {
			t = s.queue.start(func(t *task) bool {
				wait := may(t, s.queue.inFlight)
				if wait > 0 {
					again = min(again, wait)
				}
				return wait <= 0
			})
			over = t == nil && s.queue.running == 0 && again == forever
		}
		s.mu.Unlock()
		if t != nil || over {
			return t
		}
		timer := time.NewTimer(again)
		select {
		case <-s.changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// finish records how a change ended and all that follows from it.
func (s *schedule) finish(t *task, res Result) {
	s.mu.Lock()
	s.recordEvents(s.queue.finish(t, res))
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// close gives every change without a result the one that ending makes; stuck says that nothing would ever have made
// it ready.
func (s *schedule) close(ending func(t *task, stuck bool) Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stuck := s.queue.isStuck()
	for _, t := range s.queue.unfinished() {
		s.queue.record(t, ending(t, stuck))
		s.recordEvents([]Result{*t.result})
	}
}

// results returns the results in plan order, once there is one for each change.
func (s *schedule) results() []Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Result, 0, len(s.queue.tasks))
	for _, t := range s.queue.tasks {
		all = append(all, *t.result)
	}
	return all
}

// unfinished is how many changes of a subscription have no result, and in how many vaults.
func (s *schedule) unfinished(subscription armid.Key) unfinishedWork {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.bySubscription[subscription]
}

// record puts an event in line to be told. It happens together with what it tells of: first, which may be nil, is done in
// the same critical section, and where it fails there is no event.
func (s *schedule) record(e Event, first func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first != nil {
		if err := first(); err != nil {
			return err
		}
	}
	s.recordLocked(e)
	return nil
}

func (s *schedule) recordLocked(e Event) {
	e.Time = s.clock.now()
	e.Total = len(s.queue.tasks)
	e.Done, e.Running = e.Total-s.queue.remaining, s.queue.running
	s.untold = append(s.untold, e)
}

func (s *schedule) recordEvents(results []Result) {
	for _, res := range results {
		s.recordLocked(Event{
			Kind: EventFinished, Change: res.ID, Action: res.Action, Target: res.Target, Vault: res.Vault,
			Outcome: res.Outcome, Code: res.Code, Message: res.Message,
			RequestID: res.RequestID, Operation: res.Operation, Job: res.Job,
		})
	}
}

// takeUntold returns the events recorded since it was last called, in order.
func (s *schedule) takeUntold() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.untold
	s.untold = nil
	return events
}
