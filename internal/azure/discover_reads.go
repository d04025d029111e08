package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

const (
	filterVMs   = "backupManagementType eq 'AzureIaasVM'"
	filterItems = filterVMs + " and itemType eq 'VM'"
	// jobTime is how backupJobs' filter spells times (azure-api.md §11).
	jobTime = "2006-01-02 03:04:05 PM"
)

func vaultName(id string) string {
	v, err := armid.ParseVault(id)
	if err != nil {
		return id
	}
	return v.Name()
}

func (d *discovery) subscriptions(ctx context.Context) {
	type wire struct {
		ID     string `json:"subscriptionId"`
		Name   string `json:"displayName"`
		Tenant string `json:"tenantId"`
	}
	found, err := list[wire](ctx, d.c, "listing subscriptions", d.c.url("/subscriptions", apiSubscriptions), quota.Other, d.rec.tap("subscriptions"))
	if err != nil {
		d.fail(ctx, plan.Gap{Kind: plan.GapSubscription}, err)
		return
	}
	d.got(func(o *plan.Observed) {
		for _, s := range found {
			o.Subscriptions = append(o.Subscriptions, plan.Subscription(s))
		}
	})
}

func (d *discovery) listVMs(ctx context.Context, subscription string) {
	gap := plan.Gap{Kind: plan.GapVMs, Subscription: subscription}
	u := d.c.url("/subscriptions/"+subscription+"/providers/Microsoft.Compute/virtualMachines", apiCompute)
	found, err := list[wireVM](ctx, d.c, "listing VMs of subscription "+subscription, u, quota.Other, d.rec.tap("virtualMachines"))
	if err != nil {
		d.fail(ctx, gap, err)
		return
	}
	d.gotVMs(subscription, found)
}

// gotVMs notes the whole VM list of a subscription.
func (d *discovery) gotVMs(subscription string, found []wireVM) {
	gap := plan.Gap{Kind: plan.GapVMs, Subscription: subscription}
	d.got(func(o *plan.Observed) {
		unreadable := 0
		for _, w := range found {
			vm, ok := w.vm()
			switch {
			case !ok:
				unreadable++
			case !d.vms[armid.Of(vm.ID)]: // a list that moves while it is paged shows a VM twice
				d.addVM(o, vm)
			}
		}
		d.allVMs = append(d.allVMs, strings.ToLower(subscription))
		if unreadable > 0 {
			gap.Code, gap.Message = "MalformedAnswer", fmt.Sprintf("%d entries of the VM list name no VM", unreadable)
			o.Gaps = append(o.Gaps, gap)
		} else if len(found) < d.scope.MinVMs {
			gap.Code = "FewerVMsThanExpected"
			gap.Message = fmt.Sprintf("%d VMs are visible, at least %d were expected", len(found), d.scope.MinVMs)
			o.Gaps = append(o.Gaps, gap)
		}
	})
}

// addVM needs mu.
func (d *discovery) addVM(o *plan.Observed, vm plan.VM) {
	d.vms[armid.Of(vm.ID)] = true
	o.VMs = append(o.VMs, vm)
}

// getVM asks for the VM of an id rule: a list shows only what the caller may see, so it proves no absence.
func (d *discovery) getVM(ctx context.Context, id string) {
	found, exists, err := d.askVM(ctx, id)
	if err != nil {
		d.fail(ctx, plan.Gap{Kind: plan.GapVM, Subscription: armid.SubscriptionOf(id), Target: id}, err)
		return
	}
	d.got(func(o *plan.Observed) {
		if exists {
			d.addVM(o, found)
		} else {
			o.Missing = append(o.Missing, id)
		}
	})
}

