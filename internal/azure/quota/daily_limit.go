package quota

import "time"

const day = 24 * time.Hour

// dailyLimit is the model of a limit on accepted requests in any 24 hours, which no header reports. A run counts
// only its own requests: those before its start are unknown.
type dailyLimit struct {
	admission
	limit  int
	sentAt []time.Time // when the requests of the last day were admitted, oldest first
}

func newDailyLimit(limit int) *dailyLimit { return &dailyLimit{limit: limit} }

func (d *dailyLimit) waitTime(now time.Time, _ Class) (time.Duration, Reason) {
	if wait, why := d.admission.waitTime(now); wait > 0 {
		return wait, why
	}
	d.dropExpired(now)
	if len(d.sentAt) < d.limit {
		return 0, ""
	}
	return d.sentAt[0].Add(day).Sub(now), UsedUp
}

func (d *dailyLimit) dropExpired(now time.Time) {
	for len(d.sentAt) > 0 && !now.Before(d.sentAt[0].Add(day)) {
		d.sentAt = d.sentAt[1:]
	}
}

func (d *dailyLimit) reserve(now time.Time, c Class) reservation {
	d.sentAt = append(d.sentAt, now)
	return d.admission.reserve(now, c)
}

func (d *dailyLimit) cancel(t reservation) {
	d.admission.cancel()
	d.drop(t.at)
}

// commit refunds a rejected request.
func (d *dailyLimit) commit(_ time.Time, t reservation, a answer) {
	d.admission.commit(t, a)
	if a.answered && !a.accepted {
		d.drop(t.at)
	}
}

func (d *dailyLimit) drop(at time.Time) {
	for i, t := range d.sentAt {
		if t.Equal(at) {
			d.sentAt = append(d.sentAt[:i], d.sentAt[i+1:]...)
			return
		}
	}
}

func (d *dailyLimit) onThrottled(now time.Time, r retryHint, jitter float64) { d.pause(now, r, jitter) }

func (d *dailyLimit) budget(now time.Time) Budget {
	d.dropExpired(now)
	b := Budget{Limit: d.limit, Remaining: d.limit - len(d.sentAt)}
	if len(d.sentAt) > 0 {
		b.Resets = d.sentAt[len(d.sentAt)-1].Add(day)
	}
	if now.Before(d.pausedUntil) {
		b.Paused, b.Remaining = d.pausedUntil, 0
	}
	return b
}
