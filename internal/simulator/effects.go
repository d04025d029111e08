package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Effect is one change of a vault, a policy, an item or a disk, at the moment in which it takes effect.
type Effect struct {
	// Section is the part of an estate file that the body stands in: "vaults", "policies", "protectedItems"
	// or "disks".
	Section string
	// Before and After are the bodies; nil where there is none.
	Before, After json.RawMessage
	Cause         Cause
	// VisibleFrom is the number of the request that is being handled: the first that can see the effect.
	VisibleFrom int
}

// Cause says whose doing an effect is. The zero value is nobody's: the service's own, or that of an operation which
// was under way when the server began.
type Cause struct {
	// Request is the number of the request, as [Options.ConcurrentClients] was given it.
	Request int
	// IsConcurrentClient says that not the request itself did it but one of the actors who came just before it.
	IsConcurrentClient bool
}

// concurrentClients asks who acts just before this request. The server's lock is held.
func (rc *requestContext) concurrentClients() []ConcurrentClient {
	var actors []ConcurrentClient
	if rc.fault != nil {
		actors = rc.fault.ConcurrentClients
	}
	if rc.s.opt.ConcurrentClients == nil {
		return actors
	}
	return append(slices.Clip(actors), rc.s.opt.ConcurrentClients(rc.cause.Request, rc.r)...)
}

// withCause does something on behalf of cause.
func (st *state) withCause(cause Cause, do func()) {
	was := st.cause
	st.cause = cause
	defer func() { st.cause = was }()
	do()
}

// reportEffect tells of an effect that is about to be put down. Bodies never change, so whoever is told may keep them.
func (st *state) reportEffect(section, key string, after json.RawMessage) {
	if st.onEffect == nil {
		return
	}
	var before bodyRef
	switch section {
	case "vaults":
		if v := st.vaults.get(key); v != nil {
			before = v.body
		}
	case "policies":
		if p := st.policies.get(key); p != nil {
			before = p.body
		}
	case "protectedItems":
		if it := st.items.get(key); it != nil {
			before = it.body
		}
	case "disks":
		if d := st.disks.get(key); d != nil {
			before = d.body
		}
	default:
		return
	}
	e := Effect{Section: section, After: after, Cause: st.cause, VisibleFrom: st.handled}
	if before.mem != nil || before.n > 0 {
		e.Before = st.read(before)
	}
	if e.Before != nil || e.After != nil {
		st.onEffect(e)
	}
}

// ConcurrentClientsFunc is asked just before each request is handled who else acts then; number counts the requests from 1, in the
// order in which they are handled.
type ConcurrentClientsFunc func(number int, r *http.Request) []ConcurrentClient
