package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

const (
	filterVMs   = "backupManagementType eq 'AzureIaasVM'"
	filterItems = filterVMs + " and itemType eq 'VM'"
	// jobTime is how backupJobs' filter spells times (docs/azure.md §11).
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
		ID     field `json:"subscriptionId"`
		Name   field `json:"displayName"`
		Tenant field `json:"tenantId"`
	}
	found, err := list[wire](ctx, d.c, "listing subscriptions", d.c.url("/subscriptions", apiSubscriptions), quota.Other, d.rec.tap("subscriptions"))
	if err != nil {
		d.fail(ctx, plan.Gap{Kind: plan.GapSubscription}, err)
		return
	}
	d.got(func(o *plan.Observed) {
		for _, s := range found {
			r := &reading{}
			if id := r.required("subscriptionId", s.ID); id != "" {
				o.Subscriptions = append(o.Subscriptions, plan.Subscription{ID: id, Name: s.Name.loose(), Tenant: s.Tenant.loose()})
			}
			o.Gaps = append(o.Gaps, notUnderstood(plan.Gap{Kind: plan.GapSubscription}, r.misunderstood())...)
		}
	})
}

func (d *discovery) listVMs(ctx context.Context, subscription string) {
	u := d.c.url("/subscriptions/"+subscription+"/providers/Microsoft.Compute/virtualMachines", apiCompute)
	found, err := listAs(ctx, d.c, "listing VMs of subscription "+subscription, u, quota.Other, d.rec.tap("virtualMachines"), d.vmReader())
	if err != nil {
		d.fail(ctx, plan.Gap{Kind: plan.GapVMs, Subscription: subscription}, err)
		d.mentionVMs(found)
		return
	}
	d.gotVMs(subscription, found)
}

// vmReader reads the rows of one VM list. A row that names no VM is one without an id; what it says instead is in its
// Unreadable.
func (d *discovery) vmReader() rowReadFunc[plan.VM] {
	rows, known := newRowDecoder[wireVM](), newWords()
	return func(raw []byte) (plan.VM, error) {
		var w wireVM
		if err := rows.decode(raw, &w); err != nil {
			return plan.VM{}, err
		}
		vm, ok := w.vm(d.c.Now(), known)
		if !ok {
			return plan.VM{Unreadable: shown(strings.TrimPrefix(string(w.ID), notText), w.ID.isText())}, nil
		}
		return vm, nil
	}
}

// gotVMs notes the whole VM list of a subscription.
func (d *discovery) gotVMs(subscription string, found []plan.VM) {
	gap := plan.Gap{Kind: plan.GapVMs, Subscription: subscription}
	d.got(func(o *plan.Observed) {
		nameless := 0
		o.VMs = slices.Grow(o.VMs, len(found))
		for _, vm := range found {
			if vm.ID == "" {
				if nameless++; nameless == 1 {
					gap.Message = vm.Unreadable
				}
				continue
			}
			d.addVM(o, vm)
		}
		d.allVMs[strings.ToLower(subscription)] = true
		if nameless > 0 {
			gap.Code = "MalformedAnswer"
			gap.Message = fmt.Sprintf("%d entries of the VM list name no VM; the id of the first is %s", nameless, gap.Message)
			o.Gaps = append(o.Gaps, gap)
		} else if len(found) < d.scope.MinVMs {
			gap.Code = "FewerVMsThanExpected"
			gap.Message = fmt.Sprintf("%d VMs are visible, at least %d were expected", len(found), d.scope.MinVMs)
			o.Gaps = append(o.Gaps, gap)
		}
	})
}

// brokeOff is why what a list showed before it failed is not relied on.
const brokeOff = "the list in which it stands broke off"

// mentionVMs keeps the names of the VMs that a list showed before it failed.
func (d *discovery) mentionVMs(found []plan.VM) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, vm := range found {
		if vm.ID != "" {
			vm.Unreadable = brokeOff
			d.keepVM(&d.out, vm)
		}
	}
}

// addVM adds a VM once: a list that moves while it is paged shows one twice. What of it was not understood is a gap.
// It needs mu.
func (d *discovery) addVM(o *plan.Observed, vm plan.VM) {
	if d.keepVM(o, vm) {
		o.Gaps = append(o.Gaps, notUnderstood(plan.Gap{Kind: plan.GapVM, Subscription: vm.Subscription, Target: vm.ID}, vm.Unreadable)...)
	}
}

func (d *discovery) keepVM(o *plan.Observed, vm plan.VM) bool {
	key := armid.Of(vm.ID)
	seen := d.seen[key]
	if seen.read || vm.Unreadable != "" && seen.unread {
		return false
	}
	seen.id, seen.read, seen.unread = vm.ID, vm.Unreadable == "", seen.unread || vm.Unreadable != ""
	d.seen[key] = seen
	o.VMs = append(o.VMs, vm)
	return true
}

