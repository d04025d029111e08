package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/fault"
	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// withFault returns the fault's reply, before or after the effect, or the handler's.
func (rc *requestContext) withFault(handle func() reply.Reply) reply.Reply {
	r, instead := fault.ReplyOf(rc.fault)
	if !instead {
		return handle()
	}
	if rc.fault.AfterEffect {
		handle()
	}
	return r
}

// operationUnder returns op as a running operation that begins now, with an id of its own and its URLs under path. kind is
// what the id is drawn for.
func (rc *requestContext) operationUnder(path, kind string, op state.Operation) *state.Operation {
	op.ID, op.Version, op.State, op.Started = rc.guid(kind), rc.version, state.InProgress, rc.now
	op.StatusPath, op.ResultPath = path+"/operationsStatus/"+op.ID, path+"/operationResults/"+op.ID
	return &op
}

// startOperation starts an operation for the client, with the outcome that the request's fault prescribes.
func (rc *requestContext) startOperation(op *state.Operation) {
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
		if op.Disks = f.Disks; op.Disks == settings.DisksLeft {
			op.JobFails = true
		}
		if f.Invisible > 0 {
			rc.s.invisible[op.Target] = f.Invisible
		}
	}
	if rc.isInstant {
		op.Ends = rc.now
	}
	op.Cause = rc.cause
	rc.st.Start(op)
}

// isHidden reports whether this read does not show the item yet, and counts the read.
func (rc *requestContext) isHidden(it *state.Item) bool {
	n := rc.s.invisible[it.Key]
	if n > 0 {
		rc.s.invisible[it.Key] = n - 1
	}
	return n > 0
}

// runConcurrentClients applies the changes of other clients just before the request.
func (rc *requestContext) runConcurrentClients() {
	actors := rc.concurrentClients()
	if len(actors) == 0 {
		return
	}
	rc.st.WithCause(state.Cause{Request: rc.cause.Request, IsConcurrentClient: true}, func() {
		for _, a := range actors {
			rc.runConcurrentClient(a)
		}
	})
	rc.s.runDue(rc.now)
}

func (rc *requestContext) runConcurrentClient(a settings.ConcurrentClient) {
	switch {
	case a.Attach != "":
		rc.st.Attach(a.Attach)
	case a.Remove != "":
		k := ids.Key(a.Remove)
		if a.Section == "protectedItems" {
			k = state.ItemKey(ids.Key(ids.VaultPart(a.Remove)), ids.ContainerKeyOf(ids.LastSegment(a.Remove)))
		}
		rc.st.Remove(a.Section, k)
	case a.Section == "virtualMachines":
		rc.st.PutVM(a.Body, rc.now)
	case a.Section != "":
		rc.st.ApplyBody(state.Change{Section: a.Section, Body: a.Body})
	default:
		rc.s.applyImmediately(rc, a)
	}
}

// applyImmediately runs another client's request, whose operation ends at once.
func (s *Server) applyImmediately(c *requestContext, a settings.ConcurrentClient) {
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
		version: c.version, base: c.base, kind: route.kind, isInstant: !a.Slow, cause: c.st.Cause,
	}
	route.handle(other)
}

// applyFaultBefore picks the fault of the request, revokes the tokens if the fault says so, and returns how long to
// delay the request. It takes the server's lock.
func (s *Server) applyFaultBefore(c *requestContext) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.fault = s.faults.Hit(fault.Request{Method: c.r.Method, Kind: c.kind, Path: c.path, Query: c.r.URL.RawQuery})
	if c.fault == nil {
		return 0
	}
	s.stats.Faults[c.fault.Name]++
	if c.fault.Token != "" {
		s.identity.Revoke(c.fault.Token)
	}
	return time.Duration(c.fault.Latency)
}

// concurrentClients returns the other clients' changes just before this request. The server's lock is held.
func (rc *requestContext) concurrentClients() []settings.ConcurrentClient {
	var actors []settings.ConcurrentClient
	if rc.fault != nil {
		actors = rc.fault.ConcurrentClients
	}
	if rc.s.opt.ConcurrentClients == nil {
		return actors
	}
	return append(slices.Clip(actors), rc.s.opt.ConcurrentClients(rc.cause.Request, rc.r)...)
}

// ConcurrentClientsFunc returns the other clients' changes to apply just before a request; number counts the requests
// from 1, in the order in which they are handled.
type ConcurrentClientsFunc func(number int, r *http.Request) []settings.ConcurrentClient
