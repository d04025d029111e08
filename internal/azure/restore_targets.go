package azure

import (
	"context"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// RestoreTargets reads the resource group to restore into and the staging storage accounts, given by id or by name in
// each of the subscriptions, and the disks of the groups that a job of f.Jobs restored into, and adds them to f. A failed
// read is a gap, and its subject is in f.Unread; the errors are those of [Client.Discover].
func (c *Client) RestoreTargets(ctx context.Context, subscriptions []string, into string, staging []string, f *plan.RestoreFacts) error {
	d := &discovery{c: c, successes: 1} // earlier reads found what is restored
	var reads []readTask
	var named []string
	for _, id := range staging {
		if strings.HasPrefix(id, "/") {
			reads = append(reads, func(ctx context.Context) { d.stagingAccount(ctx, id, f) })
		} else {
			named = append(named, id)
		}
	}
	groups := []string{into}
	if !strings.HasPrefix(into, "/") {
		groups = nil
	}
	for _, s := range subscriptions {
		if !strings.HasPrefix(into, "/") {
			groups = append(groups, "/subscriptions/"+s+"/resourceGroups/"+into)
		}
		if len(named) > 0 {
			reads = append(reads, func(ctx context.Context) { d.stagingAccounts(ctx, s, named, f) })
		}
	}
	for _, id := range groups {
		reads = append(reads, func(ctx context.Context) { d.targetGroup(ctx, id, f) })
	}
	if err := d.run(ctx, reads); err != nil {
		return err
	}
	f.Disks, reads = map[armid.Key][]plan.Disk{}, nil
	for _, group := range f.GroupsRestoredInto() {
		reads = append(reads, func(ctx context.Context) { d.restoredDisks(ctx, group, f) })
	}
	if err := d.run(ctx, reads); err != nil {
		return err
	}
	f.Gaps = append(f.Gaps, d.out.Gaps...)
	sortGaps(f.Gaps)
	return nil
}

func (d *discovery) targetGroup(ctx context.Context, id string, f *plan.RestoreFacts) {
	g, exists, err := d.c.resourceGroup(ctx, id, d.rec)
	if err != nil {
		d.unread(f, id)
		d.recordGap(ctx, plan.Gap{Kind: plan.GapTargetGroup, Subscription: armid.SubscriptionOf(id), Target: id}, err)
		return
	}
	d.recordSuccess(func(*plan.Observed) {
		if exists {
			f.Groups = append(f.Groups, g)
		}
	})
}

func (d *discovery) restoredDisks(ctx context.Context, group string, f *plan.RestoreFacts) {
	disks, err := d.c.Disks(ctx, group)
	if err != nil {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapTargetGroup, Subscription: armid.SubscriptionOf(group), Target: group}, err)
		return
	}
	d.recordSuccess(func(*plan.Observed) { f.Disks[armid.Of(group)] = disks })
}

func (d *discovery) stagingAccount(ctx context.Context, id string, f *plan.RestoreFacts) {
	a, exists, err := d.c.storageAccount(ctx, id, d.rec)
	if err != nil {
		d.unread(f, id)
		d.recordGap(ctx, plan.Gap{Kind: plan.GapStaging, Subscription: armid.SubscriptionOf(id), Target: id}, err)
		return
	}
	d.recordSuccess(func(*plan.Observed) {
		if exists {
			f.Accounts = append(f.Accounts, a)
		}
	})
}

func (d *discovery) stagingAccounts(ctx context.Context, subscription string, names []string, f *plan.RestoreFacts) {
	found, err := d.c.storageAccounts(ctx, subscription, d.rec)
	if err != nil {
		d.unread(f, names...)
		d.recordGap(ctx, plan.Gap{Kind: plan.GapStaging, Subscription: subscription}, err)
		return
	}
	d.recordSuccess(func(*plan.Observed) {
		for _, a := range found {
			if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, a.Name) }) {
				f.Accounts = append(f.Accounts, a)
			}
		}
	})
}

func (d *discovery) unread(f *plan.RestoreFacts, what ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.Unread = append(f.Unread, what...)
}
