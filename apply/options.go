package apply

import (
	"time"
)

// Options tune a run. The zero value is usable: every limit left at zero takes its default.
type Options struct {
	Limits Limits
	// Grace is how long running operations are still followed after Interrupt; 0 = not at all.
	Grace time.Duration
	// Observer is told of every event, one at a time; nil = nobody listens.
	Observer Observer
	// Budget tells how many reads are left; nil = reads cost nothing.
	Budget BudgetSource
	// Interrupt, once closed, lets nothing new start; what runs is followed for Grace. A cancelled context
	// leaves at once instead.
	Interrupt <-chan struct{}
	// Observed is when the vaults were last listed for this plan; a vault listed longer than [snapshotTTL]
	// before its first write is listed again. Zero = unknown, so each vault is listed.
	Observed time.Time
	// Approved is when somebody said yes to the plan: nothing is written by a list of a vault that is older. Zero = no
	// later than Observed, as when nobody is asked.
	Approved time.Time
	// NoRefresh forbids the refresh that a protect asks for when the service does not know its container
	// (settings.refresh: never).
	NoRefresh bool
	// Now is the service's time, moved on by a monotonic clock; nil = the machine's time. All that is dated or compared with
	// what the service dates goes by it.
	Now func() time.Time
	// Seed makes the jitter of repeated waits repeatable.
	Seed uint64

	yield func() // see [mutex]; set by tests only
}

// Limits bound a run; zero means the default in brackets.
type Limits struct {
	Writes      int           // HTTP writes in flight [32]
	Polls       int           // reads in flight: sweeps and polls [8]
	Operations  int           // operations in flight [as many as can be confirmed in time, see admission]
	ItemTimeout time.Duration // one change, from its start [30m]
	RunTimeout  time.Duration // the whole run [6h]
}

// withDefaults fills in what was left at zero.
func (l Limits) withDefaults() Limits {
	if l.Writes <= 0 {
		l.Writes = 32
	}
	if l.Polls <= 0 {
		l.Polls = 8
	}
	if l.ItemTimeout <= 0 {
		l.ItemTimeout = 30 * time.Minute
	}
	if l.RunTimeout <= 0 {
		l.RunTimeout = 6 * time.Hour
	}
	return l
}

// ReadKind is a kind of read that has a budget of its own (docs/azure.md §12, layer 3).
type ReadKind string

// The reads of an apply.
const (
	ReadItems     ReadKind = "items"
	ReadJobs      ReadKind = "jobs"
	ReadOperation ReadKind = "operation"
)

// BudgetSource tells what reading may still cost. It only informs: the [Backend] admits requests itself, and waits
// where it must. Safe for concurrent use.
type BudgetSource interface {
	Budget(vault string, kind ReadKind) Budget
}

// Budget is what is left of one quota.
type Budget struct {
	// Remaining requests may go at once, until Resets; negative = unlimited or unknown.
	Remaining int
	Resets    time.Time
	// Next is when one request may go, also where none remain: after a pause, or because the last ones are spread
	// over the time in which the quota may reset; zero = now.
	Next time.Time
}

func (o Options) budget(vault string, kind ReadKind) Budget {
	if o.Budget == nil {
		return Budget{Remaining: -1}
	}
	return o.Budget.Budget(vault, kind)
}

// observe passes an event on.
func (o Options) observe(e Event) {
	if o.Observer != nil {
		o.Observer(e)
	}
}
