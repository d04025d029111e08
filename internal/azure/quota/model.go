package quota

import (
	"math"
	"time"
)

// Class is what a request is for. Classes share every bucket without starving each other.
type Class int

// The classes.
const (
	// Other is discovery, and everything that is neither of the next two.
	Other Class = iota
	// Write carries out a change.
	Write
	// Confirm looks how changes are doing.
	Confirm
	classes
)

func (c Class) String() string { return [...]string{"other", "write", "confirm"}[c] }

// Reason is why requests are held back.
type Reason string

// The reasons.
const (
	// Refused: the service answered 429; everyone in the bucket waits.
	Refused Reason = "refused"
	// UsedUp: nothing is left until the bucket refills or its window ends.
	UsedUp Reason = "used up"
	// Reserved: what is left is kept for requests of another class.
	Reserved Reason = "reserved"
	// Spread: the last requests of a window are spread over the time in which it may end, to see when it does.
	Spread Reason = "spread"
	// probing: nobody knows what is left, and one request is on its way to find out. Not worth telling.
	probing Reason = "asking"
)

// Budget is what is left of a bucket.
type Budget struct {
	// Limit is the size of the bucket, as far as it is known; 0 = the service has named no limit.
	Limit int
	// Remaining is how many requests of class Confirm may go at once: without those left to others and those kept for
	// the end of the window. It is [Unlimited] where Limit is 0.
	Remaining int
	// Resets is the latest moment at which the bucket is full again; zero where nothing was taken.
	Resets time.Time
	// Paused is the end of the pause that a 429 asked for, or zero.
	Paused time.Time
	// Next is when one request of class Confirm may go; zero = now.
	Next time.Time
}

// Unlimited stands for "no limit was named".
const Unlimited = math.MaxInt32

// forever is a wait that only an answer can end.
const forever = time.Duration(math.MaxInt64)

// limitModel is the model of one bucket. Times only ever grow. A meter is not safe for concurrent use.
type limitModel interface {
	// waitTime is how long until a request of class c may go; 0 = now. It may be too short, never too long.
	waitTime(now time.Time, c Class) (time.Duration, Reason)
	// reserve lets one request go; its ticket comes back once, with settle or untake.
	reserve(now time.Time, c Class) reservation
	// cancel takes back a request that was never sent.
	cancel(t reservation)
	// commit tells of the request's answer.
	commit(now time.Time, t reservation, a answer)
	// onThrottled tells of a 429 that names this bucket; jitter is added to the pause.
	onThrottled(now time.Time, r retryHint, jitter float64)
	budget(now time.Time) Budget
}

// reservation is what the meter knew when it let a request go. What happened since says how far the answer can be
// compared with what is known then.
type reservation struct {
	at             time.Time
	class          Class
	sequence       int     // requests let go before and with this one
	answeredBefore int     // answers before this one was let go
	level          float64 // what was left, this one not counted off
}

// answer is what the answer to a request says about a bucket.
type answer struct {
	answered     bool // false: the connection broke, nobody knows whether it was counted
	accepted     bool // 2xx
	hasRemaining bool // left comes from a header
	remaining    int
	interval     time.Duration // of the limit; 0 = not said
}

// retryHint is a 429, as far as it explains itself.
type retryHint struct {
	wait     time.Duration // 0 = not said
	limit    int           // 0 = not said
	interval time.Duration // 0 = not said
}

// admission is what all meters share: the pause after a 429, and asking with one request at a time while nobody
// knows what is left.
type admission struct {
	probeTimeout         time.Duration
	inFlight             int
	sent                 int
	answered             int
	isProbing            bool
	probeAfter           int // taken when it became unsure: only later requests can tell
	lastSentAt           time.Time
	pausedUntil          time.Time // end of the pause
	consecutiveThrottles int       // 429s in a row
}

const (
	// Patience bounds how long all wait for the one request that was sent to ask. A token bucket is known well
	// enough to be impatient; a window may hold nothing.
	tokenProbeTimeout  = 2 * time.Second
	windowProbeTimeout = 20 * time.Second
	// firstPause is how long a 429 pauses its bucket when it names no time; doubled with each further one.
	firstPause = 5 * time.Second
	maxPause   = 5 * time.Minute
	// A pause ends up to a tenth later than asked for, so that processes that were refused together do not
	// come back together.
	jitterShare = 10
	maxJitter   = 5 * time.Second
)

func (ad *admission) waitTime(now time.Time) (time.Duration, Reason) {
	if now.Before(ad.pausedUntil) {
		return ad.pausedUntil.Sub(now), Refused
	}
	if next := ad.lastSentAt.Add(ad.probeTimeout); ad.isProbing && ad.inFlight > 0 && now.Before(next) {
		return next.Sub(now), probing
	}
	return 0, ""
}

func (ad *admission) reserve(now time.Time, c Class) reservation {
	t := reservation{at: now, class: c, answeredBefore: ad.answered}
	ad.inFlight++
	ad.sent++
	ad.lastSentAt = now
	t.sequence = ad.sent
	return t
}

func (ad *admission) cancel() {
	ad.inFlight--
	ad.sent--
}

func (ad *admission) commit(t reservation, a answer) {
	ad.inFlight--
	ad.answered++
	if t.sequence <= ad.probeAfter {
		return
	}
	if a.accepted {
		ad.consecutiveThrottles = 0
	}
	if a.answered {
		ad.isProbing = false
	}
}

// startProbe makes the next request go alone.
func (ad *admission) startProbe() { ad.isProbing, ad.probeAfter = true, ad.sent }

// answeredSince counts the answers that came while t was on its way: requests that the service may have counted
// after t's, so that t's answer does not know of them.
func (ad *admission) answeredSince(t reservation) int { return ad.answered - t.answeredBefore }

// sentSince counts the requests let go after t.
func (ad *admission) sentSince(t reservation) int { return max(0, ad.sent-t.sequence) }

// pause starts the pause a 429 asks for, and returns when the service said that it ends. Afterwards one request
// asks before the others follow.
func (ad *admission) pause(now time.Time, r retryHint, jitter float64) time.Time {
	wait := r.wait
	if wait <= 0 {
		if now.Before(ad.pausedUntil) { // refused together with one that came back before
			return ad.pausedUntil
		}
		wait = min(firstPause<<min(ad.consecutiveThrottles, 10), maxPause)
	}
	ad.consecutiveThrottles++
	ad.startProbe()
	extra := time.Duration(jitter * float64(min(wait/jitterShare, maxJitter)))
	if end := now.Add(wait + extra); end.After(ad.pausedUntil) {
		ad.pausedUntil = end
	}
	return now.Add(wait)
}
