package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

const (
	filterVMs   = "backupManagementType eq 'AzureIaasVM'"
	filterItems = filterVMs + " and itemType eq 'VM'"
	// jobTimeFormat is how backupJobs' filter spells times (docs/azure.md §11).
	jobTimeFormat = "2006-01-02 03:04:05 PM"
)

func vaultName(id string) string {
	v, err := armid.ParseVault(id)
	if err != nil {
		return id
	}
	return v.Name()
}

func (d *discovery) subscriptions(ctx context.Context) {
	found, odd, err := d.c.listSubscriptions(ctx, d.rec.tee("subscriptions"))
	if err != nil {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapSubscription}, err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		o.Subscriptions = append(o.Subscriptions, found...)
		o.Gaps = append(o.Gaps, odd...)
	})
}

// subscriptionNames reads the display names of the subscriptions, which distinguish resources of one name for people. No
// decision depends on them, so a failed read is a note and no gap.
func (d *discovery) subscriptionNames(ctx context.Context) {
	found, _, err := d.c.listSubscriptions(ctx, d.rec.tee("subscriptions"))
	if _, isSignIn := errors.AsType[*arm.SignInError](err); isSignIn {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapSubscription}, err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.rec.recordFailedRead(err)
		d.out.Notes = append(d.out.Notes, "the names of the subscriptions could not be read")
		return
	}
	for _, s := range found {
		if slices.ContainsFunc(d.scope.Subscriptions, func(id string) bool { return strings.EqualFold(id, s.ID) }) {
			d.out.Subscriptions = append(d.out.Subscriptions, s)
		}
	}
}

func (d *discovery) listVMs(ctx context.Context, subscription string) {
	u := d.c.arm.URL("/subscriptions/"+subscription+"/providers/Microsoft.Compute/virtualMachines", apiCompute)
	found, err := listAs(ctx, d.c, "listing VMs of subscription "+subscription, u, quota.Other, d.rec.tee("virtualMachines"), d.vmReader())
	if err != nil {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapVMs, Subscription: subscription}, err)
		d.recordUnreadVMs(found)
		return
	}
	d.recordVMs(subscription, found)
}

// vmReader returns the function that reads the rows of one VM list. A row that names no VM becomes one without an id;
// its Unreadable holds what it has instead.
func (d *discovery) vmReader() func(raw []byte) (plan.VM, error) {
	rows, known := wire.NewRowDecoder[wire.VM](d.c.rows), wire.NewStringPool()
	return func(raw []byte) (plan.VM, error) {
		var w wire.VM
		if err := rows.Decode(raw, &w); err != nil {
			return plan.VM{}, err
		}
		vm, ok := w.ToPlan(d.c.Now(), known)
		if !ok {
			return plan.VM{Unreadable: w.ID.Printable()}, nil
		}
		d.addDiskSizes(&vm, &w)
		return vm, nil
	}
}

// recordVMs records the whole VM list of a subscription.
func (d *discovery) recordVMs(subscription string, found []plan.VM) {
	gap := plan.Gap{Kind: plan.GapVMs, Subscription: subscription}
	d.recordSuccess(func(o *plan.Observed) {
		nameless, added := 0, found[:0]
		visible := map[armid.Key]bool{} // a list that changes between its pages has a VM twice
		for _, vm := range found {
			if vm.ID == "" {
				if nameless++; nameless == 1 {
					gap.Message = vm.Unreadable
				}
				continue
			}
			if d.scope.MinVMs > 0 {
				visible[armid.Of(vm.ID)] = true
			}
			if d.isNewVM(&vm) {
				added = append(added, vm)
				o.Gaps = append(o.Gaps, gapsOfVM(vm)...)
			}
		}
		d.newVMs = append(d.newVMs, added)
		d.allVMs[strings.ToLower(subscription)] = true
		if nameless > 0 {
			gap.Code = "MalformedAnswer"
			gap.Message = fmt.Sprintf("%d entries of the VM list name no VM; the id of the first is %s", nameless, gap.Message)
			o.Gaps = append(o.Gaps, gap)
		} else if len(visible) < d.scope.MinVMs {
			gap.Code = "FewerVMsThanExpected"
			gap.Message = fmt.Sprintf("%d VMs are visible, at least %d were expected", len(visible), d.scope.MinVMs)
			o.Gaps = append(o.Gaps, gap)
		}
	})
}

