package quota

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// quotaProfile is a set of limits as observed at one time (docs/azure.md §12).
type quotaProfile struct {
	// reads is the hourly budget of each Recovery Services read action in requests; jobs is that of backupJobs, 0 = the
	// same.
	reads, jobs int
	// vaultWrites and vaultDeletes are the limits on writes and deletes of the vault itself.
	vaultWrites, vaultDeletes int
}

func quotaProfiles() map[string]quotaProfile {
	return map[string]quotaProfile{
		"150":  {150, 150, 210, 10},
		"300":  {300, 450, 300, 50},
		"800":  {800, 800, 300, 200},
		"1100": {1100, 1100, 300, 200},
	}
}

// Quotas returns the profiles that Settings.Quota can name, by the hourly budget of a read action.
func Quotas() []string { return slices.Sorted(maps.Keys(quotaProfiles())) }

// ActionPrefix begins the Recovery Services actions that have budgets of their own.
const ActionPrefix = "Microsoft.RecoveryServices/vaults/"

// The sizes of ARM's token buckets in requests and their refills in requests a second. Each pair of a subscription and a
// principal has its own (docs/azure.md §12).
const (
	armReads, armReadsRefill   = 250, 25.0
	armWrites, armWritesRefill = 200, 10.0
	// armGlobal is how many times a bucket a subscription has for all its principals.
	armGlobal = 15
	// graphRequests may be made in graphWindow by one user (docs/azure.md §10).
	graphRequests = 15
	graphWindow   = 5 * time.Second
)

// Meter counts the consumption of every limit. Budgets are full when the server starts.
type Meter struct {
	profile      quotaProfile
	IsEnabled    bool
	limits       map[string]int
	hours        map[string]*hourlyWindow
	buckets      map[string]*tokenBucket
	otherClients int
	// scale shortens seconds that the client will wait on the wall clock.
	scale func(seconds int) int
	// omitsRetryAfter and choices are Settings.NoRetryAfterWhenThrottled and Settings.Unverified.
	omitsRetryAfter bool
	choices         map[string]string
}

// Request is what a request is charged by.
type Request struct {
	Now time.Time
	// Method is the request's. Kind and Action are those of its route; an empty action has no hourly budget.
	Method, Kind, Action string
	// Subscription is the key of the request's subscription, or empty; Principal identifies the caller.
	Subscription, Principal string
}

// hourlyWindow is a budget in a fixed window (docs/azure.md §12): it starts with a request and does not slide.
type hourlyWindow struct {
	since time.Time
	used  int
}

type tokenBucket struct {
	tokens float64
	at     time.Time
}

// NewMeter returns a meter whose budgets are full; scale shortens the seconds that a client is told to wait. It returns an
// error for an unknown Settings.Quota.
func NewMeter(s settings.Settings, scale func(seconds int) int) (*Meter, error) {
	m := &Meter{
		limits: s.Limits, hours: map[string]*hourlyWindow{}, buckets: map[string]*tokenBucket{}, otherClients: s.OtherClients,
		scale: scale, omitsRetryAfter: s.NoRetryAfterWhenThrottled, choices: s.Unverified,
	}
	if s.Quota == "" {
		m.IsEnabled = len(s.Limits) > 0
		return m, nil
	}
	p, known := quotaProfiles()[s.Quota]
	if !known {
		return nil, fmt.Errorf("quota %q is not one of %s", s.Quota, strings.Join(Quotas(), ", "))
	}
	m.profile, m.IsEnabled = p, true
	return m, nil
}

// limit returns the hourly budget of an action; 0 is none.
func (m *Meter) limit(action string) int {
	if n, set := m.limits[action]; set {
		return n
	}
	switch {
	case action == ActionPrefix+"write":
		return m.profile.vaultWrites
	case action == ActionPrefix+"delete":
		return m.profile.vaultDeletes
	case action == ActionPrefix+"backupJobs/read" && m.profile.jobs > 0:
		return m.profile.jobs
	}
	if n, set := m.limits[""]; set {
		return n
	}
	return m.profile.reads
}

// Charge consumes a request's cost and returns the headers with the remaining budget. Where a limit is exceeded it also
// returns the 429.
func (m *Meter) Charge(r Request) (http.Header, *reply.Reply) {
	left := http.Header{}
	if refused := m.chargeARM(r, left); refused != nil {
		return nil, refused
	}
	if r.Kind == "graph.query" {
		return left, m.chargeGraph(r, left)
	}
	if r.Action == "" || m.limit(r.Action) == 0 {
		return left, nil
	}
	return left, m.chargeHourly(r, left)
}

