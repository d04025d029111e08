package arm

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"

	"github.com/azbackup/azbackup/internal/azure/quota"
)

// Options configure a client. With Now alone set, it reaches AzurePublic with DefaultAzureCredential.
type Options struct {
	Cloud Cloud
	// Endpoint replaces the cloud's Resource Manager endpoint: https, or http on loopback.
	Endpoint string
	// AccessToken is a bearer token that was obtained elsewhere; "" = the client signs in. It requires Endpoint.
	AccessToken string
	// Credential replaces DefaultAzureCredential.
	Credential azcore.TokenCredential
	// Tenant is the tenant to sign in to; "" = the credential's own.
	Tenant string
	// AuxiliaryTenants are the tenants of resource guards in other tenants: a write for which [Rules.NeedsAuxiliary] is
	// true, and no other request, carries a token of each.
	AuxiliaryTenants []string
	// AuxiliaryToken is the token of all AuxiliaryTenants where AccessToken is set; "" = none.
	AuxiliaryToken string
	// Transport replaces the network, for Resource Manager only (not for signing in).
	Transport http.RoundTripper
	// Version is this program's version.
	Version string
	// CorrelationID identifies the run in Azure's logs; "" = a new one.
	CorrelationID string
	// Now is the machine's clock. It is required.
	Now func() time.Time
	// OnThrottle is called when a quota holds requests back, or will, from any goroutine; nil = nothing is reported. It
	// must not block.
	OnThrottle func(Throttle)
	// OnExchange is called after each attempt of a request, from any goroutine; nil = none is reported. It must not block.
	OnExchange func(Exchange)
}

// Throttle reports that a quota holds requests back.
type Throttle struct {
	Subscription string
	// Kind is the kind of the quota (see the constants of quota).
	Kind string
	// Reason is "refused" after a 429; any other reason is the limiter's own precaution.
	Reason string
	// Wait is how long the next request waits, as far as is known.
	Wait time.Duration
	// Limit is the number of requests in each Interval; 0 = not known, or the quota refills steadily.
	Limit    int
	Interval time.Duration
	// Expected is the number of announced reads of this kind, Left how many of them are still to be sent, and Lasts how
	// long that takes; 0 = there are none, or it is not known.
	Expected, Left int
	Lasts          time.Duration
}

// IsForeseen reports whether no request waits yet, but announced reads will have to.
func (t Throttle) IsForeseen() bool { return t.Reason == string(quota.Foreseen) }

// Rules are the decisions of a client's owner about its requests. The client itself knows no resource types.
type Rules struct {
	// Allow returns the kind that a request to the client's endpoint is counted as, or a [RefusedError]. It is required,
	// and called from any goroutine.
	Allow func(method string, u *url.URL) (kind string, err error)
	// NeedsAuxiliary reports whether a write with this body carries the tokens of the auxiliary tenants; nil = none does.
	NeedsAuxiliary func(body []byte) bool
	// Confirms is true where the run writes: then a part of each quota is kept for the reads that confirm its writes.
	Confirms bool
}

// Client sends requests to one Azure cloud as one identity, for one run. It is safe for concurrent use.
type Client struct {
	rules       Rules
	cloudName   string
	endpoint    *url.URL
	tokens      *tokenSource
	scope       string
	auxiliary   []auxiliarySource
	static      bool
	version     string
	correlation string
	clock       *serviceClock
	onExchange  func(Exchange)

	pipeline runtime.Pipeline
	// auxiliaryWrites sends the writes that carry the tokens of auxiliary.
	auxiliaryWrites runtime.Pipeline
	counts          *counter
	quotas          *quota.Limiters
}

