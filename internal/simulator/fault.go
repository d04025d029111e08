package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// faults counts matches and picks.
type faults struct {
	list []Fault
	seen []int
}

// ReadFaults reads a JSON array of faults.
func ReadFaults(r io.Reader) ([]Fault, error) {
	raw, err := io.ReadAll(r)
	var list []Fault
	if err == nil {
		err = rawjson.DecodeStrict(raw, &list)
	}
	if err == nil {
		_, err = newFaults(list)
	}
	if err != nil {
		return nil, fmt.Errorf("reading faults: %w", err)
	}
	return list, nil
}

func newFaults(list []Fault) (*faults, error) {
	kinds := map[string]bool{"": true}
	for _, r := range routes() {
		kinds[r.kind] = true
	}
	for _, f := range list {
		if !kinds[f.Kind] {
			return nil, fmt.Errorf("reading fault %q: there is no kind %q", f.Name, f.Kind)
		}
		if f.Reset != "" && f.Reset != "before" && f.Reset != "after" {
			return nil, fmt.Errorf("reading fault %q: reset is \"before\" or \"after\"", f.Name)
		}
		if f.Token != "" && f.Token != tokenExpired && f.Token != tokenChallenged {
			return nil, fmt.Errorf("reading fault %q: token is %q or %q", f.Name, tokenExpired, tokenChallenged)
		}
		switch f.Disks {
		case "", disksLeft, diskMissing, disksAttached:
		default:
			return nil, fmt.Errorf("reading fault %q: disks are %q, %q or %q", f.Name, disksLeft, diskMissing, disksAttached)
		}
		switch f.Operation {
		case "", "fails", "hangs", "lies":
		default:
			return nil, fmt.Errorf("reading fault %q: operation is \"fails\", \"hangs\" or \"lies\"", f.Name)
		}
	}
	return &faults{list: list, seen: make([]int, len(list))}, nil
}

// selectFault returns the first fault that hits the request, or nil. Every fault that matches counts it.
func (s *Server) selectFault(c *requestContext) *Fault {
	var hit *Fault
	for i := range s.faults.list {
		f := &s.faults.list[i]
		if !f.matches(c) {
			continue
		}
		s.faults.seen[i]++
		if hit == nil && f.triggers(s.faults.seen[i], s.seed.Uniform("fault", f.Name, s.faults.seen[i])) {
			hit = f
			s.stats.Faults[f.Name]++
		}
	}
	return hit
}

func (f *Fault) matches(c *requestContext) bool {
	return (f.Method == "" || strings.EqualFold(f.Method, c.r.Method)) &&
		(f.Kind == "" || f.Kind == c.kind) &&
		(f.Path == "" || glob(key(f.Path), key(c.path))) &&
		(f.Query == "" || strings.Contains(decodedQuery(c.r.URL.RawQuery), strings.ToLower(f.Query)))
}

func decodedQuery(raw string) string {
	if s, err := url.QueryUnescape(raw); err == nil {
		raw = s
	}
	return strings.ToLower(raw)
}

func (f *Fault) triggers(n int, u float64) bool {
	if f.Chance > 0 {
		return u < f.Chance
	}
	from, times := max(f.Nth, 1), f.Times
	if times == 0 {
		times = 1
	}
	return n >= from && (times < 0 || n < from+times)
}

// faultReply returns the fault's reply; false when the handler replies.
func (f *Fault) faultReply() (reply, bool) {
	if f == nil || f.Status == 0 {
		return reply{}, false
	}
	var r reply
	switch {
	case f.Body != "":
		r = newReply(f.Status, json.RawMessage(f.Body))
	case f.Code != "":
		r = errorReply(f.Status, f.Code, "%s", cmp.Or(f.Message, defaultErrorText(f.Code)))
	default:
		r = armError(f.Status, defaultErrorCode(f.Status), "%s", cmp.Or(f.Message, defaultErrorText(defaultErrorCode(f.Status))))
	}
	r.code = cmp.Or(f.Code, defaultErrorCode(f.Status))
	for name, value := range f.Headers {
		r.set(name, value)
	}
	if f.ContentType != "" {
		r.set("Content-Type", f.ContentType)
	}
	return r, true
}

// withFault returns the fault's reply, before or after the effect, or the handler's.
func (rc *requestContext) withFault(handle func() reply) reply {
	r, instead := rc.fault.faultReply()
	if !instead {
		return handle()
	}
	if rc.fault.AfterEffect {
		handle()
	}
	return r
}

