package quota

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// hammer sends requests from n workers until stop, and returns when all are answered.
func hammer(ctx context.Context, g *Limiter, s *service, n int, c Class, b Bucket, stop time.Time) {
	ctx, cancel := context.WithDeadline(ctx, stop)
	defer cancel()
	var workers sync.WaitGroup
	for range n {
		workers.Go(func() {
			for {
				permit, err := g.Acquire(ctx, c, b)
				if err != nil {
					return
				}
				permit.Observe(s.trip(b))
			}
		})
	}
	workers.Wait()
}

func share(t *testing.T, s *service, b Bucket, bound int) float64 {
	t.Helper()
	served, refused := s.counts(b)
	if refused != 0 {
		t.Errorf("%d of %d requests were refused, want none", refused, served+refused)
	}
	return float64(served) / float64(bound)
}

// The burst and the refill of a token bucket are used to the full, and never exceeded.
func TestTokenBucketRunsAtTheLimit(t *testing.T) {
	for _, latency := range []time.Duration{0, 5 * time.Millisecond, 100 * time.Millisecond, time.Second} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := newService(1), NewLimiter(Options{Now: time.Now})
				s.latency = latency
				const seconds = 120
				hammer(t.Context(), g, s, 256, Write, ARMWrites, time.Now().Add(seconds*time.Second))
				if got := share(t, s, ARMWrites, 200+10*seconds); got < 0.97 {
					t.Errorf("used %.3f of the limit, want 0.97", got)
				}
			})
		})
	}
}

// Answers that take longer than the bucket takes to refill, and overtake each other, exceed nothing.
func TestTokenBucketIsNeverExceededBySlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(1), NewLimiter(Options{Now: time.Now})
		s.latency = 30 * time.Second
		hammer(t.Context(), g, s, 512, Write, ARMWrites, time.Now().Add(10*time.Minute))
		share(t, s, ARMWrites, 1)
	})
}

// Without headers the documented size of ARM's buckets holds.
func TestTokenBucketNeedsNoHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(1), NewLimiter(Options{Now: time.Now})
		s.silent = true
		hammer(t.Context(), g, s, 32, Write, ARMWrites, time.Now().Add(time.Minute))
		if got := share(t, s, ARMWrites, 200+10*60); got < 0.97 {
			t.Errorf("used %.3f of the limit, want 0.97", got)
		}
	})
}

// A bucket that is smaller than documented is not exceeded either, also after an idle time.
func TestSmallTokenBucketIsLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(1), NewLimiter(Options{Now: time.Now})
		s.arm = serverBucket{burst: 20, rate: 10, level: 20, at: time.Now()}
		for range 5 {
			hammer(t.Context(), g, s, 32, Write, ARMWrites, time.Now().Add(10*time.Second))
			time.Sleep(time.Minute)
		}
		if got := share(t, s, ARMWrites, 5*(20+100)); got < 0.9 {
			t.Errorf("used %.3f of the limit, want 0.9", got)
		}
	})
}

// A limit whose window end is unknown is used to the full over many windows, and never exceeded, whatever their start,
// by each class alone.
func TestWindowRunsAtTheLimitAndLearnsItsEnd(t *testing.T) {
	for _, first := range []time.Duration{30 * time.Second, 10 * time.Minute, 31 * time.Minute, 59 * time.Minute} {
		for _, limit := range []int{150, 300, 1100} {
			for _, c := range []Class{Other, Confirm} {
				t.Run(fmt.Sprintf("%s/%d/%s", first, limit, c), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s, g := newService(2), NewLimiter(Options{Now: time.Now})
						s.window(ListItems, limit, time.Hour, first)
						const hours = 12
						hammer(t.Context(), g, s, 8, c, ListItems, time.Now().Add(first+hours*time.Hour))
						if got := share(t, s, ListItems, limit*(hours+1)); got < 0.97 {
							t.Errorf("used %.3f of the limit, want 0.97", got)
						}
					})
				})
			}
		}
	}
}

// After three windows the limiter knows their end to within a few seconds, though no answer reports it.
func TestUnknownEndOfAWindowIsLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(3), NewLimiter(Options{Now: time.Now})
		s.window(ListItems, 150, time.Hour, 17*time.Minute+13*time.Second)
		hammer(t.Context(), g, s, 4, Confirm, ListItems, time.Now().Add(3*time.Hour+40*time.Minute))
		share(t, s, ListItems, 1)
		got, want := g.Budget(ListItems).Resets, s.windows[ListItems].ends
		if off := got.Sub(want); off < 0 || off > 5*time.Second {
			t.Errorf("the window is expected to end %s after it does, want 0 to 5s", off)
		}
	})
}

// A window that its first request opens, rather than the clock, is not exceeded either.
func TestWindowThatOpensWithItsFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(4), NewLimiter(Options{Now: time.Now})
		s.window(ListItems, 150, time.Hour, time.Hour)
		for range 5 {
			hammer(t.Context(), g, s, 8, Confirm, ListItems, time.Now().Add(50*time.Minute))
			time.Sleep(45 * time.Minute)
			s.windows[ListItems].ends = time.Now() // no request yet: the next one opens it
		}
		if got := share(t, s, ListItems, 5*150); got < 0.85 {
			t.Errorf("used %.3f of the limit, want 0.85", got)
		}
	})
}

