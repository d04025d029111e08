package quota

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
