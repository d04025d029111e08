package quota

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/deadline"
)

// Limiters holds a [Limiter] for each subscription. It is safe for concurrent use.
type Limiters struct {
	o Options

	mu             sync.Mutex
	bySubscription map[armid.Key]*Limiter
	order          []*Limiter
}

// NewLimiters returns an empty set; o.Subscription is set for each limiter.
func NewLimiters(o Options) *Limiters {
	return &Limiters{o: o, bySubscription: map[armid.Key]*Limiter{}}
}

// For returns the limiter of a subscription, compared without case; "" is for requests outside any subscription.
func (s *Limiters) For(subscription string) *Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := armid.Of(subscription)
	g := s.bySubscription[key]
	if g == nil {
		o := s.o
		o.Subscription = subscription
		g = NewLimiter(o)
		s.bySubscription[key] = g
		s.order = append(s.order, g)
	}
	return g
}

func (s *Limiters) all() []*Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Limiter(nil), s.order...)
}

// Throttled returns how long requests were delayed, summed over the subscriptions.
func (s *Limiters) Throttled() time.Duration {
	var total time.Duration
	for _, g := range s.all() {
		total += g.Throttled()
	}
	return total
}

// States returns the state of every bucket in use, by subscription in the order of first use, then by name.
func (s *Limiters) States() []BucketState {
	var states []BucketState
	for _, g := range s.all() {
		states = append(states, g.States()...)
	}
	return states
}

// Policy returns a pipeline policy that waits before each try until the limiter of the request's subscription admits
// it, and passes the answer to the limiter. It belongs behind the retry policy and before the one that attaches the
// token, which may expire during a wait. A limit on the time of a try would cut the wait too.
func (s *Limiters) Policy() policy.Policy { return limiterPolicy{s} }

type limiterPolicy struct{ limiters *Limiters }

func (p limiterPolicy) Do(req *policy.Request) (*http.Response, error) {
	r := req.Raw()
	var call retriedCall
	if req.OperationValue(&call) {
		call.hold.end()
	}
	permit, reserved := r.Context().Value(permitKey{}).(*Permit)
	if !reserved {
		var err error
		if permit, err = p.limiters.acquire(r); err != nil {
			return nil, err
		}
	}
	resp, err := req.Next()
	permit.Observe(resp)
	if call.hold != nil && resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		call.hold.begin(r.Context())
	}
	return resp, err
}

// CallPolicy returns the policy that belongs before the retry policy. It stops limits of [deadline.WithTimeout] from a
// 429 until the next try, for which the retry policy waits.
func (s *Limiters) CallPolicy() policy.Policy { return callPolicy{} }

type callPolicy struct{}

func (callPolicy) Do(req *policy.Request) (*http.Response, error) {
	call := retriedCall{hold: &hold{}}
	req.SetOperationValue(call)
	defer call.hold.end()
	return req.Next()
}

// retriedCall holds the state that the tries of one request share.
type retriedCall struct{ hold *hold }

// hold keeps the limits of a request from running. The tries of a request come one after the other.
type hold struct{ release func() }

func (h *hold) begin(ctx context.Context) { h.release = deadline.Hold(ctx) }

func (h *hold) end() {
	if h.release != nil {
		h.release()
		h.release = nil
	}
}

func (s *Limiters) acquire(r *http.Request) (*Permit, error) {
	return s.For(armid.SubscriptionOf(r.URL.Path)).Acquire(r.Context(), classOf(r), BucketOf(r)...)
}

// Reserve waits until a write to url may be sent, and returns its permit: so the caller can read the document right
// before it writes, however long the wait was. [WithPermit] passes the permit to the write; an unused permit must be
// released. The error is the context's cause, or that of an invalid URL.
func (s *Limiters) Reserve(ctx context.Context, method, url string) (*Permit, error) {
	r, err := http.NewRequestWithContext(WithClass(ctx, Write), method, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	return s.acquire(r)
}

type permitKey struct{}

// WithPermit returns a context that carries p: the one try of a request with this context is sent without a wait.
func WithPermit(ctx context.Context, p *Permit) context.Context {
	return context.WithValue(ctx, permitKey{}, p)
}

type classKey struct{}

// WithClass returns a context that sets the class of its requests. Without it a write is of class Write, and a
// read, backupStatus and Resource Graph among them, of class Other.
func WithClass(ctx context.Context, c Class) context.Context {
	return context.WithValue(ctx, classKey{}, c)
}

func classOf(r *http.Request) Class {
	if c, ok := r.Context().Value(classKey{}).(Class); ok {
		return c
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return Other
	}
	p := parsePath(r.URL.Path)
	if strings.EqualFold(p.provider, graphProvider) || (len(p.types) > 0 && p.types[len(p.types)-1] == "backupstatus") {
		return Other
	}
	return Write
}
