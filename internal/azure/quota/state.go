package quota

import (
	"cmp"
	"slices"
	"time"
)

const (
	// worthTelling is how long requests are held back before anybody is told.
	worthTelling = time.Second
	tellEvery    = time.Minute
)

// hold notes that b holds requests back.
func (g *Governor) hold(now time.Time, b *bucket, wait time.Duration, why Reason) {
	if b.heldAt.IsZero() {
		b.heldAt = now
	}
	if wait < worthTelling && now.Sub(b.heldAt) < worthTelling {
		return
	}
	if !b.toldAt.IsZero() && now.Sub(b.toldAt) < tellEvery {
		return
	}
	b.toldAt = now
	g.events = append(g.events, Throttle{g.o.Subscription, b.name, wait, why})
}

// release closes the books on the buckets that hold nobody back any more.
func (g *Governor) release(now time.Time, held []*bucket) {
	for _, b := range g.held {
		if !slices.Contains(held, b) {
			b.total += now.Sub(b.heldAt)
			b.heldAt = time.Time{}
		}
	}
	switch {
	case len(g.held) == 0 && len(held) > 0:
		g.heldAt = now
	case len(g.held) > 0 && len(held) == 0:
		g.total += now.Sub(g.heldAt)
	}
	g.held = held
}

// State is what a governor did in one bucket.
type State struct {
	Subscription string
	Bucket       Bucket
	// Held is how long any request was held back, not counted once for each.
	Held time.Duration
	// Refused counts the 429s.
	Refused int
	Budget  Budget
}

// Throttled is how long requests were held back in any bucket.
func (g *Governor) Throttled() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.held) > 0 {
		return g.total + g.o.Now().Sub(g.heldAt)
	}
	return g.total
}

// States tells of every bucket in use, sorted by name.
func (g *Governor) States() []State {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.o.Now()
	states := make([]State, 0, len(g.buckets))
	for _, b := range g.buckets {
		held := b.total
		if !b.heldAt.IsZero() {
			held += now.Sub(b.heldAt)
		}
		states = append(states, State{g.o.Subscription, b.name, held, b.pauses, b.meter.budget(now)})
	}
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return states
}
