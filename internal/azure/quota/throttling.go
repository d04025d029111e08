package quota

import (
	"cmp"
	"slices"
	"time"
)

const (
	// minReportedWait is the shortest delay that is reported.
	minReportedWait = time.Second
	reportInterval  = time.Minute
)

// markThrottled records that b delays requests, and reports it at most once per reportInterval.
func (l *Limiter) markThrottled(now time.Time, b *bucket, wait time.Duration, why Reason) {
	if b.throttledSince.IsZero() {
		b.throttledSince = now
	}
	if wait < minReportedWait && now.Sub(b.throttledSince) < minReportedWait {
		return
	}
	if !b.reportedAt.IsZero() && now.Sub(b.reportedAt) < reportInterval {
		return
	}
	b.reportedAt = now
	l.unreported = append(l.unreported, l.throttle(now, b, wait, why))
}

// clearThrottled ends the throttling record of the buckets that no longer delay requests.
func (l *Limiter) clearThrottled(now time.Time, throttled []*bucket) {
	for _, b := range l.throttled {
		if !slices.Contains(throttled, b) {
			b.throttledTotal += now.Sub(b.throttledSince)
			b.throttledSince = time.Time{}
		}
	}
	switch {
	case len(l.throttled) == 0 && len(throttled) > 0:
		l.throttledSince = now
	case len(l.throttled) > 0 && len(throttled) == 0:
		l.throttledTotal += now.Sub(l.throttledSince)
	}
	l.throttled = throttled
}

// BucketState holds a limiter's statistics of one bucket.
type BucketState struct {
	Subscription string
	Bucket       Bucket
	// Held is how long requests were delayed: time with several of them waiting counts once.
	Held time.Duration
	// Refused counts the 429s.
	Refused int
	Budget  Budget
	// Current is what delays requests now; nil = nothing does.
	Current *Throttle
}

// Throttled returns how long requests were delayed in any bucket.
func (l *Limiter) Throttled() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.throttled) > 0 {
		return l.throttledTotal + l.o.Now().Sub(l.throttledSince)
	}
	return l.throttledTotal
}

// States returns the state of every bucket in use, sorted by name.
func (l *Limiter) States() []BucketState {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.o.Now()
	states := make([]BucketState, 0, len(l.buckets))
	for _, b := range l.buckets {
		state := BucketState{Subscription: l.o.Subscription, Bucket: b.name, Held: b.throttledTotal, Refused: b.pauses, Budget: b.model.budget(now)}
		if !b.throttledSince.IsZero() {
			state.Held += now.Sub(b.throttledSince)
			wait, why := b.model.waitTime(now, Other)
			state.Current = new(l.throttle(now, b, wait, why))
		}
		states = append(states, state)
	}
	slices.SortFunc(states, func(a, b BucketState) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return states
}
