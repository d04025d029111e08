package quota

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// A 429 pauses its bucket for all requests, for the time it gives, and one request probes before the others.
func TestRefusalPausesEveryoneInTheBucket(t *testing.T) {
	for _, test := range []struct {
		name   string
		bucket Bucket
		jitter float64
	}{
		{"window", ListItems, 0}, {"window with jitter", ListItems, 0.999}, {"tokens", ARMWrites, 0}, {"tokens with jitter", ARMWrites, 0.999},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewLimiter(Options{Now: time.Now, Jitter: func() float64 { return test.jitter }})
				const asked = 40 * time.Second
				refuseOnce(t, g, test.bucket, http.Header{"Retry-After": {"40"}})
				start := time.Now()
				var mu sync.Mutex
				var admitted []time.Duration
				var all sync.WaitGroup
				for range 16 {
					all.Go(func() {
						permit, err := g.Acquire(t.Context(), Other, test.bucket)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						admitted = append(admitted, time.Since(start))
						mu.Unlock()
						time.Sleep(time.Second)
						permit.Observe(ok(test.bucket, 100))
					})
				}
				permit, err := g.Acquire(t.Context(), Other, ListJobs)
				if err != nil || time.Since(start) > 0 {
					t.Errorf("another bucket waited %s: %v", time.Since(start), err)
				}
				permit.Observe(nil)
				all.Wait()
				slices.Sort(admitted)
				if admitted[0] < asked || admitted[0] > asked+asked/jitterShare {
					t.Errorf("the first went after %s, want %s and at most a tenth more", admitted[0], asked)
				}
				if test.jitter > 0.9 && admitted[0] < asked+3*time.Second {
					t.Errorf("the first went after %s, want jitter", admitted[0])
				}
				if admitted[1] < admitted[0]+time.Second {
					t.Errorf("the second went %s after the first, want it to wait for the answer", admitted[1]-admitted[0])
				}
			})
		})
	}
}

// The pause after a 429 without a time grows each time, and several 429s at once count once.
func TestRefusalWithoutATimeBacksOff(t *testing.T) {
	for _, b := range []Bucket{ARMWrites, ListItems, ComputeReads} {
		t.Run(string(b), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewLimiter(Options{Now: time.Now})
				var waits []time.Duration
				for range 8 {
					start := time.Now()
					permit, err := g.Acquire(t.Context(), Other, b)
					if err != nil {
						t.Fatal(err)
					}
					waits = append(waits, time.Since(start))
					permit.Observe(refused(http.Header{}, ""))
				}
				want := []time.Duration{0, 5, 10, 20, 40, 80, 160, 300}
				for i := range want {
					if waits[i] != want[i]*time.Second {
						t.Fatalf("waited %v, want %v seconds", waits, want)
					}
				}
			})
		})
	}
}

// A refused window is known exactly: its limit, and the second in which it ends.
func TestRefusalTellsLimitAndEndOfTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(Options{Now: time.Now})
		permit, err := g.Acquire(t.Context(), Confirm, ARMReads, ListJobs)
		if err != nil {
			t.Fatal(err)
		}
		permit.Observe(refused(http.Header{}, "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded the limit of '450' for time interval '01:00:00'. Please try again after '324' seconds."))
		b := g.Budget(ListJobs)
		if left := time.Until(b.Paused); b.Limit != 450 || b.Remaining != 0 || left != 324*time.Second {
			t.Errorf("budget is %+v (paused for %s), want 0 of 450 for 324s", b, left)
		}
		if b := g.Budget(ARMReads); !b.Paused.IsZero() {
			t.Errorf("ARM's reads are paused until %s by a 429 of Recovery Services", b.Paused)
		}
	})
}

