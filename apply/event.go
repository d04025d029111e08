package apply

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// EventKind is the kind of an [Event].
type EventKind string

// The events of a run, in the order in which a change causes them.
const (
	EventRunStarted EventKind = "run-started"
	EventStarted    EventKind = "started"   // the write is about to be sent
	EventAccepted   EventKind = "accepted"  // the service accepted it
	EventWaiting    EventKind = "waiting"   // the change waits for another operation, a refresh, or a repeat
	EventProgress   EventKind = "progress"  // Message has the progress of the operation, or the step of a restore test
	EventFinished   EventKind = "finished"  // Outcome is set
	EventSwept      EventKind = "swept"     // a vault was listed to confirm its operations
	EventThrottled  EventKind = "throttled" // the service refused a write for a quota (429), and it is repeated
	EventHeartbeat  EventKind = "heartbeat" // no other event for a while
	EventInterrupt  EventKind = "interrupt" // nothing new will be started
	EventRunDone    EventKind = "run-finished"
)

// Event is one thing that happened in a run. Observers get events one at a time, in order.
type Event struct {
	Time      time.Time     `json:"time"`
	Kind      EventKind     `json:"kind"`
	Change    string        `json:"change,omitempty"`
	Action    plan.Action   `json:"action,omitempty"`
	Target    string        `json:"target,omitempty"`
	Vault     string        `json:"vault,omitempty"`
	Outcome   Outcome       `json:"outcome,omitempty"`
	Code      string        `json:"code,omitempty"`
	Message   string        `json:"message,omitempty"`
	RequestID string        `json:"request_id,omitempty"`
	Operation string        `json:"operation,omitempty"`
	Job       string        `json:"job,omitempty"`
	Wait      plan.Duration `json:"wait,omitempty"` // before the repeat; of an interrupt the grace
	// Counts of the whole run at this moment.
	Done    int `json:"done"`
	Running int `json:"running"`
	Total   int `json:"total"`
}

// Observer receives events, one call at a time. It must not block for long: the engine waits for it.
type Observer func(Event)

// emit records an event and returns once the observer has it.
func (r *executor) emit(e Event) { _ = r.emitWith(e, nil) }

// emitWith emits an event together with the step that it reports: first runs in the same critical section, and where it
// fails there is no event.
func (r *executor) emitWith(e Event, first func() error) error {
	if err := r.dispatcher.record(e, first); err != nil {
		return err
	}
	r.publish()
	return nil
}

// publish passes the recorded events to the observer, in order and one at a time. When it returns, the observer has all
// events recorded before the call, from this call or from a concurrent one.
func (r *executor) publish() {
	r.publishToken <- struct{}{}
	defer func() { <-r.publishToken }()
	for _, e := range r.dispatcher.drainEvents() {
		r.opt.observe(e)
	}
	select {
	case r.published <- struct{}{}:
	default:
	}
}

// emit emits an event of this change.
func (ex *execution) emit(e Event) { ex.run.emit(ex.event(e)) }

func (ex *execution) event(e Event) Event {
	e.Change, e.Action, e.Target, e.Vault = ex.task.ID, ex.task.Action, ex.task.Target, ex.task.Vault
	return e
}

// emitRetry emits why a write did not succeed, and how long the change waits before it repeats the write.
func (ex *execution) emitRetry(d time.Duration) {
	e := Event{Kind: EventWaiting, Wait: plan.Duration(d), Message: errText(ex.lastErr)}
	if t := ex.serviceError(); t != nil {
		e.Code, e.Message, e.RequestID = t.Code, t.Message, t.RequestID
		if t.Status == statusTooManyRequests {
			e.Kind = EventThrottled
		}
	}
	ex.emit(e)
}

// Tunable: heartbeatInterval is the longest time without an event.
const heartbeatInterval = 30 * time.Second

// heartbeat emits an event when there was none for [heartbeatInterval], until ctx ends.
func (r *executor) heartbeat(ctx context.Context) {
	timer := time.NewTimer(heartbeatInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.published:
		case <-timer.C:
			r.emit(Event{Kind: EventHeartbeat})
		}
		timer.Reset(heartbeatInterval)
	}
}

// NewEventLog returns an observer that writes one JSON line per event. Each line is one Write, so a file opened for
// appending holds every event before the next one happens. The observer ignores errors of w: a caller that needs them has w
// keep its first one.
func NewEventLog(w io.Writer) Observer {
	return func(e Event) {
		line, err := json.Marshal(e)
		if err != nil {
			return
		}
		_, _ = w.Write(append(line, '\n'))
	}
}