func (d *discovery) askVM(ctx context.Context, id string) (plan.VM, bool, error) {
	op := "reading VM " + id
	var w wireVM
	raw, err := d.c.get(ctx, op, d.c.url(id, apiCompute), quota.Other, &w)
	if absent(err) {
		return plan.VM{}, false, nil
	}
	if err != nil {
		return plan.VM{}, false, err
	}
	vm, ok := w.vm()
	if !ok || !armid.Same(vm.ID, id) {
		return plan.VM{}, false, brokenRead(op, id, "MalformedAnswer", errors.New("the answer is not this VM"))
	}
	d.rec.add("virtualMachines", raw)
	return vm, true, nil
}

// listVaults finds the vaults outside the file.
func (d *discovery) listVaults(ctx context.Context, subscription string) {
	u := d.c.url("/subscriptions/"+subscription+"/providers/Microsoft.RecoveryServices/vaults", apiVault)
	found, err := list[wireVault](ctx, d.c, "listing vaults of subscription "+subscription, u, quota.Other, d.rec.tap("vaults"))
	if err != nil {
		d.fail(ctx, plan.Gap{Kind: plan.GapVaults, Subscription: subscription}, err)
		return
	}
	inFile := map[armid.Key]bool{}
	for _, v := range d.scope.Vaults {
		inFile[armid.Of(v.ID)] = true
	}
	d.got(func(o *plan.Observed) {
		for _, w := range found {
			if _, err := armid.ParseVault(w.ID); err != nil {
				o.Gaps = append(o.Gaps, plan.Gap{
					Kind: plan.GapVaults, Subscription: subscription,
					Code: "MalformedAnswer", Message: "an entry of the vault list names no vault",
				})
				continue
			}
			if !inFile[armid.Of(w.ID)] {
				v := w.vault(w.ID, false)
				o.Vaults = append(o.Vaults, v)
				d.foreign = append(d.foreign, v)
			}
		}
	})
}

// getVault reads a vault of the file.
func (d *discovery) getVault(ctx context.Context, ref plan.VaultRef) {
	var w wireVault
	raw, err := d.c.get(ctx, fmt.Sprintf("reading vault %q", vaultName(ref.ID)), d.c.url(ref.ID, apiVault), quota.Other, &w)
	switch {
	case absent(err):
		d.got(func(*plan.Observed) { d.absent = append(d.absent, armid.Of(ref.ID)) })
	case err != nil:
		d.fail(ctx, plan.Gap{
			Kind: plan.GapVault, Subscription: armid.SubscriptionOf(ref.ID), Location: ref.Location, Vault: ref.ID,
		}, err)
	default:
		d.rec.add("vaults", raw)
		d.got(func(o *plan.Observed) { o.Vaults = append(o.Vaults, w.vault(ref.ID, true)) })
	}
}

func gapIn(kind plan.GapKind, v plan.Vault) plan.Gap {
	return plan.Gap{Kind: kind, Subscription: armid.SubscriptionOf(v.ID), Location: v.Location, Vault: v.ID}
}

func (d *discovery) listItems(ctx context.Context, v plan.Vault) {
	items, unreadable, err := d.c.items(ctx, v.ID, quota.Other, d.rec.tap("protectedItems"))
	if err != nil {
		d.fail(ctx, gapIn(plan.GapItems, v), err)
		return
	}
	d.got(func(o *plan.Observed) {
		o.Items = append(o.Items, items...)
		for _, it := range items {
			if !it.SoftDeleted {
				d.held[armid.Of(it.VM)] = true
			}
		}
		if unreadable != nil {
			gap := gapIn(plan.GapItems, v)
			gap.Code, gap.Message = "MalformedAnswer", unreadable.Error()
			o.Gaps = append(o.Gaps, gap)
		}
	})
}

func (d *discovery) listPolicies(ctx context.Context, v plan.Vault) {
	u := d.c.url(v.ID+"/backupPolicies", apiBackup, "$filter", filterVMs)
	op := fmt.Sprintf("listing policies of %q", vaultName(v.ID))
	found, err := list[wirePolicy](ctx, d.c, op, u, quota.Other, d.rec.tap("policies"))
	if err != nil {
		d.fail(ctx, gapIn(plan.GapPolicies, v), err)
		return
	}
	d.got(func(o *plan.Observed) {
		for _, w := range found {
			if p, ok := w.policy(v.ID); ok {
				o.Policies = append(o.Policies, p)
			}
		}
	})
}