// A wait ends with the cause of its context, at once, and its turn passes to the next request.
func TestCancelledWaitEndsWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(Options{Now: time.Now})
		refuseOnce(t, g, ARMWrites, http.Header{"Retry-After": {"60"}})
		why := errors.New("the item's time is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, why)
		defer cancel()
		start := time.Now()
		if _, err := g.Acquire(ctx, Write, ARMWrites); !errors.Is(err, why) || time.Since(start) != 10*time.Second {
			t.Errorf("got %v after %s, want %v after 10s", err, time.Since(start), why)
		}
		for range 50 {
			if _, err := g.Acquire(ctx, Write, ARMReads); !errors.Is(err, why) {
				t.Fatalf("a context that has ended got %v, want %v", err, why)
			}
		}
		permit, err := g.Acquire(t.Context(), Write, ARMWrites)
		if err != nil || time.Since(start) != time.Minute {
			t.Errorf("the next one got %v after %s, want a permit after 1m", err, time.Since(start))
		}
		permit.Observe(nil)
	})
}

// A permit granted at the moment in which its wait is cancelled is returned unused.
func TestPermitThatComesTooLateIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := NewLimiter(Options{Now: time.Now}), PolicyWrites(testVault)
		for range 500 {
			g.dequeue(g.enqueue(t.Context(), Write, []Bucket{ARMWrites, b}))
		}
		if got := g.Budget(ARMWrites).Remaining; got != 196 {
			t.Errorf("%d remain, want all but the slack", got)
		}
		if got := g.Budget(b).Remaining; got != 50 {
			t.Errorf("%d policy writes remain, want all", got)
		}
	})
}

// A flood of discovery leaves confirming its share of the window, and vice versa.
func TestClassesDoNotStarveEachOther(t *testing.T) {
	for _, test := range []struct {
		flood, other Class
		least        int
	}{{Other, Confirm, 30}, {Confirm, Other, 11}} {
		t.Run(test.flood.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := newService(10), NewLimiter(Options{Now: time.Now, Confirms: true})
				s.window(ListItems, 150, time.Hour, 2*time.Hour)
				ctx, cancel := context.WithCancel(t.Context())
				var flood sync.WaitGroup
				flood.Go(func() { hammer(ctx, g, s, 64, test.flood, ListItems, time.Now().Add(time.Hour)) })
				time.Sleep(10 * time.Minute)
				for i := range test.least {
					start := time.Now()
					s.do(t, g, test.other, ListItems)
					if waited := time.Since(start); waited > 5*time.Second {
						t.Fatalf("request %d of the %s class waited %s", i+1, test.other, waited)
					}
				}
				cancel()
				flood.Wait()
				share(t, s, ListItems, 1)
			})
		})
	}
}

// Where a token bucket is short, the classes and the vaults waiting for it take turns.
func TestLanesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(11), NewLimiter(Options{Now: time.Now})
		ctx, cancel := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		flood.Go(func() { hammer(ctx, g, s, 500, Other, ARMWrites, time.Now().Add(time.Hour)) })
		time.Sleep(time.Minute)
		start := time.Now()
		for range 20 {
			s.do(t, g, Write, ARMWrites)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("20 writes beside a flood of 500 took %s, want 10s at most: half of the refill", took)
		}
		cancel()
		flood.Wait()
		share(t, s, ARMWrites, 1)
	})
}

// The daily limits count accepted requests, per vault.
func TestDailyLimitCountsWhatWasAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := NewLimiter(Options{Now: time.Now}), PolicyWrites("/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/V")
		for i := range 60 {
			permit, err := g.Acquire(t.Context(), Write, b)
			if err != nil {
				t.Fatal(err)
			}
			resp := ok(b, 0)
			if i < 10 {
				resp.StatusCode = http.StatusBadRequest
			}
			permit.Observe(resp)
		}
		if got := g.Budget(b).Remaining; got != 0 {
			t.Errorf("%d remain after 50 accepted writes, want 0", got)
		}
		if got := g.Budget(PolicyWrites("/subscriptions/S/resourcegroups/G/providers/microsoft.recoveryservices/vaults/v")).Remaining; got != 0 {
			t.Errorf("the same vault in another letter case has %d left, want 0", got)
		}
		start := time.Now()
		permit, err := g.Acquire(t.Context(), Write, b)
		if err != nil || time.Since(start) != day {
			t.Errorf("the 51st write went after %s (%v), want a day", time.Since(start), err)
		}
		permit.Observe(nil)
	})
}