// defaultErrorCode returns the error code that ARM itself sends with a status (docs/azure.md §12, §14).
func defaultErrorCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "AuthenticationFailed"
	case http.StatusForbidden:
		return "AuthorizationFailed"
	case http.StatusNotFound:
		return "ResourceNotFound"
	case http.StatusConflict:
		return "Conflict"
	case http.StatusTooManyRequests:
		return "TooManyRequests"
	case http.StatusBadGateway:
		return "InvalidGatewayHost"
	case http.StatusServiceUnavailable:
		return "ServerBusy"
	case http.StatusGatewayTimeout:
		return "GatewayTimeout"
	}
	return "InternalServerError"
}

func defaultErrorText(code string) string {
	switch code {
	case "InternalServerError":
		return "Encountered internal server error. Diagnostic information: timestamp '', subscription id '', tracking id '', request correlation id ''."
	case "GatewayTimeout":
		return "The gateway did not receive a response from 'Microsoft.RecoveryServices' within the specified time period."
	}
	return "The request failed: " + code + "."
}

// startOperation starts an operation for the client, with the outcome that the request's fault prescribes.
func (rc *requestContext) startOperation(op *operation) {
	if f := rc.fault; f != nil {
		switch f.Operation {
		case "fails":
			op.Code = cmp.Or(f.Code, "CloudInternalError")
			op.Message = cmp.Or(f.Message, "Microsoft Azure Backup encountered an internal error.")
		case "hangs":
			op.Hangs = true
		case "lies":
			op.JobFails, op.JobCode, op.JobMessage = true, f.Code, f.Message
		}
		if op.Disks = f.Disks; op.Disks == disksLeft {
			op.JobFails = true
		}
		if f.Invisible > 0 {
			rc.s.invisible[op.Target] = f.Invisible
		}
	}
	if rc.isInstant {
		op.Ends = rc.now
	}
	op.cause = rc.cause
	rc.st.start(op)
}

// isHidden reports whether this read does not show the item yet, and counts the read.
func (rc *requestContext) isHidden(it *item) bool {
	n := rc.s.invisible[it.key]
	if n > 0 {
		rc.s.invisible[it.key] = n - 1
	}
	return n > 0
}

// runConcurrentClients applies the changes of other clients just before the request.
func (rc *requestContext) runConcurrentClients() {
	actors := rc.concurrentClients()
	if len(actors) == 0 {
		return
	}
	rc.st.withCause(Cause{Request: rc.cause.Request, IsConcurrentClient: true}, func() {
		for _, a := range actors {
			rc.runConcurrentClient(a)
		}
	})
	rc.s.runDue(rc.now)
}

func (rc *requestContext) runConcurrentClient(a ConcurrentClient) {
	switch {
	case a.Attach != "":
		rc.st.attach(a.Attach)
	case a.Remove != "":
		k := key(a.Remove)
		if a.Section == "protectedItems" {
			k = itemKey(key(vaultPart(a.Remove)), containerKeyOf(lastSegment(a.Remove)))
		}
		rc.st.remove(a.Section, k)
	case a.Section == "virtualMachines":
		rc.st.putVM(a.Body, rc.now)
	case a.Section != "":
		rc.st.applyBody(change{Section: a.Section, Body: a.Body})
	default:
		rc.s.applyImmediately(rc, a)
	}
}

// applyImmediately runs another client's request, whose operation ends at once.
func (s *Server) applyImmediately(c *requestContext, a ConcurrentClient) {
	r, err := http.NewRequestWithContext(c.r.Context(), a.Method, a.Path, http.NoBody)
	if err != nil {
		return
	}
	parts, valid := splitPath(r.URL.EscapedPath())
	if !valid {
		return
	}
	route, params, _ := s.findRoute(a.Method, parts)
	if route == nil {
		return
	}
	other := &requestContext{
		s: s, st: s.st, r: r, now: c.now, params: params, path: "/" + strings.Join(parts, "/"), body: a.Body,
		version: c.version, base: c.base, kind: route.kind, isInstant: !a.Slow, cause: c.st.cause,
	}
	route.handle(other)
}

// applyFaultBefore applies a fault's effects ahead of the request; it panics to close the connection.
func (s *Server) applyFaultBefore(c *requestContext) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.fault = s.selectFault(c)
	if c.fault == nil {
		return 0
	}
	if c.fault.Token != "" {
		s.tokens.revoke(c.fault.Token, s.clock.wallTime())
	}
	return time.Duration(c.fault.Latency)
}
