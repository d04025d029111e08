package quota

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/deadline"
)

// Options configure a [Limiter].
type Options struct {
	// Now returns the time of the machine's clock. It is required.
	Now func() time.Time
	// Subscription is the id that a [Throttle] names.
	Subscription string
	// Confirms is true where this run executes changes: discovery then leaves a part of every window to confirming.
	Confirms bool
	// OnThrottle is called when a quota starts to delay requests by a second or more, at most once a minute
	// for each bucket, for every 429, and when requests that were announced ([Limiter.Expect]) will have to wait. It must
	// not block and may be called from several goroutines.
	OnThrottle func(Throttle)
	// Jitter returns a number in [0, 1): the share of the greatest jitter that a pause gets. Nil = no jitter.
	Jitter func() float64
}

// Throttle reports that a quota delays requests.
type Throttle struct {
	Subscription string
	Bucket       Bucket
	Wait         time.Duration // until the next request may be sent, as far as is known
	Reason       Reason
	// Limit is the number of requests in each Interval; 0 = not known, or the bucket refills steadily.
	Limit    int
	Interval time.Duration
	// Expected is the number of announced requests ([Limiter.Expect]), Left how many of them are still to be sent, and
	// Lasts how long that takes; 0 = there are none, or it is not known.
	Expected, Left int
	Lasts          time.Duration
}

// Limiter admits the requests to one subscription. It is safe for concurrent use, and has no goroutine of its
// own.
type Limiter struct {
	o Options

	mu             sync.Mutex
	buckets        map[Bucket]*bucket
	flows          []*flow // those with waiting requests, in the order in which they take turns
	nextFlow       int
	timer          *time.Timer
	throttled      []*bucket
	throttledSince time.Time // since when any bucket delays requests
	throttledTotal time.Duration
	unreported     []Throttle // for OnThrottle, after the lock is released
}

// bucket is a limit model and its statistics.
type bucket struct {
	name           Bucket
	model          limitModel
	throttledSince time.Time // since when it delays requests; zero = it does not
	reportedAt     time.Time // when OnThrottle was last called
	throttledTotal time.Duration
	pauses         int
	expected       []*expectation
}

// flow is the queue of the requests of one class and the same buckets: first in, first out. Flows take turns, so that
// no class and no vault starves another.
type flow struct {
	class   Class
	buckets []*bucket
	waiting []*pendingRequest
}

type pendingRequest struct {
	ctx     context.Context
	ready   chan struct{}
	permit  *Permit // set before ready is closed
	release func()  // ends the hold on the limits of ctx; nil = they run
}

// setHeld stops the limits of the request's context ([deadline.WithTimeout]), or lets them run. A wait for the answer
// of a probe counts towards them, because it is a wait for the service.
func (w *pendingRequest) setHeld(isHeld bool) {
	switch {
	case isHeld && w.release == nil:
		w.release = deadline.Hold(w.ctx)
	case !isHeld && w.release != nil:
		w.release()
		w.release = nil
	}
}

// NewLimiter returns a limiter without buckets.
func NewLimiter(o Options) *Limiter {
	return &Limiter{o: o, buckets: map[Bucket]*bucket{}}
}

// Acquire waits until a request of class c may draw from all of the buckets at once, and returns a permit for it. The
// caller must return it with [Permit.Observe], also when the request fails, or with [Permit.Release] where it sends
// none. The error is the context's cause. The wait does not count towards limits of [deadline.WithTimeout].
func (l *Limiter) Acquire(ctx context.Context, c Class, buckets ...Bucket) (*Permit, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	w := l.enqueue(ctx, c, buckets)
	select {
	case <-w.ready:
		return w.permit, nil
	case <-ctx.Done():
		l.dequeue(w)
		return nil, context.Cause(ctx)
	}
}

// enqueue adds a request to its flow; it may be admitted at once.
func (l *Limiter) enqueue(ctx context.Context, c Class, buckets []Bucket) *pendingRequest {
	w := &pendingRequest{ctx: ctx, ready: make(chan struct{})}
	l.withLock(func(time.Time) {
		f := l.flowFor(c, buckets)
		f.waiting = append(f.waiting, w)
	})
	return w
}

// dequeue removes w from its flow; a permit granted meanwhile is cancelled.
func (l *Limiter) dequeue(w *pendingRequest) {
	l.withLock(func(time.Time) {
		w.setHeld(false)
		if w.permit != nil {
			w.permit.cancel()
			return
		}
		for _, f := range l.flows {
			f.waiting = slices.DeleteFunc(f.waiting, func(other *pendingRequest) bool { return other == w })
		}
	})
}

// withLock runs change under the lock, dispatches the requests that may be sent then, and reports throttling.
func (l *Limiter) withLock(change func(now time.Time)) {
	l.mu.Lock()
	now := l.o.Now()
	change(now)
	l.foresee(now)
	l.dispatch(now)
	events := l.unreported
	l.unreported = nil
	l.mu.Unlock()
	if l.o.OnThrottle == nil {
		return
	}
	for _, e := range events {
		l.o.OnThrottle(e)
	}
}

func (l *Limiter) bucketFor(name Bucket) *bucket {
	b := l.buckets[name]
	if b == nil {
		b = &bucket{name: name, model: newModel(name, l.o.Confirms)}
		l.buckets[name] = b
	}
	return b
}

func (l *Limiter) flowFor(c Class, names []Bucket) *flow {
	buckets := make([]*bucket, len(names))
	for i, name := range names {
		buckets[i] = l.bucketFor(name)
	}
	for _, f := range l.flows {
		if f.class == c && slices.Equal(f.buckets, buckets) {
			return f
		}
	}
	f := &flow{class: c, buckets: buckets}
	l.flows = append(l.flows, f)
	return f
}

