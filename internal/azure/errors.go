package azure

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
		RequestID:  a.requestID(),
		RetryAfter: parseRetryAfter(a.header, message),
		// A 5xx or 408 leaves the outcome of the request unknown.
		Unknown: a.status >= 500 || a.status == http.StatusRequestTimeout,
		Err:     sent,
	}
}

// requestID returns the service's id of the request; "" = it gave none.
func (a *answer) requestID() string {
	return cmp.Or(a.header.Get(headerRequestID), a.header.Get(headerCorrelationID), a.header.Get(headerClientRequestID))
}

// retryAfter returns the wait that the service asks for; 0 = none.
func (a *answer) retryAfter() time.Duration { return parseRetryAfter(a.header, "") }

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

// brokenReadError returns the error for pages that do not form one list; first is the URL of the first.
func brokenReadError(op, first, code string, err error) error {
	path := first
	if u, bad := url.Parse(first); bad == nil {
		path = u.Path
	}
	return &apply.Error{Op: op, Code: code, Message: err.Error(), Err: &sentRequest{method: http.MethodGet, path: path, err: err}}
}

// RefusedError reports that a request was not sent, by the rules of its client.
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
