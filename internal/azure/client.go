package azure

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// Client reads the state of backup in Azure, and carries changes out, as one identity and for one run. It is safe for
// concurrent use.
type Client struct {
	arm     *arm.Client
	command Command
	router  router
	// deletable are the groups whose disks may be deleted: none before [Client.PermitCleanUp].
	deletable deletableGroups
	now       func() time.Time // the machine's clock
	started   time.Time        // on the machine's clock

	policies policyCache
	rows     *wire.RowTypes

	mu sync.Mutex
	// extended are the extendedProperties of items besides the disk filter; every write sends them back.
	extended map[armid.Key]map[string]json.RawMessage
	failures map[armid.Key][]plan.JobError // of jobs that failed, by job
	search   searchRecord                  // the bodies of the last search for subscriptions
	oldJobs  map[armid.Key]bool            // vaults with jobs that started before the job window and are in progress
}

// New returns a client for a command, which decides the requests it may send; with "" it may only read. New sends no
// request. Its errors are those of [arm.New].
func New(command Command, o arm.Options) (*Client, error) {
	c := &Client{
		command: command, router: newRouter(), now: o.Now,
		extended: map[armid.Key]map[string]json.RawMessage{},
		policies: newPolicyCache(),
		failures: map[armid.Key][]plan.JobError{},
		rows:     wire.NewRowTypes(),
		oldJobs:  map[armid.Key]bool{},
	}
	writes := []Command{CommandApply, CommandBackup, CommandRestore, CommandRestoreTest}
	var err error
	c.arm, err = arm.New(o, arm.Rules{Allow: c.allow, NeedsAuxiliary: namesGuardRequest, Confirms: slices.Contains(writes, command)})
	if err != nil {
		return nil, err
	}
	c.started = o.Now()
	return c, nil
}

// CorrelationID returns the identifier of this run in Azure's logs.
func (c *Client) CorrelationID() string { return c.arm.CorrelationID() }

// Requests returns the number of requests sent so far, each attempt counted, by kind ("protected items", "write item",
// …).
func (c *Client) Requests() map[string]int { return c.arm.Requests() }

// Throttled returns how long quotas have held requests back so far.
func (c *Client) Throttled() time.Duration { return c.arm.Throttled() }

// Holds returns the quotas that hold requests back now.
func (c *Client) Holds() []arm.Throttle { return c.arm.Holds() }

// WhoAmI returns the claims of the client's own token, which it sends nowhere. An error is an [*arm.SignInError], or the
// context's cause.
func (c *Client) WhoAmI(ctx context.Context) (arm.Identity, error) { return c.arm.WhoAmI(ctx) }

// Now returns the service's time, to the second; before the first answer the machine's. Ages of times that the service
// reports are counted against it.
func (c *Client) Now() time.Time { return c.arm.Now() }

// ServiceTime returns the service's time at a moment of the machine's clock; before the first answer the machine's.
// Zero stays zero.
func (c *Client) ServiceTime(moment time.Time) time.Time { return c.arm.ServiceTime(moment) }

// ClockSkew returns how far the machine's clock is ahead of the service's, to the second; 0 before the first answer.
func (c *Client) ClockSkew() time.Duration { return c.arm.ClockSkew() }

// expect announces n reads of a subscription, so that a long wait for their quota can be reported before it begins.
// done ends the announcement.
func (c *Client) expect(subscription string, b quota.Bucket, n int) (done func()) {
	return c.arm.Quotas().For(subscription).Expect(b, n)
}

// expectPoints announces a list of recovery points for each item.
func (c *Client) expectPoints(items []plan.Item) (done func()) {
	counts := map[string]int{}
	for _, it := range items {
		counts[strings.ToLower(armid.SubscriptionOf(it.ID))]++
	}
	var ends []func()
	for subscription, n := range counts {
		ends = append(ends, c.expect(subscription, quota.ListPoints, n))
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

// ExpectJobs announces the reads of n jobs of a vault, so that a long wait for their quota can be reported before it
// begins. done ends the announcement.
func (c *Client) ExpectJobs(vault string, n int) (done func()) {
	return c.expect(armid.SubscriptionOf(vault), quota.ListJobs, n)
}

// Quotas returns the state of every quota that a request of this client counted in.
func (c *Client) Quotas() []quota.BucketState { return c.arm.Quotas().States() }

// Budget implements [apply.BudgetSource].
func (c *Client) Budget(vault string, kind apply.ReadKind) apply.Budget {
	bucket := quota.ItemOperation
	switch kind {
	case apply.ReadItems:
		bucket = quota.ListItems
	case apply.ReadJobs:
		bucket = quota.ListJobs
	case apply.ReadOperation:
	}
	left := c.arm.Quotas().For(armid.SubscriptionOf(vault)).Budget(bucket)
	b := apply.Budget{Remaining: left.Remaining, Resets: c.ServiceTime(left.Resets), Next: c.ServiceTime(left.Next)}
	if left.Remaining == quota.Unlimited {
		b.Remaining = -1
	}
	return b
}
