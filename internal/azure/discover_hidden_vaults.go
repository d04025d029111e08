package azure

import (
	"context"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Tunable: maxHiddenChecks is the highest number of requests about hidden vaults in one subscription.
const maxHiddenChecks = 20

// hiddenVaultTasks returns the reads that find vaults hidden from the identity: ARM filters the vault list by the
// caller's rights, so a VM that no listed vault holds may still be protected. backupStatus answers across all vaults of
// a region (docs/azure.md §9). Up to [maxHiddenChecks] VMs of a subscription are checked: first one of each resource
// group, because rights are granted by group, then others.
func (d *discovery) hiddenVaultTasks() []readTask {
	var vms []plan.VM
	for _, here := range d.undecidedVMs() {
		vms = append(vms, here...)
	}
	sortByID(vms, func(vm *plan.VM) string { return vm.ID })
	hasFirst := map[string]bool{}
	var first, later []plan.VM // of a group and region
	for _, vm := range vms {
		group := strings.ToLower(vm.Subscription + "/" + armid.Location(vm.Location) + "/" + vm.ResourceGroup)
		if hasFirst[group] {
			later = append(later, vm)
			continue
		}
		hasFirst[group] = true
		first = append(first, vm)
	}
	asked := map[string]int{}
	var reads []readTask
	for _, vm := range append(first, later...) {
		sub := strings.ToLower(vm.Subscription)
		if asked[sub]++; asked[sub] <= maxHiddenChecks {
			reads = append(reads, func(ctx context.Context) { d.probeHiddenVault(ctx, vm) })
		}
	}
	return reads
}

// probeHiddenVault reads the backup status of one VM. A failed read proves nothing and is no gap, because Reader does not
// include the right to it; nor is an answer without a status a gap.
func (d *discovery) probeHiddenVault(ctx context.Context, vm plan.VM) {
	w, err := d.fetchBackupStatus(ctx, vm)
	if err != nil || w.IsUnprotected() || w.ProtectionStatus == "" {
		return
	}
	d.recordSuccess(func(o *plan.Observed) {
		if !w.IsProtected() {
			o.Gaps = append(o.Gaps, w.UnclearGap(plan.Gap{Kind: plan.GapStatus, Subscription: vm.Subscription, Location: vm.Location, Target: vm.ID}))
			return
		}
		d.markProtected(vm.ID)
		o.Items = append(o.Items, w.ToItem(vm.ID))
		if slices.ContainsFunc(o.Vaults, func(v plan.Vault) bool { return armid.Same(v.ID, w.VaultID.Text()) }) {
			return // protected during the reads
		}
		gap := plan.Gap{
			Kind: plan.GapItems, Subscription: strings.ToLower(vm.Subscription), Location: armid.Location(vm.Location), Vault: w.VaultID.Text(),
			Code: "VaultNotVisible", Message: "a VM is protected in this vault, and the vault list of the subscription does not show it",
		}
		if !slices.ContainsFunc(o.Gaps, func(g plan.Gap) bool { return g.Kind == gap.Kind && armid.Same(g.Vault, gap.Vault) }) {
			o.Gaps = append(o.Gaps, gap)
		}
	})
}
