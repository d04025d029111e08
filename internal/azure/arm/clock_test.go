package arm

import (
	"net/http"
	"testing"
	"time"
)

// machine is a machine with a monotonic and a wall clock that can differ.
type machine struct {
	now   time.Time // by the monotonic clock
	jumps []jump
}

// jump is a lead that the wall clock gained at a moment, by a sleep or because somebody set it.
type jump struct {
	at time.Time
	by time.Duration
}

func (m *machine) elapsed(from, to time.Time) (monotonic, wall time.Duration) {
	lead := func(t time.Time) (sum time.Duration) {
		for _, j := range m.jumps {
			if !t.Before(j.at) {
				sum += j.by
			}
		}
		return sum
	}
	return to.Sub(from), to.Sub(from) + lead(to) - lead(from)
}

func (m *machine) pass(d time.Duration) { m.now = m.now.Add(d) }

func (m *machine) jump(by time.Duration) { m.jumps = append(m.jumps, jump{m.now, by}) }

func TestTheServicesTimeGoesOnWhileTheMachineSleeps(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	dated := func(at time.Time) http.Header { return http.Header{"Date": {at.Format(http.TimeFormat)}} }
	for name, tt := range map[string]struct {
		jump          time.Duration
		passed        time.Duration // in truth, until the answer after the jump
		before, after time.Duration // what the clock shows to have passed, without and with that answer
	}{
		"nothing happens":            {0, time.Minute, time.Minute, time.Minute},
		"the clocks drift":           {30 * time.Second, time.Minute, time.Minute, time.Minute},
		"it sleeps":                  {5 * time.Hour, 5*time.Hour + time.Minute, 5*time.Hour + time.Minute, 5*time.Hour + time.Minute},
		"its clock is set forward":   {5 * time.Hour, time.Minute, 5*time.Hour + time.Minute, time.Minute},
		"its clock is set back":      {-5 * time.Hour, time.Minute, time.Minute, time.Minute},
		"it sleeps and is set ahead": {5 * time.Hour, 2*time.Hour + time.Minute, 5*time.Hour + time.Minute, 2*time.Hour + time.Minute},
		"an answer from another age": {0, 125 * 365 * 24 * time.Hour, time.Minute, time.Minute},
		"an answer from before":      {5 * time.Hour, -time.Hour, 5*time.Hour + time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			m := &machine{now: start}
			c := newServiceClock(func() time.Time { return m.now })
			c.elapsed = m.elapsed
			m.pass(-time.Minute)
			earlier := m.now
			m.pass(time.Minute)
			c.synchronize(dated(start), m.now)
			m.pass(30 * time.Second)
			m.jump(tt.jump)
			m.pass(30 * time.Second)
			passed := func() time.Duration { return c.serviceTime(m.now).Sub(start) }
			if got := passed(); got != tt.before {
				t.Errorf("without another answer %v have passed, want %v", got, tt.before)
			}
			c.synchronize(dated(start.Add(tt.passed)), m.now)
			if got := passed(); got != tt.after {
				t.Errorf("%v have passed, want %v", got, tt.after)
			}
			m.pass(time.Hour)
			if got := passed(); got != tt.after+time.Hour {
				t.Errorf("an hour later %v have passed, want %v", got, tt.after+time.Hour)
			}
			if got := c.serviceTime(earlier).Sub(start); got != -time.Minute {
				t.Errorf("a moment before all this is at %v, want -1m", got)
			}
		})
	}
}

// What was answered before a sleep and read after it has an old date.
func TestAnAnswerThatTheMachineSleptOverTellsNothing(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	header := http.Header{"Date": {start.Format(http.TimeFormat)}}
	m := &machine{now: start}
	c := newServiceClock(func() time.Time { return m.now })
	c.elapsed = m.elapsed
	requested := m.now
	m.jump(5 * time.Hour)
	m.pass(time.Second)
	if c.synchronize(header, requested.Add(-time.Second)); !c.machineAt.IsZero() {
		t.Error("the clock was set by it")
	}
	c.synchronize(header, m.now)
	requested = m.now
	m.pass(time.Second)
	m.jump(5 * time.Hour)
	c.synchronize(header, requested)
	if got, want := c.serviceTime(m.now), start.Add(5*time.Hour+time.Second); !got.Equal(want) {
		t.Errorf("it is %v, want %v", got, want)
	}
}