// incompleteList is the reason why the rows of a list that failed later are not relied on.
const incompleteList = "the list in which it stands broke off"

// recordUnreadVMs keeps the names of the VMs that a list showed before it failed.
func (d *discovery) recordUnreadVMs(found []plan.VM) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, vm := range found {
		if vm.ID != "" {
			vm.Unreadable = incompleteList
			if d.isNewVM(&vm) {
				d.out.VMs = append(d.out.VMs, vm)
			}
		}
	}
}

// addVM adds a VM, once: a list that changes between its pages contains it twice. A field that was not understood is a
// gap. The caller holds mu.
func (d *discovery) addVM(o *plan.Observed, vm plan.VM) {
	if d.isNewVM(&vm) {
		o.VMs, o.Gaps = append(o.VMs, vm), append(o.Gaps, gapsOfVM(vm)...)
	}
}

func gapsOfVM(vm plan.VM) []plan.Gap {
	return misreadGaps(plan.Gap{Kind: plan.GapVM, Subscription: vm.Subscription, Target: vm.ID}, vm.Unreadable)
}

// isNewVM records a VM as seen, and reports whether it is to be added: it was not seen before, or was not understood. The
// caller holds mu.
func (d *discovery) isNewVM(vm *plan.VM) bool {
	seen := d.seen.entry(vm.ID)
	if seen.isRead || vm.Unreadable != "" && seen.isUnread {
		return false
	}
	if seen.id == vm.ID {
		vm.ID = seen.id // one copy of the id
	}
	seen.id, seen.isListed, seen.isRead, seen.isUnread = vm.ID, true, vm.Unreadable == "", seen.isUnread || vm.Unreadable != ""
	return true
}

// markProtected records that a VM has an item that is not soft-deleted. The caller holds mu.
func (d *discovery) markProtected(vm string) { d.seen.entry(vm).isProtected = true }

// misreadGaps returns the gap for a row with fields that were not understood, or none.
func misreadGaps(where plan.Gap, what string) []plan.Gap {
	if what == "" {
		return nil
	}
	where.Code, where.Message = plan.CodeNotUnderstood, what
	return []plan.Gap{where}
}

// getVM reads the VM of an `id` rule. A list proves no absence, because it shows only what the identity may see.
func (d *discovery) getVM(ctx context.Context, id string) {
	found, exists, err := d.fetchVM(ctx, id)
	if err != nil {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapVM, Subscription: armid.SubscriptionOf(id), Target: id}, err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		if exists {
			d.addVM(o, found)
		} else {
			o.Missing = append(o.Missing, id)
		}
	})
}

func (d *discovery) fetchVM(ctx context.Context, id string) (plan.VM, bool, error) {
	op := "reading VM " + id
	var w wire.VM
	raw, err := d.c.getDocument(ctx, op, d.c.arm.URL(id, apiCompute), quota.Other, &w)
	if isAbsenceProven(err) {
		return plan.VM{}, false, nil
	}
	if err != nil {
		return plan.VM{}, false, err
	}
	vm, ok := w.ToPlan(d.c.Now(), nil)
	if !ok || !armid.Same(vm.ID, id) {
		return plan.VM{}, false, arm.NewReadError(op, id, "MalformedAnswer", errors.New("the answer is not this VM"))
	}
	d.addDiskSizes(&vm, &w)
	d.rec.add("virtualMachines", raw)
	return vm, true, nil
}

// addDiskSizes adds the sizes of a VM's disks where they are requested.
func (d *discovery) addDiskSizes(vm *plan.VM, w *wire.VM) {
	if d.scope.DiskSizes {
		vm.DiskSizes = w.DiskSizes()
	}
}

func vaultGap(kind plan.GapKind, v plan.Vault) plan.Gap {
	return plan.Gap{Kind: kind, Subscription: armid.SubscriptionOf(v.ID), Location: v.Location, Vault: v.ID}
}

