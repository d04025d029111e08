package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/fault"
	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/quota"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/seed"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/signin"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// Server is a simulated Azure: an http.Handler over the state of an estate. It is safe for concurrent use.
type Server struct {
	opt    Options
	set    settings.Settings
	seed   seed.Seed
	routes []*route
	clock  clock

	mu    sync.Mutex
	st    *state.State
	stats *counters
	wal   *state.WriteAheadLog
	// unsaved is why a change is not on disk, or nil. The state is ahead of the file then: no request is served from it.
	unsaved error
	// hasTimePassed reports whether something that an earlier server started went on since the start, by the clock alone. An
	// estate in which no client started anything stays as it was taken.
	hasTimePassed bool
	// certificate is the long part of every signed URL.
	certificate string
	// polls numbers the signed URLs, no two of which are the same.
	polls  int
	faults *fault.Injector
	// invisible counts the remaining reads that do not show an item yet, by item.
	invisible map[string]int
	quota     *quota.Meter
	identity  *signin.Provider
	specs     map[*state.Policy]*rules.Policy
	logMu     sync.Mutex
}

// New returns a server for e in memory. Several servers may share e; none changes it.
func New(e *state.Estate, o Options) (*Server, error) { return newServer(state.NewState(e), o, nil) }

// Open serves the estate in the file at path and keeps it there: each accepted write is on disk before its reply. The
// file itself is written at Close. A second Open of the same path fails until then.
func Open(path string, o Options) (*Server, error) {
	st, j, err := state.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening estate %q: %w", path, err)
	}
	s, err := newServer(st, o, j)
	if err != nil {
		return nil, fmt.Errorf("opening estate %q: %w", path, errors.Join(err, j.Release(st)))
	}
	return s, nil
}

func newServer(st *state.State, o Options, j *state.WriteAheadLog) (*Server, error) {
	if err := errors.Join(st.Settings.Check(), o.Settings.Check()); err != nil {
		return nil, err
	}
	set := st.Settings.With(o.Settings)
	f, err := fault.NewInjector(set.Faults, kinds(), seed.Seed(set.Seed))
	if err != nil {
		return nil, err
	}
	s := &Server{
		opt: o, set: set, seed: seed.Seed(set.Seed), routes: routes(), clock: newClock(st.Estate, o), st: st, stats: newCounters(), wal: j,
		faults: f, invisible: map[string]int{}, specs: map[*state.Policy]*rules.Policy{},
	}
	s.identity = signin.NewProvider(set, st.Tenant, o.Authority, s.clock.wallTime)
	if s.quota, err = quota.NewMeter(set, s.scaleSeconds); err != nil {
		return nil, err
	}
	st.Observe(o.Effects)
	s.certificate = s.seed.OpaqueToken("MII", "certificate", certLength)
	s.resume()
	return s, nil
}

// resume continues the operations and jobs that run in the estate.
func (s *Server) resume() {
	st := s.st
	st.ResumeTimers()
	s.adoptRunningJobs()
	s.resumeScheduler(s.clock.now())
	st.ForgetChanges() // no client's change: a restart derives it again
}

// maxRequest bounds a request's body; ARM's limit.
const maxRequest = 4 << 20

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, came := s.clock.wallTime(), s.clock.now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		// The client disconnected or sent too much: the request had no effect.
		s.write(w, r, reply.ARMError(http.StatusRequestEntityTooLarge, "RequestTooLarge", "The request content could not be read."))
		return
	}
	c := &requestContext{s: s, st: s.st, r: r, body: body, base: s.baseOf(r), version: r.URL.Query().Get("api-version")}
	parts, valid := splitPath(r.URL.EscapedPath())
	var found *route
	var known bool
	if valid {
		found, c.params, known = s.findRoute(r.Method, parts)
		c.path = "/" + strings.Join(parts, "/")
	}
	if found != nil {
		c.kind = found.kind
	}
	if !s.sleep(r, s.latency(c)+s.applyFaultBefore(c)) || c.isReset("before") {
		panic(http.ErrAbortHandler) // the client or its connection is gone
	}
	rep, err := s.handle(c, found, known)
	if err != nil {
		rep = reply.ARMError(http.StatusInternalServerError, "InternalServerError",
			"Encountered internal server error. Diagnostic information: %s", err)
	}
	s.log(c, rep, came, s.clock.wallTime().Sub(began))
	if c.isReset("after") {
		panic(http.ErrAbortHandler)
	}
	if c.fault != nil && c.fault.ContentType != "" {
		rep.Set("Content-Type", c.fault.ContentType)
	}
	if c.fault != nil && c.fault.Truncate {
		rep.Set("Content-Length", strconv.Itoa(len(rep.Body)))
		rep.Body = rep.Body[:len(rep.Body)/2]
		s.write(w, r, rep)
		panic(http.ErrAbortHandler)
	}
	s.write(w, r, rep)
}

// isReset reports whether the fault closes the request's connection at this point.
func (rc *requestContext) isReset(when string) bool { return rc.fault != nil && rc.fault.Reset == when }

// handle computes the reply and stores the changes, under the lock, and returns when accepted changes are on disk.
func (s *Server) handle(c *requestContext, found *route, known bool) (rep reply.Reply, err error) {
	wait, err := s.handleLocked(c, found, known, &rep)
	if err == nil && wait > 0 {
		if err = s.wal.Sync(wait); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.unsaved = err
		}
	}
	return rep, err
}

