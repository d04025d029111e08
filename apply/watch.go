package apply

import (
	"context"
	"math"
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
	// remaining is how many changes of the subscription have no result, and in how many vaults: they share the budget.
	remaining func() (changes, vaults int)

	mu      sync.Mutex
	wishes  []*wish
	latest  *look
	known   time.Time     // when the vault was last listed, by the plan or here
	hold    time.Time     // until when no sweep can be afforded
	cost    int           // requests of the last sweep
	changed chan struct{} // has a token when wishes came
}

// wish is somebody's wish for a look at the vault.
type wish struct {
	due    time.Time
	again  outlook   // what due and likely are by now, if they can change
	since  time.Time // when the operation was accepted: its age counts from there
	oldest time.Time // a look begun at or after this one will do; zero = since
	must   bool      // look when due, whatever it costs
	likely bool      // something will probably be found
	answer chan sight
}

// outlook is when to look, and whether something will probably be found, as far as is known by now; sparing says that
// reads are scarce.
type outlook func(sparing bool) (due time.Time, likely bool)

// sight is the answer to a wish: a look, or why there is none. Both are empty where asking for the single
// operation is cheaper than listing.
type sight struct {
	look *look
	err  error
}

func newWatch(vault string) *watch {
	return &watch{vault: vault, cost: 2, changed: make(chan struct{}, 1)}
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
		if at, any := w.when(); any {
			timer = time.After(time.Until(at))
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

// readsPerOperation is what confirming may cost: a sweep waits until so many operations are due that each pays
// at most this much.
const readsPerOperation = 0.1

// othersPart is the part of a budget that is left to others for whom nobody accounts yet.
const othersPart = 0.25

// plenty is how many sweeps must be left for looks that probably find nothing.
const plenty = 20

// stragglerSweeps is how many sweeps of each vault are kept for its last operations: one for those that take twice
// as long as usual, one for those that take for ever.
const stragglerSweeps = 3

// when is the moment of the next sweep; any is false when nobody wants one.
func (w *watch) when() (at time.Time, any bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wishes) == 0 {
		return time.Time{}, false
	}
	_, scarcity, sweeps := w.share()
	sparing := scarcity > 1 || sweeps < plenty
	for _, wi := range w.wishes {
		if wi.again != nil {
			wi.due, wi.likely = wi.again(sparing)
		}
	}
	due := slices.Clone(w.wishes)
	slices.SortFunc(due, func(a, b *wish) int { return a.due.Compare(b.due) })
	last := due[w.worthwhile(due)-1]
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
	return later(at, w.hold), true
}

// patience is how much longer than half of the others an operation that is due may be kept waiting, where reads are
// not scarce.
const patience = 10 * time.Second

// worthwhile is how many wishes, ordered by when they are due, must be due for a sweep to pay: as many as share its
// requests, or else all of them. The scarcer the budget, the longer the early ones wait for the late ones.
func (w *watch) worthwhile(due []*wish) int {
	share, scarcity, _ := w.share()
	half := (len(due) + 1) / 2
	enough := max(1, min(share, len(due)))
	limit := due[half-1].due.Add(time.Duration(float64(patience) * scarcity))
	for enough > half && due[enough-1].due.After(limit) {
		enough--
	}
	return enough
}

// share is how many operations must share the requests of a sweep: by [readsPerOperation] or, where the budget is
// scarcer, by what is left of it for all that is left to do. Scarcity is how many times more that is, and sweeps how
// many are left.
func (w *watch) share() (operations int, scarcity, sweeps float64) {
	pays := float64(w.cost) / readsPerOperation
	scarcity, sweeps = 1, math.Inf(1)
	changes, vaults := w.remaining()
	for _, kind := range []ReadKind{ReadItems, ReadJobs} {
		if b := w.budget(kind); b.Remaining >= 0 {
			left := (1-othersPart)*float64(b.Remaining)/(float64(w.cost)/2) - stragglerSweeps*float64(vaults)
			scarcity = max(scarcity, float64(changes)/max(left, 1)/pays)
			sweeps = min(sweeps, left)
		}
	}
	return int(pays * scarcity), scarcity, sweeps
}

// affordable is the moment from which the budgets allow a sweep, as far as is known now.
func (w *watch) affordable(now time.Time) time.Time {
	at := now
	for _, kind := range []ReadKind{ReadItems, ReadJobs} {
		b, pages := w.budget(kind), (w.cost+1)/2
		at = later(at, b.Next)
		if b.Remaining >= 0 && b.Remaining < pages && pages > 1 {
			at = later(at, b.Resets)
		}
	}
	return at
}

// serve answers the wishes with a sweep. Where few operations are due and a sweep would probably find nothing, or
// cannot be afforded, it sends them to ask for themselves.
func (w *watch) serve(ctx context.Context) {
	now := time.Now()
	w.mu.Lock()
	due, worth := map[*wish]bool{}, false
	for _, wi := range w.wishes {
		if !wi.due.After(now) {
			due[wi] = true
			worth = worth || wi.must || wi.likely
		}
	}
	few := len(due) < w.cost
	at := w.affordable(now)
	if at.After(now) && !few {
		w.hold = at
		w.mu.Unlock()
		return
	}
	w.mu.Unlock()
	if few && (!worth || at.After(now)) {
		w.answer(sight{}, func(wi *wish) bool { return due[wi] })
		return
	}
	s := w.sweep(ctx)
	w.answer(s, func(wi *wish) bool { return s.look == nil || !wi.oldest.After(s.look.at) })
}

// answer gives s to the wishes it is good for.
func (w *watch) answer(s sight, good func(*wish) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wishes = slices.DeleteFunc(w.wishes, func(wi *wish) bool {
		if !good(wi) {
			return false
		}
		wi.answer <- s // has room for one
		return true
	})
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
