package quota

import (
	"math"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// Class is the purpose of a request. Classes share every bucket without starving each other.
type Class int

// The classes.
const (
	// Other is discovery, and every request of neither of the next two classes.
	Other Class = iota
	// Write executes a change.
	Write
	// Confirm reads the progress of changes.
	Confirm
	classes
)

func (c Class) String() string { return [...]string{"other", "write", "confirm"}[c] }

// Reason is why requests are delayed.
type Reason string

// The reasons.
const (
	// Refused: the service answered 429; all requests of the bucket wait.
	Refused Reason = "refused"
	// UsedUp: nothing is left until the bucket refills or its window ends.
	UsedUp Reason = "used up"
	// Reserved: the rest is reserved for requests of another class.
	Reserved Reason = "reserved"
	// Spread: the last requests of a window are spread over the time in which it may end, to see when it does.
	Spread Reason = "spread"
	// probing: the remaining number is unknown, and one request is in flight to read it. Not reported.
	probing Reason = "asking"
)

// Budget is the rest of a bucket, in requests. It is a snapshot: other clients draw from the same bucket.
type Budget struct {
	// Limit is the size of the bucket in requests, as far as it is known; 0 = the service has reported no limit.
	Limit int
	// Remaining is how many requests of class Confirm may be sent now, without those that are left to other clients and
	// classes and those reserved for the end of the window. It is [Unlimited] where Limit is 0.
	Remaining int
	// Resets is the latest time at which the bucket is full again; zero where nothing was used.
	Resets time.Time
	// Paused is the end of the pause after a 429, or zero.
	Paused time.Time
	// Next is when one request of class Confirm may be sent; zero = now.
	Next time.Time
}

// Unlimited is the [Budget.Remaining] of a bucket without a reported limit.
const Unlimited = math.MaxInt32

// forever is a wait that only an answer can end.
const forever = time.Duration(math.MaxInt64)

// limitModel is the model of one bucket. The times passed to it never decrease. Not safe for concurrent use.
type limitModel interface {
	// waitTime returns how long until a request of class c may be sent; 0 = now. It may be too short, never too long.
	waitTime(now time.Time, c Class) (time.Duration, Reason)
	// reserve admits one request; each reservation ends once, with commit or cancel.
	reserve(now time.Time, c Class) reservation
	// cancel ends the reservation of a request that was never sent.
	cancel(t reservation)
	// commit ends a reservation with the request's answer.
	commit(now time.Time, t reservation, a answer)
	// onThrottled records a 429 for this bucket; jitter, in [0, 1), lengthens the pause.
	onThrottled(now time.Time, r retryHint, jitter float64)
	budget(now time.Time) Budget
}

// reservation holds the model's counters when a request was admitted, to interpret the header of its answer.
type reservation struct {
	at             time.Time
	class          Class
	sequence       int     // requests admitted up to and with this one
	answeredBefore int     // answers before this one was admitted
	level          float64 // what was left, this one not subtracted
	counted        int     // of a token bucket: requests counted since the last observation
}

// answer is what the response to a request reports about a bucket.
type answer struct {
	answered     bool // false: the connection broke; the service may have counted the request
	accepted     bool // 2xx
	throttled    bool // 429
	hasRemaining bool // remaining comes from a header
	remaining    int
	interval     time.Duration // of the limit; 0 = not reported
}

// retryHint is what a 429 reports about its limit.
type retryHint struct {
	wait     time.Duration // 0 = not reported
	limit    int           // 0 = not reported
	interval time.Duration // 0 = not reported
}

// admission is the part that all models share: the pause after a 429, and probing with one request at a time while the
// remaining number is unknown.
type admission struct {
	probeTimeout         time.Duration
	inFlight             int
	sent                 int
	answered             int
	isProbing            bool
	probeAfter           int // requests sent when probing started: only answers to later ones count
	lastSentAt           time.Time
	pausedUntil          time.Time // end of the pause
	consecutiveThrottles int       // 429s in a row
}

const (
	// A probe timeout bounds how long other requests wait for the probe. It is short for a token bucket, whose size
	// and rate are documented; a window may have nothing left.
	tokenProbeTimeout  = 2 * time.Second
	windowProbeTimeout = 20 * time.Second
	// firstPause is how long a 429 without a time pauses its bucket; doubled with each further one, up to maxPause.
	firstPause = 5 * time.Second
	maxPause   = 5 * time.Minute
	// A pause ends up to a tenth later than the service asked for, against synchronised retries of several processes.
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

// startProbe makes the next request a probe, which is sent alone.
func (ad *admission) startProbe() { ad.isProbing, ad.probeAfter = true, ad.sent }

// answeredSince returns how many answers came while t was in flight: requests that the service may have counted
// after t's, so that t's answer does not include them.
func (ad *admission) answeredSince(t reservation) int { return ad.answered - t.answeredBefore }

// sentSince returns how many requests were admitted after t.
func (ad *admission) sentSince(t reservation) int { return max(0, ad.sent-t.sequence) }

// pause starts the pause after a 429, and returns its end without jitter. After the pause one request
// probes before the others follow.
func (ad *admission) pause(now time.Time, r retryHint, jitter float64) time.Time {
	wait := r.wait
	if wait <= 0 {
		if now.Before(ad.pausedUntil) { // refused together with one that was answered before
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

// newModel returns the model of a bucket before its first answer.
func newModel(b Bucket, confirms bool) limitModel {
	switch {
	case b == ARMReads:
		return newTokenBucket(plan.ARMReadsBurst, plan.ARMReadsPerSecond)
	case b == ARMWrites:
		return newTokenBucket(plan.ARMWritesBurst, plan.ARMWritesPerSecond)
	case b == ARMDeletes:
		return newTokenBucket(plan.ARMDeletesBurst, plan.ARMDeletesPerSecond)
	case b == ResourceGraph:
		return newWindow(plan.GraphQueries, plan.GraphQueriesWindow, confirms)
	case b == ComputeReads:
		return newWindow(0, computeInterval, confirms)
	case strings.HasPrefix(string(b), policyWrites):
		return newDailyLimit(plan.PolicyWritesPerDay)
	case strings.HasPrefix(string(b), protectionChanges):
		return newDailyLimit(plan.ProtectionChangesPerDay)
	}
	// Nothing is confirmed by recovery points.
	return newWindow(plan.BackupRequestsPerHour, plan.BackupRequestsWindow, confirms && b != ListPoints)
}

// computeInterval is the assumed interval of a Compute limit whose name does not end in its minutes.
const computeInterval = 3 * time.Minute
