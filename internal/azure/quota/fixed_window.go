package quota

import (
	"math"
	"time"
)

// window is the model of a limit that counts requests in fixed windows, shared with other clients and of unknown
// start (doc.go, "Fixed windows").
type window struct {
	admission
	interval time.Duration
	limit    int // 0 = unknown
	known    int // the least that the limit is: documented, or named by a 429; 0 = unknown
	confirms bool
	// isMetered is false before the first answer, and for good where an accepted answer carried no header.
	isMetered   bool
	isUnlimited bool // an accepted answer carried no header: nothing is counted here

	// remaining is how many requests the service would have left if none were in flight.
	remaining int
	// The open window ends between earliest and latest. When none is known to be open latest is zero,
	// and the last one ended at earliest or later.
	earliest, latest time.Time
	usedByClass      [classes]int
	// The remaining number in the first answer of the window, its time, and the time of the last answer.
	firstSeen   int
	firstSeenAt time.Time
	firstSent   int
	lastSeenAt  time.Time
	// The requests of other clients in the window before.
	previous struct {
		drawn int
		over  time.Duration
	}
}

const (
	// Of every window a share is reserved for a class, however many requests of the others wait; what the class does not
	// use is released evenly until the window ends.
	confirmShare = 0.25
	otherShare   = 0.10
	// tailShare of a window, at most, is spread over the time in which it may end; tailInterval is the target
	// gap, and an end known to within endTolerance is exact enough.
	tailShare    = 0.05
	tailInterval = 5 * time.Second
	endTolerance = 2 * time.Second
	// maxOthersShare is the greatest part of a window that is left to other clients, and minPaceInterval the least time
	// over which their pace is averaged.
	maxOthersShare  = 1.0 / 3
	minPaceInterval = 5 * time.Minute
)

func newWindow(limit int, interval time.Duration, confirms bool) *window {
	return &window{
		admission: admission{isProbing: true, probeTimeout: windowProbeTimeout},
		limit:     limit, known: limit, remaining: limit, interval: interval, confirms: confirms,
	}
}

// closeExpired closes a window that has certainly ended.
func (w *window) closeExpired(now time.Time) {
	if !w.latest.IsZero() && !now.Before(w.latest) {
		w.close()
	}
}

// close ends the record of a window and keeps the pace of the other clients. A probe reads how many requests the next
// window has left.
func (w *window) close() {
	w.previous.drawn, w.previous.over = w.usedByOthers(), w.lastSeenAt.Sub(w.firstSeenAt)
	w.usedByClass = [classes]int{}
	w.latest = time.Time{}
	w.remaining, w.firstSeen = w.limit, 0
	w.startProbe()
}

func (w *window) waitTime(now time.Time, c Class) (time.Duration, Reason) {
	w.closeExpired(now)
	if d, why := w.admission.waitTime(now); d > 0 {
		return d, why
	}
	if !w.isMetered || w.latest.IsZero() {
		return 0, ""
	}
	rest := w.latest.Sub(now)
	free := w.remaining - w.inFlight - w.expectedOthers()
	reserved := w.reservedForClasses(now, c)
	if free < 1 {
		return rest, UsedUp
	}
	// The reserve of the other classes is released gradually: check again when the next one may be released.
	again := rest
	if reserved > 0 {
		again = min(rest, max(time.Second, w.interval/time.Duration(w.limit)))
	}
	switch mine := free - reserved; {
	case mine < 1:
		return again, Reserved
	case mine <= w.tailReserve():
		return max(0, min(again, w.nextTailSlot(mine).Sub(now))), Spread
	}
	return 0, ""
}

// tailReserve returns how many of the last requests are reserved for the time in which the window may end.
func (w *window) tailReserve() int {
	unknown := w.latest.Sub(w.earliest)
	if unknown <= endTolerance {
		return 0
	}
	return int(math.Ceil(min(tailShare*float64(w.limit), float64(unknown)/float64(tailInterval))))
}

// nextTailSlot returns when the first of the reserved requests may be sent: they are spread evenly.
func (w *window) nextTailSlot(kept int) time.Time {
	from := w.earliest
	if w.lastSentAt.After(from) {
		from = w.lastSentAt
	}
	return from.Add(w.latest.Sub(from) / time.Duration(kept+1))
}

// reservedForClasses returns how many requests class c must leave to the other classes.
func (w *window) reservedForClasses(now time.Time, c Class) int {
	var share float64
	switch {
	case c == Other && w.confirms:
		share = confirmShare*float64(w.limit) - float64(w.usedByClass[Confirm])
	case c == Confirm:
		share = otherShare*float64(w.limit) - float64(w.usedByClass[Other])
	}
	rest := float64(w.latest.Sub(now)) / float64(w.interval)
	return int(max(0, share) * min(1, rest))
}

