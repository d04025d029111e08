package quota

import (
	"slices"
	"time"
)

// A caller that is about to send many requests of one bucket announces them ([Limiter.Expect]). The limiter then
// reports how long they take once the first answer shows how many requests are left, before any of them waits.

// Foreseen is the reason of a [Throttle] about announced requests that will have to wait; no request waits yet.
const Foreseen Reason = "foreseen"

// minForeseen is the shortest time for expected requests that is reported ahead.
const minForeseen = 5 * time.Second

// expectation counts requests that a caller announced.
type expectation struct {
	total, left int
	isReported  bool
}

// Expect announces n requests of class Other that draw from a bucket. done ends the announcement; it must be called, and
// may be called again.
func (l *Limiter) Expect(name Bucket, n int) (done func()) {
	e := &expectation{total: n, left: n}
	l.withLock(func(time.Time) {
		b := l.bucketFor(name)
		b.expected = append(b.expected, e)
	})
	return func() {
		l.withLock(func(time.Time) {
			b := l.bucketFor(name)
			b.expected = slices.DeleteFunc(b.expected, func(other *expectation) bool { return other == e })
		})
	}
}

// countExpected counts a request that was admitted.
func (b *bucket) countExpected(c Class) {
	for _, e := range b.expected {
		if c == Other && e.left > 0 {
			e.left--
			return
		}
	}
}

// expectedTotal returns how many requests were announced, and how many of them are still to be sent.
func (b *bucket) expectedTotal() (total, left int) {
	for _, e := range b.expected {
		total, left = total+e.total, left+e.left
	}
	return total, left
}

// foresee reports the buckets whose budget is too small for what is expected, each announcement once.
func (l *Limiter) foresee(now time.Time) {
	for _, b := range l.buckets {
		isNew := false
		for _, e := range b.expected {
			isNew = isNew || !e.isReported
		}
		if !isNew {
			continue
		}
		t := l.throttle(now, b, 0, Foreseen)
		if t.Lasts < minForeseen {
			continue
		}
		for _, e := range b.expected {
			e.isReported = true
		}
		l.unreported = append(l.unreported, t)
	}
}

// throttle returns the report of a bucket that delays requests, or will.
func (l *Limiter) throttle(now time.Time, b *bucket, wait time.Duration, why Reason) Throttle {
	t := Throttle{Subscription: l.o.Subscription, Bucket: b.name, Wait: wait, Reason: why}
	t.Expected, t.Left = b.expectedTotal()
	if w, ok := b.model.(*window); ok && w.isMetered && !w.isUnlimited {
		t.Limit, t.Interval = w.limit, w.interval
		t.Lasts = w.timeFor(now, t.Left)
	}
	return t
}

// timeFor returns how long it takes until n more requests of class Other are admitted, if other clients keep their pace
// and each window has the size of this one; 0 = they are admitted at once, or it is not known.
func (w *window) timeFor(now time.Time, n int) time.Duration {
	w.closeExpired(now)
	if w.latest.IsZero() || w.limit == 0 || n == 0 {
		return 0
	}
	rest := w.latest.Sub(now)
	free := max(0, w.remaining-w.inFlight-w.expectedOthers())
	reserved := w.reservedForClasses(now, Other)
	switch {
	case n <= free-reserved:
		return 0
	case n <= free: // what is reserved is released evenly
		return time.Duration(float64(rest) * float64(n-max(0, free-reserved)) / float64(max(1, reserved)))
	}
	return rest + time.Duration((n-free-1)/w.limit)*w.interval
}
