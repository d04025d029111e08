package apply

import (
	"context"
	"slices"
	"sync"
	"time"
)

// watch follows one vault for everybody who waits for something in it: one sweep (its items and its jobs) serves
// them all. It decides when a sweep is worth its requests (doc.go, "When to look"). Safe for concurrent use.
type watch struct {
	vault  string
	list   func(context.Context) (Snapshot, error)
	budget func(ReadKind) Budget
	left   func() int // changes of the run without a result

	mu      sync.Mutex
	wishes  []*wish
	latest  *look
	known   time.Time     // when the vault was last listed, by the plan or here
	served  time.Time     // when wishes were last answered
	cost    int           // requests of the last sweep
	changed chan struct{} // has a token when wishes came
}

// wish is somebody's wish for a look at the vault.
type wish struct {
	due    time.Time
	since  time.Time // when the operation was accepted; due-since is the age it is judged at
	must   bool      // look when due, whatever it costs
	likely bool      // something will probably be found
	answer chan sight
}

// sight is the answer to a wish: a look, or why there is none. Both are empty where asking for the single
// operation is cheaper than listing.
type sight struct {
	look *look
	err  error
}

func newWatch(vault string) *watch {
	return &watch{vault: vault, cost: 2, changed: make(chan struct{}, 1)}
}

// next waits for the next look. Whoever waits gets every look that is begun meanwhile, due or not: it is paid.
func (w *watch) next(ctx context.Context, wi wish) (sight, error) {
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
		if at, any := w.when(time.Now()); any {
			timer = time.After(time.Until(at))
		}
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		case <-timer:
			w.serve(ctx)
		}
	}
}

// readsPerOperation is what confirming may cost: a sweep waits until so many operations are due that each pays
// at most this much.
const readsPerOperation = 0.1

// reserve is the part of a budget that is kept for the last operations.
const reserve = 0.3

// when is the moment of the next sweep; any is false when nobody wants one.
func (w *watch) when(now time.Time) (at time.Time, any bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wishes) == 0 {
		return time.Time{}, false
	}
	due := slices.Clone(w.wishes)
	slices.SortFunc(due, func(a, b *wish) int { return a.due.Compare(b.due) })
	last := due[w.enough(len(due))-1]
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
			break
		}
	}
	// Those whom the last look did not satisfy wish again within a moment: one look for all of them.
	at = later(at, w.served.Add(2*time.Millisecond))
	return w.affordable(now, at), true
}

// enough is how many of n operations must be due for a sweep to pay: as many as share its requests by
// [readsPerOperation] or, where the budget is scarcer than that, by what is left of it; but never more than half
// of them, so that the last ones are not kept waiting for the slowest.
func (w *watch) enough(n int) int {
	enough := float64(w.cost) / readsPerOperation
	for _, kind := range []ReadKind{ReadItems, ReadJobs} {
		if b := w.budget(kind); b.Remaining > 0 {
			enough = max(enough, float64(w.left())*float64(w.cost)/2/(float64(b.Remaining)*(1-reserve)))
		}
	}
	return max(1, min(int(enough), (n+1)/2))
}

// affordable puts a sweep off until the budgets allow it.
func (w *watch) affordable(now, at time.Time) time.Time {
	for _, kind := range []ReadKind{ReadItems, ReadJobs} {
		b := w.budget(kind)
		at = later(at, b.Paused)
		if b.Remaining >= 0 && b.Remaining < (w.cost+1)/2 && b.Resets.After(now) {
			at = later(at, b.Resets)
		}
	}
	return at
}

// serve answers the wishes: with a sweep or, where few operations are due that are probably not over yet, by
// sending them to ask for themselves.
func (w *watch) serve(ctx context.Context) {
	now := time.Now()
	w.mu.Lock()
	var due []*wish
	sweep := false
	for _, wi := range w.wishes {
		if !wi.due.After(now) {
			due = append(due, wi)
			sweep = sweep || wi.must || wi.likely
		}
	}
	sweep = sweep || len(due) >= w.cost
	served := w.wishes
	if !sweep {
		served = due
	}
	w.wishes = slices.DeleteFunc(slices.Clone(w.wishes), func(wi *wish) bool { return slices.Contains(served, wi) })
	w.mu.Unlock()

	var s sight
	if sweep {
		s = w.sweep(ctx)
	}
	w.mu.Lock()
	w.served = time.Now()
	w.mu.Unlock()
	for _, wi := range served {
		wi.answer <- s
	}
}

// sweep lists the vault.
func (w *watch) sweep(ctx context.Context) sight {
	at := time.Now()
	snapshot, err := w.list(ctx)
	if err != nil {
		return sight{err: err}
	}
	l := newLook(snapshot, at)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latest, w.known = l, at
	w.cost = max(2, snapshot.Requests)
	return sight{look: l}
}

// last is the newest look of this run, or nil.
func (w *watch) last() *look {
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

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
