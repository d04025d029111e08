package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

// apiManagementGroups is the api-version of docs/azure.md §21.
const apiManagementGroups = "2021-04-01"

// searchRecord holds the bodies that the last search read, for a snapshot.
type searchRecord struct {
	subscriptions []json.RawMessage
	groups        map[string][]json.RawMessage // descendants, by the path of the management group
	failures      []error
}

// FindSubscriptions reads the subscriptions that the identity sees, those below the management groups of the search,
// and by its id each that these groups or the file name and the list lacks. A read that failed is a gap of the result:
// on the list, a management group, or one subscription. An error is an [*arm.SignInError] or the context's cause.
func (c *Client) FindSubscriptions(ctx context.Context, search plan.SubscriptionSearch) (plan.FoundSubscriptions, error) {
	f := &subscriptionFinder{c: c, names: map[string]string{}, record: searchRecord{groups: map[string][]json.RawMessage{}}}
	me, err := c.WhoAmI(ctx)
	if err != nil {
		return f.out, err
	}
	f.out.Home = me.Tenant
	tasks := []readTask{f.list}
	for _, g := range search.ManagementGroups {
		tasks = append(tasks, func(ctx context.Context) { f.descendants(ctx, g) })
	}
	f.run(ctx, tasks)
	tasks = nil
	if !f.isUnlisted { // otherwise it is not known which are missing from the list
		for _, id := range f.notVisible(slices.Concat(f.out.Below, search.Named)) {
			tasks = append(tasks, func(ctx context.Context) { f.get(ctx, id) })
		}
	}
	f.run(ctx, tasks)
	switch {
	case ctx.Err() != nil:
		return f.out, context.Cause(ctx)
	case f.signInErr != nil:
		return f.out, f.signInErr
	}
	slices.Sort(f.out.Below)
	f.out.Below = slices.Compact(f.out.Below)
	sortByID(f.out.Visible, func(s *plan.Subscription) string { return s.ID })
	sortGaps(f.out.Gaps)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.search = f.record
	return f.out, nil
}

// subscriptionFinder is one search. Its fields are written by the reads, under mu.
type subscriptionFinder struct {
	c *Client

	mu         sync.Mutex
	out        plan.FoundSubscriptions
	record     searchRecord
	isUnlisted bool              // the list of subscriptions could not be read
	names      map[string]string // of the subscriptions below management groups, by folded id
	signInErr  *arm.SignInError
}

func (f *subscriptionFinder) run(ctx context.Context, tasks []readTask) {
	var g errgroup.Group
	g.SetLimit(maxConcurrentReads)
	for _, t := range tasks {
		g.Go(func() error {
			defer crash.ExitOnPanic()
			t(ctx)
			return nil
		})
	}
	_ = g.Wait() // reads return no errors
}

// fail records a read that failed.
func (f *subscriptionFinder) fail(ctx context.Context, gap plan.Gap, err error) {
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := errors.AsType[*arm.SignInError](err); ok {
		f.signInErr = s
		return
	}
	f.record.failures = append(f.record.failures, err)
	f.out.Gaps = append(f.out.Gaps, asGap(gap, err))
}