// dispatch grants permits round-robin over the flows, and sets the timer for the next one.
func (l *Limiter) dispatch(now time.Time) {
	for l.dispatchRound(now) {
	}
	l.flows = slices.DeleteFunc(l.flows, func(f *flow) bool { return len(f.waiting) == 0 })
	next := forever
	var throttled []*bucket
	for _, f := range l.flows {
		wait, why, b := f.waitTime(now)
		next = min(next, wait)
		for _, w := range f.waiting {
			w.setHeld(why != probing)
		}
		if why != probing && !slices.Contains(throttled, b) {
			throttled = append(throttled, b)
			l.markThrottled(now, b, wait, why)
		}
	}
	l.clearThrottled(now, throttled)
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if next < forever {
		l.timer = time.AfterFunc(next, func() {
			defer crash.ExitOnPanic()
			l.withLock(func(time.Time) {})
		})
	}
}

// dispatchRound admits at most one request of each flow, from the flow after the one served last, and reports whether
// it admitted any.
func (l *Limiter) dispatchRound(now time.Time) bool {
	any, start := false, l.nextFlow
	for i := range l.flows {
		at := (start + i) % len(l.flows)
		f := l.flows[at]
		if len(f.waiting) == 0 {
			continue
		}
		if wait, _, _ := f.waitTime(now); wait > 0 {
			continue
		}
		w := f.waiting[0]
		f.waiting = f.waiting[1:]
		w.setHeld(false)
		w.permit = l.grant(now, f)
		close(w.ready)
		any, l.nextFlow = true, at+1
	}
	return any
}

// waitTime returns how long the head of the flow must wait, and for which bucket.
func (f *flow) waitTime(now time.Time) (longest time.Duration, why Reason, b *bucket) {
	for _, candidate := range f.buckets {
		if wait, reason := candidate.model.waitTime(now, f.class); wait > longest {
			longest, why, b = wait, reason, candidate
		}
	}
	return longest, why, b
}

func (l *Limiter) grant(now time.Time, f *flow) *Permit {
	p := &Permit{limiter: l, buckets: f.buckets}
	for _, b := range f.buckets {
		p.pauses += b.pauses
		p.reservations = append(p.reservations, b.model.reserve(now, f.class))
		b.countExpected(f.class)
	}
	return p
}

// Permit is the right to send one request.
type Permit struct {
	limiter      *Limiter
	buckets      []*bucket
	reservations []reservation
	pauses       int // of all its buckets, when it was granted
	once         sync.Once
}

// IsValid reports whether the permit is still valid: no 429 has paused any of its buckets since.
func (p *Permit) IsValid() bool {
	p.limiter.mu.Lock()
	defer p.limiter.mu.Unlock()
	now := 0
	for _, b := range p.buckets {
		now += b.pauses
	}
	return now == p.pauses
}

func (p *Permit) cancel() {
	for i, b := range p.buckets {
		b.model.cancel(p.reservations[i])
	}
}

// Observe returns the permit with the answer, nil when none came, and updates the models from its headers. It reads a
// 429's body, which can be read again. Only the first call has an effect.
func (p *Permit) Observe(resp *http.Response) {
	p.once.Do(func() {
		var t throttleResponse
		refused := resp != nil && resp.StatusCode == http.StatusTooManyRequests
		if refused {
			t = readThrottled(resp)
		}
		p.limiter.withLock(func(now time.Time) {
			for i, b := range p.buckets {
				b.model.commit(now, p.reservations[i], readAnswer(b.name, resp))
			}
			if refused {
				p.limiter.onThrottled(now, t, p.buckets)
			}
		})
	})
}

// Release returns a permit whose request was not sent. After [Permit.Observe] it does nothing.
func (p *Permit) Release() {
	p.once.Do(func() { p.limiter.withLock(func(time.Time) { p.cancel() }) })
}

// readAnswer returns what a response reports about a bucket.
func readAnswer(b Bucket, resp *http.Response) answer {
	if resp == nil {
		return answer{}
	}
	a := answer{answered: true, accepted: resp.StatusCode/100 == 2, throttled: resp.StatusCode == http.StatusTooManyRequests}
	a.remaining, a.hasRemaining = readRemaining(b, resp)
	if b == ComputeReads {
		_, a.interval, _ = readComputeRemaining(resp.Header)
	}
	return a
}

// onThrottled pauses the buckets of a 429: the action it names; else ARM's, when its code or headers name
// them; else, as the bucket is unknown, all that the request drew from.
func (l *Limiter) onThrottled(now time.Time, t throttleResponse, drawn []*bucket) {
	blamed := drawn
	switch {
	case t.action != "":
		blamed = []*bucket{l.bucketFor(actionBucket(t.action))}
	case t.arm:
		blamed = slices.DeleteFunc(slices.Clone(drawn), func(b *bucket) bool {
			return b.name != ARMReads && b.name != ARMWrites && b.name != ARMDeletes
		})
	}
	jitter := 0.0
	if l.o.Jitter != nil {
		jitter = l.o.Jitter()
	}
	for _, b := range blamed {
		b.model.onThrottled(now, t.retryHint, jitter)
		b.pauses++
		b.reportedAt = now
		wait, _ := b.model.waitTime(now, Confirm)
		l.unreported = append(l.unreported, l.throttle(now, b, wait, Refused))
	}
}

// Budget returns the rest of a bucket as of now.
func (l *Limiter) Budget(name Bucket) Budget {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, m := l.o.Now(), l.bucketFor(name).model
	b := m.budget(now)
	// A wait for the probe has no known end: the probe's answer ends it.
	if wait, why := m.waitTime(now, Confirm); wait > 0 && wait < forever && why != probing {
		b.Next = now.Add(wait)
	}
	return b
}
