package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// Backend executes changes: Azure, or a fake in tests. The engine calls its methods concurrently. A method sends a write
// once; it may repeat reads, and wait for the quotas of its requests. The engine owns all other waits and decides whether a
// write is sent again. An error is an *[Error] where the service answered or the connection broke, and the context's cause
// where the context ended. Any other error of Start means that the write was not sent; so does an *[UnsentError], whatever it
// wraps.
type Backend interface {
	// Start sends the one write of a change. A nil error means that the service accepted it, not that it
	// is done. The write is sent once; whether it may be sent again is the engine's decision.
	//
	// Right before the write, Start reads the resource and compares it with the state for which the change was approved
	// (plan.Precondition): vaults and policies always, an item where the change has a risk. A resource in the desired
	// state is not written ([Operation.Already]); one in neither the approved nor the desired state is an error with
	// [CodeChangedMeanwhile]; one that cannot be read is not written either, and is an error. The write is merged into
	// the document that was read.
	Start(ctx context.Context, c plan.Change) (Operation, error)
	// List returns the protected items of a vault, and its jobs: those that run, and those that began lately.
	List(ctx context.Context, vault string) (Snapshot, error)
	// ListJobs is List without the items: restores need the jobs alone.
	ListJobs(ctx context.Context, vault string) (Snapshot, error)
	// IsJobRunning reads one job, by its resource id, and reports whether it is in progress. A job that is not there any
	// more is over.
	IsJobRunning(ctx context.Context, id string) (bool, error)
	// Poll polls an operation once. For a vault or a policy, Done also means that the
	// resource, read back, equals the change's After; where op has no URL (the write's response was lost)
	// the read-back alone decides, and for a restore the job that may be its own, which Progress.JobID then names.
	// Where op.JobID is set, that job counts too: while it runs the
	// operation is not done, and when it failed the error carries the job's own code and text. An error
	// with Ended set is the operation's own failure; any other one only means that this poll failed.
	Poll(ctx context.Context, op Operation) (Progress, error)
}

// Operation is a write that was accepted.
type Operation struct {
	ID     string // the service's id; "" when it answered without one
	Change string // plan.Change.ID
	Vault  string
	Action plan.Action
	Target string
	// Status and Result are the URLs to poll, verbatim (they are signed); either may be empty. They are
	// never printed.
	Status string `json:"-"`
	Result string `json:"-"`
	// After is the state written, for the read-back: the change's own, except for settings kept as they were found.
	After *plan.State `json:"-"`
	// Restore is what a restore ordered, to tell its job from those of other clients; nil = not known.
	Restore *plan.RestoreOrder `json:"-"`
	// Already is true where nothing was sent, because the resource has the desired state.
	Already bool
	// Accepted is when the service accepted the write, by its own clock (the response's Date header; without one by ours).
	// Jobs that started earlier are not this operation's.
	Accepted   time.Time
	RequestID  string
	RetryAfter time.Duration // 0 = none sent
	JobID      string        // bare; "" = not known yet
}

// Progress is the answer to one poll of an operation.
type Progress struct {
	Done  bool   // the operation has ended without an error
	JobID string // "" = not known
	// IsJobInferred is true where the service did not name the job: JobID is a job of the same item that began since the
	// write, and may be another client's.
	IsJobInferred bool
	Message       string        // how far the operation is, for people; "" = not given
	RetryAfter    time.Duration // 0 = none sent
	RequestID     string
}

// Snapshot is one list of a vault: its items and jobs, or its jobs alone.
type Snapshot struct {
	Items []plan.Item
	Jobs  []plan.Job
	At    time.Time
	// Requests is the number of requests that the list took, its pages: it decides how often the vault is listed.
	Requests int
}

// Error is a failed request: the service's error or a transport error.
type Error struct {
	Op      string // "protecting", "listing items", …
	Status  int    // HTTP status; 0 = no answer
	Code    string // ARM code, case as sent; "" = none
	Message string
	// RequestID is x-ms-request-id or, without an answer, the x-ms-client-request-id sent.
	RequestID  string
	RetryAfter time.Duration // 0 = none sent
	// Unknown is true where the request may have had its effect: no answer, a broken connection, a 5xx.
	Unknown bool
	// Ended is true where the operation itself ended with this error: polling again changes nothing.
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

// UnsentError is why a write ended before it was sent: in the wait for its quotas, or with the read right before it.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }

func (e *UnsentError) Unwrap() error { return e.Err }
