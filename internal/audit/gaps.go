package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// place is a subscription, or one region of it; an empty part means all of them.
type place struct{ subscription, location string }

func placeOf(subscription, location string) place {
	return place{strings.ToLower(subscription), armid.Location(location)}
}

// gaps answers what could not be read, for one VM or vault at a time (docs/design.md §4). Every doubt about how far
// a gap reaches widens it: a gap that does not name its region hides the whole subscription, one that does not
// name its subscription hides everything.
type gaps struct {
	// hiding are gaps behind which an item of a VM there may lie.
	hiding map[place]plan.Gap
	// status are VMs whose backupStatus could not be read.
	status map[armid.Key]plan.Gap
	// machines are subscriptions, and oneMachine are VMs, that may hold or be VMs unseen.
	machines   map[place]plan.Gap
	oneMachine map[armid.Key]plan.Gap
	policies   map[armid.Key]plan.Gap // by vault
	policy     map[armid.Key]plan.Gap // by policy
	items      map[armid.Key]plan.Gap // by vault
	item       map[armid.Key]plan.Gap // by the vault of one item that was not understood
}

func newGaps(all []plan.Gap, locationOf func(vault string) string) gaps {
	g := gaps{
		hiding: map[place]plan.Gap{}, status: map[armid.Key]plan.Gap{},
		machines: map[place]plan.Gap{}, oneMachine: map[armid.Key]plan.Gap{},
		policies: map[armid.Key]plan.Gap{}, policy: map[armid.Key]plan.Gap{},
		items: map[armid.Key]plan.Gap{}, item: map[armid.Key]plan.Gap{},
	}
	for _, gap := range all {
		subscription, location := gap.Subscription, gap.Location
		if subscription == "" {
			subscription = armid.SubscriptionOf(firstOf(gap.Vault, gap.Target))
		}
		if location == "" && gap.Vault != "" {
			location = locationOf(gap.Vault)
		}
		at := placeOf(subscription, location)
		switch gap.Kind {
		case plan.GapPolicies:
			keep(g.policies, armid.Of(gap.Vault), gap)
		case plan.GapPolicy:
			keep(g.policy, armid.Of(gap.Target), gap)
		case plan.GapItem:
			keep(g.item, armid.Of(gap.Vault), gap)
			keep(g.status, armid.Of(gap.Target), gap)
		case plan.GapStatus:
			keep(g.status, armid.Of(gap.Target), gap)
		case plan.GapVM:
			keep(g.oneMachine, armid.Of(gap.Target), gap)
		case plan.GapVMs:
			keep(g.machines, placeOf(subscription, ""), gap)
		case plan.GapVisibility:
			// Who does not see all VMs may not see all vaults either: ARM filters both lists by rights.
			keep(g.machines, placeOf(subscription, ""), gap)
			keep(g.hiding, placeOf(subscription, ""), gap)
		case plan.GapSubscription:
			if subscription != "" { // else only the names of subscriptions are missing
				keep(g.machines, placeOf(subscription, ""), gap)
				keep(g.hiding, placeOf(subscription, ""), gap)
			}
		case plan.GapJobs, plan.GapProtectable, plan.GapGuards:
			// They take nothing from what a state rests on.
		case plan.GapItems, plan.GapVault:
			keep(g.items, armid.Of(gap.Vault), gap)
			keep(g.hiding, at, gap)
		default: // vaults, and kinds that come after this was written
			keep(g.hiding, placeOf(subscription, gap.Location), gap)
		}
	}
	return g
}

func keep[K comparable](m map[K]plan.Gap, key K, gap plan.Gap) {
	if _, ok := m[key]; !ok {
		m[key] = gap
	}
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// hides finds the gap behind which an item of the VM may lie.
func (g gaps) hides(vm plan.VM) (plan.Gap, bool) {
	if gap, ok := g.status[armid.Of(vm.ID)]; ok {
		return gap, true
	}
	return lookUp(g.hiding, placeOf(vm.Subscription, vm.Location))
}

// machine finds the gap behind which a VM that was not read may exist.
func (g gaps) machine(id string) (plan.Gap, bool) {
	if gap, ok := g.oneMachine[armid.Of(id)]; ok {
		return gap, true
	}
	return lookUp(g.machines, placeOf(armid.SubscriptionOf(id), ""))
}

func lookUp(m map[place]plan.Gap, at place) (plan.Gap, bool) {
	for _, p := range []place{at, {subscription: at.subscription}, {}} {
		if gap, ok := m[p]; ok {
			return gap, true
		}
	}
	return plan.Gap{}, false
}

// words says what could not be read, and how Azure refused it.
func words(gap plan.Gap) string {
	what := map[plan.GapKind]string{
		plan.GapVMs: "the VM list", plan.GapVM: "the VM", plan.GapVault: "the vault", plan.GapVaults: "the vault list",
		plan.GapPolicies: "the policies", plan.GapItems: "the protected items", plan.GapJobs: "the jobs",
		plan.GapStatus: "the backup status", plan.GapItem: "the item", plan.GapPolicy: "the policy", plan.GapVisibility: "all VMs",
	}[gap.Kind]
	if what == "" {
		what = "the " + string(gap.Kind)
	}
	switch {
	case gap.Kind == plan.GapStatus, gap.Kind == plan.GapVM:
	case gap.Kind == plan.GapPolicy:
		what += " " + lastName(gap.Target)
	case gap.Vault != "":
		what += " of vault " + lastName(gap.Vault)
	case gap.Subscription != "":
		what += " of subscription " + gap.Subscription
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

// sortGaps puts gaps in one order, whatever order concurrent reads left them in.
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
