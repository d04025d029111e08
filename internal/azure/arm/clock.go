package arm

import (
	"net/http"
	"sync"
	"time"
)

// serviceClock is the service's clock: the Date of the first answer plus the time that has passed on this machine
// since. Before the first answer it is the machine's clock. It is safe for concurrent use.
type serviceClock struct {
	machineNow func() time.Time

	mu sync.Mutex
	// serviceAt and machineAt are the same moment on both clocks; zero until the first answer.
	serviceAt, machineAt time.Time
}

// synchronize sets the clock from an answer, unless an earlier one has. An answer without a Date is ignored.
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

// serviceTime returns the service's time at a moment of this machine's clock; zero stays zero. The difference of two
// moments is taken on the machine's monotonic clock, so setting the machine's clock meanwhile changes nothing.
func (c *serviceClock) serviceTime(moment time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machineAt.IsZero() || moment.IsZero() {
		return moment
	}
	return c.serviceAt.Add(moment.Sub(c.machineAt))
}

// Now returns the service's time, to the second: the Date of the first answer plus the time passed on the machine's
// monotonic clock; before the first answer the machine's time. Ages of times that the service reports are counted
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
