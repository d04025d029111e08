package deadline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errLate = errors.New("late")

// endOf returns when a context ends, from now on.
func endOf(ctx context.Context) time.Duration {
	began := time.Now()
	<-ctx.Done()
	return time.Since(began)
}

// What is held back does not count, however many requests are held back at once, and nothing is counted twice.
func TestTimeHeldBackByAQuotaDoesNotCount(t *testing.T) {
	for _, tt := range []struct {
		name  string
		holds [][2]time.Duration // from when to when
		want  time.Duration
	}{
		{"none", nil, 10 * time.Minute},
		{"one", [][2]time.Duration{{time.Minute, 2 * time.Hour}}, 2*time.Hour + 9*time.Minute},
		{"two that overlap", [][2]time.Duration{{time.Minute, time.Hour}, {30 * time.Minute, 2 * time.Hour}}, 2*time.Hour + 9*time.Minute},
		{"two in turn", [][2]time.Duration{{time.Minute, time.Hour}, {time.Hour + time.Minute, 2 * time.Hour}}, 2*time.Hour + 8*time.Minute},
		{"after the end", [][2]time.Duration{{11 * time.Minute, time.Hour}}, 10 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := WithTimeout(t.Context(), time.Now, 10*time.Minute, errLate)
				defer cancel()
				for _, h := range tt.holds {
					time.AfterFunc(h[0], func() {
						release := Hold(ctx)
						time.AfterFunc(h[1]-h[0], func() {
							release()
							release()
						})
					})
				}
				if got := endOf(ctx); got != tt.want || !errors.Is(context.Cause(ctx), errLate) {
					t.Errorf("it ended after %s, want %s: %v", got, tt.want, context.Cause(ctx))
				}
				time.Sleep(3 * time.Hour) // the last hold ends
			})
		})
	}
}

// A limit within a limit: both stop, and both run on. A limit that the operator set, outside of them, does not stop.
func TestLimitsWithinLimitsStopTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		total, end := context.WithTimeout(t.Context(), 3*time.Hour)
		defer end()
		outer, endOuter := WithTimeout(total, time.Now, 20*time.Minute, errors.New("outer"))
		defer endOuter()
		inner, endInner := WithTimeout(outer, time.Now, 5*time.Minute, errLate)
		release := Hold(inner)
		time.AfterFunc(time.Hour, release)
		if got := endOf(inner); got != time.Hour+5*time.Minute {
			t.Errorf("the inner one ended after %s", got)
		}
		endInner()
		if got := endOf(outer); got != 15*time.Minute {
			t.Errorf("the outer one ended %s later", got)
		}
		if EndsWithin(total, 24*time.Hour) {
			t.Error("a limit that counts all time is not one of this package")
		}
		late, endLate := WithTimeout(total, time.Now, 20*time.Minute, errLate)
		defer endLate()
		Hold(late)
		if got := endOf(late); got != 100*time.Minute || !errors.Is(context.Cause(late), context.DeadlineExceeded) {
			t.Errorf("what is held back for good ended after %s with %v", got, context.Cause(late))
		}
	})
}

// How long a limit still runs is told without the time that it is held back.
func TestEndsWithinTellsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := WithTimeout(t.Context(), time.Now, 10*time.Minute, errLate)
		defer cancel()
		time.Sleep(4 * time.Minute)
		check := func(when string) {
			t.Helper()
			if EndsWithin(ctx, 6*time.Minute) || !EndsWithin(ctx, 6*time.Minute+1) {
				t.Errorf("%s: six minutes are not left", when)
			}
		}
		check("before")
		release := Hold(ctx)
		time.Sleep(time.Hour)
		check("while it is held back")
		release()
		check("after")
	})
}

// What was cancelled neither ends with the limit's cause, nor wakes up when a hold ends.
func TestACancelledLimitStaysCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := WithTimeout(t.Context(), time.Now, time.Minute, errLate)
		release := Hold(ctx)
		cancel()
		release()
		time.Sleep(time.Hour)
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			t.Errorf("it ended with %v", context.Cause(ctx))
		}
		Hold(t.Context())() // without a limit there is nothing to stop
	})
}

// What holds work back is told once, and does not change the limits around it.
func TestThatAQuotaHoldsBackIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := WithTimeout(t.Context(), time.Now, 10*time.Minute, errLate)
		defer cancel()
		n := 0
		inner := OnHold(ctx, func() { n++ })
		for range 2 {
			release := Hold(inner)
			time.Sleep(time.Hour)
			release()
		}
		if n != 1 {
			t.Errorf("told %d times", n)
		}
		if !EndsWithin(inner, 11*time.Minute) || EndsWithin(inner, 9*time.Minute) {
			t.Error("the limit around it is not that of ten minutes")
		}
		if got := endOf(inner); got != 10*time.Minute {
			t.Errorf("it ended after %v", got)
		}
	})
}
