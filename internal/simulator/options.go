package simulator

import "time"

// Options are how one server differs from its estate's settings.
type Options struct {
	// Settings override those of the estate, field by field where they are not zero.
	Settings Settings
	// WallClock starts the estate's clock at the machine's time. Without it a saved state goes on when it stopped, and an
	// estate begins when it was taken.
	WallClock bool
	// Longest bounds what any operation takes, a backup's job included, and Retry-After: a rehearsal is not to wait as
	// Azure makes wait. Between two servers of one file so much time passes too, so that nothing goes on for ever while
	// none serves. 0: as the settings say.
	Longest time.Duration
	// Speed makes the estate's clock run faster than the Go clock; 0 and 1 are real time. Retry-After shrinks with it.
	Speed float64
	// Log is called once for each request, when it was answered; nil: nobody is told. Calls are serialised.
	Log func(Entry)
	// ConcurrentClients tells who else acts just before a request, Effects is told of every change of a vault, a policy, an item or
	// a disk,
	// in order; nil: nobody, of none. Both are called one at a time under the server's lock: they must not call it.
	ConcurrentClients ConcurrentClientsFunc
	Effects           func(Effect)
	// Authority is the base URL clients sign in at, when it differs from the URL they call (behind a proxy).
	Authority string
}

// Entry is a line of the request log.
type Entry struct {
	Time     time.Time // when the request came, by the estate's clock
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
