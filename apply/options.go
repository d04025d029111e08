package apply

import (
	"time"

	"github.com/azbackup/azbackup/plan"
)

// Options tune a run. The zero value is usable: every limit left at zero takes its default.
type Options struct {
	Limits Limits
	// Grace is how long the run still waits for running operations after Interrupt; 0 = not at all.
	Grace time.Duration
	// Observer receives every event, one at a time; nil = none.
	Observer Observer
	// Budget returns how many reads the quotas still allow; nil = reads are not limited.
	Budget BudgetSource
	// Interrupt, once closed, stops admission; the run waits for running operations for Grace. A cancelled context
	// ends the run at once instead.
	Interrupt <-chan struct{}
	// Observed is when the vaults were last listed for this plan. A vault whose list is older than five minutes at its first
	// write is listed again. Zero = unknown, so each vault is listed.
	Observed time.Time
	// Approved is when the operator approved the plan: no write relies on a list of a vault that is older. Zero = no
	// later than Observed, as when no approval is asked for.
	Approved time.Time
	// NoRefresh forbids the refresh that is tried where the service does not know a VM to protect (settings.refresh:
	// never).
	NoRefresh bool
	// Now returns the service's time, advanced by a monotonic clock; nil = the machine's time. The run uses it for all its
	// dates and for all comparisons with dates of the service.
	Now func() time.Time
	// Seed is the seed of the jitter of waits: two runs with one seed draw the same numbers.
	Seed uint64

	yield func() // see [mutex]; set by tests only
}

// Limits bound a run; zero means the default of the config's own limits, [plan.DefaultLimits].
type Limits struct {
	Writes      int           // HTTP writes in flight
	Polls       int           // HTTP reads in flight: sweeps and polls, without those that a quota holds back
	Operations  int           // operations in flight; zero = as many as reads can confirm in time (admission.go)
	ItemTimeout time.Duration // one change, from its start
	RunTimeout  time.Duration // the whole run
	// Restores bounds the restore tests in flight, RestoreTimeout the time of the restore of one test.
	Restores       int
	RestoreTimeout time.Duration
}

// withDefaults returns l with each zero limit replaced by its default.
func (l Limits) withDefaults() Limits {
	d := plan.DefaultLimits()
	return Limits{
		Writes: positiveOr(l.Writes, d.Writes), Polls: positiveOr(l.Polls, d.Polls), Operations: l.Operations,
		ItemTimeout: positiveOr(l.ItemTimeout, d.ItemTimeout), RunTimeout: positiveOr(l.RunTimeout, d.RunTimeout),
		Restores: positiveOr(l.Restores, d.Restores), RestoreTimeout: positiveOr(l.RestoreTimeout, d.RestoreTimeout),
	}
}

// positiveOr returns limit, or its default if it is not positive.
func positiveOr[T int | time.Duration](limit, otherwise T) T {
	if limit > 0 {
		return limit
	}
	return otherwise
}

// ReadKind is a kind of read with an hourly budget of its own (docs/azure.md §12, layer 3).
type ReadKind string

// The reads of an apply.
const (
	ReadItems     ReadKind = "items"
	ReadJobs      ReadKind = "jobs"
	ReadOperation ReadKind = "operation"
)

// BudgetSource returns how many reads the quotas still allow. It only informs: the [Backend] itself holds requests back
// until their quotas allow them. The engine calls it concurrently.
type BudgetSource interface {
	// Budget returns the rest of the quota for reads of a kind in a vault, by its id. It does not wait.
	Budget(vault string, kind ReadKind) Budget
}

// Budget is the rest of one quota, in requests.
type Budget struct {
	// Remaining is how many requests may still be sent until Resets; negative = unlimited or unknown.
	Remaining int
	Resets    time.Time
	// Next is the earliest time at which one more request may be sent, also where none remain: after a pause that the
	// service asked for, or because the last requests are spread over the time in which the quota may reset; zero = now.
	Next time.Time
}

func (o Options) budget(vault string, kind ReadKind) Budget {
	if o.Budget == nil {
		return Budget{Remaining: -1}
	}
	return o.Budget.Budget(vault, kind)
}

// observe passes an event to the observer, if there is one.
func (o Options) observe(e Event) {
	if o.Observer != nil {
		o.Observer(e)
	}
}