func (f *subscriptionFinder) list(ctx context.Context) {
	var raws []json.RawMessage
	found, odd, err := f.c.listSubscriptions(ctx, func(raw json.RawMessage) { raws = append(raws, slices.Clone(raw)) })
	if err != nil {
		f.isUnlisted = true // read after this step only
		f.fail(ctx, plan.Gap{Kind: plan.GapSubscription}, err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out.Visible = append(f.out.Visible, found...)
	f.out.Gaps = append(f.out.Gaps, odd...)
	f.record.subscriptions = append(f.record.subscriptions, raws...)
}

// descendants reads the subscriptions below a management group, on all levels.
func (f *subscriptionFinder) descendants(ctx context.Context, group string) {
	path := "/providers/Microsoft.Management/managementGroups/" + group
	gap := plan.Gap{Kind: plan.GapManagementGroup, Target: path}
	u := f.c.arm.URL(path+"/descendants", apiManagementGroups)
	var raws []json.RawMessage
	rows, err := listAll[wire.Descendant](ctx, f.c, fmt.Sprintf("listing what is below management group %q", group), u, quota.Other,
		func(raw json.RawMessage) { raws = append(raws, slices.Clone(raw)) })
	if err != nil {
		f.fail(ctx, gap, err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range rows {
		id := armid.SubscriptionOf(w.ID.Text())
		switch {
		case id != "":
			id = strings.ToLower(id)
			f.out.Below = append(f.out.Below, id)
			f.names[id] = w.Properties.DisplayName.Text()
		case !strings.HasSuffix(strings.ToLower(w.Type.Text()), "/managementgroups"):
			f.out.Gaps = append(f.out.Gaps, misreadGaps(gap, "an entry is neither a subscription nor a management group; its id is "+
				w.ID.Printable())...)
		}
	}
	f.record.groups[path] = raws
}

// notVisible returns those of the ids that the list does not have, folded, sorted, each once.
func (f *subscriptionFinder) notVisible(ids []string) []string {
	seen := map[string]bool{}
	for _, s := range f.out.Visible {
		seen[strings.ToLower(s.ID)] = true
	}
	var missing []string
	for _, id := range ids {
		if id = strings.ToLower(id); !seen[id] {
			seen[id] = true
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	return missing
}

// get reads one subscription that the list does not have. A 404 proves no absence, because ARM also sends it where the
// identity lacks the right (docs/azure.md §27).
func (f *subscriptionFinder) get(ctx context.Context, id string) {
	var w wire.Subscription
	gap := plan.Gap{Kind: plan.GapSubscription, Subscription: id, SubscriptionName: f.names[id]} // all groups have been read
	raw, err := f.c.getDocument(ctx, "reading subscription "+id, f.c.arm.URL("/subscriptions/"+id, apiSubscriptions), quota.Other, &w)
	if err != nil {
		f.fail(ctx, gap, err)
		return
	}
	s, odd := w.ToPlan()
	f.mu.Lock()
	defer f.mu.Unlock()
	if odd != "" || !strings.EqualFold(s.ID, id) {
		f.out.Gaps = append(f.out.Gaps, misreadGaps(gap, cmp.Or(odd, "the answer is not this subscription"))...)
		return
	}
	f.out.Visible = append(f.out.Visible, s)
	f.record.subscriptions = append(f.record.subscriptions, slices.Clone(json.RawMessage(raw)))
}

// listSubscriptions reads the subscriptions that the identity sees. Entries that were not understood are gaps.
func (c *Client) listSubscriptions(ctx context.Context, tee func(json.RawMessage)) (found []plan.Subscription, odd []plan.Gap, err error) {
	rows, err := listAll[wire.Subscription](ctx, c, "listing subscriptions", c.arm.URL("/subscriptions", apiSubscriptions), quota.Other, tee)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range rows {
		s, what := w.ToPlan()
		if s.ID != "" {
			found = append(found, s)
		}
		odd = append(odd, misreadGaps(plan.Gap{Kind: plan.GapSubscription}, what)...)
	}
	return found, odd, nil
}

// recordSearch records what the last search read.
func (c *Client) recordSearch(rec *recorder) {
	if rec == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, raw := range c.search.subscriptions {
		rec.add("subscriptions", raw)
	}
	for path, rows := range c.search.groups {
		body, err := json.Marshal(map[string]any{"id": path, "name": path[strings.LastIndexByte(path, '/')+1:], "descendants": rows})
		if err != nil {
			continue // raw bodies that were decoded always marshal
		}
		rec.add("managementGroups", body)
	}
	for _, err := range c.search.failures {
		rec.recordFailedRead(err)
	}
}
