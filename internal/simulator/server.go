package simulator

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Server is a simulated Azure: an http.Handler over the state of an estate. It is safe for concurrent use.
type Server struct {
	opt    Options
	set    Settings
	routes []*route
	clock  clock

	mu      sync.Mutex
	st      *state
	stats   *counters
	journal *journal
	// certificate is the long part of every signed URL.
	certificate string
	// polls numbers the signed URLs, no two of which are the same.
	polls  int
	faults *faults
	// invisible counts the reads that will not see an item yet, by item.
	invisible map[string]int
	meter     *meter
	tokens    issued
	specs     map[*policy]*policySpec
	logMu     sync.Mutex
}

// New serves e from memory. e may be served by several servers; none changes it.
func New(e *Estate, o Options) (*Server, error) { return newServer(newState(e), o, nil) }

func newServer(st *state, o Options, j *journal) (*Server, error) {
	if err := errors.Join(st.Settings.check(), o.Settings.check()); err != nil {
		return nil, err
	}
	set := st.Settings.with(o.Settings)
	f, err := newFaults(set.Faults)
	if err != nil {
		return nil, err
	}
	m, err := newMeter(set)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opt: o, set: set, routes: routes(), clock: newClock(st.Estate, o), st: st, stats: newCounters(), journal: j,
		faults: f, invisible: map[string]int{}, meter: m, specs: map[*policy]*policySpec{},
	}
	st.told = o.Effects
	s.certificate = s.filler("MII", "certificate", certLength)
	s.resume()
	return s, nil
}

// resume lets what the estate says is under way go on.
func (s *Server) resume() {
	st := s.st
	for _, op := range st.ops {
		st.schedule(op.next(), op.ID)
	}
	s.adopt()
	s.resumeTicking(s.clock.now())
	st.dirty = nil // not the client's doing: a restart finds it again
}

// maxRequest bounds a request's body; ARM's limit.
const maxRequest = 4 << 20

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, came := s.clock.wall(), s.clock.now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		// The client went away or sent too much: nothing was decided yet.
		s.write(w, r, gateway(http.StatusRequestEntityTooLarge, "RequestTooLarge", "The request content could not be read."))
		return
	}
	c := &call{s: s, st: s.st, r: r, body: body, base: s.baseOf(r), version: r.URL.Query().Get("api-version")}
	parts, valid := split(r.URL.EscapedPath())
	var found *route
	var known bool
	if valid {
		found, c.params, known = s.match(r.Method, parts)
		c.path = "/" + strings.Join(parts, "/")
	}
	if found != nil {
		c.kind = found.kind
	}
	if !s.wait(r, s.latency(c)+s.before(c)) || c.resets("before") {
		panic(http.ErrAbortHandler) // the client is gone, or its connection is
	}
	rep, err := s.answer(c, found, known)
	if err != nil {
		rep = gateway(http.StatusInternalServerError, "InternalServerError",
			"Encountered internal server error. Diagnostic information: %s", err)
	}
	s.log(c, rep, came, s.clock.wall().Sub(began))
	if c.resets("after") {
		panic(http.ErrAbortHandler)
	}
	if c.fault != nil && c.fault.ContentType != "" {
		rep.set("Content-Type", c.fault.ContentType)
	}
	if c.fault != nil && c.fault.Truncate {
		rep.set("Content-Length", itoa(len(rep.body)))
		rep.body = rep.body[:len(rep.body)/2]
		s.write(w, r, rep)
		panic(http.ErrAbortHandler)
	}
	s.write(w, r, rep)
}

// resets says whether the request's connection is to break off at this point.
func (c *call) resets(when string) bool { return c.fault != nil && c.fault.Reset == when }

// answer decides and remembers, under the lock, and returns when what was accepted is on disk.
func (s *Server) answer(c *call, found *route, known bool) (rep reply, err error) {
	wait, err := s.decide(c, found, known, &rep)
	if err == nil && wait > 0 {
		err = s.journal.sync(wait)
	}
	return rep, err
}

