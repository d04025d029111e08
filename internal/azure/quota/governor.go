package quota

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/crash"
)

// Options are what a governor is made of.
type Options struct {
	// Now is the machine's clock. It is required.
	Now func() time.Time
	// Subscription is named in what OnThrottle is told.
	Subscription string
	// Confirms says that this run carries out changes: discovery then leaves a part of every window to confirming.
	Confirms bool
	// OnThrottle is told when a quota starts to hold requests back for a second or more, at most once a minute
	// for each bucket, and of every 429. It must not block and may be called from several goroutines.
	OnThrottle func(Throttle)
	// Jitter returns a number in [0, 1): how much of the greatest jitter a pause gets. Nil = no jitter.
	Jitter func() float64
}

// Throttle says that a quota holds requests back.
type Throttle struct {
	Subscription string
	Bucket       Bucket
	Wait         time.Duration // until the next request may go, as far as is known
	Reason       Reason
}

// Governor admits the requests to one subscription. It is safe for concurrent use, and has no goroutine of its
// own.
type Governor struct {
	o Options

	mu      sync.Mutex
	buckets map[Bucket]*bucket
	lanes   []*lane // those with somebody waiting, in the order in which they take turns
	turn    int
	timer   *time.Timer
	held    []*bucket
	heldAt  time.Time // since when any is
	total   time.Duration
	events  []Throttle // to be told when the lock is free
}

// bucket is a meter and what people want to know of it.
type bucket struct {
	name   Bucket
	meter  meter
	heldAt time.Time // since when it holds requests back; zero = it does not
	toldAt time.Time // when OnThrottle was last told
	total  time.Duration
	pauses int
}

// lane is a queue of requests that want the same: first come, first served. Lanes take turns, so that no class
// and no vault starves another.
type lane struct {
	class   Class
	buckets []*bucket
	waiting []*waiter
}

type waiter struct {
	ready  chan struct{}
	permit *Permit // set before ready is closed
}

// New makes a governor.
func New(o Options) *Governor {
	return &Governor{o: o, buckets: map[Bucket]*bucket{}}
}

// Acquire waits until a request of class c may draw from all of the buckets at once, and lets it go. The permit
// must be given back with [Permit.Observe], whatever becomes of the request. The error is the cause of ctx's end.
func (g *Governor) Acquire(ctx context.Context, c Class, buckets ...Bucket) (*Permit, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	w := g.enter(c, buckets)
	select {
	case <-w.ready:
		return w.permit, nil
	case <-ctx.Done():
		g.leave(w)
		return nil, context.Cause(ctx)
	}
}

// enter puts a request into its lane; it may be let go at once.
func (g *Governor) enter(c Class, buckets []Bucket) *waiter {
	w := &waiter{ready: make(chan struct{})}
	g.locked(func(time.Time) {
		l := g.lane(c, buckets)
		l.waiting = append(l.waiting, w)
	})
	return w
}

// leave takes w out of its lane; a permit that it got meanwhile goes back unused.
func (g *Governor) leave(w *waiter) {
	g.locked(func(time.Time) {
		if w.permit != nil {
			w.permit.untake()
			return
		}
		for _, l := range g.lanes {
			l.waiting = slices.DeleteFunc(l.waiting, func(other *waiter) bool { return other == w })
		}
	})
}

// locked changes the governor, lets go who may go then, and tells of it.
func (g *Governor) locked(change func(now time.Time)) {
	g.mu.Lock()
	now := g.o.Now()
	change(now)
	g.dispatch(now)
	events := g.events
	g.events = nil
	g.mu.Unlock()
	if g.o.OnThrottle == nil {
		return
	}
	for _, e := range events {
		g.o.OnThrottle(e)
	}
}

func (g *Governor) bucket(name Bucket) *bucket {
	b := g.buckets[name]
	if b == nil {
		b = &bucket{name: name, meter: newMeter(name, g.o.Confirms)}
		g.buckets[name] = b
	}
	return b
}

func (g *Governor) lane(c Class, names []Bucket) *lane {
	buckets := make([]*bucket, len(names))
	for i, name := range names {
		buckets[i] = g.bucket(name)
	}
	for _, l := range g.lanes {
		if l.class == c && slices.Equal(l.buckets, buckets) {
			return l
		}
	}
	l := &lane{class: c, buckets: buckets}
	g.lanes = append(g.lanes, l)
	return l
}

// dispatch lets go who may go, lane by lane in turn, and arranges to look again when the next one may.
func (g *Governor) dispatch(now time.Time) {
	for g.round(now) {
	}
	g.lanes = slices.DeleteFunc(g.lanes, func(l *lane) bool { return len(l.waiting) == 0 })
	next := forever
	var held []*bucket
	for _, l := range g.lanes {
		wait, why, b := l.wait(now)
		next = min(next, wait)
		if why != asking && !slices.Contains(held, b) {
			held = append(held, b)
			g.hold(now, b, wait, why)
		}
	}
	g.release(now, held)
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	if next < forever {
		g.timer = time.AfterFunc(next, func() {
			defer crash.ExitOnPanic()
			g.locked(func(time.Time) {})
		})
	}
}

