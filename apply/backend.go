package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// Backend is where changes are carried out: Azure, or a fake in tests. Its methods are one shot: none of
// them waits or loops; the engine owns every wait. They are safe for concurrent use. Errors are *[Error]
// where the service answered or the connection broke, and the context's cause when it ended.
type Backend interface {
	// Start sends the one write of a change. A nil error means that the service accepted it, not that it
	// is done. The write is sent once; whether it may be sent again is the engine's decision.
	//
	// Right before it, what is there is read, and compared with what the change was approved for (plan.Precondition):
	// of vaults and policies always, of an item where the change has a risk. What is as wanted is not written
	// ([Operation.Already]); what is neither as it was approved nor as wanted is an error with [CodeChangedMeanwhile];
	// what cannot be read is not written either, and the error says so. The write is laid over what was read.
	Start(ctx context.Context, c plan.Change) (Operation, error)
	// List reads the protected items and the jobs of a vault that were started lately or are running.
	List(ctx context.Context, vault string) (Snapshot, error)
	// Poll looks once how an operation is doing. For a vault or a policy, Done also means that the
	// resource, read back, equals the change's After; where op has no URL (the write's answer was lost)
	// the reading back alone decides. Where op.JobID is set, that job counts too: while it runs the
	// operation is not done, and when it failed the error carries the job's own code and text. An error
	// with Ended set is the operation's own bad end; any other one only says that this look failed.
	Poll(ctx context.Context, op Operation) (Progress, error)
}

// Operation is a write that was accepted.
type Operation struct {
	ID     string // as the service calls it; "" when it answered without one
	Change string // plan.Change.ID
	Vault  string
	Action plan.Action
	Target string
	// Status and Result are the URLs to follow, verbatim (they are signed); either may be empty. They are
	// never printed.
	Status string `json:"-"`
	Result string `json:"-"`
	// After is what the write wants, for reading back: the change's own, but for what is kept as it was found.
	After *plan.State `json:"-"`
	// Already says that nothing was sent, because what is there is as wanted.
	Already bool
	// Accepted is when, by the service's clock (the answer's Date header; ours without one). Jobs that
	// started earlier are not this operation's.
	Accepted   time.Time
	RequestID  string
	RetryAfter time.Duration // 0 = the service did not say
	JobID      string
}

// Progress is one look at an operation.
type Progress struct {
	Done       bool
	JobID      string
	Message    string
	RetryAfter time.Duration
	RequestID  string
}

// Snapshot is one look at a vault.
type Snapshot struct {
	Items []plan.Item
	Jobs  []plan.Job
	At    time.Time
	// Requests is how many requests the look took (its pages); it decides how often looking is worth it.
	Requests int
}

// Error is what the service, or the way to it, said against a request.
type Error struct {
	Op      string // "protecting", "listing items", …
	Status  int    // HTTP status; 0 = no answer
	Code    string // ARM code, case as sent; "" = none
	Message string
	// RequestID is x-ms-request-id or, without an answer, the x-ms-client-request-id sent.
	RequestID  string
	RetryAfter time.Duration
	// Unknown says that the request may have had its effect: no answer, a broken connection, a 5xx.
	Unknown bool
	// Ended says that the operation itself ended with this error: asking again changes nothing.
	Ended bool
	Err   error // the cause, for errors.Is; may be nil
}

func (e *Error) Error() string {
	s := e.Op
	if s != "" {
		s += ": "
	}
	if e.Code != "" {
		s += e.Code + ": "
	}
	s += e.Message
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }
