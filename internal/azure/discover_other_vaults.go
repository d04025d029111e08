package azure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
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
	// budgetTenth is a tenth of the hourly budget of one Recovery Services action, the smallest recorded
	// (docs/azure.md §12).
	budgetTenth = plan.BackupRequestsPerHour / 10
	// protectablePageSize is the documented page size of protectable items (docs/azure.md §2).
	protectablePageSize = 200
	// maxFreshPointAge is the greatest age of a recovery point that proves that its VM existed just now.
	maxFreshPointAge = 72 * time.Hour
	// Tunable: maxVisibilityChecks is the highest number of requests per subscription about VMs that are not in its list.
	maxVisibilityChecks = 20
)

// otherVaultTasks returns the reads that find where the VMs in no vault of the file are protected: lists of the other
// vaults of their region, or one request per VM. A list has states, and costs a request of a small hourly budget for
// each vault; backupStatus only says that a VM is protected (docs/azure.md §9), and counts in ARM's write bucket. So
// vaults are listed where that takes a tenth of the budget at most; beyond that, the kind of read that takes the
// smaller share of its own budget is chosen.
func (d *discovery) otherVaultTasks() []readTask {
	if d.scope.AllVaults && d.scope.Hidden {
		return d.hiddenVaultTasks()
	}
	if !d.scope.Elsewhere || d.scope.AllVaults {
		return nil
	}
	vaults := map[region][]plan.Vault{}
	for _, v := range d.vaultsOutsideFile {
		r := regionOf(armid.SubscriptionOf(v.ID), v.Location)
		vaults[r] = append(vaults[r], v)
	}
	var reads []readTask
	for r, vms := range d.undecidedVMs() {
		here := vaults[r]
		listing := float64(len(here)) / plan.BackupRequestsPerHour
		asking := float64(len(vms)) / plan.ARMWritesBurst
		if len(here) <= budgetTenth || listing <= asking {
			for _, v := range here {
				reads = append(reads, func(ctx context.Context) { d.listItems(ctx, v) })
			}
			continue
		}
		for _, vm := range vms {
			reads = append(reads, func(ctx context.Context) { d.readBackupStatus(ctx, vm) })
		}
	}
	return reads
}

// undecidedVMs returns the VMs that could be protected and are in no vault that was read.
func (d *discovery) undecidedVMs() map[region][]plan.VM {
	out := map[region][]plan.VM{}
	for _, vm := range d.out.VMs {
		if vm.Unsupported == "" && vm.Unreadable == "" && !d.seen.get(vm.ID).isProtected {
			r := regionOf(vm.Subscription, vm.Location)
			out[r] = append(out[r], vm)
		}
	}
	return out
}

// readBackupStatus records where one VM is protected, by backupStatus.
func (d *discovery) readBackupStatus(ctx context.Context, vm plan.VM) {
	gap := plan.Gap{Kind: plan.GapStatus, Subscription: vm.Subscription, Location: vm.Location, Target: vm.ID}
	w, err := d.fetchBackupStatus(ctx, vm)
	if err != nil {
		d.recordGap(ctx, gap, err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		switch {
		case w.IsUnprotected():
		case w.IsProtected():
			d.markProtected(vm.ID)
			o.Items = append(o.Items, w.ToItem(vm.ID))
		default: // protected in an unnamed vault, or an unknown word
			o.Gaps = append(o.Gaps, w.UnclearGap(gap))
		}
	})
}

// fetchBackupStatus requests the backup status of one VM.
func (d *discovery) fetchBackupStatus(ctx context.Context, vm plan.VM) (w wire.BackupStatus, err error) {
	_, err = d.c.arm.Do(ctx, arm.Request{
		Op: "asking for the backup status of " + vm.ID, Method: http.MethodPost, Class: quota.Other,
		URL: d.c.arm.URL("/subscriptions/"+vm.Subscription+"/providers/Microsoft.RecoveryServices/locations/"+
			armid.Location(vm.Location)+"/backupStatus", apiBackup),
		Body:   map[string]string{"resourceType": "VM", "resourceId": vm.ID},
		Decode: arm.DecodeDocument(into(&w)),
	})
	return w, err
}

// checkTasks returns the reads that depend on all others: protectable items and whether the identity sees enough.
func (d *discovery) checkTasks() []readTask {
	var reads []readTask
	if d.scope.Protectable {
		reads = append(reads, d.protectableTasks()...)
	}
	return append(reads, d.visibilityTasks()...)
}

