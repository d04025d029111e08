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

// knownPolicies are the policies that were read lately, so that the changes that rest on what a policy keeps cost a read of
// it now and then, and not one each. It is safe for concurrent use.
type knownPolicies struct {
	mu  sync.Mutex
	all map[armid.Key]knownPolicy
}

type knownPolicy struct {
	policy *plan.Policy // nil = not there
	at     time.Time
	single bool // read by itself, for a write; else listed for a plan
}

// goodFor is how old a policy may be that a write rests on, as the list of a vault.
const goodFor = 5 * time.Minute

func (k *knownPolicies) remember(id string, p knownPolicy) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all[armid.Of(id)] = p
}

func (k *knownPolicies) get(id string) (knownPolicy, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.all[armid.Of(id)]
	return p, ok
}

// keptOtherwise compares the policies that an item leaves and goes to with what the change was judged by. A change with
// a risk rests on what was read after it was approved, which every read for a write was. Known of old, a difference is
// read again before it counts: this run may have written the policy itself.
func (c *Client) keptOtherwise(ctx context.Context, op string, ch plan.Change) ([]plan.Drift, error) {
	var all []plan.Drift
	for _, side := range []*plan.State{ch.Before, ch.After} {
		if side == nil || len(side.Keeps) == 0 {
			continue
		}
		name := side.Policy[strings.LastIndexByte(side.Policy, '/')+1:]
		known, ok := c.policies.get(side.Policy)
		if ok && c.Now().Sub(known.at) <= goodFor && (known.single || !isRisky(ch)) &&
			len(plan.CheckKeeps(name, side.Keeps, known.policy)) == 0 {
			continue
		}
		known, err := c.policyNow(ctx, op, side.Policy)
		if err != nil {
			return nil, err
		}
		all = append(all, plan.CheckKeeps(name, side.Keeps, known.policy)...)
	}
	return all, nil
}

// policyNow reads one policy.
func (c *Client) policyNow(ctx context.Context, op, id string) (knownPolicy, error) {
	known := knownPolicy{at: c.Now(), single: true}
	var raw json.RawMessage
	body, there, err := c.readBefore(ctx, op, c.url(id, apiBackup), &raw)
	if err != nil {
		return known, err
	}
	if there {
		p, _, err := understood(op, body)
		if err != nil {
			return known, err
		}
		known.policy = &p
	}
	c.policies.remember(id, known)
	return known, nil
}
