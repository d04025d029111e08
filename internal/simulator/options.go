package simulator

import (
	"time"

	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// Options are how one server differs from its estate's settings.
type Options struct {
	// Settings override those of the estate, field by field where they are not zero.
	Settings settings.Settings
	// WallClock starts the estate's clock at the machine's time. Without it a saved state continues at the time it
	// stopped, and an estate starts at the time of its snapshot.
	WallClock bool
	// Longest bounds the duration of every operation, including a backup's job, and Retry-After: a rehearsal does not
	// wait as long as Azure takes. The clock also advances by it between two servers of one file, so that operations
	// end even if no server runs for long. 0: as the settings define.
	Longest time.Duration
	// Speed makes the estate's clock run faster than the Go clock; 0 and 1 are real time. Retry-After shrinks with it.
	Speed float64
	// Log is called once for each request, after the reply; nil: no log. Calls are serialised.
	Log func(Entry)
	// ConcurrentClients returns the other clients' changes just before a request; Effects receives every change of a
	// vault, a policy, an item or a disk, in order; nil: neither. Both are called one at a time under the server's
	// lock: they must not call the server.
	ConcurrentClients ConcurrentClientsFunc
	Effects           func(state.Effect)
	// Authority is the base URL at which clients sign in, if it differs from the URL they call (behind a proxy).
	Authority string
}

// Entry is a line of the request log.
type Entry struct {
	Time     time.Time // when the request arrived, by the estate's clock
	Method   string
	Path     string
	Query    string
	Kind     string
	Status   int
	Code     string
	Took     time.Duration // on the machine
	Fault    string
	ClientID string
	Bytes    int
}
