package apply

import (
	"math"
	"slices"
	"time"
)

// readsPerOperation is what confirming may cost: a sweep waits until so many operations are due that each pays
// at most this much.
const readsPerOperation = 0.1

// othersPart is the part of a budget that is left to others for whom nobody accounts yet.
const othersPart = 0.25

// plenty is how many sweeps must be left for looks that probably find nothing.
const plenty = 20

// stragglerSweeps is how many sweeps of each vault are kept: for the operations that take twice as long as usual, for
// those that take for ever, and for the list before its first write, should the plan's be too old by then.
const stragglerSweeps = 3

// when is the moment of the next sweep; wanted is false when nobody wishes for one.
func (w *watch) when() (at time.Time, wanted bool) {
	due := w.wished()
	if len(due) == 0 {
		return time.Time{}, false
	}
	_, scarcity, sweeps := w.share()
	sparing := scarcity > 1 || sweeps < plenty
	for _, wi := range due {
		if wi.again != nil {
			wi.outlook = wi.again(sparing)
		}
	}
	slices.SortFunc(due, func(a, b *wish) int { return a.due.Compare(b.due) })
	last := due[w.worthwhile(due, sparing)-1]
	// Those that are due a moment later come along: a thirtieth of the age is not noticed.
	at = last.due
	limit := at.Add(last.due.Sub(last.since) / 30)
	for _, wi := range due {
		if !wi.due.After(limit) {
			at = later(at, wi.due)
		}
	}
	for _, wi := range due {
		if wi.must && wi.due.Before(at) {
			at = wi.due
		}
		if !wi.latest.IsZero() && wi.latest.Before(at) {
			at = wi.latest
		}
	}
	return later(at, w.hold), true
}

// patience is how long an operation that is due may be kept waiting for others. Where reads are scarce it is how much
// longer than half of the others.
const patience = 10 * time.Second

// worthwhile is how many wishes, ordered by when they are due, must be due for a sweep to pay: as many as share its
// requests, or else all of them, as far as the first has the patience. The scarcer the budget, the longer the early ones
// wait for the late ones.
func (w *watch) worthwhile(due []*wish, sparing bool) int {
	share, scarcity, _ := w.share()
	least := 1
	if sparing {
		least = (len(due) + 1) / 2
	}
	enough := max(1, min(share, len(due)))
	limit := due[least-1].due.Add(time.Duration(float64(patience) * scarcity))
	for enough > least && due[enough-1].due.After(limit) {
		enough--
	}
	return enough
}

// share is how many operations must share the requests of a sweep: by [readsPerOperation] or, where the budget is
// scarcer, by what is left of it for all that is left to do. Scarcity is how many times more that is, and sweeps how
// many are left.
func (w *watch) share() (operations int, scarcity, sweeps float64) {
	pays := float64(w.requests()) / readsPerOperation
	scarcity, sweeps = 1, math.Inf(1)
	work := w.unfinished()
	for _, kind := range []ReadKind{ReadItems, ReadJobs} {
		if b := w.budget(kind); b.Remaining >= 0 {
			left := (1-othersPart)*float64(b.Remaining)/(float64(w.requests())/2) - stragglerSweeps*float64(work.vaults)
			scarcity = max(scarcity, float64(work.changes)/max(left, 1)/pays)
			sweeps = min(sweeps, left)
		}
	}
	return int(pays * scarcity), scarcity, sweeps
}

// affordable is the moment from which the budgets allow a sweep, as far as is known now.
func (w *watch) affordable(now time.Time) time.Time {
	at := now
	for _, kind := range []ReadKind{ReadItems, ReadJobs} {
		b, pages := w.budget(kind), w.pages()
		at = later(at, b.Next)
		if b.Remaining >= 0 && b.Remaining < pages && pages > 1 {
			at = later(at, b.Resets)
		}
	}
	return at
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
