package apply

import (
	"time"

	"github.com/azbackup/azbackup/plan"
)

// EventKind says what happened.
type EventKind string

// The events of a run, in the order a change lives through them.
const (
	EventRunStarted EventKind = "run-started"
	EventStarted    EventKind = "started"   // the write is about to be sent
	EventAccepted   EventKind = "accepted"  // the service took it
	EventWaiting    EventKind = "waiting"   // for another operation, a retry, a parent
	EventProgress   EventKind = "progress"  // the operation moved, Message says how
	EventFinished   EventKind = "finished"  // Outcome is set
	EventSwept      EventKind = "swept"     // a vault was listed to confirm
	EventThrottled  EventKind = "throttled" // a quota holds requests back
	EventHeartbeat  EventKind = "heartbeat" // nothing else was said for a while
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
	Wait      plan.Duration `json:"wait,omitempty"`
	// Counts of the whole run at this moment.
	Done    int `json:"done"`
	Running int `json:"running"`
	Total   int `json:"total"`
}

// Observer is told of events. It must not block for long; the engine waits for it.
type Observer func(Event)
