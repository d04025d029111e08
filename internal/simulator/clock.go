package simulator

import (
	"time"

	"github.com/azbackup/azbackup/internal/simulator/state"
)

// clock is the one clock of a server: it starts at the estate's time and advances with the Go clock, speed times as
// fast. It is the only part of the simulator that reads the machine's time.
type clock struct {
	// startedAt and start are the same moment, on the Go clock and in the estate.
	startedAt, estateStart time.Time
	speed                  float64
	// isResumed reports that an earlier server's time was saved.
	isResumed bool
}

// newClock starts where an earlier server stopped or, the first time, at the snapshot's time, so that replies do not
// depend on the day of the run. An estate without a time starts at the machine's, as does every estate with
// Options.WallClock; but no clock starts before the last written time.
func newClock(e *state.Estate, o Options) clock {
	now := time.Now()
	start := e.Taken
	if start.IsZero() || o.WallClock {
		start = now
	}
	saved := e.Service.Clock
	if !saved.IsZero() && saved.Add(o.Longest).After(start) {
		start = saved.Add(o.Longest)
	}
	return clock{startedAt: now, estateStart: start, speed: max(o.Speed, 1), isResumed: !saved.IsZero()}
}

// now returns the estate's time.
func (c clock) now() time.Time {
	return c.estateStart.Add(time.Duration(float64(time.Since(c.startedAt)) * c.speed))
}

// wallTime returns the machine's time, for token lifetimes, which clients compare with their own clocks.
func (clock) wallTime() time.Time { return time.Now() }
