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
	// Seen is the number of the request that is being handled: the first that can see the effect.
	Seen int
}

// Cause says whose doing an effect is. The zero value is nobody's: the service's own, or that of an operation which
// was under way when the server began.
type Cause struct {
	// Request is the number of the request, as [Options.Others] was given it.
	Request int
	// Other says that not the request itself did it but one of the actors who came just before it.
	Other bool
}

// asked asks who acts just before this request. The server's lock is held.
func (c *call) asked() []Actor {
	var actors []Actor
	if c.fault != nil {
		actors = c.fault.Actors
	}
	if c.s.opt.Others == nil {
		return actors
	}
	return append(slices.Clip(actors), c.s.opt.Others(c.cause.Request, c.r)...)
}

// as does something on behalf of cause.
func (st *state) as(cause Cause, do func()) {
	was := st.cause
	st.cause = cause
	defer func() { st.cause = was }()
	do()
}

// tell tells of an effect that is about to be put down. Bodies never change, so whoever is told may keep them.
func (st *state) tell(section, key string, after json.RawMessage) {
	if st.told == nil {
		return
	}
	var before blob
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
	e := Effect{Section: section, After: after, Cause: st.cause, Seen: st.handled}
	if before.mem != nil || before.n > 0 {
		e.Before = st.read(before)
	}
	if e.Before != nil || e.After != nil {
		st.told(e)
	}
}

// Others is asked just before each request is handled who else acts then; number counts the requests from 1, in the
// order in which they are handled.
type Others func(number int, r *http.Request) []Actor
