package arm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/azbackup/azbackup/apply"
)

// SentRequest is an error with the request that it is about, and the header and body of its response; a snapshot keeps
// these of a failed read.
type SentRequest struct {
	Method, Path string
	Header       http.Header
	Body         []byte
	err          error
}

func (e *SentRequest) Error() string {
	if e.err == nil {
		return e.Method + " " + e.Path + " was refused"
	}
	return e.err.Error()
}

func (e *SentRequest) Unwrap() error { return e.err }

// transportFailure returns the error for a request that got no usable answer.
func transportFailure(ctx context.Context, op string, sent *SentRequest, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*SignInError](err); ok {
		return &apply.Error{Op: op, Status: http.StatusUnauthorized, Code: CodeNotSignedIn, Message: e.Message, Err: e}
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
func responseError(op string, sent *SentRequest, a *Answer) error {
	sent.Header, sent.Body = a.Header, a.Body
	code, message := parseErrorBody(a.Body)
	if message == "" {
		message = fmt.Sprintf("the service answered %d %s", a.Status, http.StatusText(a.Status))
	}
	return &apply.Error{
		Op: op, Status: a.Status, Code: code, Message: message,
		RequestID:  a.RequestID(),
		RetryAfter: parseRetryAfter(a.Header, message),
		// A 5xx or 408 leaves the outcome of the request unknown.
		Unknown: a.Status >= 500 || a.Status == http.StatusRequestTimeout,
		Err:     sent,
	}
}

// RequestID returns the service's id of the request; "" = it gave none.
func (a *Answer) RequestID() string {
	return cmp.Or(a.Header.Get(headerRequestID), a.Header.Get(headerCorrelationID), a.Header.Get(headerClientRequestID))
}

// RetryAfter returns the wait that the service asks for; 0 = none.
func (a *Answer) RetryAfter() time.Duration { return parseRetryAfter(a.Header, "") }

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

// NewReadError returns the error of a read whose answer arrived but cannot be relied on, such as pages that do not form
// one list. first is the URL that was read first; its query is left out. A snapshot keeps it as a failed read.
func NewReadError(op, first, code string, err error) error {
	path := first
	if u, bad := url.Parse(first); bad == nil {
		path = u.Path
	}
	return &apply.Error{Op: op, Code: code, Message: err.Error(), Err: &SentRequest{Method: http.MethodGet, Path: path, err: err}}
}

// RefusedError reports that the rules of a client did not allow a request, and that it was not sent.
type RefusedError struct {
	Method string
	// Where is the path, or, for a foreign host, the host alone. Queries are signed and left out.
	Where string
	Why   string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("refusing %s %s: %s", e.Method, e.Where, e.Why)
}

// NonRetriable makes azcore give up: a retry cannot help.
func (e *RefusedError) NonRetriable() {}
