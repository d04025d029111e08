package quota

import "time"

// refillRate estimates the rate at which a token bucket refills (doc.go, "Refill rates").
type refillRate struct {
	perSecond  float64
	documented float64
	// isTentative is set while the rate is assumed, or was too high for a 429: the next measurement replaces it.
	isTentative bool
	since       observation
	// previous is the rate that the span before showed; span is the least length of the present one.
	previous float64
	span     time.Duration
}

// observation is an answer that reported the level, and what was counted since.
type observation struct {
	isSet              bool
	sentAt, answeredAt time.Time
	sent               int // requests admitted until its answer came: only later ones were certainly counted after it
	remaining          int
	uncertain          int  // requests that may have been counted before it or after it
	counted            int  // later ones that have been answered
	wasFull            bool // since then the bucket may have been full, and refill was lost
}

const (
	// A short span measures early but coarsely; a long one is slow to show a change.
	shortestSpan = time.Second
	longestSpan  = 16 * time.Second
	// The time at which a request was counted is known to one round trip: over this many the error is small.
	roundTripsPerSpan = 20
	// slowestRate is the smallest rate, as a share of the documented one, so that no request waits forever.
	slowestRate = 0.01
)

func newRefillRate(documented float64) refillRate {
	return refillRate{perSecond: documented, documented: documented, span: shortestSpan}
}

// assume lowers the rate to one that no answer has shown yet.
func (r *refillRate) assume(perSecond float64) {
	r.perSecond = max(min(r.perSecond, perSecond), slowestRate*r.documented)
	r.makeTentative()
}

// makeTentative lets the next measurement replace the rate.
func (r *refillRate) makeTentative() { r.isTentative, r.previous, r.span = true, 0, shortestSpan }

// count records that the service has counted the request of k.
func (r *refillRate) count(k reservation) {
	if k.sequence > r.since.sent {
		r.since.counted++
	}
}

// observe measures the rate from the previous observation to o, the answer to the request of k, and keeps o if the span
// is long enough. It returns whether o replaced a tentative rate.
//
// The result is a lower bound: the first level may have been up to one higher than its header, and requests in flight at
// either end may have been counted within.
func (r *refillRate) observe(o observation, k reservation) (replaced bool) {
	if !r.since.isSet {
		r.since = o
		return false
	}
	span, needed := o.answeredAt.Sub(r.since.sentAt), r.span
	if !r.isTentative || o.uncertain > 0 {
		needed = max(needed, roundTripsPerSpan*o.answeredAt.Sub(o.sentAt))
	}
	if k.sequence <= r.since.sent || span < needed {
		return false
	}
	shown := float64(o.remaining-r.since.remaining-1+k.counted+1) / span.Seconds()
	if replaced = r.isTentative; replaced {
		r.perSecond = min(max(shown, slowestRate*r.documented), r.documented)
		r.isTentative = false
	} else {
		r.raise(min(shown, r.previous))
		r.span = min(2*r.span, longestSpan)
	}
	r.previous = shown
	r.since = o
	return replaced
}

// raise raises the rate to what two spans in a row have shown, above the documented one only if both were of the longest.
func (r *refillRate) raise(shown float64) {
	if r.span < longestSpan {
		shown = min(shown, r.documented)
	}
	r.perSecond = max(r.perSecond, shown)
}

// onThrottled takes a 429 as an observation of 0 left. Between two of them no less was admitted than refilled, which
// bounds the rate where there are no headers.
func (r *refillRate) onThrottled(o observation, inFlight int) {
	if r.since.isSet && !r.since.wasFull {
		if span := o.sentAt.Sub(r.since.answeredAt); span >= shortestSpan {
			most := r.since.counted + r.since.uncertain + inFlight + 1 - r.since.remaining
			r.perSecond = max(min(r.perSecond, float64(most)/span.Seconds()), slowestRate*r.documented)
		}
	}
	r.makeTentative()
	r.since = o
}
