package simulator

import (
	"encoding/json"
)

// Effect is one change of a vault, a policy, an item or a disk, at the moment in which it takes effect.
type Effect struct {
	// Section is the part of an estate file that contains the body: "vaults", "policies", "protectedItems" or "disks".
	Section string
	// Before and After are the bodies; nil where there is none.
	Before, After json.RawMessage
	Cause         Cause
	// VisibleFrom is the number of the current request: the first whose reply can show the effect.
	VisibleFrom int
}

// Cause is the origin of an effect. The zero value means the service itself, or an operation that was running when the
// server started.
type Cause struct {
	// Request is the number of the request, as passed to [Options.ConcurrentClients].
	Request int
	// IsConcurrentClient reports that another client caused the effect just before the request, not the request
	// itself.
	IsConcurrentClient bool
}

// withCause does something on behalf of cause.
func (st *state) withCause(cause Cause, do func()) {
	was := st.cause
	st.cause = cause
	defer func() { st.cause = was }()
	do()
}

// reportEffect reports an effect that is about to be stored. Bodies never change, so the receiver may keep them.
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
