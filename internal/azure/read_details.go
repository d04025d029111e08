package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// Tunable: pointsTimeout is how long the reads of recovery points may take. They only inform, and a plan does not wait
// for an hourly budget (docs/azure.md §12) to show the cost of a cut.
const pointsTimeout = 30 * time.Second

// ReadDetails returns o with the answers to a plan's questions ([plan.MakeWithQuestions]). A failed read is a gap.
// Recovery points that did not arrive in time are left out. o itself is not changed; the errors are those of
// [Client.Discover].
func (c *Client) ReadDetails(ctx context.Context, o plan.Observed, w plan.Questions) (plan.Observed, error) {
	return c.readDetails(ctx, o, w, nil)
}

func (c *Client) readDetails(ctx context.Context, o plan.Observed, w plan.Questions, rec *recorder) (plan.Observed, error) {
	d := &discovery{c: c, rec: rec, successes: 1} // the reads of o succeeded
	d.out = o
	d.out.Vaults, d.out.Gaps, d.out.Points = slices.Clone(o.Vaults), slices.Clone(o.Gaps), slices.Clone(o.Points)
	var guards, points []readTask
	for _, id := range w.Guards {
		v := plan.Vault{ID: id}
		if i := slices.IndexFunc(o.Vaults, func(v plan.Vault) bool { return armid.Same(v.ID, id) }); i >= 0 {
			v = o.Vaults[i]
		}
		guards = append(guards, func(ctx context.Context) { d.listGuards(ctx, v) })
	}
	if err := d.run(ctx, guards); err != nil {
		return plan.Observed{}, err
	}
	if err := d.readTests(ctx, w.Tests); err != nil {
		return plan.Observed{}, err
	}
	vms := vmsOf(o.Items, w.Points)
	for _, id := range w.Points {
		points = append(points, func(ctx context.Context) { d.listPoints(ctx, id, vms[armid.Of(id)]) })
	}
	patient, cancel := context.WithTimeout(ctx, pointsTimeout)
	defer cancel()
	if err := d.run(patient, points); err != nil && (ctx.Err() != nil || patient.Err() == nil) {
		return plan.Observed{}, err
	}
	sortByID(d.out.Points, func(p *plan.Points) string { return p.Item })
	sortGaps(d.out.Gaps)
	return d.out, nil
}

// vmsOf returns the VMs of some items.
func vmsOf(items []plan.Item, ids []string) map[armid.Key]string {
	vms := make(map[armid.Key]string, len(ids))
	for _, id := range ids {
		vms[armid.Of(id)] = ""
	}
	for _, it := range items {
		if _, wanted := vms[armid.Of(it.ID)]; wanted {
			vms[armid.Of(it.ID)] = it.VM
		}
	}
	return vms
}

// listPoints reads the recovery points of an item. A point without a time cannot be counted, so the whole list is a
// gap.
func (d *discovery) listPoints(ctx context.Context, item, vm string) {
	gap := plan.Gap{Kind: plan.GapPoints, Subscription: armid.SubscriptionOf(item), Vault: armid.VaultOf(item), Target: cmp.Or(vm, item)}
	op := fmt.Sprintf("listing recovery points of %q", cmp.Or(vm, item))
	var rows []json.RawMessage
	var tee func(json.RawMessage)
	if d.rec != nil {
		tee = func(raw json.RawMessage) { rows = append(rows, raw) }
	}
	u := d.c.arm.URL(item+"/recoveryPoints", apiBackup)
	found, err := listAll[wire.RecoveryPoint](ctx, d.c, op, u, quota.Other, tee)
	times := make([]time.Time, 0, len(found))
	for _, w := range found {
		t, ok := w.Properties.Time.PastTime(d.c.Now())
		if (t.IsZero() || !ok) && err == nil {
			err = arm.NewReadError(op, u, plan.CodeNotUnderstood, fmt.Errorf("the time of a recovery point is %s", wire.Quote(w.Properties.Time.Text())))
		}
		times = append(times, t)
	}
	if err != nil {
		d.recordGap(ctx, gap, err)
		return
	}
	for _, raw := range rows { // an estate holds the whole list or nothing
		d.rec.add("recoveryPoints", raw)
	}
	slices.SortFunc(times, time.Time.Compare)
	d.recordSuccess(func(o *plan.Observed) { o.Points = append(o.Points, plan.Points{Item: item, Times: times}) })
}
