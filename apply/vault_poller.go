package apply

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// vaultPoller follows one vault for everybody who waits for something in it: one sweep (its items and its jobs) serves
// them all. It decides when a sweep is worth its requests (doc.go, "When to look"). Safe for concurrent use.
type vaultPoller struct {
	clock
	vault  string
	list   func(context.Context) (Snapshot, error)
	budget func(ReadKind) Budget
	// unfinished is what is left to do in the subscription: all of it shares the budget.
	unfinished func() unfinishedWork

	notBefore       time.Time     // until when no sweep can be afforded; of the sweeping goroutine alone
	requestsPerList atomic.Int32  // requests of the last sweep
	changed         chan struct{} // has a token when wishes came

	mu       mutex
	pending  []*pollRequest
	latest   *vaultSnapshot
	listedAt time.Time // when the vault was last listed, by the plan or here
}

// pollRequest is somebody's wish for a look at the vault. Once it is made, its outlook is of the sweeping goroutine alone.
type pollRequest struct {
	pollSchedule
	reschedule    func(sparing bool) pollSchedule // the outlook by now, if it can change; sparing says that reads are scarce
	since         time.Time                       // when the operation was accepted: its age counts from there
	notOlderThan  time.Time                       // a look begun at or after this one will do; zero = since
	isRequired    bool                            // look when due, whatever it costs
	canPollSingly func(now time.Time) bool        // whether the operation may be asked for singly; nil = it may not
	result        chan pollResult
}

// isDue says that the time of a wish has come. One that came up a moment ago has no outlook yet, and is not due.
func (req *pollRequest) isDue(now time.Time) bool { return !req.due.IsZero() && !req.due.After(now) }

// pollResult is the answer to a wish: a look, or why there is none. Both are empty where asking for the single
// operation is cheaper than listing.
type pollResult struct {
	snapshot *vaultSnapshot
	err      error
	wasDue   bool // the wish was due
}

func newVaultPoller(vault string, o Options) *vaultPoller {
	w := &vaultPoller{clock: newClock(o.Now), mu: newMutex(o), vault: vault, changed: make(chan struct{}, 1)}
	w.requestsPerList.Store(2)
	return w
}

// next waits for the next look. Whoever waits gets every look that is good for him, due or not: it is paid.
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

// run sweeps until ctx ends.
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
			// Those whom the look satisfies learn from it, the others wish again: one moment for all of them.
			if sleep(ctx, debounceInterval) != nil {
				return
			}
		}
	}
}

// debounceInterval is how long is waited after a look before the next one is thought of.
const debounceInterval = 2 * time.Millisecond

// pollDue answers the wishes with a sweep. Where few operations are served by one that would probably find nothing, or
// that cannot be afforded, it sends those that are due to ask for themselves.
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

// deliver gives s, which is as of now, to the wishes it is good for.
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

// listVault lists the vault.
func (p *vaultPoller) listVault(ctx context.Context) pollResult {
	at := p.now()
	snapshot, err := p.list(ctx)
	if err != nil {
		return pollResult{err: err}
	}
	l := newVaultSnapshot(snapshot, at)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requestsPerList.Store(int32(max(2, min(snapshot.Requests, math.MaxInt32)))) //nolint:gosec // it is in the range
	p.latest, p.listedAt = l, at
	return pollResult{snapshot: l}
}

// requests is how many requests a sweep takes.
func (p *vaultPoller) requests() int { return int(p.requestsPerList.Load()) }

// pages is how many requests of each kind a sweep takes.
func (p *vaultPoller) pages() int {
	return (p.requests() + 1) / 2
}

// lastSnapshot is the newest look of this run, or nil.
func (p *vaultPoller) lastSnapshot() *vaultSnapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// lastListedAt is when the vault was last listed, by the plan or in this run; zero = never.
func (p *vaultPoller) lastListedAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listedAt
}

// pendingRequests are the wishes at this moment.
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