func (s *Server) handleLocked(c *requestContext, found *route, known bool, rep *reply.Reply) (written int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			unreadable, is := p.(state.ReadError)
			if !is {
				panic(p)
			}
			err = unreadable
		}
	}()
	if s.unsaved != nil {
		return 0, s.unsaved
	}
	if s.wal != nil && found.isWrite() {
		if err := s.wal.CheckWritable(); err != nil {
			return 0, err // before it has an effect that no file would hold
		}
	}
	c.now = s.clock.now()
	c.cause = state.Cause{Request: s.st.CountRequest()}
	s.runDue(c.now)
	c.runConcurrentClients()
	s.st.WithCause(c.cause, func() { *rep = c.withFault(func() reply.Reply { return c.dispatch(found, known) }) })
	s.stats.count(c, rep)
	if s.wal == nil {
		s.st.DrainChanges()
		return 0, nil
	}
	if !found.isWrite() {
		return 0, nil // the clock's effects follow from the file's absolute times; reads do not touch the file
	}
	if changes := s.st.DrainChanges(); len(changes) > 0 {
		written, s.unsaved = s.wal.Append(changes)
		return written, s.unsaved
	}
	return 0, nil
}

var apiVersion = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-preview)?$`)

// dispatch runs the common checks, then the handler.
func (rc *requestContext) dispatch(found *route, known bool) reply.Reply {
	switch {
	case found == nil && known:
		return reply.ARMError(http.StatusMethodNotAllowed, "HttpMethodNotAllowed", "The http method '%s' is not supported on this resource.", rc.r.Method)
	case found == nil:
		return reply.ARMError(http.StatusNotFound, "InvalidResourceType", "The resource '%s' is not known to the simulator.", rc.r.URL.Path)
	case found.isPublic:
		return found.handle(rc)
	case rc.version == "":
		return reply.ARMError(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.")
	case !apiVersion.MatchString(rc.version):
		return reply.ARMError(http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '%s' is invalid.", rc.version)
	}
	if r := rc.signIn().Unauthenticated(); r != nil {
		return *r
	}
	left, throttled := rc.charge(found)
	if throttled != nil {
		return *throttled
	}
	r := rc.echoCasing(rc.resource(found))
	for name, values := range left {
		r.Set(name, values[0])
	}
	return r
}

// resource runs the handler in a subscription that exists.
func (rc *requestContext) resource(found *route) reply.Reply {
	if r, refused := rc.replayFailedRead(); refused {
		return r
	}
	if rc.params["sub"] != "" && rc.st.Subscriptions.Get(ids.Key(rc.params["sub"])) == nil {
		return reply.ARMError(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", rc.params["sub"])
	}
	return found.handle(rc)
}

// replayFailedRead repeats a read that failed when the estate was taken.
func (rc *requestContext) replayFailedRead() (reply.Reply, bool) {
	for _, f := range rc.st.FailedReads {
		if strings.EqualFold(f.Method, rc.r.Method) && ids.Key(pathOf(f.Path)) == ids.Key(rc.path) {
			r := reply.New(f.Status, f.Body)
			for name, value := range f.Headers {
				r.Set(name, value)
			}
			r.Code = rawjson.TextAt(f.Body, "error", "code")
			return r, true
		}
	}
	return reply.Reply{}, false
}

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Path
}

// sleep waits d of wall-clock time; false if the client disconnected meanwhile.
func (s *Server) sleep(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (s *Server) latency(c *requestContext) time.Duration {
	if s.set.Latency.IsZero() {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls++
	return s.set.Latency.Sample(s.seed.Uniform("latency", c.path, s.polls))
}

// baseOf returns the scheme and host the client called.
func (s *Server) baseOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// write sends the reply with the headers of every ARM reply (docs/azure.md §12, §33.43).
func (s *Server) write(w http.ResponseWriter, r *http.Request, rep reply.Reply) {
	h, now := w.Header(), s.clock.now().UTC()
	maps.Copy(h, rep.Header)
	guid := seed.GUID(s.seed.Digest("request", r.URL.Path, now.UnixNano()))
	setHeaderDefault(h, "X-Ms-Request-Id", guid)
	setHeaderDefault(h, "X-Ms-Correlation-Request-Id", cmp.Or(r.Header.Get("X-Ms-Correlation-Request-Id"), guid))
	setHeaderDefault(h, "X-Ms-Routing-Request-Id", "SIMULATOR:"+now.Format("20060102T150405Z")+":"+guid)
	if client := r.Header.Get("X-Ms-Client-Request-Id"); client != "" {
		setHeaderDefault(h, "X-Ms-Client-Request-Id", client)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("Date", now.Format(http.TimeFormat))
	if len(rep.Body) > 0 {
		setHeaderDefault(h, "Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(rep.Status)
	// An error here means that the client disconnected.
	_, _ = w.Write(rep.Body)
}

func setHeaderDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

func (s *Server) log(c *requestContext, rep reply.Reply, came time.Time, took time.Duration) {
	if s.opt.Log == nil {
		return
	}
	s.logMu.Lock()
	defer s.logMu.Unlock()
	s.opt.Log(Entry{
		Time: came, Method: c.r.Method, Path: c.r.URL.Path, Query: c.r.URL.RawQuery, Kind: c.kind, Status: rep.Status,
		Code: rep.Code, Took: took, ClientID: c.r.Header.Get("X-Ms-Client-Request-Id"), Bytes: len(rep.Body),
	})
}

// Close merges the journal into the estate file. A server in memory has nothing to close.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wal == nil {
		return nil
	}
	j := s.wal
	s.wal = nil
	// What a client saw end has ended, even if it only read: the next clock does not start before that.
	var err error
	if s.hasTimePassed && j.IsWritable() {
		if changes := s.st.DrainChanges(); len(changes) > 0 {
			_, err = j.Append(changes)
		}
	}
	if s.unsaved != nil {
		return errors.Join(fmt.Errorf("changes are not in the estate's file: %w", s.unsaved), j.Release(s.st))
	}
	return errors.Join(err, j.Compact(s.st), j.Close())
}