// chargeHourly consumes from the action's budget, which all clients of the subscription share (docs/azure.md §12).
func (m *Meter) chargeHourly(r Request, left http.Header) *reply.Reply {
	limit := m.limit(r.Action)
	k := r.Subscription + " " + r.Action
	h := m.hours[k]
	if h == nil || r.Now.Sub(h.since) >= time.Hour {
		h = &hourlyWindow{since: r.Now}
		m.hours[k] = h
	}
	// Other clients consume evenly over the hour.
	drawn := h.used + int(float64(m.otherClients)*r.Now.Sub(h.since).Hours())
	if drawn >= limit {
		wait := int(math.Ceil(h.since.Add(time.Hour).Sub(r.Now).Seconds()))
		refusal := reply.ARMError(http.StatusTooManyRequests, "ResourceRequestsThrottled",
			"Number of requests for action '%s' exceeded the limit of '%d' for time interval '01:00:00'. Please try again after '%d' seconds.",
			r.Action, limit, m.scale(wait))
		if !m.omitsRetryAfter {
			refusal.Set("Retry-After", strconv.Itoa(m.scale(wait)))
		}
		return &refusal
	}
	h.used++
	// This header replaces ARM's own (docs/azure.md §12).
	for name := range left {
		left.Del(name)
	}
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests", strconv.Itoa(limit-drawn-1))
	return nil
}

// chargeARM takes a token from ARM's buckets: reads, writes and deletes, a subscription and principal.
func (m *Meter) chargeARM(r Request, left http.Header) *reply.Reply {
	kind, size, refill := "writes", float64(armWrites), armWritesRefill
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		kind, size, refill = "reads", armReads, armReadsRefill
	case http.MethodDelete:
		kind = "deletes"
	}
	if n, set := m.limits["arm-"+kind]; set {
		size = float64(n)
	}
	if n, set := m.limits["arm-"+kind+"-refill"]; set {
		refill = float64(max(n, 1))
	}
	sub := r.Subscription
	own := m.bucket(r.Now, kind+" "+sub+" "+r.Principal, size, refill)
	all := m.bucket(r.Now, kind+" "+sub, armGlobal*size, armGlobal*refill)
	if own.tokens < 1 || all.tokens < 1 {
		wait := max(m.scale(int(math.Ceil(max((1-own.tokens)/refill, (1-all.tokens)/(armGlobal*refill))))), 1)
		refusal := reply.Unverified(m.choices, "arm-throttled", "Number of %s for subscription '%s' exceeded the limit. Please try again after '%d' seconds.", kind, sub, wait)
		refusal.Set("X-Ms-Failure-Cause", "gateway")
		refusal.Set("Retry-After", strconv.Itoa(wait))
		return &refusal
	}
	own.tokens--
	all.tokens--
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-"+kind, strconv.Itoa(int(own.tokens)))
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-Global-"+kind, strconv.Itoa(int(all.tokens)))
	return nil
}

func (m *Meter) bucket(now time.Time, name string, size, refill float64) *tokenBucket {
	b := m.buckets[name]
	if b == nil {
		b = &tokenBucket{tokens: size, at: now}
		m.buckets[name] = b
	}
	b.tokens = min(size, b.tokens+refill*now.Sub(b.at).Seconds())
	b.at = now
	return b
}

// chargeGraph applies Resource Graph's limit: 15 requests in 5 seconds a user, with headers of its own (docs/azure.md
// §10).
func (m *Meter) chargeGraph(r Request, left http.Header) *reply.Reply {
	k := "graph " + r.Principal
	h := m.hours[k]
	if h == nil || r.Now.Sub(h.since) >= graphWindow {
		h = &hourlyWindow{since: r.Now}
		m.hours[k] = h
	}
	resets := h.since.Add(graphWindow).Sub(r.Now)
	left.Set("X-Ms-User-Quota-Resets-After", fmt.Sprintf("00:00:%02d", int(math.Ceil(resets.Seconds()))))
	if h.used >= graphRequests {
		refusal := reply.Error(http.StatusTooManyRequests, "RateLimiting", "Please provide below info when asking for support: the client is throttled.")
		refusal.Set("Retry-After", strconv.Itoa(m.scale(int(math.Ceil(resets.Seconds())))))
		refusal.Set("X-Ms-User-Quota-Remaining", "0")
		return &refusal
	}
	h.used++
	left.Set("X-Ms-User-Quota-Remaining", strconv.Itoa(graphRequests-h.used))
	return nil
}
