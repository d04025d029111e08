package quota

import (
	"math"
	"time"
)

// window is the model of a limit that counts requests in fixed windows, shared with others and not aligned to
// anything we know (doc.go, "Fixed windows").
type window struct {
	gate
	interval time.Duration
	limit    int // 0 = unknown
	confirms bool
	// metered is false before the first answer, and for good where an accepted answer carried no header.
	metered bool
	free    bool // an accepted answer carried no header: nothing is counted here

	// left is what the service would have left if nothing were in flight.
	left int
	// The window that is open ends between earliest and latest. When none is known to be open latest is zero,
	// and the last one ended at earliest or later.
	earliest, latest time.Time
	used             [classes]int
	// What the first answer of the window said, and when the last one came.
	first      int
	firstAt    time.Time
	firstTaken int
	toldAt     time.Time
	// What others drew in the window before.
	before struct {
		drawn int
		over  time.Duration
	}
}

const (
	// Of every window a class may count on its share, however much the others want; what it does not take is
	// released evenly until the window ends.
	confirmShare = 0.25
	otherShare   = 0.10
	// keepShare of a window, at most, is spread over the time in which it may end; keepEvery is the distance
	// aimed at, and below settled the end is known well enough.
	keepShare = 0.05
	keepEvery = 5 * time.Second
	settled   = 2 * time.Second
	// othersShare is the greatest part of a window that is left to other actors, and minPace the least time over
	// which their pace is reckoned.
	othersShare = 1.0 / 3
	minPace     = 5 * time.Minute
)

func newWindow(limit int, interval time.Duration, confirms bool) *window {
	return &window{
		gate:  gate{unsure: true, patience: windowPatience},
		limit: limit, left: limit, interval: interval, confirms: confirms,
	}
}

// roll closes a window that has ended for certain.
func (w *window) roll(now time.Time) {
	if !w.latest.IsZero() && !now.Before(w.latest) {
		w.close()
	}
}

// close keeps what is to be known of a window that has ended. What the next one holds, a request has to find
// out, alone.
func (w *window) close() {
	w.before.drawn, w.before.over = w.drawn(), w.toldAt.Sub(w.firstAt)
	w.used = [classes]int{}
	w.latest = time.Time{}
	w.left, w.first = w.limit, 0
	w.ask()
}

func (w *window) wait(now time.Time, c Class) (time.Duration, Reason) {
	w.roll(now)
	if d, why := w.gate.wait(now); d > 0 {
		return d, why
	}
	if !w.metered || w.latest.IsZero() {
		return 0, ""
	}
	rest := w.latest.Sub(now)
	free := w.left - w.inFlight - w.others()
	reserved := w.reserved(now, c)
	if free < 1 {
		return rest, UsedUp
	}
	// What is reserved for others is released bit by bit: look again when the next one may be.
	again := rest
	if reserved > 0 {
		again = min(rest, max(time.Second, w.interval/time.Duration(w.limit)))
	}
	switch mine := free - reserved; {
	case mine < 1:
		return again, Reserved
	case mine <= w.keep():
		return max(0, min(again, w.next(mine).Sub(now))), Spread
	}
	return 0, ""
}

// keep is how many of the last requests are kept for the time in which the window may end.
func (w *window) keep() int {
	unknown := w.latest.Sub(w.earliest)
	if unknown <= settled {
		return 0
	}
	return int(math.Ceil(min(keepShare*float64(w.limit), float64(unknown)/float64(keepEvery))))
}

// next is when the first of the requests kept may go: they are spread evenly.
func (w *window) next(kept int) time.Time {
	from := w.earliest
	if w.lastTake.After(from) {
		from = w.lastTake
	}
	return from.Add(w.latest.Sub(from) / time.Duration(kept+1))
}

// reserved is what class c has to leave to the others.
func (w *window) reserved(now time.Time, c Class) int {
	var share float64
	switch {
	case c == Other && w.confirms:
		share = confirmShare*float64(w.limit) - float64(w.used[Confirm])
	case c == Confirm:
		share = otherShare*float64(w.limit) - float64(w.used[Other])
	}
	rest := float64(w.latest.Sub(now)) / float64(w.interval)
	return int(max(0, share) * min(1, rest))
}

// others is what other actors will draw until the window ends, at the pace of this window and the one before.
func (w *window) others() int {
	drawn := w.before.drawn + w.drawn()
	if drawn <= 0 {
		return 0
	}
	pace := float64(drawn) / float64(max(minPace, w.before.over+w.toldAt.Sub(w.firstAt)))
	return int(math.Ceil(min(pace*float64(w.latest.Sub(w.toldAt)), othersShare*float64(w.limit))))
}

// drawn is what others have drawn of this window, as far as our answers show: what it lost without us.
func (w *window) drawn() int { return max(0, w.first-w.left-(w.taken-w.firstTaken)) }

func (w *window) take(now time.Time, c Class) ticket {
	w.roll(now)
	t := w.gate.take(now, c)
	t.level = float64(w.left)
	w.used[c]++
	return t
}

func (w *window) untake(t ticket) {
	w.gate.untake()
	w.used[t.class] = max(0, w.used[t.class]-1)
}

func (w *window) settle(now time.Time, t ticket, a answer) {
	// Without the header nothing was learned, except that there is no such limit.
	a.answered = a.told || a.accepted && !w.metered
	w.gate.settle(t, a)
	if !a.told {
		w.free = w.free || a.answered
		if w.metered {
			w.left--
		}
		return
	}
	w.metered, w.free = true, false
	w.limit = max(w.limit, a.left+1)
	if a.interval > 0 {
		w.interval = a.interval
	}
	switch {
	case t.taken <= w.asked: // perhaps of the window before
		return
	case w.latest.IsZero():
		w.open(now, t.at, a.left)
	case a.left >= int(t.level): // within one window a counter only falls
		w.close()
	default:
		w.left = min(w.left, a.left)
		w.earliest = later(w.earliest, t.at)
	}
	w.toldAt = now
}

// open starts the model of the window that was open when left was told to a request let go at asked.
func (w *window) open(now, asked time.Time, left int) {
	w.latest = now.Add(w.interval)
	w.earliest = later(asked, w.earliest.Add(w.interval))
	if w.earliest.After(w.latest) { // the last one cannot have ended: this is another front end's counter
		w.earliest = asked
	}
	w.left, w.first = left, left
	w.firstAt, w.firstTaken = now, w.taken
}

func (w *window) refuse(now time.Time, r refusal, jitter float64) {
	w.metered, w.free = true, false
	if r.limit > 0 {
		w.limit = r.limit
	}
	if r.interval > 0 {
		w.interval = r.interval
	}
	end := w.pause(now, r, jitter)
	if r.wait == 0 {
		return
	}
	w.left = 0
	w.earliest, w.latest = end.Add(-settled/2), end.Add(settled/2) // it speaks in whole seconds
}

func (w *window) budget(now time.Time) Budget {
	w.roll(now)
	b := Budget{Limit: w.limit, Remaining: w.left - w.inFlight, Resets: w.latest}
	if !w.latest.IsZero() {
		b.Remaining -= w.others() + w.reserved(now, Confirm) + w.keep()
	}
	b.Remaining = max(0, b.Remaining)
	if w.free || w.limit == 0 {
		b.Limit, b.Remaining, b.Resets = 0, Unlimited, time.Time{}
	}
	if now.Before(w.paused) {
		b.Paused, b.Remaining = w.paused, 0
	}
	return b
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
