package quota

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// refills sets the true rate from now on.
func (s *service) refills(rate float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arm.level = min(s.arm.burst, s.arm.level+s.arm.rate*time.Since(s.arm.at).Seconds())
	s.arm.at, s.arm.rate = time.Now(), rate
}

// serves hammers the ARM writes for so long, and returns the share of what refilled that was served, and how many
// were refused.
func (s *service) serves(t *testing.T, g *Limiter, d time.Duration) (share float64, refused int) {
	served, before := s.counts(ARMWrites)
	rate := s.arm.rate
	hammer(t.Context(), g, s, 128, Write, ARMWrites, time.Now().Add(d))
	after, refused := s.counts(ARMWrites)
	return float64(after-served) / (rate * d.Seconds()), refused - before
}

// A bucket whose rate is not the documented one is used to the full, and the rate is learned from one 429, together
// with those of the requests in flight.
func TestRefillRateIsLearned(t *testing.T) {
	for _, test := range []struct {
		name             string
		burst, rate      float64
		latency          time.Duration
		silent           bool
		refused, settled int // in the first minute, and after it
	}{
		{"as documented", 200, 10, 50 * time.Millisecond, false, 0, 0},
		{"as documented, small", 20, 10, 50 * time.Millisecond, false, 0, 0},
		{"slow and small", 10, 4, 50 * time.Millisecond, false, 0, 0},
		{"slow and tiny", 4, 0.5, 50 * time.Millisecond, false, 0, 0},
		{"half the rate", 200, 5, 50 * time.Millisecond, false, 3, 0},
		{"slow", 200, 1, 50 * time.Millisecond, false, 3, 0},
		{"slow, slow answers", 200, 4, time.Second, false, 12, 0},
		{"hardly refills", 20, 0.05, 50 * time.Millisecond, false, 3, 15},
		{"fast and small", 30, 40, 50 * time.Millisecond, false, 0, 0},
		{"fast", 200, 40, 50 * time.Millisecond, false, 0, 0},
		{"slow, says nothing", 200, 4, 50 * time.Millisecond, true, 30, 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := newService(1), NewLimiter(Options{Now: time.Now})
				s.arm = serverBucket{burst: test.burst, rate: test.rate, level: test.burst, at: time.Now()}
				s.latency, s.silent = test.latency, test.silent
				_, refused := s.serves(t, g, time.Minute)
				share, settled := s.serves(t, g, 5*time.Minute)
				t.Logf("%d refused, then %d, %.3f of the refill", refused, settled, share)
				if refused > test.refused || settled > test.settled {
					t.Errorf("%d were refused in a minute and %d later, want %d and %d at most", refused, settled, test.refused, test.settled)
				}
				if share < 0.95 {
					t.Errorf("used %.3f of what refilled, want 0.95", share)
				}
			})
		})
	}
}

// Whatever the size, the rate and the latencies are, and also after the rate is raised
// and lowered again, what refills is used, and
// what was learned is not refused again.
func TestRefillRateIsLearnedAndUnlearned(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		rate := rapid.Float64Range(0.5, 10).Draw(rt, "rate")
		raised := rate * rapid.Float64Range(1, 5).Draw(rt, "raised")
		latency := time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(rt, "latency"))
		// No more can be on its way than the bucket holds, so a bucket smaller than this could not be used.
		least := 4 + 4*int(raised*2*latency.Seconds())
		burst := float64(rapid.IntRange(least, least+400).Draw(rt, "burst"))
		synctest.Test(t, func(t *testing.T) {
			s, g := newService(seed), NewLimiter(Options{Now: time.Now})
			s.arm = serverBucket{burst: burst, rate: rate, level: burst, at: time.Now()}
			s.latency = latency
			learn := time.Duration((60 + burst/4) * float64(time.Second))
			for _, rate := range []float64{rate, raised, rate} {
				s.refills(rate)
				s.serves(t, g, learn)
				share, refused := s.serves(t, g, 5*time.Minute)
				if refused > 3 {
					rt.Errorf("at %.1f a second %d were refused after it was learned, want 3 at most", rate, refused)
				}
				if share < 0.95 {
					rt.Errorf("at %.1f a second %.3f of what refilled was used, want 0.95", rate, share)
				}
			}
		})
	})
}

// A counter that rises once is another front end's, and one that has risen for seconds may be: only two of the
// longest spans in a row show that the bucket refills faster than documented.
func TestOnlyLongSpansShowMoreThanIsDocumented(t *testing.T) {
	for _, test := range []struct {
		name string
		left []int
		want float64
	}{
		{"rises once", []int{100, 100, 100, 100, 100, 100, 100, 1000, 1000}, 10},
		{"rises twice, soon", []int{100, 1000, 2000}, 10},
		{"rises on", []int{100, 500, 900, 1300, 1700, 2100, 2500}, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newTokenBucket(200, 10)
			c := by(m)
			for _, left := range test.left {
				c.told(left)
				c.now = c.now.Add(20 * time.Second)
			}
			if got := m.rate.perSecond; got != test.want {
				t.Errorf("%.1f a second are believed, want %.1f", got, test.want)
			}
		})
	}
}

// The request that asks after a pause goes when the service said it may, however slowly the bucket is thought to
// refill.
func TestAPauseEndsWhenTheServiceSaidSo(t *testing.T) {
	m := newTokenBucket(200, 10)
	c := by(m)
	for range 10 {
		c.commit(c.now, c.reserve(c.now, Write), answer{answered: true, throttled: true})
		c.onThrottled(c.now, retryHint{wait: 2 * time.Second}, 0)
		m.rate.assume(0)
		if got := c.waits(Write); got != 2*time.Second {
			t.Fatalf("waits %s, want 2s", got)
		}
		c.now = c.now.Add(2 * time.Second)
		if got := c.waits(Write); got != 0 {
			t.Fatalf("waits %s more after the pause", got)
		}
	}
}
