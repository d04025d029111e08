package simulator

import (
	"net/http"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/quota"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/seed"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/signin"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// requestContext is one request during its handling. The server's lock is held.
type requestContext struct {
	s  *Server
	st *state.State
	r  *http.Request
	// now is the simulated time of the request.
	now    time.Time
	params map[string]string
	// path is the request's path with "%3B" and the like decoded, in the client's spelling.
	path    string
	body    []byte
	version string
	// base is the scheme and host the client called, for the URLs in replies.
	base  string
	kind  string
	fault *settings.Fault
	// isInstant makes operations end at once, for another client's request.
	isInstant bool
	cause     state.Cause
}

// guid returns a new, unique id: it also depends on time and serial number.
func (rc *requestContext) guid(what string) string { return rc.s.guid(rc.now, what) }

func (s *Server) guid(now time.Time, what string) string {
	s.st.Service.Serial++
	return seed.GUID(s.seed.Digest("guid", what, now.UnixNano(), s.st.Service.Serial))
}

// digits returns a decimal number of n digits, for protectedItemDataId and the names of recovery points.
func (s *Server) digits(now time.Time, what string, n int) string {
	s.st.Service.Serial++
	d := s.seed.Digest(what, now.UnixNano(), s.st.Service.Serial)
	out := []byte{'1' + d[0]%9}
	for i := 1; i < n; i++ {
		out = append(out, '0'+d[i]%10)
	}
	return string(out)
}

// sampleDuration samples the duration of an operation on target.
func (s *Server) sampleDuration(kind, target string) time.Duration {
	u := s.seed.Uniform("duration", kind, target)
	if m := s.set.Distributions[kind]; len(m) > 0 {
		return s.capDuration(kind, m.Sample(u))
	}
	return s.capDuration(kind, s.set.Durations[kind].Sample(u))
}

// capDuration limits d to Options.Longest; a backup's job is limited with all its phases.
func (s *Server) capDuration(kind string, d time.Duration) time.Duration {
	longest := s.opt.Longest
	switch {
	case longest == 0:
		return d
	case kind == "snapshot" || kind == "transfer":
		longest /= 2
	case kind == "handover" || kind == "restoreFinish":
		longest /= 4
	}
	return min(d, longest)
}

// unverified returns an error whose status or code no source confirms; it is a setting.
func (rc *requestContext) unverified(name, format string, args ...any) reply.Reply {
	return reply.Unverified(rc.s.set.Unverified, name, format, args...)
}

// charge consumes a request's cost and returns the headers with the remaining budget, and the 429 where a limit is
// exceeded.
func (rc *requestContext) charge(r *route) (http.Header, *reply.Reply) {
	if !rc.s.quota.IsEnabled {
		return nil, nil
	}
	return rc.s.quota.Charge(quota.Request{
		Now: rc.now, Method: rc.r.Method, Kind: r.kind, Action: r.action,
		Subscription: ids.Key(rc.params["sub"]), Principal: rc.signIn().Principal(),
	})
}

// signIn returns the request as the sign-in endpoints see it.
func (rc *requestContext) signIn() signin.Request {
	return signin.Request{Provider: rc.s.identity, HTTP: rc.r, Base: rc.base, Path: rc.path, Tenant: rc.params["tenant"], Version: rc.version, Body: rc.body}
}

// atSignIn makes a sign-in endpoint the handler of a route.
func atSignIn(handle func(signin.Request) reply.Reply) func(*requestContext) reply.Reply {
	return func(rc *requestContext) reply.Reply { return handle(rc.signIn()) }
}

// rules returns the rules of the service for this request.
func (rc *requestContext) rules() rules.Checker {
	return rules.Checker{State: rc.st, Settings: rc.s.set, Now: rc.now, Version: rc.version, Auxiliary: rc.r.Header.Get("x-ms-authorization-auxiliary")}
}