// hold notes that a VM has an item that is not soft-deleted. It needs mu.
func (d *discovery) hold(key armid.Key) {
	seen := d.seen[key]
	seen.held = true
	d.seen[key] = seen
}

// notUnderstood is the gap for a row of which something was not understood, or none.
func notUnderstood(where plan.Gap, what string) []plan.Gap {
	if what == "" {
		return nil
	}
	where.Code, where.Message = plan.CodeNotUnderstood, what
	return []plan.Gap{where}
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
	vm, ok := w.vm(d.c.Now(), nil)
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
			id := w.ID.loose()
			if _, err := armid.ParseVault(id); err != nil || len(id) > maxID {
				o.Gaps = append(o.Gaps, plan.Gap{
					Kind: plan.GapVaults, Subscription: subscription, Code: "MalformedAnswer",
					Message: "an entry of the vault list names no vault; its id is " + shown(strings.TrimPrefix(string(w.ID), notText), w.ID.isText()),
				})
				continue
			}
			if !inFile[armid.Of(id)] {
				v, odd := w.vault(id, false)
				o.Vaults = append(o.Vaults, v)
				d.foreign = append(d.foreign, v)
				if v.Location == "" { // whatever region it is in, its items are not looked for there
					o.Gaps = append(o.Gaps, notUnderstood(gapIn(plan.GapVault, v), odd)...)
				}
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
		d.got(func(*plan.Observed) { d.absent[armid.Of(ref.ID)] = true })
	case err != nil:
		d.fail(ctx, plan.Gap{
			Kind: plan.GapVault, Subscription: armid.SubscriptionOf(ref.ID), Location: ref.Location, Vault: ref.ID,
		}, err)
	default:
		d.rec.add("vaults", raw)
		v, odd := w.vault(ref.ID, true)
		gap := gapIn(plan.GapVault, v)
		gap.Location = firstOf(v.Location, ref.Location)
		d.got(func(o *plan.Observed) {
			o.Vaults = append(o.Vaults, v)
			o.Gaps = append(o.Gaps, notUnderstood(gap, odd)...)
		})
	}
}

func gapIn(kind plan.GapKind, v plan.Vault) plan.Gap {
	return plan.Gap{Kind: kind, Subscription: armid.SubscriptionOf(v.ID), Location: v.Location, Vault: v.ID}
}

func (d *discovery) listItems(ctx context.Context, v plan.Vault) {
	found, err := d.c.items(ctx, v.ID, quota.Other, d.rec.tap("protectedItems"))
	if err != nil {
		d.fail(ctx, gapIn(plan.GapItems, v), err)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.addItems(&d.out, found.items) // their names
		return
	}
	d.got(func(o *plan.Observed) {
		d.addItems(o, found.items)
		for _, it := range found.items {
			o.Gaps = append(o.Gaps, notUnderstood(plan.Gap{
				Kind: plan.GapItem, Subscription: armid.SubscriptionOf(v.ID), Location: v.Location, Vault: v.ID, Target: it.VM,
			}, it.Unreadable)...)
		}
		if found.nameless != nil {
			gap := gapIn(plan.GapItems, v)
			gap.Code, gap.Message = "MalformedAnswer", found.nameless.Error()
			o.Gaps = append(o.Gaps, gap)
		}
		for _, workload := range found.others {
			o.Notes = append(o.Notes, fmt.Sprintf("the item list of vault %q has an item of %s, which is left out", vaultName(v.ID), shown(workload, true)))
		}
	})
}

// addItems needs mu.
func (d *discovery) addItems(o *plan.Observed, items []plan.Item) {
	o.Items = append(o.Items, items...)
	added := o.Items[len(o.Items)-len(items):]
	for i := range added {
		it := &added[i]
		key := armid.Of(it.VM)
		seen := d.seen[key]
		if seen.id == it.VM {
			it.VM = seen.id // one copy of the text
		}
		if !it.SoftDeleted || it.Unreadable != "" {
			d.hold(key)
		}
	}
}

func (d *discovery) listPolicies(ctx context.Context, v plan.Vault) {
	u := d.c.url(v.ID+"/backupPolicies", apiBackup, "$filter", filterVMs)
	op := fmt.Sprintf("listing policies of %q", vaultName(v.ID))
	at := d.c.Now()
	found, err := list[wirePolicy](ctx, d.c, op, u, quota.Other, d.rec.tap("policies"))
	if err != nil {
		d.fail(ctx, gapIn(plan.GapPolicies, v), err)
		return
	}
	d.got(func(o *plan.Observed) {
		before := len(o.Policies)
		for _, w := range found {
			d.addPolicy(o, v, w)
		}
		for _, p := range o.Policies[before:] {
			d.c.policies.remember(p.ID, knownPolicy{policy: &p, at: at})
		}
	})
}