func (d *discovery) listItems(ctx context.Context, v plan.Vault) {
	found, err := d.c.fetchItems(ctx, v.ID, quota.Other, d.rec.tee("protectedItems"))
	if err != nil {
		d.recordGap(ctx, vaultGap(plan.GapItems, v), err)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.addItems(found.items) // their names
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		d.addItems(found.items)
		for _, it := range found.items {
			o.Gaps = append(o.Gaps, misreadGaps(plan.Gap{
				Kind: plan.GapItem, Subscription: armid.SubscriptionOf(v.ID), Location: v.Location, Vault: v.ID, Target: it.VM,
			}, it.Unreadable)...)
		}
		if found.nameless != nil {
			gap := vaultGap(plan.GapItems, v)
			gap.Code, gap.Message = "MalformedAnswer", found.nameless.Error()
			o.Gaps = append(o.Gaps, gap)
		}
		for _, workload := range found.others {
			o.Notes = append(o.Notes, fmt.Sprintf("the item list of vault %q has an item of %s, which is left out", vaultName(v.ID), wire.Quote(workload)))
		}
	})
}

// addItems adds items. The caller holds mu.
func (d *discovery) addItems(items []plan.Item) {
	d.newItems = append(d.newItems, items)
	for i := range items {
		it := &items[i]
		seen := d.seen.entry(it.VM)
		if seen.id == it.VM {
			it.VM = seen.id // one copy of the id
		}
		seen.isProtected = seen.isProtected || !it.SoftDeleted || it.Unreadable != ""
	}
}

func (d *discovery) listPolicies(ctx context.Context, v plan.Vault) {
	u := d.c.arm.URL(v.ID+"/backupPolicies", apiBackup, "$filter", filterVMs)
	op := fmt.Sprintf("listing policies of %q", vaultName(v.ID))
	at := d.c.Now()
	found, err := listAll[wire.Policy](ctx, d.c, op, u, quota.Other, d.rec.tee("policies"))
	if err != nil {
		d.recordGap(ctx, vaultGap(plan.GapPolicies, v), err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		before := len(o.Policies)
		for _, w := range found {
			d.addPolicy(o, v, w)
		}
		for _, p := range o.Policies[before:] {
			d.c.policies.put(p.ID, cachedPolicy{policy: &p, at: at})
		}
	})
}

// addPolicy adds a policy of the list of a vault. A policy for another workload is recorded as taken, because its name
// is; an entry that was not understood is a gap. The caller holds mu.
func (d *discovery) addPolicy(o *plan.Observed, v plan.Vault, w wire.Policy) {
	p, err := w.ToPlan(v.ID)
	gap := vaultGap(plan.GapPolicy, v)
	if gap.Target = p.ID; !wire.IsPolicyOf(p.ID, v.ID) {
		gap = vaultGap(plan.GapPolicies, v)
		err = errors.Join(err, fmt.Errorf("the id of a policy is %s", w.ID.Printable()))
	}
	other, is := errors.AsType[*wire.NotVMPolicyError](err)
	switch {
	case err == nil:
		o.Policies = append(o.Policies, p)
	case is && gap.Kind == plan.GapPolicy:
		o.Taken = append(o.Taken, p.ID)
		o.Notes = append(o.Notes, fmt.Sprintf("the policy list of vault %q has a policy for %s, which is left out", vaultName(v.ID), wire.Quote(other.Workload)))
	default:
		o.Gaps = append(o.Gaps, misreadGaps(gap, strings.ReplaceAll(err.Error(), "\n", "; "))...)
	}
}

