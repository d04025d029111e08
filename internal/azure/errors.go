package azure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// sentRequest is the request that an error is about, and its response; a snapshot keeps both of a failed read.
type sentRequest struct {
	method, path string
	header       http.Header
	body         []byte
	err          error
}

func (e *sentRequest) Error() string {
	if e.err == nil {
		return e.method + " " + e.path + " was refused"
	}
	return e.err.Error()
}

func (e *sentRequest) Unwrap() error { return e.err }

// transportFailure returns the error for a request that got no usable answer.
func transportFailure(ctx context.Context, op string, sent *sentRequest, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*SignInError](err); ok {
		return &apply.Error{Op: op, Status: http.StatusUnauthorized, Code: codeNotSignedIn, Message: e.Message, Err: e}
	}
	if e, ok := errors.AsType[*RefusedError](err); ok {
		return e
	}
	sent.err = err
	if e, ok := errors.AsType[*malformedError](err); ok {
		return &apply.Error{Op: op, Status: http.StatusOK, Code: "MalformedAnswer", Message: e.why, Unknown: true, Err: sent}
	}
	e := &apply.Error{Op: op, Message: noAnswerText(err), Unknown: true, Err: sent}
	if t, ok := errors.AsType[*transportError](err); ok {
		e.RequestID = t.clientRequestID
	}
	return e
}

func noAnswerText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return firstLine(err.Error())
}

// responseError returns the error for an answer with an unexpected status.
func responseError(op string, sent *sentRequest, a *answer) error {
	sent.header, sent.body = a.header, a.body
	code, message := parseErrorBody(a.body)
	if message == "" {
		message = fmt.Sprintf("the service answered %d %s", a.status, http.StatusText(a.status))
	}
	return &apply.Error{
		Op: op, Status: a.status, Code: code, Message: message,
		RequestID:  requestID(a.header),
		RetryAfter: parseRetryAfter(a.header, message),
		// A 5xx or 408 leaves the outcome of the request unknown.
		Unknown: a.status >= 500 || a.status == http.StatusRequestTimeout,
		Err:     sent,
	}
}

func requestID(h http.Header) string {
	return cmp.Or(h.Get(headerRequestID), h.Get(headerCorrelationID), h.Get(headerClientRequestID))
}

// throttledForPattern finds the seconds in a 429's text (docs/azure.md §12): its Retry-After is not reliable.
var throttledForPattern = regexp.MustCompile(`try again after '(\d+)' seconds`)

// parseRetryAfter returns the wait that the service asks for; 0 = none.
func parseRetryAfter(h http.Header, message string) time.Duration {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if ms, err := strconv.Atoi(h.Get(name)); err == nil && ms > 0 {
			return time.Duration(ms) * time.Millisecond
		}
	}
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			return max(0, at.Sub(date))
		}
	}
	if m := throttledForPattern.FindStringSubmatch(message); m != nil {
		if s, err := strconv.Atoi(m[1]); err == nil {
			return time.Duration(s) * time.Second
		}
	}
	return 0
}

// is404 reports whether err is any 404: reason enough to keep waiting for a recent write, no proof of anything else.
func is404(err error) bool {
	e, ok := errors.AsType[*apply.Error](err)
	return ok && e.Status == http.StatusNotFound
}

// isAbsenceProven reports whether an answer proves that a resource does not exist. Other 404s (an invisible
// subscription, an unknown resource type, a proxy's page) prove nothing.
func isAbsenceProven(err error) bool {
	e, ok := errors.AsType[*apply.Error](err)
	if !ok || e.Status != http.StatusNotFound {
		return false
	}
	switch e.Code {
	case "ResourceNotFound", "ResourceGroupNotFound", "BMSUserErrorDataSourceObjectNotFound", "NotFound":
		return true
	}
	return false
}

// asGap converts a read's error to a gap; where describes its subject.
func asGap(where plan.Gap, err error) plan.Gap {
	where.Message = err.Error()
	if e, ok := errors.AsType[*apply.Error](err); ok {
		where.Code, where.Message, where.RequestID, where.Status = e.Code, e.Message, e.RequestID, e.Status
	} else if e, ok := errors.AsType[*RefusedError](err); ok {
		where.Code, where.Message = "Refused", e.Error()
	} else if e, ok := errors.AsType[*SignInError](err); ok {
		where.Code, where.Message, where.RequestID = codeNotSignedIn, e.Message, e.RequestID
	}
	return where
}
