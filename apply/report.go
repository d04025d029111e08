package apply

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// FormatVersion is the version of the JSON form of a [Report].
const FormatVersion = "1"

// Outcome is how a change ended. The set is closed.
type Outcome string

// The outcomes (docs/design.md §6).
const (
	Done        Outcome = "done"        // written, and the effect was seen
	AlreadyDone Outcome = "already"     // nothing was written: it is as wanted, or another operation does it
	Failed      Outcome = "failed"      // refused, or its operation or job failed
	TimedOut    Outcome = "timed-out"   // a time limit ended it, and no write is in effect
	Unconfirmed Outcome = "unconfirmed" // written, or perhaps, and the effect was not seen in time
	Blocked     Outcome = "blocked"     // by the plan, or a change that it needs is not done
	NotStarted  Outcome = "not-started" // the run ended before it was written
	Interrupted Outcome = "interrupted" // the run ended while its operation may run on
)

// Report is how a run ended: one result per change of the plan, in plan order.
type Report struct {
	FormatVersion string          `json:"format_version"`
	Summary       map[Outcome]int `json:"summary"`
	Results       []Result        `json:"results"`
	Started       time.Time       `json:"started"`
	Finished      time.Time       `json:"finished"`
	// Interrupted is true where [Options.Interrupt] or the end of the context stopped the run, and no time limit of its own.
	Interrupted bool `json:"interrupted,omitempty"`
}

// Result is how one change ended.
type Result struct {
	ID        string      `json:"id"`
	Action    plan.Action `json:"action"`
	Target    string      `json:"target"`
	Vault     string      `json:"vault,omitempty"`
	Outcome   Outcome     `json:"outcome"`
	Code      string      `json:"code,omitempty"`
	Message   string      `json:"message,omitempty"`
	Hint      string      `json:"hint,omitempty"`
	RequestID string      `json:"request_id,omitempty"`
	Operation string      `json:"operation,omitempty"`
	Job       string      `json:"job,omitempty"`
	Started   *time.Time  `json:"started,omitempty"`
	Finished  *time.Time  `json:"finished,omitempty"`
	// Took is how long its job ran, by the service's clock, as far as the lists show it; 0 = not known.
	Took plan.Duration `json:"-"`
	// Steps are the steps of a restore test, LeftBehind is what it did not remove, Made what its restore made; nil for all
	// other changes.
	Steps      []Step       `json:"steps,omitempty"`
	LeftBehind []LeftBehind `json:"left_behind,omitempty"`
	Made       *Made        `json:"-"`
}

// report collects the results, in plan order.
func (r *executor) report() Report {
	rep := Report{
		FormatVersion: FormatVersion, Summary: map[Outcome]int{},
		Started: r.startedAt, Finished: r.now(), Interrupted: r.isStopping(),
	}
	rep.Results = r.dispatcher.results()
	for _, res := range rep.Results {
		rep.Summary[res.Outcome]++
	}
	return rep
}

// isStopping reports whether an interrupt or the caller's context stopped the run, not its own time limit.
func (r *executor) isStopping() bool {
	why := r.gate.err()
	_, limit := errors.AsType[*limitError](why)
	return why != nil && !limit
}

// Err returns every result that is not done or already as one error, in plan order; nil when there is none.
func (r Report) Err() error {
	var all *multierror.Error
	for _, res := range r.Results {
		if res.Outcome != Done && res.Outcome != AlreadyDone {
			all = multierror.Append(all, &ChangeError{res})
		}
	}
	return all.ErrorOrNil()
}

// ChangeError reports a change that is not done.
type ChangeError struct{ Result Result }

func (e *ChangeError) Error() string {
	r := e.Result
	s := fmt.Sprintf("%s %q: %s", actionText(r.Action), armid.DisplayName(r.Target), r.Outcome)
	if r.Code != "" {
		s += ": " + r.Code
	}
	if r.Message != "" {
		s += ": " + r.Message
	}
	if r.RequestID != "" {
		s += " (request " + r.RequestID + ")"
	}
	return s
}

// InternalError reports that changes were not started because of a fault of this program.
type InternalError struct {
	// Changes are the ids of the changes that were left, in plan order.
	Changes []string
	// Err is the [*plan.InvalidError] of a plan that was not started; nil where nothing ran, nothing was ready, and
	// changes were left nevertheless.
	Err error
}

func (e *InternalError) Error() string {
	if e.Err != nil {
		return "internal: nothing was started: " + e.Err.Error()
	}
	const most = 20
	shown := strings.Join(e.Changes[:min(most, len(e.Changes))], ", ")
	if n := len(e.Changes) - most; n > 0 {
		shown += fmt.Sprintf(" and %d more", n)
	}
	return "internal: nothing runs, nothing can start, and this is left: " + shown
}

func (e *InternalError) Unwrap() error { return e.Err }
