package apply

import (
	"time"

	"github.com/azbackup/azbackup/plan"
)

// WithYield returns o such that every lock of a run calls yield right before it is locked and right after it is
// unlocked.
func WithYield(o Options, yield func()) Options {
	o.yield = yield
	return o
}

// EndsWithin exports endsWithin, which a run calls before it waits.
var EndsWithin = endsWithin

// ShareOfASweep returns how many operations must share the requests of the next sweep of a vault whose last one took
// cost requests, how scarce reads are, and how many sweeps are left.
func ShareOfASweep(cost, changes, vaults int, left map[ReadKind]int) (operations int, scarcity, sweeps float64) {
	w := newVaultPoller("v", Options{}, ReadItems, ReadJobs)
	w.requestsPerList.Store(int32(cost))
	w.budget = func(k ReadKind) Budget { return Budget{Remaining: left[k]} }
	w.unfinished = func() unfinishedWork { return unfinishedWork{changes: changes, vaults: vaults} }
	return w.budgetShare()
}

// RestoreSweepInterval returns the interval between two sweeps of a vault for the first of so many restore tests, of
// which some may run at once, where reads of jobs are left for so many sweeps.
func RestoreSweepInterval(restores, atOnce, left int) (interval time.Duration, sweeps float64) {
	w := newVaultPoller("v", Options{}, ReadJobs)
	w.budget = func(ReadKind) Budget { return Budget{Remaining: left} }
	w.unfinished = func() unfinishedWork { return unfinishedWork{changes: restores, vaults: 1} }
	r := &executor{durations: newDurationEstimator(Options{}), opt: Options{Limits: Limits{Restores: atOnce}}}
	_, _, sweeps = w.budgetShare()
	return r.restoreSweepInterval(plan.RestoreTest, w, 0), sweeps
}

// NextPoll returns at which age an operation is polled again that had not ended at age, and from which one on a sweep
// for others serves it.
func NextPoll(a plan.Action, age time.Duration) (due, shareable time.Duration) {
	var accepted time.Time
	s := newDurationEstimator(Options{}).nextPoll(a, accepted, age, 0, true, false)
	return s.due.Sub(accepted), s.shareableFrom.Sub(accepted)
}