// OnThrottle is called once when a quota starts to delay requests, and the total delay is recorded.
func TestThrottlingIsVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []Throttle
		g := NewLimiter(Options{Now: time.Now, Subscription: "s", OnThrottle: func(e Throttle) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, e)
		}})
		s := newService(12)
		start := time.Now()
		var all sync.WaitGroup
		for _, c := range []Class{Write, Other} {
			all.Go(func() { hammer(t.Context(), g, s, 16, c, ARMWrites, start.Add(50*time.Second)) })
		}
		all.Wait()
		throttled := g.Throttled()
		if len(told) != 1 || told[0].Bucket != ARMWrites || told[0].Reason != UsedUp || told[0].Subscription != "s" {
			t.Fatalf("told %+v, want once that %s is used up", told, ARMWrites)
		}
		if throttled < 25*time.Second || throttled > 50*time.Second {
			t.Errorf("held back for %s of 50s, want most of them", throttled)
		}
		refuseOnce(t, g, ListItems, http.Header{"Retry-After": {"90"}})
		if len(told) != 2 || told[1] != (Throttle{Subscription: "s", Bucket: ListItems, Wait: 90 * time.Second, Reason: Refused, Limit: 150, Interval: time.Hour}) {
			t.Errorf("told %+v, want the 429 too", told)
		}
		s.window(ListItems, 100, time.Hour, time.Hour)
		s.do(t, g, Confirm, ListItems)
		if got := g.Throttled() - throttled; got < 90*time.Second || got > 92*time.Second {
			t.Errorf("the pause counts as %s, want 90s", got)
		}
		states := g.States()
		if len(states) != 2 || states[0].Bucket != ListItems || states[0].Refused != 1 || states[1].Held != throttled {
			t.Errorf("states are %+v", states)
		}
	})
}

// Before the first answer the remaining number is unknown, so one request probes for all.
func TestFirstRequestAsksAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(13), NewLimiter(Options{Now: time.Now})
		s.window(ListItems, 150, time.Hour, time.Hour)
		s.draw(ListItems, 148, 0) // by other clients, before this run
		go hammer(t.Context(), g, s, 32, Other, ListItems, time.Now().Add(30*time.Minute))
		time.Sleep(31 * time.Minute)
		if refused := s.refusedOurs(ListItems); refused != 0 {
			t.Errorf("%d were refused, want none", refused)
		}
	})
}

func refuseOnce(t *testing.T, g *Limiter, b Bucket, h http.Header) {
	t.Helper()
	permit, err := g.Acquire(t.Context(), Other, b)
	if err != nil {
		t.Fatal(err)
	}
	permit.Observe(refused(h, ""))
}

// While a probe is in flight, the budget reports no wait: the probe's answer ends it.
func TestAskingIsNoWaitThatABudgetTells(t *testing.T) {
	for _, b := range []Bucket{ListItems, ARMWrites} {
		synctest.Test(t, func(t *testing.T) {
			g := NewLimiter(Options{Now: time.Now})
			permit, err := g.Acquire(t.Context(), Confirm, b)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Budget(b); !got.Next.IsZero() {
				t.Errorf("%s: while a request is on its way the next may go in %s, want now", b, time.Until(got.Next))
			}
			permit.Observe(ok(b, 100))
			permit, err = g.Acquire(t.Context(), Confirm, b)
			if err != nil {
				t.Fatal(err)
			}
			permit.Observe(refused(http.Header{"Retry-After": {"40"}}, ""))
			if got := time.Until(g.Budget(b).Next); got < 40*time.Second {
				t.Errorf("%s: after a refusal the next may go in %s, want 40s", b, got)
			}
		})
	}
}
