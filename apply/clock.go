package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/internal/deadline"
)

// clock returns the time by which a run dates its steps and compares them with dates of the service: of jobs, answers,
// budgets. It is the service's time as far as the caller of [Run] knows it ([Options.Now]), else the machine's.
// Differences of its times are monotonic durations, and hold what the machine slept. No other file of the package reads
// the machine's clock.
type clock struct{ ask func() time.Time }

func newClock(ask func() time.Time) clock {
	if ask == nil {
		ask = time.Now
	}
	return clock{ask}
}

func (c clock) now() time.Time { return c.ask() }

// since returns how long ago t was.
func (c clock) since(t time.Time) time.Duration { return c.ask().Sub(t) }

// until returns how long it is until t.
func (c clock) until(t time.Time) time.Duration { return t.Sub(c.ask()) }

// endsWithin reports whether ctx is known to end within d. Its deadline is in the machine's time, whatever [clock]
// returns.
func endsWithin(ctx context.Context, d time.Duration) bool {
	end, isLimited := ctx.Deadline()
	return isLimited && time.Until(end) < d || deadline.EndsWithin(ctx, d)
}

// sleep waits for d, or until ctx ends; then it returns the cause.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
