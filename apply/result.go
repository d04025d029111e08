package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// limitError is the cause with which a wait ends at its time limit.
type limitError struct {
	what  string
	limit time.Duration
}

func (e *limitError) Error() string {
	return fmt.Sprintf("the time limit of %s, %s, is over", e.what, e.limit)
}

// The causes with which waits end when the run is asked to stop.
var (
	errInterrupted = errors.New("the run was interrupted")
	errGraceOver   = errors.New("the run was interrupted, and the grace period is over")
)

// result returns a result of the change, r with the outcome, code and message and the known fields of its operation.
func (ex *execution) result(o Outcome, code, message string, r Result) Result {
	now := ex.run.now()
	r.ID, r.Action, r.Target, r.Vault = ex.task.ID, ex.task.Action, ex.task.Target, ex.task.Vault
	r.Outcome = o
	r.Code = cmp.Or(code, r.Code)
	r.Message = cmp.Or(message, r.Message)
	if ex.keptNote != "" && o != Failed {
		r.Message = strings.TrimPrefix(r.Message+"; "+ex.keptNote, "; ")
	}
	r.Operation = cmp.Or(r.Operation, ex.op.ID)
	r.RequestID = cmp.Or(r.RequestID, ex.op.RequestID)
	r.Job = bareJob(cmp.Or(r.Job, ex.op.JobID))
	r.Started, r.Finished = &ex.startedAt, &now
	if o == Unconfirmed || (o == Interrupted && ex.mayHaveTakenEffect) {
		r.Hint = ex.inspectCommand()
	}
	return r
}

// failedResult returns the result of a permanent error.
func (ex *execution) failedResult(err error) Result {
	return ex.result(Failed, "", "", ex.resultOfError(err))
}

// resultOfError returns a result with the code, message, request id and hint of an error.
func (ex *execution) resultOfError(err error) Result {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return Result{Message: errText(err)}
	}
	r := Result{Code: e.Code, Message: cmp.Or(e.Message, errText(e.Err)), RequestID: e.RequestID}
	r.Hint = policyOf(e).hint
	return r
}

// abortedResult returns the result when a wait ended before the change did. A change whose write may have had an effect
// is unconfirmed when time ran out and interrupted when the run was aborted; any other is timed out or not started.
func (ex *execution) abortedResult(cause error) Result {
	_, limit := errors.AsType[*limitError](cause)
	limit = limit || errors.Is(cause, context.DeadlineExceeded)
	message := errText(cause)
	if errors.Is(cause, context.Canceled) {
		message = "the run was left before its end"
	}
	if ex.lastErr != nil && !errors.Is(cause, ex.lastErr) {
		message += "; the last trouble was " + describeErr(ex.lastErr)
	}
	r := Result{}
	if e := ex.serviceError(); e != nil {
		r = ex.resultOfError(e)
	}
	switch {
	case ex.mayHaveTakenEffect && limit:
		return ex.result(Unconfirmed, "", message, r)
	case ex.mayHaveTakenEffect:
		return ex.result(Interrupted, "", message, r)
	case limit:
		return ex.result(TimedOut, "", message, r)
	case errors.Is(cause, errInterrupted), errors.Is(cause, errGraceOver), errors.Is(cause, context.Canceled):
		return ex.result(NotStarted, "", message, r)
	}
	if ex.run.isStopping() {
		return ex.result(NotStarted, "", message, r)
	}
	return ex.failedResult(cause)
}

// serviceError returns the service's last error for this change, or nil.
func (ex *execution) serviceError() *Error {
	e, _ := errors.AsType[*Error](ex.lastErr)
	return e
}

// describeErr returns an error as one line.
func describeErr(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return cmp.Or(e.Code, "no answer") + ": " + e.Message
	}
	return errText(err)
}

// inspectCommand returns the command that shows the outcome of the operation.
func (ex *execution) inspectCommand() string {
	path := ex.task.Item
	switch {
	case isRestore(ex.task.Action): // its operation has succeeded as soon as its job exists
		path = strings.TrimSuffix(ex.task.Vault+"/backupJobs/"+bareJob(ex.jobID()), "/")
	case ex.op.ID != "" && ex.poller != nil:
		path = ex.task.Vault + "/backupOperations/" + ex.op.ID // answers for every operation of a vault's items (docs/azure.md §33.3)
	case path == "":
		path = ex.task.Target
	}
	return "look with: az rest --method get --url " + quote(path+"?api-version="+inspectAPIVersion)
}

// inspectAPIVersion is an api-version that works for vaults and all their resources (docs/azure.md §0.3).
const inspectAPIVersion = "2025-02-01"

// quote returns s as one word for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// isSuccess reports whether the changes that need this one may continue.
func (r Result) isSuccess() bool { return r.Outcome == Done || r.Outcome == AlreadyDone }

// newResult returns the result of a change that never ran.
func newResult(c plan.Change, o Outcome, message string) Result {
	return Result{ID: c.ID, Action: c.Action, Target: c.Target, Vault: c.Vault, Outcome: o, Message: message}
}

// blockedResult returns the result of a change that needs one that is not done: blocked if the parent failed, not
// started if the run ended before the parent could.
func blockedResult(c, parent plan.Change, ended Outcome) Result {
	outcome := Blocked
	if ended == NotStarted || ended == Interrupted {
		outcome = NotStarted
	}
	action := parent.Action
	if action == plan.Blocked {
		action = parent.Wanted
	}
	what := strings.TrimSpace(actionText(action) + " " + armid.DisplayName(parent.Target))
	return newResult(c, outcome, fmt.Sprintf("it needs %q, which %s", what, describeOutcome(ended)))
}

// describeOutcome returns an unsuccessful outcome in words, to follow "which".
func describeOutcome(o Outcome) string {
	switch o {
	case Failed:
		return "failed"
	case TimedOut:
		return "timed out"
	case NotStarted, Interrupted:
		return "was " + strings.ReplaceAll(string(o), "-", " ")
	default:
		return "is " + string(o)
	}
}

// actionText returns an action in words.
func actionText(a plan.Action) string { return strings.ReplaceAll(string(a), "-", " ") }

func jobCode(e plan.JobError) string {
	if e.Code == 0 {
		return ""
	}
	return strconv.Itoa(e.Code)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// firstErr returns the first error that is not nil.
func firstErr(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