// New returns a client; it sends no request. Options that contradict each other are an error; the error is a
// [*SignInError] where AZURE_TOKEN_CREDENTIALS selects a credential that cannot be created.
func New(o Options, r Rules) (*Client, error) {
	if o.Now == nil {
		return nil, errors.New("a client of Azure needs a clock")
	}
	conf, err := o.Cloud.configuration(o.Endpoint)
	if err != nil {
		return nil, err
	}
	endpoint, err := parseEndpoint(conf.Services[cloud.ResourceManager].Endpoint)
	if err != nil {
		return nil, err
	}
	if r.NeedsAuxiliary == nil {
		r.NeedsAuxiliary = func([]byte) bool { return false }
	}
	c := &Client{
		rules: r, cloudName: cmp.Or(o.Cloud.Name, "custom"), endpoint: endpoint,
		scope:       conf.Services[cloud.ResourceManager].Audience + "/.default",
		version:     cmp.Or(strings.TrimSpace(o.Version), "dev"),
		correlation: cmp.Or(o.CorrelationID, uuid.NewString()),
		clock:       newServiceClock(o.Now),
		onExchange:  o.OnExchange, counts: newCounter(),
		quotas: quota.NewLimiters(o.quotaOptions(r.Confirms)),
	}
	if o.Cloud == (Cloud{}) {
		c.cloudName = AzurePublic
	}
	if c.tokens, err = o.newTokenSource(conf); err != nil {
		return nil, err
	}
	c.static = o.AccessToken != ""
	if c.auxiliary, err = o.newAuxiliarySources(conf); err != nil {
		return nil, err
	}
	if c.pipeline, err = c.newPipeline(conf, o.Transport); err != nil {
		return nil, fmt.Errorf("preparing requests: %w", err)
	}
	if c.auxiliaryWrites, err = c.newPipeline(conf, o.Transport, policyFunc(c.auxiliaryPolicy)); err != nil {
		return nil, fmt.Errorf("preparing requests: %w", err)
	}
	return c, nil
}

func (o Options) newTokenSource(conf cloud.Configuration) (*tokenSource, error) {
	switch {
	case o.AccessToken != "" && o.Endpoint == "":
		return nil, errors.New("an access token of your own goes with an endpoint of your own only")
	case o.AccessToken != "":
		return newTokenSource(staticToken(o.AccessToken), nil, o.Now), nil
	case o.Credential != nil:
		return newTokenSource(o.Credential, nil, o.Now), nil
	}
	anew := func() (azcore.TokenCredential, error) {
		return newCredential(conf, o.Tenant, o.Cloud.isCustom())
	}
	credential, err := anew()
	if err != nil {
		return nil, err
	}
	return newTokenSource(credential, anew, o.Now), nil
}

func (o Options) quotaOptions(confirms bool) quota.Options {
	q := quota.Options{Now: o.Now, Jitter: rand.Float64, Confirms: confirms}
	if o.OnThrottle != nil {
		q.OnThrottle = func(t quota.Throttle) {
			o.OnThrottle(newThrottle(t))
		}
	}
	return q
}

func newThrottle(t quota.Throttle) Throttle {
	return Throttle{
		Subscription: t.Subscription, Kind: string(t.Bucket), Reason: string(t.Reason), Wait: t.Wait, Limit: t.Limit, Interval: t.Interval,
		Expected: t.Expected, Left: t.Left, Lasts: t.Lasts,
	}
}

// CorrelationID returns the identifier of this run in Azure's logs.
func (c *Client) CorrelationID() string { return c.correlation }

// Requests returns the number of requests sent so far, each attempt, by kind ("protected items", "write item", …).
func (c *Client) Requests() map[string]int { return c.counts.snapshot() }

// Throttled returns how long quotas have held requests back so far.
func (c *Client) Throttled() time.Duration { return c.quotas.Throttled() }

// Holds returns the quotas that hold requests back now.
func (c *Client) Holds() []Throttle {
	var holds []Throttle
	for _, s := range c.quotas.States() {
		if s.Current != nil {
			holds = append(holds, newThrottle(*s.Current))
		}
	}
	return holds
}

// Quotas returns the limiters of the client's requests.
func (c *Client) Quotas() *quota.Limiters { return c.quotas }

type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func newCounter() *counter { return &counter{n: map[string]int{}} }

func (c *counter) add(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[kind]++
}

func (c *counter) snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}
