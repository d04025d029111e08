package quota

import (
	"math"
	"time"
)

// tokens is the model of a bucket that holds burst requests and refills steadily (doc.go, "Token buckets").
type tokens struct {
	gate
	burst float64
	rate  float64 // requests a second
	// level is what the bucket would hold if every request in flight were still to be counted, and every
	// answered one had been counted when its answer came.
	level float64
	at    time.Time
}

// slack is the share of the bucket that is left for what others draw between two answers.
const slack = 0.02

func newTokens(burst, rate int) *tokens {
	return &tokens{gate: gate{unsure: true, patience: tokenPatience}, burst: float64(burst), rate: float64(rate), level: float64(burst)}
}

func (t *tokens) refill(now time.Time) {
	if !t.at.IsZero() {
		t.level = min(t.burst, t.level+t.rate*now.Sub(t.at).Seconds())
	}
	t.at = now
}

// free is how many requests may go at once.
func (t *tokens) free() float64 { return t.level - float64(t.inFlight) - math.Floor(slack*t.burst) }

func (t *tokens) wait(now time.Time, _ Class) (time.Duration, Reason) {
	if d, why := t.gate.wait(now); d > 0 {
		return d, why
	}
	t.refill(now)
	missing := 1 - t.free()
	switch {
	case missing <= 1e-9: // rounding
		return 0, ""
	case t.level >= t.burst: // all are in flight
		return forever, UsedUp
	}
	return time.Duration(math.Ceil(missing / t.rate * float64(time.Second))), UsedUp
}

func (t *tokens) take(now time.Time, c Class) ticket {
	t.refill(now)
	k := t.gate.take(now, c)
	k.level = t.level - float64(t.inFlight)
	return k
}

func (t *tokens) untake(ticket) { t.gate.untake() }

func (t *tokens) settle(now time.Time, k ticket, a answer) {
	t.refill(now)
	overtaken := t.overtaken(k)
	t.gate.settle(k, a)
	t.level--
	if !a.told {
		return
	}
	left := float64(a.left)
	if k.level >= t.burst-1 { // it was full and nothing else on its way: so full is what this shows, or others drew
		t.burst = min(t.burst, left+1+float64(t.after(k)))
	}
	t.burst = max(t.burst, left+1)
	// The least that can be left without others: nothing refilled, all that was let go since counted first.
	least := math.Floor(k.level) - float64(t.after(k))
	if others := least - left; others > 0 {
		t.level -= others
	}
	// The least that is left in truth: all that overtook this request was counted after it.
	t.level = min(t.burst, max(t.level, left-float64(overtaken)))
}

func (t *tokens) refuse(now time.Time, r refusal, jitter float64) {
	t.pause(now, r, jitter)
	t.refill(now)
	t.level = min(t.level, 0)
}

func (t *tokens) budget(now time.Time) Budget {
	t.refill(now)
	b := Budget{Limit: int(t.burst), Remaining: max(0, int(t.free()))}
	if now.Before(t.paused) {
		b.Paused = t.paused
		b.Remaining = 0
	}
	if missing := t.burst - t.level; missing > 0 {
		b.Resets = now.Add(time.Duration(missing / t.rate * float64(time.Second)))
	}
	return b
}
