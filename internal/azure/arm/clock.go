package arm

import (
	"net/http"
	"sync"
	"time"
)

// maxClockDrift is how far the machine's two clocks may drift apart before it counts as a jump of one of them.
const maxClockDrift = time.Minute

// serviceClock is the service's clock: the Date of the first answer plus the time that has passed on this machine
// since. Before the first answer it is the machine's clock. It is safe for concurrent use.
//
// The time that has passed is that of the machine's monotonic clock, so setting the machine's clock changes nothing. But
// a monotonic clock stands still while the machine sleeps. Where the wall clock has gone further than the monotonic
// one, the next answer decides whether the machine slept or its clock was set forward; until then it counts as sleep,
// because what was read before may be that old.
type serviceClock struct {
	machineNow func() time.Time
	// elapsed returns what has passed between two moments on the machine's monotonic and on its wall clock.
	elapsed func(from, to time.Time) (monotonic, wall time.Duration)

	mu sync.Mutex
	// serviceAt and machineAt are the same moment on both clocks; zero until the first answer.
	serviceAt, machineAt time.Time
	setForward           time.Duration // how much of the wall clock's lead answers have shown to be no sleep
}

func newServiceClock(machineNow func() time.Time) *serviceClock {
	return &serviceClock{machineNow: machineNow, elapsed: func(from, to time.Time) (time.Duration, time.Duration) {
		return to.Sub(from), to.Round(0).Sub(from.Round(0))
	}}
}

// synchronize sets the clock from the first answer with a Date; a later one only tells what a jump of the wall clock was.
// An answer to a request during which the wall clock jumped may have been made before or after it, and tells nothing.
func (c *serviceClock) synchronize(h http.Header, requested time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	now := c.machineNow()
	if monotonic, wall := c.elapsed(requested, now); (wall - monotonic).Abs() > maxClockDrift {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machineAt.IsZero() {
		c.serviceAt, c.machineAt = at.UTC(), now
		return
	}
	monotonic, wall := c.elapsed(c.machineAt, now)
	if lead := wall - monotonic; lead > maxClockDrift {
		slept := min(max(at.Sub(c.serviceAt)-monotonic, 0), lead)
		c.setForward = lead - slept
	}
}

// serviceTime returns the service's time at a moment of this machine's clock; zero stays zero.
func (c *serviceClock) serviceTime(moment time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machineAt.IsZero() || moment.IsZero() {
		return moment
	}
	monotonic, wall := c.elapsed(c.machineAt, moment)
	if slept := wall - monotonic - c.setForward; slept > maxClockDrift {
		monotonic += slept
	}
	return c.serviceAt.Add(monotonic)
}

// Now returns the service's time, to the second: the Date of the first answer plus the time that has passed since;
// before the first answer the machine's time. Ages of times that the service reports are counted
// against it.
func (c *Client) Now() time.Time { return c.ServiceTime(c.clock.machineNow()) }

// ServiceTime returns the service's time at a moment of the machine's clock; before the first answer the machine's.
// Zero stays zero.
func (c *Client) ServiceTime(moment time.Time) time.Time { return c.clock.serviceTime(moment).UTC() }

// ClockSkew returns how far the machine's clock is ahead of the service's, to the second; 0 before the first answer.
func (c *Client) ClockSkew() time.Duration {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	return c.clock.machineAt.Round(0).Sub(c.clock.serviceAt)
}
