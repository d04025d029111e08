package simulator

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
	// reads is the hourly budget of each Recovery Services read action; jobs that of backupJobs.
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

// actionPrefix begins the Recovery Services actions that have budgets of their own.
const actionPrefix = "Microsoft.RecoveryServices/vaults/"

// The ARM buckets, a subscription and principal (docs/azure.md §12): size and refill a second.
const (
	armReads, armReadsRefill   = 250, 25.0
	armWrites, armWritesRefill = 200, 10.0
	// armGlobal is how many times a bucket a subscription has for all its principals.
	armGlobal = 15
	// graphRequests may be made in graphWindow by one user (docs/azure.md §10).
	graphRequests = 15
	graphWindow   = 5 * time.Second
)

// quotaMeter counts the consumption of every limit. Budgets are full when the server starts.
type quotaMeter struct {
	profile      quotaProfile
	isEnabled    bool
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

// quotaRequest is what a request is charged by.
type quotaRequest struct {
	now time.Time
	// method, kind and action are those of the request's route; an empty action has no hourly budget.
	method, kind, action string
	// subscription is the key of the request's subscription, or empty; principal identifies the caller.
	subscription, principal string
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

func newMeter(s settings.Settings, scale func(seconds int) int) (*quotaMeter, error) {
	m := &quotaMeter{
		limits: s.Limits, hours: map[string]*hourlyWindow{}, buckets: map[string]*tokenBucket{}, otherClients: s.OtherClients,
		scale: scale, omitsRetryAfter: s.NoRetryAfterWhenThrottled, choices: s.Unverified,
	}
	if s.Quota == "" {
		m.isEnabled = len(s.Limits) > 0
		return m, nil
	}
	p, known := quotaProfiles()[s.Quota]
	if !known {
		return nil, fmt.Errorf("quota %q is not one of %s", s.Quota, strings.Join(Quotas(), ", "))
	}
	m.profile, m.isEnabled = p, true
	return m, nil
}

// limit returns the hourly budget of an action; 0 is none.
func (m *quotaMeter) limit(action string) int {
	if n, set := m.limits[action]; set {
		return n
	}
	switch {
	case action == actionPrefix+"write":
		return m.profile.vaultWrites
	case action == actionPrefix+"delete":
		return m.profile.vaultDeletes
	case action == actionPrefix+"backupJobs/read" && m.profile.jobs > 0:
		return m.profile.jobs
	}
	if n, set := m.limits[""]; set {
		return n
	}
	return m.profile.reads
}

// charge consumes a request's cost and returns the headers with the remaining budget, or the 429.
func (m *quotaMeter) charge(r quotaRequest) (http.Header, *reply.Reply) {
	left := http.Header{}
	if refused := m.chargeARM(r, left); refused != nil {
		return nil, refused
	}
	if r.kind == "graph.query" {
		return left, m.chargeGraph(r, left)
	}
	if r.action == "" || m.limit(r.action) == 0 {
		return left, nil
	}
	return left, m.chargeHourly(r, left)
}

// chargeHourly consumes from the action's budget, which all clients of the subscription share (docs/azure.md §12).
func (m *quotaMeter) chargeHourly(r quotaRequest, left http.Header) *reply.Reply {
	limit := m.limit(r.action)
	k := r.subscription + " " + r.action
	h := m.hours[k]
	if h == nil || r.now.Sub(h.since) >= time.Hour {
		h = &hourlyWindow{since: r.now}
		m.hours[k] = h
	}
	// Other clients consume evenly over the hour.
	drawn := h.used + int(float64(m.otherClients)*r.now.Sub(h.since).Hours())
	if drawn >= limit {
		wait := int(math.Ceil(h.since.Add(time.Hour).Sub(r.now).Seconds()))
		refusal := reply.ARMError(http.StatusTooManyRequests, "ResourceRequestsThrottled",
			"Number of requests for action '%s' exceeded the limit of '%d' for time interval '01:00:00'. Please try again after '%d' seconds.",
			r.action, limit, m.scale(wait))
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
func (m *quotaMeter) chargeARM(r quotaRequest, left http.Header) *reply.Reply {
	kind, size, refill := "writes", float64(armWrites), armWritesRefill
	switch r.method {
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
	sub := r.subscription
	own := m.bucket(r.now, kind+" "+sub+" "+r.principal, size, refill)
	all := m.bucket(r.now, kind+" "+sub, armGlobal*size, armGlobal*refill)
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

func (m *quotaMeter) bucket(now time.Time, name string, size, refill float64) *tokenBucket {
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
func (m *quotaMeter) chargeGraph(r quotaRequest, left http.Header) *reply.Reply {
	k := "graph " + r.principal
	h := m.hours[k]
	if h == nil || r.now.Sub(h.since) >= graphWindow {
		h = &hourlyWindow{since: r.now}
		m.hours[k] = h
	}
	resets := h.since.Add(graphWindow).Sub(r.now)
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
