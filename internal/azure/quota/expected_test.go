package quota

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What announced requests will have to wait is told by the first answer, before any of them waits, and the time that is
// told is the time that it takes. What fits in the budget is not mentioned.
func TestWhatAnnouncedRequestsTakeIsToldAhead(t *testing.T) {
	for _, tt := range []struct {
		n    int
		want time.Duration // 0 = nothing is told
	}{{140, 0}, {160, time.Hour}, {320, 2 * time.Hour}, {2900, 19 * time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var told []Throttle
			g := NewLimiter(Options{Now: time.Now, OnThrottle: func(e Throttle) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, e)
			}})
			s := newService(12)
			s.window(ListPoints, 150, time.Hour, time.Hour)
			done := g.Expect(ListPoints, tt.n)
			start := time.Now()
			var all sync.WaitGroup
			slots := make(chan struct{}, 8)
			for range tt.n {
				slots <- struct{}{}
				all.Go(func() {
					s.do(t, g, Other, ListPoints)
					<-slots
				})
			}
			all.Wait()
			took := time.Since(start)
			done()
			done()
			mu.Lock() // a timer of the limiter may be telling something
			heard := slices.Clone(told)
			mu.Unlock()
			if tt.want == 0 {
				if len(heard) > 0 {
					t.Errorf("%d requests: told %+v", tt.n, heard)
				}
				return
			}
			first := heard[0]
			if first.Reason != Foreseen || first.Expected != tt.n || first.Left != tt.n-1 || first.Limit != 150 || first.Interval != time.Hour || first.Wait != 0 {
				t.Errorf("%d requests: told first %+v", tt.n, first)
			}
			if d := first.Lasts - took; d.Abs() > 5*time.Minute || (first.Lasts-tt.want).Abs() > 5*time.Minute {
				t.Errorf("%d requests take %s, told were %s, want %s", tt.n, took, first.Lasts, tt.want)
			}
			for i, e := range heard[1:] {
				if e.Reason == Foreseen || e.Expected != tt.n || e.Left >= heard[i].Left+1 {
					t.Errorf("%d requests: told then %+v", tt.n, e)
				}
			}
			if states := g.States(); states[0].Current != nil {
				t.Errorf("nothing waits any more: %+v", states[0].Current)
			}
		})
	}
}

// Recovery points confirm nothing: a run that changes things reads them as fast as one that does not.
func TestNothingIsReservedOfTheBudgetOfRecoveryPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := NewLimiter(Options{Now: time.Now, Confirms: true}), newService(12)
		s.window(ListPoints, 1100, time.Hour, time.Hour)
		start := time.Now()
		for range 1000 {
			s.do(t, g, Other, ListPoints)
		}
		if took := time.Since(start); took > 10*time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}