func (s *Server) decide(c *call, found *route, known bool, rep *reply) (written int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			unreadable, is := p.(readError)
			if !is {
				panic(p)
			}
			err = unreadable
		}
	}()
	c.now = s.clock.now()
	s.st.handled++
	c.cause = Cause{Request: s.st.handled}
	s.advance(c.now)
	c.act()
	s.st.as(c.cause, func() { *rep = c.faulty(func() reply { return c.dispatch(found, known) }) })
	s.stats.count(c, rep)
	if s.journal == nil {
		s.st.take()
		return 0, nil
	}
	if !found.writes() {
		return 0, nil // what the clock did is in the file's absolute times; who only reads leaves the file alone
	}
	if changes := s.st.take(); len(changes) > 0 {
		return s.journal.append(changes)
	}
	return 0, nil
}

var apiVersion = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-preview)?$`)

// dispatch runs the checks that come before every handler, then the handler.
func (c *call) dispatch(found *route, known bool) reply {
	switch {
	case found == nil && known:
		return gateway(http.StatusMethodNotAllowed, "HttpMethodNotAllowed", "The http method '%s' is not supported on this resource.", c.r.Method)
	case found == nil:
		return gateway(http.StatusNotFound, "InvalidResourceType", "The resource '%s' is not known to the simulator.", c.r.URL.Path)
	case found.open:
		return found.handle(c)
	case c.version == "":
		return gateway(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.")
	case !apiVersion.MatchString(c.version):
		return gateway(http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '%s' is invalid.", c.version)
	}
	if r := c.unauthenticated(); r != nil {
		return *r
	}
	left, throttled := c.charge(found)
	if throttled != nil {
		return *throttled
	}
	r := c.echo(c.resource(found))
	for name, values := range left {
		r.set(name, values[0])
	}
	return r
}

// resource runs the handler in a subscription that exists.
func (c *call) resource(found *route) reply {
	if r, refused := c.refusedOnce(); refused {
		return r
	}
	if c.params["sub"] != "" && c.st.subscriptions.get(key(c.params["sub"])) == nil {
		return gateway(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", c.params["sub"])
	}
	return found.handle(c)
}

// refusedOnce repeats a read that failed when the estate was taken.
func (c *call) refusedOnce() (reply, bool) {
	for _, f := range c.st.refused {
		if strings.EqualFold(f.Method, c.r.Method) && key(pathOf(f.Path)) == key(c.path) {
			r := answer(f.Status, f.Body)
			for name, value := range f.Headers {
				r.set(name, value)
			}
			r.code = text(f.Body, "error", "code")
			return r, true
		}
	}
	return reply{}, false
}

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Path
}

// wait spends d of the wall clock; false when the client went away meanwhile.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
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

func (s *Server) latency(c *call) time.Duration {
	if s.set.Latency.IsZero() {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls++
	return s.set.Latency.draw(s.chance("latency", c.path, s.polls))
}

// baseOf is the scheme and host the client called.
func (s *Server) baseOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// write sends the answer with the headers every answer of ARM has (docs/azure.md §12, §33.43).
func (s *Server) write(w http.ResponseWriter, r *http.Request, rep reply) {
	h, now := w.Header(), s.clock.now().UTC()
	maps.Copy(h, rep.header)
	guid := guidOf(s.digest("request", r.URL.Path, now.UnixNano()))
	setDefault(h, "X-Ms-Request-Id", guid)
	setDefault(h, "X-Ms-Correlation-Request-Id", first(r.Header.Get("X-Ms-Correlation-Request-Id"), guid))
	setDefault(h, "X-Ms-Routing-Request-Id", "SIMULATOR:"+now.Format("20060102T150405Z")+":"+guid)
	if client := r.Header.Get("X-Ms-Client-Request-Id"); client != "" {
		setDefault(h, "X-Ms-Client-Request-Id", client)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("Date", now.Format(http.TimeFormat))
	if len(rep.body) > 0 {
		setDefault(h, "Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(rep.status)
	// An error here means that the client left.
	_, _ = w.Write(rep.body)
}

func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (s *Server) log(c *call, rep reply, came time.Time, took time.Duration) {
	if s.opt.Log == nil {
		return
	}
	s.logMu.Lock()
	defer s.logMu.Unlock()
	s.opt.Log(Entry{
		Time: came, Method: c.r.Method, Path: c.r.URL.Path, Query: c.r.URL.RawQuery, Kind: c.kind, Status: rep.status,
		Code: rep.code, Took: took, ClientID: c.r.Header.Get("X-Ms-Client-Request-Id"), Bytes: len(rep.body),
	})
}

// Close folds the journal into the estate file. A server in memory has nothing to close.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	j := s.journal
	s.journal = nil
	return errors.Join(s.fold(j), j.close())
}
