package apply

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
