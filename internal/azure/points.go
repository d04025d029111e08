package azure

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/plan"
)

// PointReading is the result of reading the recovery points of some items.
type PointReading struct {
	Items []plan.ItemPoints // in the order of the request
	// Restores are the Restore jobs of their containers since the requested time, and earlier ones that still run, newest
	// first.
	Restores []plan.RestoreJob
	Gaps     []plan.Gap
}

// Points reads the recovery points of items, and the Restore jobs of their containers that began at since or later,
// which may prove points. Of up to [plan.MaxPointReads] points whose list row shows that disks are left out, it also
// reads which. A failed read is a gap; the errors are those of [Client.Discover].
func (c *Client) Points(ctx context.Context, items []plan.Item, since time.Time) (PointReading, error) {
	d := &discovery{c: c, successes: 1} // an earlier read found the items
	out := PointReading{Items: make([]plan.ItemPoints, len(items))}
	containers := map[string][]string{}
	var reads []readTask
	for i, it := range items {
		out.Items[i].Item = it
		if containers[it.Vault] == nil {
			reads = append(reads, func(ctx context.Context) { d.restores(ctx, it.Vault, since, containers[it.Vault], &out) })
		}
		containers[it.Vault] = append(containers[it.Vault], it.Container)
		reads = append(reads, func(ctx context.Context) { d.pointsOf(ctx, &out.Items[i]) })
	}
	defer c.expectPoints(items)()
	if err := d.run(ctx, reads); err != nil {
		return PointReading{}, err
	}
	if err := d.run(ctx, d.diskReads(&out)); err != nil {
		return PointReading{}, err
	}
	slices.SortStableFunc(out.Restores, func(a, b plan.RestoreJob) int { return b.Start.Compare(a.Start) })
	out.Gaps = d.out.Gaps
	sortGaps(out.Gaps)
	return out, nil
}

// pointGap returns the gap of an item's recovery points.
func pointGap(it plan.Item) plan.Gap {
	return plan.Gap{Kind: plan.GapPoints, Subscription: armid.SubscriptionOf(it.ID), Vault: it.Vault, Target: it.VM}
}

func (d *discovery) pointsOf(ctx context.Context, p *plan.ItemPoints) {
	points, err := d.c.recoveryPoints(ctx, p.Item.ID, d.rec)
	if err != nil {
		d.recordGap(ctx, pointGap(p.Item), err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		p.Points, p.Read = points, true
		for _, point := range points {
			o.Gaps = append(o.Gaps, misreadGaps(pointGap(p.Item), point.Unreadable)...)
		}
	})
}

func (d *discovery) restores(ctx context.Context, vault string, since time.Time, containers []string, out *PointReading) {
	gap := plan.Gap{Kind: plan.GapJobs, Subscription: armid.SubscriptionOf(vault), Vault: vault}
	jobs, err := d.c.RestoreJobs(ctx, vault, since, containers...)
	if err != nil {
		d.recordGap(ctx, gap, err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		out.Restores = append(out.Restores, jobs...)
		for _, j := range jobs {
			o.Gaps = append(o.Gaps, misreadGaps(gap, j.Unreadable)...)
		}
	})
}

// diskReads returns the reads of points whose list row shows that disks are left out: first the newest point of each
// item, because a restore takes it.
func (d *discovery) diskReads(out *PointReading) []readTask {
	var reads []readTask
	most := 0
	for _, of := range out.Items {
		most = max(most, len(of.Points))
	}
	for k := range most {
		for i := range out.Items {
			if k >= len(out.Items[i].Points) {
				continue
			}
			p := &out.Items[i].Points[k]
			if p.Disks == nil || p.Disks.Included != nil || p.Unreadable != "" {
				continue
			}
			if len(reads) == plan.MaxPointReads {
				return reads
			}
			reads = append(reads, func(ctx context.Context) { d.disksOf(ctx, out.Items[i].Item, p) })
		}
	}
	return reads
}

func (d *discovery) disksOf(ctx context.Context, it plan.Item, p *plan.RecoveryPoint) {
	full, err := d.c.recoveryPoint(ctx, p.ID, d.rec)
	if err == nil && full.Unreadable != "" {
		err = arm.NewReadError(fmt.Sprintf("reading recovery point %q", p.Name), p.ID, plan.CodeNotUnderstood, fmt.Errorf("%s", full.Unreadable))
	}
	if err != nil {
		d.recordGap(ctx, pointGap(it), err)
		return
	}
	d.recordSuccess(func(*plan.Observed) {
		if full.Disks != nil {
			p.Disks = full.Disks
		}
	})
}
