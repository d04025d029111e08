package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// treatment is how one VM is backed up today; VMs with equal treatments may share a rule.
type treatment struct {
	vm        *plan.VM
	vault     *plan.Vault // nil when stopped: such a rule applies to the item in any vault
	policy    string      // name; "" when stopped
	disks     config.Disks
	isStopped bool
}

// ruleKey is the part of a treatment that a rule expresses; it is comparable.
type ruleKey struct {
	vault   armid.Key
	policy  string // folded
	disks   string
	stopped bool
}

func (t treatment) ruleKey() ruleKey {
	if t.isStopped {
		return ruleKey{stopped: true}
	}
	return ruleKey{vault: armid.Of(t.vault.ID), policy: strings.ToLower(t.policy), disks: fmt.Sprint(t.disks.Kind, t.disks.LUNs)}
}

// treatments returns the treatment of each VM with items, sorted by VM. A VM whose treatment no rule can express gets a
// comment instead.
func (e *exporter) treatments() []treatment {
	byVM := make(map[armid.Key][]*plan.Item, len(e.observed.Items))
	for i := range e.observed.Items {
		key := armid.Of(e.observed.Items[i].VM)
		byVM[key] = append(byVM[key], &e.observed.Items[i])
	}
	var all []treatment
	for key, items := range byVM {
		if t, ok := e.treatmentOf(key, sortByPrecedence(items)); ok {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b treatment) int { return cmp.Compare(armid.Of(a.vm.ID), armid.Of(b.vm.ID)) })
	return all
}

// sortByPrecedence returns the items of one VM, the deciding one first. A list that changed during paging contains an
// item twice: of two readings it keeps the one that a plan uses.
func sortByPrecedence(items []*plan.Item) []*plan.Item {
	slices.SortFunc(items, func(a, b *plan.Item) int {
		return cmp.Or(
			cmp.Compare(armid.Of(a.ID), armid.Of(b.ID)), cmp.Compare(boolToInt(a.Unreadable != ""), boolToInt(b.Unreadable != "")),
			cmp.Compare(boolToInt(a.Partial), boolToInt(b.Partial)), b.LastRecoveryPoint.Compare(a.LastRecoveryPoint),
			cmp.Compare(a.State, b.State), cmp.Compare(a.PolicyID, b.PolicyID),
		)
	})
	items = slices.CompactFunc(items, func(a, b *plan.Item) bool { return armid.Same(a.ID, b.ID) && armid.Same(a.Vault, b.Vault) })
	slices.SortStableFunc(items, func(a, b *plan.Item) int { return cmp.Compare(itemRank(a), itemRank(b)) })
	return items
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The ranks of the items of one VM: the item of the first rank decides, as in a plan. An item in an unknown state decides
// before stopped and deleted ones, because a plan would block there.
const (
	rankActive = iota
	rankPartial
	rankUnknown
	rankInactive // stopped or suspended
	rankDeleted
)

func itemRank(it *plan.Item) int {
	switch it.Class() {
	case plan.ItemActive:
		if it.Partial {
			return rankPartial
		}
		return rankActive
	case plan.ItemStopped, plan.ItemSuspended:
		return rankInactive
	case plan.ItemSoftDeleted:
		return rankDeleted
	case plan.NoItem, plan.ItemUnknown:
	}
	return rankUnknown
}

func (e *exporter) treatmentOf(key armid.Key, items []*plan.Item) (treatment, bool) {
	it := items[0]
	vm, known := e.vms[key]
	vault, inScope := e.vaults[armid.Of(it.Vault)]
	why := ""
	if known {
		why = vm.WhyUnprotectable(nil, slices.Values(items))
	}
	switch {
	case !known:
		e.addComment("no rule: %s has backup data in %s, but the machine does not exist or is not visible", it.VM, cmp.Or(e.refs.vault(it.Vault), it.Vault))
	case !inScope || it.Partial:
		e.addComment("no rule: %s is protected in %s, which was not read", vm.ID, it.Vault)
	case vm.Unreadable != "":
		e.addComment("no rule: %s was not understood: %s", vm.ID, vm.Unreadable)
	case it.Unreadable != "":
		e.addComment("no rule: the item of %s in %s was not understood: %s", vm.ID, vault.Name, it.Unreadable)
	case it.SoftDeleted:
		e.addComment("no rule: %s is soft-deleted in %s; any rule would bring it back", vm.ID, vault.Name)
	case why != "":
		e.addComment("no rule: %s: %s", vm.ID, why)
	case itemRank(it) == rankActive:
		return e.activeTreatment(vm, vault, it)
	case itemRank(it) == rankInactive:
		return treatment{vm: vm, isStopped: true}, true
	default:
		e.addComment("no rule: %s is in state %s in %s", vm.ID, it.State, vault.Name)
	}
	return treatment{}, false
}

func (e *exporter) activeTreatment(vm *plan.VM, vault *plan.Vault, it *plan.Item) (treatment, bool) {
	policy, known := e.policies[armid.Of(it.PolicyID)]
	sameRegion := armid.Location(vm.Location) == armid.Location(vault.Location)
	sameSubscription := strings.EqualFold(vm.Subscription, armid.SubscriptionOf(vault.ID))
	switch {
	case !known:
		e.addComment("no rule: %s is protected in %s by a policy that was not found: %q", vm.ID, vault.Name, it.PolicyName)
		return treatment{}, false
	case !sameRegion || !sameSubscription:
		e.addComment("no rule: %s is protected in %s, which is in another region or subscription", vm.ID, vault.Name)
		return treatment{}, false
	}
	e.usedPolicies[armid.Of(policy.ID)] = true
	return treatment{vm: vm, vault: vault, policy: policy.Name, disks: diskFilter(it.Disks)}, true
}

func diskFilter(d *plan.Disks) config.Disks {
	switch {
	case d == nil, !d.Include && len(d.LUNs) == 0:
		return config.Disks{Kind: config.DisksAll}
	case d.Include && len(d.LUNs) == 0:
		return config.Disks{Kind: config.DisksOSOnly}
	}
	luns := slices.Compact(slices.Sorted(slices.Values(d.LUNs)))
	if d.Include {
		return config.Disks{Kind: config.DisksInclude, LUNs: luns}
	}
	return config.Disks{Kind: config.DisksExclude, LUNs: luns}
}
