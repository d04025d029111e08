package apply

import (
	"math"
	"slices"
	"time"
)

// readsPerOperation is the number of read requests that the confirmation of one operation may cost, on average: a sweep
// waits until enough operations are due to share its requests.
const readsPerOperation = 0.1

// reservedFraction is the part of a budget reserved for other clients of the subscription.
const reservedFraction = 0.25

// Tunable: ampleSweeps is the number of sweeps that must be left in the budget for polls that probably find no end.
const ampleSweeps = 20

// Tunable: sweepReserve is how many sweeps of each vault are reserved: for the operations that take twice as long as
// expected, for those that never end, and for the list before its first write, should the plan's be too old by then.
const sweepReserve = 3

// nextPollAt returns the time of the next sweep; wanted is false where no request is pending.
func (p *vaultPoller) nextPollAt() (at time.Time, wanted bool) {
	due := p.pendingRequests()
	if len(due) == 0 {
		return time.Time{}, false
	}
	_, scarcity, sweeps := p.budgetShare()
	sparing := scarcity > 1 || sweeps < ampleSweeps
	for _, req := range due {
		if req.reschedule != nil {
			req.pollSchedule = req.reschedule(sparing)
		}
	}
	slices.SortFunc(due, func(a, b *pollRequest) int { return a.due.Compare(b.due) })
	last := due[p.batchSize(due, sparing)-1]
	// Requests due within a thirtieth of their age (3 %) are batched.
	at = last.due
	limit := at.Add(last.due.Sub(last.since) / 30)
	for _, req := range due {
		if !req.due.After(limit) {
			at = later(at, req.due)
		}
	}
	for _, req := range due {
		if req.isRequired && req.due.Before(at) {
			at = req.due
		}
		if !req.deferUntil.IsZero() && req.deferUntil.Before(at) {
			at = req.deferUntil
		}
	}
	return later(at, p.notBefore), true
}

// Tunable: maxBatchDelay is how long a due operation may wait for others to share its sweep. Where reads are scarce the
// time counts from when half of the operations are due.
const maxBatchDelay = 10 * time.Second

// batchSize returns how many of the requests, ordered by when they are due, must be due for a sweep: as many as must share
// its requests, or all where there are fewer, but only those within [maxBatchDelay] of the first. The scarcer the budget,
// the longer the first ones wait.
func (p *vaultPoller) batchSize(due []*pollRequest, sparing bool) int {
	share, scarcity, _ := p.budgetShare()
	least := 1
	if sparing {
		least = (len(due) + 1) / 2
	}
	enough := max(1, min(share, len(due)))
	limit := due[least-1].due.Add(time.Duration(float64(maxBatchDelay) * scarcity))
	for enough > least && due[enough-1].due.After(limit) {
		enough--
	}
	return enough
}

// budgetShare returns how many operations must share the requests of a sweep: as many as [readsPerOperation] demands or,
// where the budget is scarcer, as many as the remaining budget demands for the remaining work. scarcity is the second number
// divided by the first, 1 at least; sweeps is how many sweeps the budget has left.
func (p *vaultPoller) budgetShare() (operations int, scarcity, sweeps float64) {
	pays := float64(p.requests()) / readsPerOperation
	scarcity, sweeps = 1, math.Inf(1)
	work := p.unfinished()
	for _, kind := range p.kinds {
		if b := p.budget(kind); b.Remaining >= 0 {
			left := (1-reservedFraction)*float64(b.Remaining)/(float64(p.requests())/float64(len(p.kinds))) - sweepReserve*float64(work.vaults)
			scarcity = max(scarcity, float64(work.changes)/max(left, 1)/pays)
			sweeps = min(sweeps, left)
		}
	}
	return int(pays * scarcity), scarcity, sweeps
}

// earliestAffordable returns when the budgets allow a sweep, as far as is known now.
func (p *vaultPoller) earliestAffordable(now time.Time) time.Time {
	at := now
	for _, kind := range p.kinds {
		b, pages := p.budget(kind), p.pages()
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