// Where answers carry no header there is no hourly limit to obey.
func TestActionWithoutHeadersIsNotLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(5), NewLimiter(Options{Now: time.Now})
		s.silent = true
		s.window(ListItems, 1_000_000, time.Hour, time.Hour)
		for range 1000 {
			s.do(t, g, Confirm, ListItems)
		}
		if got := g.Budget(ListItems); got.Remaining != Unlimited || got.Limit != 0 {
			t.Errorf("budget is %+v, want unlimited", got)
		}
		if throttled := g.Throttled(); throttled != 0 {
			t.Errorf("requests were held back for %s", throttled)
		}
	})
}

// With another client that uses 50 requests an hour the limiter does not exceed the window.
func TestOthersDrawFromTheSameWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(6), NewLimiter(Options{Now: time.Now})
		s.window(ListItems, 150, time.Hour, 40*time.Minute)
		stop := time.Now().Add(6*time.Hour + 40*time.Minute)
		go s.draw(ListItems, 6*50+33, 72*time.Second)
		hammer(t.Context(), g, s, 8, Confirm, ListItems, stop)
		served, _ := s.counts(ListItems)
		if refused := s.refusedOurs(ListItems); refused != 0 {
			t.Errorf("%d of ours were refused, want none", refused)
		}
		if share := float64(served) / (7 * 150); share < 0.93 {
			t.Errorf("both used %.3f of the limit, want 0.93", share)
		}
		if s.theirs > 75 {
			t.Errorf("%d of theirs were refused, want none after two windows of looking on", s.theirs)
		}
	})
}

// The first answer shows another client that uses a third of the refill, and then half of the bucket at once.
func TestOthersDrawFromTheSameTokenBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(7), NewLimiter(Options{Now: time.Now})
		go s.draw(ARMWrites, 400, 300*time.Millisecond)
		go func() {
			time.Sleep(10 * time.Second)
			s.draw(ARMWrites, 30, 0)
		}()
		hammer(t.Context(), g, s, 32, Write, ARMWrites, time.Now().Add(2*time.Minute))
		if refused := s.refusedOurs(ARMWrites); refused > 1 {
			t.Errorf("%d of ours were refused, want one at most, for the burst", refused)
		}
		served, _ := s.counts(ARMWrites)
		if share := float64(served) / (200 + 10*120); share < 0.95 {
			t.Errorf("both used %.3f of the limit, want 0.95", share)
		}
	})
}

// When another client stops, or the bucket is larger than assumed, the header corrects the budget.
func TestBudgetIsCorrectedUpwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(8), NewLimiter(Options{Now: time.Now})
		s.arm = serverBucket{burst: 1200, rate: 10, level: 1200, at: time.Now()}
		s.do(t, g, Write, ARMWrites)
		if got := g.Budget(ARMWrites).Remaining; got < 1150 {
			t.Errorf("remaining is %d after a header that said 1199", got)
		}
		s.window(ListItems, 800, time.Hour, time.Hour)
		s.do(t, g, Confirm, ListItems)
		if got := g.Budget(ListItems); got.Limit != 800 || got.Remaining < 650 {
			t.Errorf("budget is %+v after a header that said 799", got)
		}
	})
}

// Whatever the latencies, the number of workers and the start of the window, this client exceeds no limit.
func TestNothingIsEverExceeded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		latency := time.Duration(rapid.Int64Range(0, int64(10*time.Second)).Draw(rt, "latency"))
		workers := rapid.IntRange(1, 64).Draw(rt, "workers")
		limit := rapid.IntRange(1, 400).Draw(rt, "limit")
		first := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(rt, "first"))
		idle := time.Duration(rapid.Int64Range(0, int64(3*time.Hour)).Draw(rt, "idle"))
		synctest.Test(t, func(t *testing.T) {
			s, g := newService(seed), NewLimiter(Options{Now: time.Now, Confirms: seed%2 == 0})
			s.latency = latency
			s.window(ListItems, limit, time.Hour, first)
			for range 2 {
				var all sync.WaitGroup
				stop := time.Now().Add(80 * time.Minute)
				all.Go(func() { hammer(t.Context(), g, s, workers, Confirm, ListItems, stop) })
				all.Go(func() { hammer(t.Context(), g, s, workers, Other, ListItems, stop) })
				all.Go(func() { hammer(t.Context(), g, s, workers, Write, ARMWrites, time.Now().Add(time.Minute)) })
				all.Wait()
				time.Sleep(idle)
			}
			for _, b := range []Bucket{ListItems, ARMWrites} {
				if served, refused := s.counts(b); refused != 0 {
					rt.Errorf("%s: %d of %d were refused", b, refused, served+refused)
				}
			}
		})
	})
}