// protectableTasks returns the reads of the VMs that the service offers for protection, once per region, through the
// first vault of the file there; none where they take more than a tenth of the hourly budget.
func (d *discovery) protectableTasks() []readTask {
	remaining := d.undecidedVMs()
	through := map[region]string{}
	for _, v := range d.out.Vaults {
		r := regionOf(armid.SubscriptionOf(v.ID), v.Location)
		if v.InFile && (through[r] == "" || armid.Of(v.ID) < armid.Of(through[r])) {
			through[r] = v.ID
		}
	}
	var reads []readTask
	for r, vault := range through {
		if n := len(remaining[r]); n == 0 || n > budgetTenth*protectablePageSize {
			continue
		}
		reads = append(reads, func(ctx context.Context) { d.listProtectable(ctx, r, vault) })
	}
	return reads
}

func (d *discovery) listProtectable(ctx context.Context, r region, vault string) {
	u := d.c.arm.URL(vault+"/backupProtectableItems", apiBackup, "$filter", filterVMs)
	op := fmt.Sprintf("listing protectable items through %q", vaultName(vault))
	found, err := arm.List(ctx, d.c.arm, arm.ListRequest{Op: op, URL: u, Class: quota.Other, Tee: d.rec.tee("protectableItems"), MaxPages: budgetTenth}, wire.NewRowFunc[wire.ProtectableItem](d.c.rows))
	if errors.Is(err, arm.ErrTooManyPages) {
		return // not read: the plan then has no refresh before it
	}
	if err != nil {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapProtectable, Subscription: r.subscription, Location: r.location, Vault: vault}, err)
		return
	}
	p := plan.Protectable{Subscription: r.subscription, Location: r.location, Vault: vault, VMs: []string{}}
	for _, w := range found {
		if vm := w.Properties.VirtualMachineID.Text(); vm != "" {
			p.VMs = append(p.VMs, vm)
		}
	}
	sortByID(p.VMs, func(s *string) string { return *s })
	d.recordSuccess(func(o *plan.Observed) { o.Protectable = append(o.Protectable, p) })
}

// visibilityTasks returns the reads of VMs that have a fresh recovery point and are not in the list of their
// subscription: one per resource group, because rights are granted by group. A 403 proves that the identity sees too
// few VMs, a 404 that the VM does not exist.
func (d *discovery) visibilityTasks() []readTask {
	var suspects []plan.Item
	oldest := d.c.Now().Add(-maxFreshPointAge)
	asked := map[armid.Key]bool{} // by id rules
	for _, id := range d.scope.VMs {
		asked[armid.Of(id)] = true
	}
	for _, it := range d.out.Items {
		if it.SoftDeleted || it.Unreadable != "" || !it.LastRecoveryPoint.After(oldest) {
			continue
		}
		if !d.seen.get(it.VM).isListed && !asked[armid.Of(it.VM)] {
			suspects = append(suspects, it)
		}
	}
	slices.SortFunc(suspects, func(a, b plan.Item) int {
		return cmp.Or(b.LastRecoveryPoint.Compare(a.LastRecoveryPoint), armid.Compare(a.VM, b.VM))
	})
	groups := map[string]bool{}
	checks := map[string]int{} // by subscription
	var reads []readTask
	for _, it := range suspects {
		vm, err := armid.ParseVM(it.VM)
		if err != nil {
			continue // classic VMs are in no list of Microsoft.Compute
		}
		sub := strings.ToLower(vm.Subscription)
		group := sub + "/" + strings.ToLower(vm.ResourceGroup)
		if !d.allVMs[sub] || groups[group] || checks[sub] == maxVisibilityChecks {
			continue
		}
		groups[group] = true
		checks[sub]++
		reads = append(reads, func(ctx context.Context) { d.probeVisibility(ctx, vm.Subscription, it.VM) })
	}
	return reads
}

func (d *discovery) probeVisibility(ctx context.Context, subscription, id string) {
	vm, exists, err := d.fetchVM(ctx, id)
	if err != nil {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapVisibility, Subscription: strings.ToLower(subscription), Target: id}, err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		if exists { // it was created or moved during the listing
			d.addVM(o, vm)
		}
	})
}
