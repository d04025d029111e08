package apply

import (
	"slices"
	"strings"
	"time"
)

// errorClass is how the engine reacts to an error code.
type errorClass int

const (
	permanent    errorClass = iota // the same request will be refused again
	transient                      // the failure passes by itself
	conflict                       // another operation is running there; wait for its end
	needsRefresh                   // the service lacks something that a refresh provides
)

// errorPolicy is a row of the table of error codes.
type errorPolicy struct {
	class errorClass
	tries int           // how often the write is repeated; 0 = until the deadline. Of no effect for permanent errors
	wait  time.Duration // before the first repeat; later ones wait longer
	hint  string        // what the operator can do; "" = nothing is known
}

// policyOf returns the policy for an error. No code of a resource guard's refusal was recorded; its text names the
// guard (docs/azure.md §26).
func policyOf(e *Error) errorPolicy {
	refused := e.Status == statusForbidden || e.Status == statusBadRequest
	if refused && strings.Contains(strings.ToLower(e.Code+" "+e.Message), "resourceguard") {
		return errorPolicy{hint: GuardHint}
	}
	return policyFor(e.Code, e.Status)
}

// GuardHint is the advice after a resource guard's refusal.
const GuardHint = "a resource guard protects this operation: its owner grants Backup MUA Operator or Contributor on the guard, usually for a time; then run again where the file says resourceGuard: use, or make the step by hand"

// policyFor returns the policy of a code's row in the table, or where there is none the policy of the HTTP status.
func policyFor(code string, status int) errorPolicy {
	if code == "OperationNotAllowed" && status != statusTooManyRequests {
		return policyForStatus(status) // any service says it to what it does not do, and not of quotas alone
	}
	for _, row := range knownErrors() {
		if slices.Contains(row.codes, code) {
			return row.policy
		}
	}
	return policyForStatus(status)
}

// The HTTP statuses used by policyFor. They are defined here because the engine uses nothing else of HTTP.
const (
	statusBadRequest      = 400
	statusUnauthorized    = 401
	statusForbidden       = 403
	statusNotFound        = 404
	statusRequestTimeout  = 408
	statusConflict        = 409
	statusLocked          = 423
	statusTooManyRequests = 429
	statusServerError     = 500
)

// policyForStatus returns the policy for an error without a known code.
func policyForStatus(status int) errorPolicy {
	switch {
	case status == statusTooManyRequests:
		return errorPolicy{class: transient, wait: 5 * time.Second, hint: "run again later or lower settings.limits"}
	case status == statusRequestTimeout, status >= statusServerError, status == 0:
		return errorPolicy{class: transient, tries: 3, wait: 5 * time.Second, hint: "run again later"}
	case status == statusConflict, status == statusLocked:
		// Some conflicts pass and many do not (docs/azure.md §14): one without a row is retried for a minute or two.
		return errorPolicy{
			class: conflict, tries: 4, wait: 10 * time.Second,
			hint: "the same answer came again and again; the message says what stands in the way",
		}
	case status == statusUnauthorized:
		return errorPolicy{hint: "sign in again"}
	case status == statusForbidden:
		return errorPolicy{hint: "the identity lacks the right; see azbackup help permissions"}
	}
	return errorPolicy{}
}