// round lets at most one request of each lane go, beginning behind the lane that was served last.
func (g *Governor) round(now time.Time) bool {
	any, start := false, g.turn
	for i := range g.lanes {
		at := (start + i) % len(g.lanes)
		l := g.lanes[at]
		if len(l.waiting) == 0 {
			continue
		}
		if wait, _, _ := l.wait(now); wait > 0 {
			continue
		}
		w := l.waiting[0]
		l.waiting = l.waiting[1:]
		w.permit = g.take(now, l)
		close(w.ready)
		any, g.turn = true, at+1
	}
	return any
}

// wait is how long the head of the lane has to wait, and for which bucket.
func (l *lane) wait(now time.Time) (longest time.Duration, why Reason, b *bucket) {
	for _, candidate := range l.buckets {
		if wait, reason := candidate.meter.wait(now, l.class); wait > longest {
			longest, why, b = wait, reason, candidate
		}
	}
	return longest, why, b
}

func (g *Governor) take(now time.Time, l *lane) *Permit {
	p := &Permit{g: g, buckets: l.buckets}
	for _, b := range l.buckets {
		p.pauses += b.pauses
		p.tickets = append(p.tickets, b.meter.take(now, l.class))
	}
	return p
}

// Permit is the right to send one request.
type Permit struct {
	g       *Governor
	buckets []*bucket
	tickets []ticket
	pauses  int // that the buckets had met when they were drawn from
	once    sync.Once
}

// Holds says whether the permit is still good: no 429 has paused any of its buckets since.
func (p *Permit) Holds() bool {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	now := 0
	for _, b := range p.buckets {
		now += b.pauses
	}
	return now == p.pauses
}

func (p *Permit) untake() {
	for i, b := range p.buckets {
		b.meter.untake(p.tickets[i])
	}
}

// Observe gives the permit back with the answer, nil when none came, and learns from its headers. A 429's body
// is read, and can be read again. Only the first call counts.
func (p *Permit) Observe(resp *http.Response) {
	p.once.Do(func() {
		var t throttled
		refused := resp != nil && resp.StatusCode == http.StatusTooManyRequests
		if refused {
			t = readThrottled(resp)
		}
		p.g.locked(func(now time.Time) {
			for i, b := range p.buckets {
				b.meter.settle(now, p.tickets[i], read(b.name, resp))
			}
			if refused {
				p.g.refuse(now, t, p.buckets)
			}
		})
	})
}

// Release gives a permit back whose request was not sent after all. After [Permit.Observe] it does nothing.
func (p *Permit) Release() {
	p.once.Do(func() { p.g.locked(func(time.Time) { p.untake() }) })
}

// read is what an answer says of a bucket.
func read(b Bucket, resp *http.Response) answer {
	if resp == nil {
		return answer{}
	}
	a := answer{answered: true, accepted: resp.StatusCode/100 == 2}
	a.left, a.told = remaining(b, resp)
	if b == ComputeReads {
		_, a.interval, _ = computeRemaining(resp.Header)
	}
	return a
}

// refuse pauses the buckets that a 429 is about: the action it names; else ARM's, when its code or headers say
// so; else, as nobody can tell, all that the request drew from.
func (g *Governor) refuse(now time.Time, t throttled, drawn []*bucket) {
	blamed := drawn
	switch {
	case t.action != "":
		blamed = []*bucket{g.bucket(actionBucket(t.action))}
	case t.arm:
		blamed = slices.DeleteFunc(slices.Clone(drawn), func(b *bucket) bool {
			return b.name != ARMReads && b.name != ARMWrites && b.name != ARMDeletes
		})
	}
	jitter := 0.0
	if g.o.Jitter != nil {
		jitter = g.o.Jitter()
	}
	for _, b := range blamed {
		b.meter.refuse(now, t.refusal, jitter)
		b.pauses++
		b.toldAt = now
		wait, _ := b.meter.wait(now, Confirm)
		g.events = append(g.events, Throttle{g.o.Subscription, b.name, wait, Refused})
	}
}

// Budget tells what is left of a bucket.
func (g *Governor) Budget(name Bucket) Budget {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, m := g.o.Now(), g.bucket(name).meter
	b := m.budget(now)
	// Whoever waits for the one request that asks has no time to wait for: it is over with that one's answer.
	if wait, why := m.wait(now, Confirm); wait > 0 && wait < forever && why != asking {
		b.Next = now.Add(wait)
	}
	return b
}
