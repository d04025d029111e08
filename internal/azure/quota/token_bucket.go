package quota

import (
	"math"
	"time"
)

// tokenBucket is the model of a bucket that holds burst requests and refills steadily (doc.go, "Token buckets").
type tokenBucket struct {
	admission
	burst           float64
	documentedBurst float64
	rate            refillRate
	// level is the number of requests left if the service had counted none in flight, and each
	// answered one when its answer came.
	level      float64
	refilledAt time.Time
	// latest is the request whose answer came last: onThrottled follows the commit of its answer.
	latest reservation
}

// safetyShare is the share of the bucket that is reserved for requests of other clients between two answers.
const safetyShare = 0.02

func newTokenBucket(burst, rate int) *tokenBucket {
	return &tokenBucket{
		admission: admission{isProbing: true, probeTimeout: tokenProbeTimeout},
		burst:     float64(burst), documentedBurst: float64(burst), level: float64(burst), rate: newRefillRate(float64(rate)),
	}
}

func (t *tokenBucket) refill(now time.Time) {
	if !t.refilledAt.IsZero() {
		t.level = min(t.burst, t.level+t.rate.perSecond*now.Sub(t.refilledAt).Seconds())
	}
	t.rate.since.wasFull = t.rate.since.wasFull || t.level >= t.burst
	t.refilledAt = now
}

// available returns how many requests may be sent at once. The reserve does not grow with a header that shows more than is
// documented: one odd header would reserve all that the bucket ever holds.
func (t *tokenBucket) available() float64 {
	return t.level - float64(t.inFlight) - math.Floor(safetyShare*min(t.burst, t.documentedBurst))
}

func (t *tokenBucket) waitTime(now time.Time, _ Class) (time.Duration, Reason) {
	if d, why := t.admission.waitTime(now); d > 0 {
		return d, why
	}
	t.refill(now)
	missing := 1 - t.available()
	switch {
	case t.isProbing && t.inFlight == 0: // the end of the pause counts, not the modelled level
		return 0, ""
	case missing <= 1e-9: // rounding
		return 0, ""
	case t.level >= t.burst: // all are in flight
		return forever, UsedUp
	}
	return time.Duration(math.Ceil(missing / t.rate.perSecond * float64(time.Second))), UsedUp
}

func (t *tokenBucket) reserve(now time.Time, c Class) reservation {
	t.refill(now)
	k := t.admission.reserve(now, c)
	k.level = t.level - float64(t.inFlight)
	k.counted = t.rate.since.counted
	return k
}

func (t *tokenBucket) cancel(reservation) { t.admission.cancel() }

func (t *tokenBucket) commit(now time.Time, k reservation, a answer) {
	t.refill(now)
	overtaken := t.answeredSince(k)
	t.admission.commit(k, a)
	t.level = max(0, t.level-1) // the service never has less than 0 left, whatever is in flight
	t.latest = k
	if a.throttled {
		return
	}
	if a.accepted || a.hasRemaining {
		t.rate.count(k)
	}
	if !a.hasRemaining {
		return
	}
	left := float64(a.remaining)
	if k.level >= t.burst-1 { // it was full and nothing else in flight: this is its size, or less if others drew
		t.shrink(left + 1 + float64(t.sentSince(k)))
	}
	t.burst = max(t.burst, left+1)
	// The least that can be left without other clients: no refill, all requests admitted since counted first.
	least := math.Floor(k.level) - float64(t.sentSince(k))
	if others := least - left; others > 0 {
		t.level = max(0, t.level-others)
	}
	// The least that is really left: all overtaken requests were counted after this one.
	t.level = min(t.burst, max(t.level, left-float64(overtaken)))
	o := t.observation(now, k, a.remaining, overtaken)
	if t.rate.observe(o, k) && o.uncertain == 0 { // the level was computed with a wrong rate
		t.level = left
	}
}

// shrink sets burst if it is smaller than assumed. Nothing is documented of a bucket that is much smaller than the
// documented one: until its answers show more, it is assumed to take as long to fill.
func (t *tokenBucket) shrink(burst float64) {
	if burst >= t.burst {
		return
	}
	t.burst = burst
	if t.burst < t.documentedBurst/2 {
		t.rate.assume(t.rate.documented * t.burst / t.documentedBurst)
	}
}

func (t *tokenBucket) observation(now time.Time, k reservation, remaining, overtaken int) observation {
	return observation{
		isSet: true, sentAt: k.at, answeredAt: now, sent: t.sent, remaining: remaining,
		uncertain: overtaken + t.inFlight,
	}
}

func (t *tokenBucket) onThrottled(now time.Time, r retryHint, jitter float64) {
	t.pause(now, r, jitter)
	t.refill(now)
	t.level = min(t.level, 0)
	t.rate.onThrottled(t.observation(now, t.latest, 0, t.answeredSince(t.latest)), t.inFlight)
}

func (t *tokenBucket) budget(now time.Time) Budget {
	t.refill(now)
	b := Budget{Limit: int(t.burst), Remaining: max(0, int(t.available()))}
	if now.Before(t.pausedUntil) {
		b.Paused = t.pausedUntil
		b.Remaining = 0
	}
	if missing := t.burst - t.level; missing > 0 {
		b.Resets = now.Add(time.Duration(missing / t.rate.perSecond * float64(time.Second)))
	}
	return b
}