// listJobs reads the jobs in progress, and the Backup jobs of the window that was asked for.
func (d *discovery) listJobs(ctx context.Context, v plan.Vault) {
	filters := []string{filterRunning}
	if since := d.scope.BackupJobsSince; since > 0 {
		now := d.c.Now()
		filters = append(filters, jobWindow(now.Add(-time.Duration(since)), now.Add(jobSlack))+" and operation eq 'Backup' and "+filterVMs)
	}
	seen := map[armid.Key]bool{}
	for _, f := range filters {
		jobs, err := d.c.jobs(ctx, v.ID, f, quota.Other, d.rec.tap("jobs"))
		if err != nil {
			d.fail(ctx, gapIn(plan.GapJobs, v), err)
			return
		}
		if f == filterRunning {
			d.c.noteOld(v.ID, jobs)
		}
		d.got(func(o *plan.Observed) {
			for _, j := range jobs {
				if !seen[armid.Of(j.ID)] {
					seen[armid.Of(j.ID)] = true
					o.Jobs = append(o.Jobs, j)
				}
			}
		})
	}
}

func (d *discovery) listGuards(ctx context.Context, v plan.Vault) {
	u := d.c.url(v.ID+"/backupResourceGuardProxies", apiBackup)
	op := fmt.Sprintf("listing resource guards of %q", vaultName(v.ID))
	found, err := list[wireGuard](ctx, d.c, op, u, quota.Other, d.rec.tap("resourceGuardProxies"))
	if err != nil {
		d.fail(ctx, gapIn(plan.GapGuards, v), err)
		return
	}
	guards := []string{}
	for _, g := range found {
		guards = append(guards, firstOf(g.Properties.ResourceGuard, g.ID))
	}
	d.got(func(o *plan.Observed) {
		for i := range o.Vaults {
			if armid.Same(o.Vaults[i].ID, v.ID) {
				o.Vaults[i].ResourceGuards = guards
			}
		}
	})
}

// items lists the protected items of a vault. What of them could not be read is in unreadable; the others are good.
func (c *Client) items(ctx context.Context, vault string, cl quota.Class, tap func(json.RawMessage)) (items []plan.Item, unreadable, err error) {
	u := c.url(vault+"/backupProtectedItems", apiBackup, "$filter", filterItems)
	found, err := list[wireItem](ctx, c, fmt.Sprintf("listing items of %q", vaultName(vault)), u, cl, tap)
	if err != nil {
		return nil, nil, err
	}
	now := c.Now()
	items = make([]plan.Item, 0, len(found))
	for _, w := range found {
		it, err := w.item(vault, now)
		if err != nil {
			unreadable = err
			continue
		}
		c.keepUnknown(it.ID, w.Properties.ExtendedProperties)
		items = append(items, it)
	}
	return items, unreadable, nil
}

func (c *Client) jobs(ctx context.Context, vault, filter string, cl quota.Class, tap func(json.RawMessage)) ([]plan.Job, error) {
	u := c.url(vault+"/backupJobs", apiBackup, "$filter", filter)
	found, err := list[wireJob](ctx, c, fmt.Sprintf("listing jobs of %q", vaultName(vault)), u, cl, tap)
	if err != nil {
		return nil, err
	}
	jobs := make([]plan.Job, 0, len(found))
	for _, w := range found {
		jobs = append(jobs, w.job(vault))
	}
	return jobs, nil
}

// region is a subscription and a location, folded.
type region struct{ subscription, location string }

func regionOf(subscription, location string) region {
	return region{strings.ToLower(subscription), armid.Location(location)}
}

// jobWindow is the part of a jobs filter that says when they started.
func jobWindow(from, to time.Time) string {
	return "startTime eq '" + from.UTC().Format(jobTime) + "' and endTime eq '" + to.UTC().Format(jobTime) + "'"
}
