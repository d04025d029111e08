package apply

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// watch follows one vault for everybody who waits for something in it: one sweep (its items and its jobs) serves
// them all. It decides when a sweep is worth its requests (doc.go, "When to look"). Safe for concurrent use.
type watch struct {
	clock
	vault  string
	list   func(context.Context) (Snapshot, error)
	budget func(ReadKind) Budget
	// unfinished is what is left to do in the subscription: all of it shares the budget.
	unfinished func() unfinishedWork

	hold    time.Time     // until when no sweep can be afforded; of the sweeping goroutine alone
	cost    atomic.Int32  // requests of the last sweep
	changed chan struct{} // has a token when wishes came

	mu     mutex
	wishes []*wish
	latest *vaultSnapshot
	known  time.Time // when the vault was last listed, by the plan or here
}

// wish is somebody's wish for a look at the vault. Once it is made, its outlook is of the sweeping goroutine alone.
type wish struct {
	outlook
	again  func(sparing bool) outlook // the outlook by now, if it can change; sparing says that reads are scarce
	since  time.Time                  // when the operation was accepted: its age counts from there
	oldest time.Time                  // a look begun at or after this one will do; zero = since
	must   bool                       // look when due, whatever it costs
	single func(now time.Time) bool   // whether the operation may be asked for singly; nil = it may not
	answer chan sight
}

// isDue says that the time of a wish has come. One that came up a moment ago has no outlook yet, and is not due.
func (wi *wish) isDue(now time.Time) bool { return !wi.due.IsZero() && !wi.due.After(now) }

// sight is the answer to a wish: a look, or why there is none. Both are empty where asking for the single
// operation is cheaper than listing.
type sight struct {
	look *vaultSnapshot
	err  error
	due  bool // the wish was due
}

func newWatch(vault string, o Options) *watch {
	w := &watch{clock: newClock(o.Now), mu: newMutex(o), vault: vault, changed: make(chan struct{}, 1)}
	w.cost.Store(2)
	return w
}

// next waits for the next look. Whoever waits gets every look that is good for him, due or not: it is paid.
func (w *watch) next(ctx context.Context, wi wish) (sight, error) {
	if wi.oldest.IsZero() {
		wi.oldest = wi.since
	}
	wi.answer = make(chan sight, 1)
	w.mu.Lock()
	w.wishes = append(w.wishes, &wi)
	w.mu.Unlock()
	w.wake()
	select {
	case s := <-wi.answer:
		return s, nil
	case <-ctx.Done():
		w.forget(&wi)
		return sight{}, context.Cause(ctx)
	}
}

// run sweeps until ctx ends.
func (w *watch) run(ctx context.Context) {
	for {
		var timer <-chan time.Time
		if at, wanted := w.when(); wanted {
			timer = time.After(w.until(at))
		}
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		case <-timer:
			w.serve(ctx)
			// Those whom the look satisfies learn from it, the others wish again: one moment for all of them.
			if sleep(ctx, settling) != nil {
				return
			}
		}
	}
}

// settling is how long is waited after a look before the next one is thought of.
const settling = 2 * time.Millisecond

// serve answers the wishes with a sweep. Where few operations are served by one that would probably find nothing, or
// that cannot be afforded, it sends those that are due to ask for themselves.
func (w *watch) serve(ctx context.Context) {
	now := w.now()
	worth, served := false, 0
	isDue := func(wi *wish) bool { return wi.isDue(now) }
	for _, wi := range w.wished() {
		if isDue(wi) {
			worth = worth || wi.must || wi.likely || wi.single == nil || !wi.single(now)
		}
		if isDue(wi) || !wi.soon.IsZero() && !wi.soon.After(now) {
			served++
		}
	}
	few := served < w.requests()
	at := w.affordable(now)
	if at.After(now) && !few {
		w.hold = now.Add(recheck(at.Sub(now)))
		return
	}
	if few && (!worth || at.After(now)) {
		w.answer(now, sight{}, isDue)
		return
	}
	s := w.sweep(ctx)
	w.answer(now, s, func(wi *wish) bool { return s.look == nil || !wi.oldest.After(s.look.at) })
}

// answer gives s, which is as of now, to the wishes it is good for.
func (w *watch) answer(now time.Time, s sight, good func(*wish) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wishes = slices.DeleteFunc(w.wishes, func(wi *wish) bool {
		if !good(wi) {
			return false
		}
		s.due = wi.isDue(now)
		wi.answer <- s // has room for one
		return true
	})
}

// sweep lists the vault.
func (w *watch) sweep(ctx context.Context) sight {
	at := w.now()
	snapshot, err := w.list(ctx)
	if err != nil {
		return sight{err: err}
	}
	l := newVaultSnapshot(snapshot, at)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cost.Store(int32(max(2, min(snapshot.Requests, math.MaxInt32)))) //nolint:gosec // it is in the range
	w.latest, w.known = l, at
	return sight{look: l}
}

// requests is how many requests a sweep takes.
func (w *watch) requests() int { return int(w.cost.Load()) }

// pages is how many requests of each kind a sweep takes.
func (w *watch) pages() int {
	return (w.requests() + 1) / 2
}

// last is the newest look of this run, or nil.
func (w *watch) last() *vaultSnapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest
}

// knownAt is when the vault was last listed, by the plan or in this run; zero = never.
func (w *watch) knownAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known
}

// wished are the wishes at this moment.
func (w *watch) wished() []*wish {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wishes)
}

func (w *watch) forget(wi *wish) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wishes = slices.DeleteFunc(w.wishes, func(x *wish) bool { return x == wi })
}

func (w *watch) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