// listJobs reads the jobs in progress, and the Backup jobs of the scope's window.
func (d *discovery) listJobs(ctx context.Context, v plan.Vault) {
	filters := []string{filterRunning}
	if since := d.scope.BackupJobsSince; since > 0 {
		now := d.c.Now()
		filters = append(filters, jobWindowFilter(now.Add(-time.Duration(since)), now.Add(jobWindowSlack))+" and operation eq 'Backup' and "+filterVMs)
	}
	seen := map[armid.Key]bool{}
	for _, f := range filters {
		jobs, odd, err := d.c.fetchJobs(ctx, v.ID, f, quota.Other, d.rec.tee("jobs"))
		if err != nil {
			d.recordGap(ctx, vaultGap(plan.GapJobs, v), err)
			return
		}
		if f == filterRunning {
			d.c.recordOldJobs(v.ID, jobs)
		}
		d.recordSuccess(func(o *plan.Observed) {
			o.Gaps = append(o.Gaps, misreadGaps(vaultGap(plan.GapJobs, v), odd)...)
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
	u := d.c.arm.URL(v.ID+"/backupResourceGuardProxies", apiBackup)
	op := fmt.Sprintf("listing resource guards of %q", vaultName(v.ID))
	found, err := listAll[wire.ResourceGuard](ctx, d.c, op, u, quota.Other, d.rec.tee("resourceGuardProxies"))
	if err != nil {
		d.recordGap(ctx, vaultGap(plan.GapGuards, v), err)
		return
	}
	guards := []string{}
	var operations []plan.GuardedOperation
	for _, g := range found {
		guard := cmp.Or(g.Properties.ResourceGuard.Text(), g.ID.Text(), "a guard without a name")
		guards = append(guards, guard)
		for _, o := range g.Properties.Operations {
			operations = append(operations, plan.GuardedOperation{Guard: guard, Operation: o.Operation.Text(), Request: o.Request.Text()})
		}
	}
	d.recordSuccess(func(o *plan.Observed) {
		for i := range o.Vaults {
			if armid.Same(o.Vaults[i].ID, v.ID) {
				o.Vaults[i].ResourceGuards, o.Vaults[i].GuardedOperations = guards, operations
			}
		}
	})
}

// itemList is the content of a list of protected items.
type itemList struct {
	items    []plan.Item // of known VMs; each may be understood in part
	nameless error       // an item whose VM is not known
	others   []string    // the workloads of items of no VM
}

// itemRow is the part kept of one row of that list.
type itemRow struct {
	item     plan.Item
	nameless error
	other    string                     // the workload of an item of no VM
	extended map[string]json.RawMessage // see [Client.storeExtendedProperties]
}

// itemReader returns the function that reads the rows of the item list of one vault.
func (c *Client) itemReader(vault string) func(raw []byte) (itemRow, error) {
	rows, known := wire.NewRowDecoder[wire.Item](c.rows), wire.NewStringPool()
	return func(raw []byte) (row itemRow, err error) {
		var w wire.Item
		if err := rows.Decode(raw, &w); err != nil {
			return row, err
		}
		if row.other = w.OtherWorkload(); row.other != "" {
			return row, nil
		}
		row.item, row.nameless = w.ToPlan(vault, c.Now())
		known.InternItem(&row.item)
		row.extended = w.OtherExtendedProperties()
		return row, nil
	}
}

// fetchItems lists the protected items of a vault. With an error it returns the items listed before it, as items that
// were not understood.
func (c *Client) fetchItems(ctx context.Context, vault string, cl quota.Class, tee func(json.RawMessage)) (itemList, error) {
	u := c.arm.URL(vault+"/backupProtectedItems", apiBackup, "$filter", filterItems)
	found, err := listAs(ctx, c, fmt.Sprintf("listing items of %q", vaultName(vault)), u, cl, tee, c.itemReader(vault))
	l := itemList{items: make([]plan.Item, 0, len(found))}
	for _, row := range found {
		switch {
		case row.other != "":
			l.others = append(l.others, row.other)
			continue
		case row.nameless != nil:
			l.nameless = row.nameless
			continue
		case err != nil:
			row.item.Unreadable = incompleteList
		default:
			c.storeExtendedProperties(row.item.ID, row.extended)
		}
		l.items = append(l.items, row.item)
	}
	return l, err
}

// fetchJobs lists the jobs of a vault; odd describes the first job that was not understood, "" = there is none. Such a
// job is in the list, too.
func (c *Client) fetchJobs(ctx context.Context, vault, filter string, cl quota.Class, tee func(json.RawMessage)) (jobs []plan.Job, odd string, err error) {
	u := c.arm.URL(vault+"/backupJobs", apiBackup, "$filter", filter)
	found, err := listAll[wire.Job](ctx, c, fmt.Sprintf("listing jobs of %q", vaultName(vault)), u, cl, tee)
	if err != nil {
		return nil, "", err
	}
	now := c.Now()
	jobs = make([]plan.Job, 0, len(found))
	for _, w := range found {
		j, what := w.ToPlan(vault, now)
		odd = cmp.Or(odd, what)
		jobs = append(jobs, j)
	}
	return jobs, odd, nil
}

// region is a subscription and a location, case-folded.
type region struct{ subscription, location string }

func regionOf(subscription, location string) region {
	return region{strings.ToLower(subscription), armid.Location(location)}
}

// jobWindowFilter returns the part of a jobs filter that bounds their start.
func jobWindowFilter(from, to time.Time) string {
	return "startTime eq '" + from.UTC().Format(jobTimeFormat) + "' and endTime eq '" + to.UTC().Format(jobTimeFormat) + "'"
}
