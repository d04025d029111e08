package apply

// WithYield has every lock of a run call yield right before it is taken and right after it is given back.
func WithYield(o Options, yield func()) Options {
	o.yield = yield
	return o
}

// EndsWithin is what a run asks before it waits.
var EndsWithin = endsWithin

// ShareOfASweep is how many operations must share the requests of the next sweep of a vault whose last one cost so many
// requests, how scarce reads are, and how many sweeps are left.
func ShareOfASweep(cost, changes, vaults int, left map[ReadKind]int) (operations int, scarcity, sweeps float64) {
	w := newVaultPoller("v", Options{})
	w.requestsPerList.Store(int32(cost))
	w.budget = func(k ReadKind) Budget { return Budget{Remaining: left[k]} }
	w.unfinished = func() unfinishedWork { return unfinishedWork{changes: changes, vaults: vaults} }
	return w.budgetShare()
}
