package azure

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// policyCache holds recently read policies, so that the changes that depend on a policy's retention share its reads. It
// is safe for concurrent use.
type policyCache struct {
	mu       sync.Mutex
	entries  map[armid.Key]cachedPolicy
	readers  map[armid.Key]chan struct{} // full while a change reads the policy
	approved time.Time                   // when the changes were approved; zero = in advance
}

func newPolicyCache() policyCache {
	return policyCache{entries: map[armid.Key]cachedPolicy{}, readers: map[armid.Key]chan struct{}{}}
}

type cachedPolicy struct {
	policy *plan.Policy // nil = it does not exist
	at     time.Time
	single bool // it was read by itself, for a write; else it is from the list of a plan
}

// policyCacheTTL is the greatest age of a policy that a write depends on, as for the list of a vault.
const policyCacheTTL = 5 * time.Minute

func (k *policyCache) put(id string, p cachedPolicy) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries[armid.Of(id)] = p
}

func (k *policyCache) get(id string) (cachedPolicy, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.entries[armid.Of(id)]
	return p, ok
}

// SetApprovalTime tells when the changes were approved, by the service's clock; zero = before the plan was made. A policy
// that was read earlier is read again before an item is written that leaves it or goes to it.
func (c *Client) SetApprovalTime(at time.Time) {
	c.policies.mu.Lock()
	defer c.policies.mu.Unlock()
	c.policies.approved = at
}

// isFresh reports whether a policy was read after the approval, and recently.
func (k *policyCache) isFresh(p cachedPolicy, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !p.at.Before(k.approved) && now.Sub(p.at) <= policyCacheTTL
}

// checkPolicyDrift compares the policies that an item leaves and goes to with those that the risk of the change was
// judged by, as they were read after the approval; for a change with a risk as they were read for a write alone. Where a
// cached policy differs it is read again, because this run may have written it.
func (c *Client) checkPolicyDrift(ctx context.Context, op string, ch plan.Change) ([]plan.Drift, error) {
	var all []plan.Drift
	for _, side := range []*plan.State{ch.Before, ch.After} {
		if side == nil || len(side.Keeps) == 0 {
			continue
		}
		drifts, err := c.checkRetention(ctx, op, side, isRisky(ch))
		if err != nil {
			return nil, err
		}
		all = append(all, drifts...)
	}
	return all, nil
}

// checkRetention compares a policy with what it kept when the change was approved. Changes of one policy that begin
// together share one read.
func (c *Client) checkRetention(ctx context.Context, op string, side *plan.State, risky bool) ([]plan.Drift, error) {
	began, name := c.Now(), side.Policy[strings.LastIndexByte(side.Policy, '/')+1:]
	cached := func() (drifts []plan.Drift, ok bool) {
		known, ok := c.policies.get(side.Policy)
		if !ok || !c.policies.isFresh(known, c.Now()) || risky && !known.single {
			return nil, false
		}
		drifts = plan.CheckRetention(name, side.Keeps, known.policy)
		return drifts, len(drifts) == 0 || known.single && known.at.After(began)
	}
	if drifts, ok := cached(); ok {
		return drifts, nil
	}
	release, err := c.policies.reserveRead(ctx, side.Policy)
	if err != nil {
		return nil, err
	}
	defer release()
	if drifts, ok := cached(); ok {
		return drifts, nil
	}
	known, err := c.fetchPolicy(ctx, op, side.Policy)
	if err != nil {
		return nil, err
	}
	return plan.CheckRetention(name, side.Keeps, known.policy), nil
}

// reserveRead waits until no other change reads the policy. release ends the reservation. The error is the context's
// cause.
func (k *policyCache) reserveRead(ctx context.Context, id string) (release func(), err error) {
	k.mu.Lock()
	reader := k.readers[armid.Of(id)]
	if reader == nil {
		reader = make(chan struct{}, 1)
		k.readers[armid.Of(id)] = reader
	}
	k.mu.Unlock()
	select {
	case reader <- struct{}{}:
		return func() { <-reader }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// fetchPolicy reads one policy.
func (c *Client) fetchPolicy(ctx context.Context, op, id string) (cachedPolicy, error) {
	known := cachedPolicy{at: c.Now(), single: true}
	var raw json.RawMessage
	body, there, err := c.readCurrent(ctx, op, c.arm.URL(id, apiBackup), &raw)
	if err != nil {
		return known, err
	}
	if there {
		p, _, err := parsePolicy(op, body)
		if err != nil {
			return known, err
		}
		known.policy = &p
	}
	c.policies.put(id, known)
	return known, nil
}
