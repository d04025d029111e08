package simulator

import "time"

// clock is the one clock of a server: it starts at a moment of the estate's own and goes on as the Go clock does,
// speed times as fast. It is the only part of the simulator that asks the machine for the time.
type clock struct {
	// startedAt and start are the same moment, on the Go clock and in the estate.
	startedAt, estateStart time.Time
	speed                  float64
}

// newClock starts where an earlier server stopped or, the first time, when the estate was taken: so what a client sees
// does not depend on the day on which it looks. An estate that knows no time of its own starts at the machine's, as does
// every estate with Options.WallClock; but no clock is set back behind what was written.
func newClock(e *Estate, o Options) clock {
	now := time.Now()
	start := e.Taken
	if start.IsZero() || o.WallClock {
		start = now
	}
	if saved := e.service.Clock; !saved.IsZero() && saved.Add(o.Longest).After(start) {
		start = saved.Add(o.Longest)
	}
	return clock{startedAt: now, estateStart: start, speed: max(o.Speed, 1)}
}

// now is the estate's time.
func (c clock) now() time.Time {
	return c.estateStart.Add(time.Duration(float64(time.Since(c.startedAt)) * c.speed))
}

// wallTime is the machine's time, for what clients compare with clocks of their own: the life of a token.
func (clock) wallTime() time.Time { return time.Now() }
