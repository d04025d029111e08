package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// quotaProfile is a set of limits as they were seen at one time (docs/azure.md §12).
type quotaProfile struct {
	// reads is the hourly budget of each Recovery Services read action; jobs that of backupJobs.
	reads, jobs int
	// vaultWrites and vaultDeletes are those of the vault itself.
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

// Quotas are the profiles that Settings.Quota can name, by the hourly budget of a read action.
func Quotas() []string { return slices.Sorted(maps.Keys(quotaProfiles())) }

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

// meter counts what was taken of every limit. Counters start full when the server starts.
type meter struct {
	profile quotaProfile
	on      bool
	limits  map[string]int
	hours   map[string]*hourly
	buckets map[string]*bucket
	others  int
}

// hourly is a budget in a fixed window (docs/azure.md §12): it starts with a request and does not slide.
type hourly struct {
	since time.Time
	used  int
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newMeter(s Settings) (*meter, error) {
	m := &meter{limits: s.Limits, hours: map[string]*hourly{}, buckets: map[string]*bucket{}, others: s.OtherClients}
	if s.Quota == "" {
		m.on = len(s.Limits) > 0
		return m, nil
	}
	p, known := quotaProfiles()[s.Quota]
	if !known {
		return nil, fmt.Errorf("quota %q is not one of %s", s.Quota, strings.Join(Quotas(), ", "))
	}
	m.profile, m.on = p, true
	return m, nil
}

// limit is the hourly budget of an action; 0 is none.
func (m *meter) limit(action string) int {
	if n, set := m.limits[action]; set {
		return n
	}
	switch {
	case action == rsAction+"write":
		return m.profile.vaultWrites
	case action == rsAction+"delete":
		return m.profile.vaultDeletes
	case action == rsAction+"backupJobs/read" && m.profile.jobs > 0:
		return m.profile.jobs
	}
	if n, set := m.limits[""]; set {
		return n
	}
	return m.profile.reads
}

// charge takes what a request costs and returns the headers that say what is left, or the 429 that nothing is.
func (c *call) charge(r *route) (http.Header, *reply) {
	m := c.s.meter
	if !m.on {
		return nil, nil
	}
	left := http.Header{}
	if refused := m.chargeARM(c, left); refused != nil {
		return nil, refused
	}
	if r.kind == "graph.query" {
		return left, m.chargeGraph(c, left)
	}
	if r.action == "" || m.limit(r.action) == 0 {
		return left, nil
	}
	return left, m.chargeHourly(c, r.action, left)
}

// chargeHourly takes from the action's budget, which all clients of the subscription share (docs/azure.md §12).
func (m *meter) chargeHourly(c *call, action string, left http.Header) *reply {
	limit := m.limit(action)
	k := key(c.params["sub"]) + " " + action
	h := m.hours[k]
	if h == nil || c.now.Sub(h.since) >= time.Hour {
		h = &hourly{since: c.now}
		m.hours[k] = h
	}
	// Other clients draw evenly over the hour.
	drawn := h.used + int(float64(m.others)*c.now.Sub(h.since).Hours())
	if drawn >= limit {
		wait := int(math.Ceil(h.since.Add(time.Hour).Sub(c.now).Seconds()))
		r := gateway(http.StatusTooManyRequests, "ResourceRequestsThrottled",
			"Number of requests for action '%s' exceeded the limit of '%d' for time interval '01:00:00'. Please try again after '%d' seconds.",
			action, limit, c.s.scaled(wait))
		if !c.s.set.NoRetryAfterWhenThrottled {
			r.set("Retry-After", itoa(c.s.scaled(wait)))
		}
		return &r
	}
	h.used++
	// This header stands in place of ARM's own (docs/azure.md §12).
	for name := range left {
		left.Del(name)
	}
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests", itoa(limit-drawn-1))
	return nil
}

// chargeARM takes a token from ARM's buckets: reads, writes and deletes, a subscription and principal.
func (m *meter) chargeARM(c *call, left http.Header) *reply {
	kind, size, refill := "writes", float64(armWrites), armWritesRefill
	switch c.r.Method {
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
	sub := key(c.params["sub"])
	own := m.bucket(c, kind+" "+sub+" "+c.principal(), size, refill)
	all := m.bucket(c, kind+" "+sub, armGlobal*size, armGlobal*refill)
	if own.tokens < 1 || all.tokens < 1 {
		wait := max(c.s.scaled(int(math.Ceil(max((1-own.tokens)/refill, (1-all.tokens)/(armGlobal*refill))))), 1)
		r := c.unverified("arm-throttled", "Number of %s for subscription '%s' exceeded the limit. Please try again after '%d' seconds.", kind, sub, wait)
		r.set("X-Ms-Failure-Cause", "gateway")
		r.set("Retry-After", itoa(wait))
		return &r
	}
	own.tokens--
	all.tokens--
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-"+kind, itoa(int(own.tokens)))
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-Global-"+kind, itoa(int(all.tokens)))
	return nil
}

func (m *meter) bucket(c *call, name string, size, refill float64) *bucket {
	b := m.buckets[name]
	if b == nil {
		b = &bucket{tokens: size, at: c.now}
		m.buckets[name] = b
	}
	b.tokens = min(size, b.tokens+refill*c.now.Sub(b.at).Seconds())
	b.at = c.now
	return b
}

// chargeGraph: 15 requests in 5 seconds a user, with headers of its own (docs/azure.md §10).
func (m *meter) chargeGraph(c *call, left http.Header) *reply {
	k := "graph " + c.principal()
	h := m.hours[k]
	if h == nil || c.now.Sub(h.since) >= graphWindow {
		h = &hourly{since: c.now}
		m.hours[k] = h
	}
	resets := h.since.Add(graphWindow).Sub(c.now)
	left.Set("X-Ms-User-Quota-Resets-After", fmt.Sprintf("00:00:%02d", int(math.Ceil(resets.Seconds()))))
	if h.used >= graphRequests {
		r := fail(http.StatusTooManyRequests, "RateLimiting", "Please provide below info when asking for support: the client is throttled.")
		r.set("Retry-After", itoa(c.s.scaled(int(math.Ceil(resets.Seconds())))))
		r.set("X-Ms-User-Quota-Remaining", "0")
		return &r
	}
	h.used++
	left.Set("X-Ms-User-Quota-Remaining", itoa(graphRequests-h.used))
	return nil
}

// principal tells callers apart: by the token's object id where it is one of ours, else by the token.
func (c *call) principal() string {
	token := bearer(c.r)
	if claims, issued := c.s.claims(token); issued {
		return text(claims, "oid")
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:4])
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
