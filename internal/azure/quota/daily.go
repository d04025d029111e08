package quota

import "time"

const day = 24 * time.Hour

// daily is the model of a limit on what is accepted in any 24 hours, of which no header tells. A run counts
// its own alone: what was done before it started is not known.
type daily struct {
	gate
	limit int
	done  []time.Time // when what was let go in the last day was let go, oldest first
}

func newDaily(limit int) *daily { return &daily{limit: limit} }

func (d *daily) wait(now time.Time, _ Class) (time.Duration, Reason) {
	if wait, why := d.gate.wait(now); wait > 0 {
		return wait, why
	}
	d.forget(now)
	if len(d.done) < d.limit {
		return 0, ""
	}
	return d.done[0].Add(day).Sub(now), UsedUp
}

func (d *daily) forget(now time.Time) {
	for len(d.done) > 0 && !now.Before(d.done[0].Add(day)) {
		d.done = d.done[1:]
	}
}

func (d *daily) take(now time.Time, c Class) ticket {
	d.done = append(d.done, now)
	return d.gate.take(now, c)
}

func (d *daily) untake(t ticket) {
	d.gate.untake()
	d.drop(t.at)
}

// settle gives back what the service refused: it was not done.
func (d *daily) settle(_ time.Time, t ticket, a answer) {
	d.gate.settle(t, a)
	if a.answered && !a.accepted {
		d.drop(t.at)
	}
}

func (d *daily) drop(at time.Time) {
	for i, t := range d.done {
		if t.Equal(at) {
			d.done = append(d.done[:i], d.done[i+1:]...)
			return
		}
	}
}

func (d *daily) refuse(now time.Time, r refusal, jitter float64) { d.pause(now, r, jitter) }

func (d *daily) budget(now time.Time) Budget {
	d.forget(now)
	b := Budget{Limit: d.limit, Remaining: d.limit - len(d.done)}
	if len(d.done) > 0 {
		b.Resets = d.done[len(d.done)-1].Add(day)
	}
	if now.Before(d.paused) {
		b.Paused, b.Remaining = d.paused, 0
	}
	return b
}
