package apply

import (
	"context"
	"time"
)

// clock is the time by which a run dates what it does and compares it with what the service dates: jobs, answers,
// budgets. It is the service's time as far as whoever starts the run knows it ([Options.Now]), else the machine's.
// Differences of its times are durations as a monotonic clock counts them. This file is the only one of the package that asks the
// machine for the time.
type clock struct{ ask func() time.Time }

func newClock(ask func() time.Time) clock {
	if ask == nil {
		ask = time.Now
	}
	return clock{ask}
}

func (c clock) now() time.Time { return c.ask() }

// since is how long ago t was.
func (c clock) since(t time.Time) time.Duration { return c.ask().Sub(t) }

// until is how long t is away.
func (c clock) until(t time.Time) time.Duration { return t.Sub(c.ask()) }

// endsWithin says whether ctx is known to end before d is over. Its deadline is the machine's time, whatever [clock] says.
func endsWithin(ctx context.Context, d time.Duration) bool {
	deadline, limited := ctx.Deadline()
	return limited && time.Until(deadline) < d
}

// sleep waits for d, or until ctx ends; then it returns why.
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
