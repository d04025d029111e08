package apply

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// vaultPoller lists one vault for all changes that wait for something in it: one sweep (its items and its jobs, or its
// jobs alone where the plan has only restores there) serves all of them. It decides when a sweep is worth its requests
// (doc.go, "When to poll"). It is safe for concurrent use; one goroutine calls run.
type vaultPoller struct {
	clock
	vault  string
	kinds  []ReadKind // what a sweep lists
	list   func(context.Context) (Snapshot, error)
	budget func(ReadKind) Budget
	// unfinished returns the remaining work of the subscription, all of which shares the budget.
	unfinished func() unfinishedWork

	notBefore       time.Time     // the budgets allow no sweep before; only the polling goroutine uses it
	requestsPerList atomic.Int32  // requests of the last sweep
	changed         chan struct{} // has a token when requests were added

	mu       mutex
	pending  []*pollRequest
	latest   *vaultSnapshot
	listedAt time.Time // when the vault was last listed, by the plan or here
}

// pollRequest asks for the next snapshot of the vault. After it was added, only the polling goroutine uses its
// pollSchedule.
type pollRequest struct {
	pollSchedule
	reschedule    func(sparing bool) pollSchedule // the schedule as of now, if it can change; sparing = reads are scarce
	since         time.Time                       // when the operation was accepted; its age counts from then
	notOlderThan  time.Time                       // a snapshot begun at or after this time will do; zero = since
	isRequired    bool                            // the vault is listed when the request is due, whatever it costs
	canPollSingly func(now time.Time) bool        // reports whether the operation itself may be polled; nil = it may not
	result        chan pollResult
}

// isDue reports whether the request is due. A request that was just added has no schedule yet, and is not due.
func (req *pollRequest) isDue(now time.Time) bool { return !req.due.IsZero() && !req.due.After(now) }

// pollResult is the answer to a pollRequest: a snapshot, or why there is none. Both are empty where polling the single
// operation is cheaper than listing the vault.
type pollResult struct {
	snapshot *vaultSnapshot
	err      error
	wasDue   bool // the request was due
}

func newVaultPoller(vault string, o Options, kinds ...ReadKind) *vaultPoller {
	w := &vaultPoller{clock: newClock(o.Now), mu: newMutex(o), vault: vault, kinds: kinds, changed: make(chan struct{}, 1)}
	w.requestsPerList.Store(int32(len(kinds))) //nolint:gosec // one or two
	return w
}

// next waits for the next snapshot. A new snapshot answers every pending request for which it is recent enough, due or not:
// its requests are spent already. The error is the cause for which ctx ended.
func (p *vaultPoller) next(ctx context.Context, req pollRequest) (pollResult, error) {
	if req.notOlderThan.IsZero() {
		req.notOlderThan = req.since
	}
	req.result = make(chan pollResult, 1)
	p.mu.Lock()
	p.pending = append(p.pending, &req)
	p.mu.Unlock()
	p.notify()
	select {
	case s := <-req.result:
		return s, nil
	case <-ctx.Done():
		p.cancelRequest(&req)
		return pollResult{}, context.Cause(ctx)
	}
}

// run polls the vault until ctx ends.
func (p *vaultPoller) run(ctx context.Context) {
	for {
		var timer <-chan time.Time
		if at, wanted := p.nextPollAt(); wanted {
			timer = time.After(p.until(at))
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case <-timer:
			p.pollDue(ctx)
			// The waiters re-register before the next poll is scheduled.
			if sleep(ctx, debounceInterval) != nil {
				return
			}
		}
	}
}

// Tunable: debounceInterval is the pause after a poll before the next one is scheduled.
const debounceInterval = 2 * time.Millisecond

// pollDue answers the requests with a sweep. Where a sweep would serve few operations and would probably find nothing,
// or cannot be afforded, it answers the due requests with no snapshot: their changes poll the operation directly.
func (p *vaultPoller) pollDue(ctx context.Context) {
	now := p.now()
	worth, served := false, 0
	isDue := func(req *pollRequest) bool { return req.isDue(now) }
	for _, req := range p.pendingRequests() {
		if isDue(req) {
			worth = worth || req.isRequired || req.isLikely || req.canPollSingly == nil || !req.canPollSingly(now)
		}
		if isDue(req) || !req.shareableFrom.IsZero() && !req.shareableFrom.After(now) {
			served++
		}
	}
	few := served < p.requests()
	at := p.earliestAffordable(now)
	if at.After(now) && !few {
		p.notBefore = now.Add(recheck(at.Sub(now)))
		return
	}
	if few && (!worth || at.After(now)) {
		p.deliver(now, pollResult{}, isDue)
		return
	}
	s := p.listVault(ctx)
	p.deliver(now, s, func(req *pollRequest) bool { return s.snapshot == nil || !req.notOlderThan.After(s.snapshot.at) })
}

// deliver answers the requests for which good is true with s, which is as of now, and removes them.
func (p *vaultPoller) deliver(now time.Time, s pollResult, good func(*pollRequest) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = slices.DeleteFunc(p.pending, func(req *pollRequest) bool {
		if !good(req) {
			return false
		}
		s.wasDue = req.isDue(now)
		req.result <- s // has room for one
		return true
	})
}

// listVault lists the vault and records the snapshot as the latest one.
func (p *vaultPoller) listVault(ctx context.Context) pollResult {
	at := p.now()
	snapshot, err := p.list(ctx)
	if err != nil {
		return pollResult{err: err}
	}
	l := newVaultSnapshot(snapshot, at)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requestsPerList.Store(int32(max(len(p.kinds), min(snapshot.Requests, math.MaxInt32)))) //nolint:gosec // it is in the range
	p.latest, p.listedAt = l, at
	return pollResult{snapshot: l}
}

// requests returns how many requests a sweep takes.
func (p *vaultPoller) requests() int { return int(p.requestsPerList.Load()) }

// pages returns how many requests of each kind a sweep takes.
func (p *vaultPoller) pages() int {
	return (p.requests() + len(p.kinds) - 1) / len(p.kinds)
}

// lastSnapshot returns the newest snapshot of this run, or nil.
func (p *vaultPoller) lastSnapshot() *vaultSnapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// lastListedAt returns when the vault was last listed, by the plan or in this run; zero = never.
func (p *vaultPoller) lastListedAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listedAt
}

// pendingRequests returns a copy of the requests pending now.
func (p *vaultPoller) pendingRequests() []*pollRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.pending)
}

func (p *vaultPoller) cancelRequest(req *pollRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = slices.DeleteFunc(p.pending, func(x *pollRequest) bool { return x == req })
}

func (p *vaultPoller) notify() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}
