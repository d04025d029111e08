package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// gaps finds what could not be read, for one VM or vault at a time (docs/design.md §4). Where the scope of a gap is not
// known, the widest one counts: a gap without a region may hide items of the whole subscription, a gap without a
// subscription items of all.
type gaps struct {
	// hiding are gaps that may hide an item of a VM in that region.
	hiding map[armid.Region]plan.Gap
	// status are VMs whose backupStatus could not be read.
	status map[armid.Key]plan.Gap
	// vmLists are gaps on the VMs of a subscription, vm gaps on single VMs: both may hide VMs.
	vmLists  map[armid.Region]plan.Gap
	vm       map[armid.Key]plan.Gap
	policies map[armid.Key]plan.Gap // by vault
	policy   map[armid.Key]plan.Gap // by policy
	items    map[armid.Key]plan.Gap // by vault
	item     map[armid.Key]plan.Gap // by the vault of one item that was not understood
}

func newGaps(all []plan.Gap, locationOf func(vault string) string) gaps {
	g := gaps{
		hiding: map[armid.Region]plan.Gap{}, status: map[armid.Key]plan.Gap{},
		vmLists: map[armid.Region]plan.Gap{}, vm: map[armid.Key]plan.Gap{},
		policies: map[armid.Key]plan.Gap{}, policy: map[armid.Key]plan.Gap{},
		items: map[armid.Key]plan.Gap{}, item: map[armid.Key]plan.Gap{},
	}
	for _, gap := range all {
		subscription, location := gap.Subscription, gap.Location
		if subscription == "" {
			subscription = armid.SubscriptionOf(cmp.Or(gap.Vault, gap.Target))
		}
		if location == "" && gap.Vault != "" {
			location = locationOf(gap.Vault)
		}
		at := armid.RegionOf(subscription, location)
		switch gap.Kind {
		case plan.GapPolicies:
			setFirst(g.policies, armid.Of(gap.Vault), gap)
		case plan.GapPolicy:
			setFirst(g.policy, armid.Of(gap.Target), gap)
		case plan.GapItem:
			setFirst(g.item, armid.Of(gap.Vault), gap)
			setFirst(g.status, armid.Of(gap.Target), gap)
		case plan.GapStatus:
			setFirst(g.status, armid.Of(gap.Target), gap)
		case plan.GapVM:
			setFirst(g.vm, armid.Of(gap.Target), gap)
		case plan.GapVMs:
			setFirst(g.vmLists, armid.RegionOf(subscription, ""), gap)
		case plan.GapVisibility:
			// An identity that does not see all VMs may not see all vaults either: ARM filters both lists by rights.
			setFirst(g.vmLists, armid.RegionOf(subscription, ""), gap)
			setFirst(g.hiding, armid.RegionOf(subscription, ""), gap)
		case plan.GapSubscription:
			if subscription != "" { // otherwise only the names of subscriptions are missing
				setFirst(g.vmLists, armid.RegionOf(subscription, ""), gap)
				setFirst(g.hiding, armid.RegionOf(subscription, ""), gap)
			}
		case plan.GapJobs, plan.GapProtectable, plan.GapGuards, plan.GapManagementGroup,
			plan.GapRestoreJobs, plan.GapTargetGroup, plan.GapStaging, plan.GapPoints:
			// They do not affect the evidence for a state.
		case plan.GapItems, plan.GapVault:
			setFirst(g.items, armid.Of(gap.Vault), gap)
			setFirst(g.hiding, at, gap)
		default: // vaults, and kinds added later
			setFirst(g.hiding, armid.RegionOf(subscription, gap.Location), gap)
		}
	}
	return g
}

func setFirst[K comparable](m map[K]plan.Gap, key K, gap plan.Gap) {
	if _, ok := m[key]; !ok {
		m[key] = gap
	}
}

// gapHidingItem returns the gap that may hide an item of the VM; false = none can.
func (g gaps) gapHidingItem(vm plan.VM) (plan.Gap, bool) {
	if gap, ok := g.status[armid.Of(vm.ID)]; ok {
		return gap, true
	}
	return findGap(g.hiding, armid.RegionOf(vm.Subscription, vm.Location))
}

// gapHidingVM returns the gap that may hide a VM that was not read; false = none can.
func (g gaps) gapHidingVM(id string) (plan.Gap, bool) {
	if gap, ok := g.vm[armid.Of(id)]; ok {
		return gap, true
	}
	return findGap(g.vmLists, armid.RegionOf(armid.SubscriptionOf(id), ""))
}

func findGap(m map[armid.Region]plan.Gap, at armid.Region) (plan.Gap, bool) {
	for _, p := range []armid.Region{at, {Subscription: at.Subscription}, {}} {
		if gap, ok := m[p]; ok {
			return gap, true
		}
	}
	return plan.Gap{}, false
}

// describeGap describes what could not be read, and Azure's error.
func (a *assessor) describeGap(gap plan.Gap) string {
	what := map[plan.GapKind]string{
		plan.GapVMs: "the VM list", plan.GapVM: "the VM", plan.GapVault: "the vault", plan.GapVaults: "the vault list",
		plan.GapPolicies: "the policies", plan.GapItems: "the protected items", plan.GapJobs: "the jobs",
		plan.GapStatus: "the backup status", plan.GapItem: "the item", plan.GapPolicy: "the policy", plan.GapVisibility: "all VMs",
		plan.GapManagementGroup: "the subscriptions",
	}[gap.Kind]
	if what == "" {
		what = "the " + string(gap.Kind)
	}
	switch {
	case gap.Kind == plan.GapStatus, gap.Kind == plan.GapVM:
	case gap.Kind == plan.GapManagementGroup:
		what += " below management group " + lastName(gap.Target)
	case gap.Kind == plan.GapPolicy:
		what += " " + lastName(gap.Target)
	case gap.Vault != "":
		what += " of vault " + lastName(gap.Vault)
	case gap.Subscription != "":
		what += " of subscription " + plan.DescribeSubscription(cmp.Or(gap.SubscriptionName, a.names[strings.ToLower(gap.Subscription)]), gap.Subscription)
	}
	why := gap.Code
	if why == plan.CodeNotUnderstood {
		why = gap.Message
	}
	if gap.Status != 0 {
		why = strings.TrimSpace(fmt.Sprintf("%d %s", gap.Status, gap.Code))
	}
	if why != "" {
		what += " (" + why + ")"
	}
	return what
}

func lastName(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// sortGaps sorts gaps, so that their order does not depend on concurrent reads.
func sortGaps(all []plan.Gap) []plan.Gap {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b plan.Gap) int {
		return strings.Compare(gapKey(a), gapKey(b))
	})
	return sorted
}

func gapKey(g plan.Gap) string {
	return strings.Join([]string{
		strings.ToLower(g.Subscription), armid.Location(g.Location), string(armid.Of(g.Vault)), string(g.Kind),
		string(armid.Of(g.Target)), g.Code, g.Message, g.RequestID,
	}, "\x00")
}
