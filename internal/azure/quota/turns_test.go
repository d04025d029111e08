package quota

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
