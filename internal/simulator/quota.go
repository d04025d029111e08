package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
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

func newMeter(s settings.Settings) (*quotaMeter, error) {
	m := &quotaMeter{limits: s.Limits, hours: map[string]*hourlyWindow{}, buckets: map[string]*tokenBucket{}, otherClients: s.OtherClients}
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

// charge consumes a request's cost and returns the headers with the remaining budget, or the 429.
func (rc *requestContext) charge(r *route) (http.Header, *reply.Reply) {
	m := rc.s.quota
	if !m.isEnabled {
		return nil, nil
	}
	left := http.Header{}
	if refused := m.chargeARM(rc, left); refused != nil {
		return nil, refused
	}
	if r.kind == "graph.query" {
		return left, m.chargeGraph(rc, left)
	}
	if r.action == "" || m.limit(r.action) == 0 {
		return left, nil
	}
	return left, m.chargeHourly(rc, r.action, left)
}

// chargeHourly consumes from the action's budget, which all clients of the subscription share (docs/azure.md §12).
func (m *quotaMeter) chargeHourly(c *requestContext, action string, left http.Header) *reply.Reply {
	limit := m.limit(action)
	k := ids.Key(c.params["sub"]) + " " + action
	h := m.hours[k]
	if h == nil || c.now.Sub(h.since) >= time.Hour {
		h = &hourlyWindow{since: c.now}
		m.hours[k] = h
	}
	// Other clients consume evenly over the hour.
	drawn := h.used + int(float64(m.otherClients)*c.now.Sub(h.since).Hours())
	if drawn >= limit {
		wait := int(math.Ceil(h.since.Add(time.Hour).Sub(c.now).Seconds()))
		r := reply.ARMError(http.StatusTooManyRequests, "ResourceRequestsThrottled",
			"Number of requests for action '%s' exceeded the limit of '%d' for time interval '01:00:00'. Please try again after '%d' seconds.",
			action, limit, c.s.scaleSeconds(wait))
		if !c.s.set.NoRetryAfterWhenThrottled {
			r.Set("Retry-After", strconv.Itoa(c.s.scaleSeconds(wait)))
		}
		return &r
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
func (m *quotaMeter) chargeARM(c *requestContext, left http.Header) *reply.Reply {
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
	sub := ids.Key(c.params["sub"])
	own := m.bucket(c, kind+" "+sub+" "+c.principal(), size, refill)
	all := m.bucket(c, kind+" "+sub, armGlobal*size, armGlobal*refill)
	if own.tokens < 1 || all.tokens < 1 {
		wait := max(c.s.scaleSeconds(int(math.Ceil(max((1-own.tokens)/refill, (1-all.tokens)/(armGlobal*refill))))), 1)
		r := c.unverified("arm-throttled", "Number of %s for subscription '%s' exceeded the limit. Please try again after '%d' seconds.", kind, sub, wait)
		r.Set("X-Ms-Failure-Cause", "gateway")
		r.Set("Retry-After", strconv.Itoa(wait))
		return &r
	}
	own.tokens--
	all.tokens--
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-"+kind, strconv.Itoa(int(own.tokens)))
	left.Set("X-Ms-Ratelimit-Remaining-Subscription-Global-"+kind, strconv.Itoa(int(all.tokens)))
	return nil
}

func (m *quotaMeter) bucket(c *requestContext, name string, size, refill float64) *tokenBucket {
	b := m.buckets[name]
	if b == nil {
		b = &tokenBucket{tokens: size, at: c.now}
		m.buckets[name] = b
	}
	b.tokens = min(size, b.tokens+refill*c.now.Sub(b.at).Seconds())
	b.at = c.now
	return b
}

// chargeGraph applies Resource Graph's limit: 15 requests in 5 seconds a user, with headers of its own (docs/azure.md
// §10).
func (m *quotaMeter) chargeGraph(c *requestContext, left http.Header) *reply.Reply {
	k := "graph " + c.principal()
	h := m.hours[k]
	if h == nil || c.now.Sub(h.since) >= graphWindow {
		h = &hourlyWindow{since: c.now}
		m.hours[k] = h
	}
	resets := h.since.Add(graphWindow).Sub(c.now)
	left.Set("X-Ms-User-Quota-Resets-After", fmt.Sprintf("00:00:%02d", int(math.Ceil(resets.Seconds()))))
	if h.used >= graphRequests {
		r := reply.Error(http.StatusTooManyRequests, "RateLimiting", "Please provide below info when asking for support: the client is throttled.")
		r.Set("Retry-After", strconv.Itoa(c.s.scaleSeconds(int(math.Ceil(resets.Seconds())))))
		r.Set("X-Ms-User-Quota-Remaining", "0")
		return &r
	}
	h.used++
	left.Set("X-Ms-User-Quota-Remaining", strconv.Itoa(graphRequests-h.used))
	return nil
}

// principal identifies the caller: by the object id of a token this simulator issued, else by the token itself.
func (rc *requestContext) principal() string {
	token := bearer(rc.r)
	if claims, issued := rc.s.claims(token); issued {
		return rawjson.TextAt(claims, "oid")
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
