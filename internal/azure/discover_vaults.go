package azure

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// mayBeAnsweredByList reports whether the list of a subscription's vaults may take the place of the read of a vault of
// the file. A managed vault is always read by itself, because its settings are compared with the file.
func mayBeAnsweredByList(v plan.VaultRef) bool { return !v.Manage }

// vaultContentTasks returns the reads inside a vault of the file. They may succeed where the vault could not be read.
func (d *discovery) vaultContentTasks(v plan.Vault) []readTask {
	reads := []readTask{
		func(ctx context.Context) {
			// Jobs first: a job that has ended by then shows in the items read after. In the other order an
			// operation that ends in between would be seen neither running nor done, and be requested again.
			d.listJobs(ctx, v)
			d.listItems(ctx, v)
		},
		func(ctx context.Context) { d.listPolicies(ctx, v) },
	}
	if d.scope.Guards {
		reads = append(reads, func(ctx context.Context) { d.listGuards(ctx, v) })
	}
	return reads
}

// listVaults lists the vaults of a subscription, each once: a list that changes between its pages contains it twice.
// Vaults of the file that the list does not make known are read one by one after it.
func (d *discovery) listVaults(ctx context.Context, subscription string) {
	listed := map[armid.Key]bool{} // those that need no read any more
	defer func() {
		for _, ref := range d.listableVaults[strings.ToLower(subscription)] {
			if !listed[armid.Of(ref.ID)] { // the list shows only what the caller may see
				d.follow(func(ctx context.Context) { d.getVault(ctx, ref) })
			}
		}
	}()
	u := d.c.arm.URL("/subscriptions/"+subscription+"/providers/Microsoft.RecoveryServices/vaults", apiVault)
	found, err := listAll[wire.Vault](ctx, d.c, "listing vaults of subscription "+subscription, u, quota.Other, d.rec.tee("vaults"))
	if err != nil {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapVaults, Subscription: subscription}, err)
		return
	}
	var outside, answered []plan.Vault
	var unanswered []plan.VaultRef // that join the file, and are read by themselves
	d.recordSuccess(func(o *plan.Observed) {
		for _, w := range found {
			id := w.ID.Text()
			if _, err := armid.ParseVault(id); err != nil || len(id) > wire.MaxID {
				o.Gaps = append(o.Gaps, plan.Gap{
					Kind: plan.GapVaults, Subscription: subscription, Code: "MalformedAnswer",
					Message: "an entry of the vault list names no vault; its id is " + w.ID.Printable(),
				})
				continue
			}
			key := armid.Of(id)
			ref, inFile := d.fileVaults[key]
			switch {
			case listed[key], inFile && !mayBeAnsweredByList(ref):
			case inFile:
				if v, odd := w.ToPlan(ref.ID, true); odd == "" {
					listed[key] = true
					o.Vaults = append(o.Vaults, v)
					answered = append(answered, v)
				}
			default:
				listed[key] = true
				v, odd := w.ToPlan(id, false)
				if ref, joins := d.joins(v); joins {
					if v.InFile = true; odd != "" || !mayBeAnsweredByList(ref) {
						unanswered = append(unanswered, ref)
						continue
					}
					o.Vaults = append(o.Vaults, v)
					answered = append(answered, v)
					continue
				}
				o.Vaults = append(o.Vaults, v)
				outside = append(outside, v)
				// Without its region, no region's items are looked for there; without its tags, it may be one that joins.
				if v.Location == "" || d.scope.Joins != nil {
					o.Gaps = append(o.Gaps, misreadGaps(vaultGap(plan.GapVault, v), odd)...)
				}
			}
		}
		d.vaultsOutsideFile = append(d.vaultsOutsideFile, outside...)
	})
	for _, v := range answered {
		d.follow(d.vaultContentTasks(v)...)
	}
	for _, ref := range unanswered {
		d.follow(func(ctx context.Context) { d.getVault(ctx, ref) })
	}
	if d.scope.AllVaults {
		for _, v := range outside {
			d.follow(
				func(ctx context.Context) { d.listItems(ctx, v) },
				func(ctx context.Context) { d.listPolicies(ctx, v) })
		}
	}
}

// joins returns the reference to a vault that joins the file by a match.
func (d *discovery) joins(v plan.Vault) (plan.VaultRef, bool) {
	if d.scope.Joins == nil {
		return plan.VaultRef{}, false
	}
	return d.scope.Joins(v)
}

// getVault reads a vault of the file. The reads of its content follow, unless it does not exist.
func (d *discovery) getVault(ctx context.Context, ref plan.VaultRef) {
	var w wire.Vault
	raw, err := d.c.getDocument(ctx, fmt.Sprintf("reading vault %q", vaultName(ref.ID)), d.c.arm.URL(ref.ID, apiVault), quota.Other, &w)
	switch {
	case isAbsenceProven(err):
		d.recordSuccess(func(*plan.Observed) {})
	case err != nil:
		d.recordGap(ctx, plan.Gap{
			Kind: plan.GapVault, Subscription: armid.SubscriptionOf(ref.ID), Location: ref.Location, Vault: ref.ID,
		}, err)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.unreadVaults = append(d.unreadVaults, ref)
	default:
		d.rec.add("vaults", raw)
		v, odd := w.ToPlan(ref.ID, true)
		gap := vaultGap(plan.GapVault, v)
		gap.Location = cmp.Or(v.Location, ref.Location)
		d.recordSuccess(func(o *plan.Observed) {
			o.Vaults = append(o.Vaults, v)
			o.Gaps = append(o.Gaps, misreadGaps(gap, odd)...)
		})
		d.follow(d.vaultContentTasks(plan.Vault{ID: ref.ID, Location: gap.Location})...)
	}
}
