package azure

import (
	"net/http"
	"sync"
	"time"
)

// serviceClock tells the service's time: the Date of the first answer, moved on by the time that went by on this
// machine since. Until there is an answer it tells this machine's. It is safe for concurrent use.
type serviceClock struct {
	machineNow func() time.Time

	mu sync.Mutex
	// serviceAt and met are the same moment on both clocks; zero until the first answer.
	serviceAt, machineAt time.Time
}

// synchronize sets the clock by an answer, unless one before has done so. An answer without a Date tells nothing.
func (c *serviceClock) synchronize(h http.Header) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machineAt.IsZero() {
		c.serviceAt, c.machineAt = at.UTC(), c.machineNow()
	}
}

// serviceTime is the service's time at a moment of this machine's clock; zero stays zero. The difference of two moments is taken on the
// machine's monotonic clock, so a machine that is set meanwhile changes nothing.
func (c *serviceClock) serviceTime(moment time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machineAt.IsZero() || moment.IsZero() {
		return moment
	}
	return c.serviceAt.Add(moment.Sub(c.machineAt))
}

// Now is the service's time, to the second: the Date of the first answer, moved on by the machine's monotonic
// clock; before the first answer it is the machine's. Ages of what the service dates are counted against it.
func (c *Client) Now() time.Time { return c.ServiceTime(c.clock.machineNow()) }

// ServiceTime is the service's time at a moment of the machine's clock; before the first answer it is the machine's. Zero stays
// zero.
func (c *Client) ServiceTime(moment time.Time) time.Time { return c.clock.serviceTime(moment).UTC() }

// ClockSkew is how far the machine's clock is ahead of the service's, to the second; 0 before the first answer.
func (c *Client) ClockSkew() time.Duration {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	return c.clock.machineAt.Round(0).Sub(c.clock.serviceAt)
}