// addPolicy needs mu. An entry that is not known to be a policy for VMs is none that could be missing: its name is taken.
func (d *discovery) addPolicy(o *plan.Observed, v plan.Vault, w wirePolicy) {
	p, err := w.policy(v.ID)
	gap := gapIn(plan.GapPolicy, v)
	if gap.Target = p.ID; !isPolicyOf(p.ID, v.ID) {
		gap = gapIn(plan.GapPolicies, v)
		err = errors.Join(err, fmt.Errorf("the id of a policy is %s", shown(strings.TrimPrefix(string(w.ID), notText), w.ID.isText())))
	}
	other, is := errors.AsType[*notVMPolicy](err)
	switch {
	case err == nil:
		o.Policies = append(o.Policies, p)
	case is && gap.Kind == plan.GapPolicy:
		o.Taken = append(o.Taken, p.ID)
		o.Notes = append(o.Notes, fmt.Sprintf("the policy list of vault %q has a policy for %s, which is left out", vaultName(v.ID), shown(other.workload, true)))
	default:
		o.Gaps = append(o.Gaps, notUnderstood(gap, strings.ReplaceAll(err.Error(), "\n", "; "))...)
	}
}

func isPolicyOf(id, vault string) bool {
	_, ok := endsIn(id, vaultPart(id, vault), "backupPolicies")
	return ok && len(id) <= maxID
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
		jobs, odd, err := d.c.jobs(ctx, v.ID, f, quota.Other, d.rec.tap("jobs"))
		if err != nil {
			d.fail(ctx, gapIn(plan.GapJobs, v), err)
			return
		}
		if f == filterRunning {
			d.c.noteOld(v.ID, jobs)
		}
		d.got(func(o *plan.Observed) {
			o.Gaps = append(o.Gaps, notUnderstood(gapIn(plan.GapJobs, v), odd)...)
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
		guards = append(guards, firstOf(g.Properties.ResourceGuard.loose(), g.ID.loose(), "a guard without a name"))
	}
	d.got(func(o *plan.Observed) {
		for i := range o.Vaults {
			if armid.Same(o.Vaults[i].ID, v.ID) {
				o.Vaults[i].ResourceGuards = guards
			}
		}
	})
}

// itemList is what a list of protected items showed.
type itemList struct {
	items    []plan.Item // of VMs that are known; not all of each may have been understood
	nameless error       // an item whose VM is not known
	others   []string    // the workloads of items that are no VMs'
}

// itemRow is what is kept of one row of that list.
type itemRow struct {
	item     plan.Item
	nameless error
	other    string                     // the workload of an item that is no VM's
	extended map[string]json.RawMessage // see [Client.keepUnknown]
}

// itemReader reads the rows of the item list of one vault.
func (c *Client) itemReader(vault string) rowReadFunc[itemRow] {
	rows, known := newRowDecoder[wireItem](), newWords()
	return func(raw []byte) (row itemRow, err error) {
		var w wireItem
		if err := rows.decode(raw, &w); err != nil {
			return row, err
		}
		if row.other = w.another(); row.other != "" {
			return row, nil
		}
		row.item, row.nameless = w.item(vault, c.Now())
		known.item(&row.item)
		row.extended = unknownOf(w.Properties.ExtendedProperties)
		return row, nil
	}
}

// items lists the protected items of a vault. With an error come those that were listed before it, as items that were
// not understood.
func (c *Client) items(ctx context.Context, vault string, cl quota.Class, tap func(json.RawMessage)) (itemList, error) {
	u := c.url(vault+"/backupProtectedItems", apiBackup, "$filter", filterItems)
	found, err := listAs(ctx, c, fmt.Sprintf("listing items of %q", vaultName(vault)), u, cl, tap, c.itemReader(vault))
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
			row.item.Unreadable = brokeOff
		default:
			c.keepUnknown(row.item.ID, row.extended)
		}
		l.items = append(l.items, row.item)
	}
	return l, err
}

// jobs lists the jobs of a vault; odd says what of the first that was not understood was not. Such a job is listed, too.
func (c *Client) jobs(ctx context.Context, vault, filter string, cl quota.Class, tap func(json.RawMessage)) (jobs []plan.Job, odd string, err error) {
	u := c.url(vault+"/backupJobs", apiBackup, "$filter", filter)
	found, err := list[wireJob](ctx, c, fmt.Sprintf("listing jobs of %q", vaultName(vault)), u, cl, tap)
	if err != nil {
		return nil, "", err
	}
	now := c.Now()
	jobs = make([]plan.Job, 0, len(found))
	for _, w := range found {
		j, what := w.job(vault, now)
		odd = firstOf(odd, what)
		jobs = append(jobs, j)
	}
	return jobs, odd, nil
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