// expectedOthers returns how many requests other clients will use until the window ends, at the pace of this window and
// the one before.
func (w *window) expectedOthers() int {
	drawn := w.previous.drawn + w.usedByOthers()
	if drawn <= 0 {
		return 0
	}
	pace := float64(drawn) / float64(max(minPaceInterval, w.previous.over+w.lastSeenAt.Sub(w.firstSeenAt)))
	return int(math.Ceil(min(pace*float64(w.latest.Sub(w.lastSeenAt)), maxOthersShare*float64(w.limit))))
}

// usedByOthers returns how many requests other clients have used in this window, as far as our answers show.
func (w *window) usedByOthers() int { return max(0, w.firstSeen-w.remaining-(w.sent-w.firstSent)) }

func (w *window) reserve(now time.Time, c Class) reservation {
	w.closeExpired(now)
	t := w.admission.reserve(now, c)
	t.level = float64(w.remaining)
	w.usedByClass[c]++
	return t
}

func (w *window) cancel(t reservation) {
	w.admission.cancel()
	w.usedByClass[t.class] = max(0, w.usedByClass[t.class]-1)
}

func (w *window) commit(now time.Time, t reservation, a answer) {
	// Without the header the answer shows at most that there is no such limit.
	a.answered = a.hasRemaining || a.accepted && !w.isMetered
	w.admission.commit(t, a)
	if !a.hasRemaining {
		w.isUnlimited = w.isUnlimited || a.answered
		if w.isMetered {
			w.remaining--
		}
		return
	}
	w.isMetered, w.isUnlimited = true, false
	w.limit = max(w.limit, a.remaining+1)
	if a.interval > 0 {
		w.interval = a.interval
	}
	switch {
	case t.sequence <= w.probeAfter: // maybe from the window before
		return
	case w.latest.IsZero():
		w.openWindow(now, t.at, a.remaining)
	case a.remaining >= int(t.level): // within one window a counter only falls
		w.close()
	default:
		before := w.usedByOthers()
		w.remaining = min(w.remaining, a.remaining)
		w.earliest = later(w.earliest, t.at)
		if drop := w.usedByOthers() - before; float64(drop) > maxOthersShare*float64(w.limit) && now.Sub(w.lastSeenAt) < minPaceInterval {
			w.startAccount(now, a.remaining)
		}
	}
	w.lastSeenAt = now
}

// openWindow starts a window from a header, whose request was admitted at asked and which reported left.
func (w *window) openWindow(now, asked time.Time, left int) {
	w.latest = now.Add(w.interval)
	w.earliest = later(asked, w.earliest.Add(w.interval))
	if w.earliest.After(w.latest) { // the last one cannot have ended: this is another front end's counter
		w.earliest = asked
	}
	w.remaining = left
	w.startAccount(now, left)
}

// startAccount counts from an answer on what other clients draw, and forgets the headers before it: the limit is as large as
// this one shows. No client draws a third of a limit at once: such a fall is from the counter of one front end to that of
// another, or from one odd header, whose size would reserve all that is left for hours.
func (w *window) startAccount(now time.Time, left int) {
	w.limit = max(w.known, left+1)
	w.firstSeen, w.firstSeenAt, w.firstSent = left, now, w.sent
}

func (w *window) onThrottled(now time.Time, r retryHint, jitter float64) {
	w.isMetered, w.isUnlimited = true, false
	if r.limit > 0 {
		w.limit, w.known = r.limit, r.limit
	}
	if r.interval > 0 {
		w.interval = r.interval
	}
	end := w.pause(now, r, jitter)
	if r.wait == 0 {
		return
	}
	w.remaining = 0
	w.earliest, w.latest = end.Add(-endTolerance/2), end.Add(endTolerance/2) // a 429 gives whole seconds
}

func (w *window) budget(now time.Time) Budget {
	w.closeExpired(now)
	b := Budget{Limit: w.limit, Remaining: w.remaining - w.inFlight, Resets: w.latest}
	if !w.latest.IsZero() {
		b.Remaining -= w.expectedOthers() + w.reservedForClasses(now, Confirm) + w.tailReserve()
	}
	b.Remaining = max(0, b.Remaining)
	if w.isUnlimited || w.limit == 0 {
		b.Limit, b.Remaining, b.Resets = 0, Unlimited, time.Time{}
	}
	if now.Before(w.pausedUntil) {
		b.Paused, b.Remaining = w.pausedUntil, 0
	}
	return b
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
