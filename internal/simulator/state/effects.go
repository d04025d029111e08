package state

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
	// Request is the number of the request, as [State.CountRequest] returned it.
	Request int
	// IsConcurrentClient reports that another client caused the effect just before the request, not the request
	// itself.
	IsConcurrentClient bool
}

// WithCause does something on behalf of cause.
func (st *State) WithCause(cause Cause, do func()) {
	was := st.Cause
	st.Cause = cause
	defer func() { st.Cause = was }()
	do()
}

// reportEffect reports an effect that is about to be stored. Bodies never change, so the receiver may keep them.
func (st *State) reportEffect(section, key string, after json.RawMessage) {
	if st.onEffect == nil {
		return
	}
	var before bodyRef
	switch section {
	case "vaults":
		if v := st.Vaults.Get(key); v != nil {
			before = v.Body
		}
	case "policies":
		if p := st.Policies.Get(key); p != nil {
			before = p.Body
		}
	case "protectedItems":
		if it := st.Items.Get(key); it != nil {
			before = it.Body
		}
	case "disks":
		if d := st.Disks.Get(key); d != nil {
			before = d.Body
		}
	default:
		return
	}
	e := Effect{Section: section, After: after, Cause: st.Cause, VisibleFrom: st.handled}
	if before.mem != nil || before.n > 0 {
		e.Before = st.Read(before)
	}
	if e.Before != nil || e.After != nil {
		st.onEffect(e)
	}
}
