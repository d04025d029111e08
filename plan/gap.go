package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// gapIndex returns the gap, if any, that touches a resource (docs/design.md §4).
//
//	vms                  every VM of a `match` rule in the subscription; every VM there that was not read
//	subscriptions        the same, and its list of vaults; without a subscription, nothing
//	vm                   that VM
//	item                 the item's VM, unless it was seen active in another vault
//	status               that VM, unless it was seen active somewhere
//	vaults               every VM of the subscription that was not seen active somewhere
//	vault, items         every VM of the vault's subscription and region not seen active in another vault;
//	                     `vault` also every change of that vault's settings and policies
//	policies             changes that need a policy of the vault
//	policy               changes that need that policy
//	jobs                 on-demand backups in the vault; restores that the operator requests, where it is about Restore jobs
//	resource-guards      changes in the vault that a guard may refuse
//	protectable          the refresh only
//	management-group     nothing by itself: the subscriptions below it are not known
//	visibility           nothing by itself: a VM that was seen is real
//	recovery-points      a restore, or restore test, of that VM; else nothing: they only show the cost of a cut
//	restore-jobs         the restore tests of the vault's VMs
//	resource-group,
//	storage-account      the restores and restore tests that need it
//
// Any gap makes the plan incomplete, and an incomplete plan stops nothing.
type gapIndex struct {
	all        []Gap
	vms        map[string]*Gap // by subscription
	vaultLists map[string]*Gap // by subscription
	vm         map[armid.Key]*Gap
	status     map[armid.Key]*Gap
	vaults     map[armid.Key]*Gap
	policies   map[armid.Key]*Gap // by vault
	policy     map[armid.Key]*Gap // by policy
	item       map[armid.Key]*Gap // by VM
	itemOf     map[armid.Key]*Gap // the same, by vault
	jobs       map[armid.Key]*Gap
	guards     map[armid.Key]*Gap
	items      map[armid.Region][]*Gap
}

func newGapIndex(gaps []Gap, c *config.Config, x *index) *gapIndex {
	g := &gapIndex{
		all: slices.Clone(gaps),
		vms: map[string]*Gap{}, vaultLists: map[string]*Gap{},
		vm: map[armid.Key]*Gap{}, status: map[armid.Key]*Gap{},
		vaults: map[armid.Key]*Gap{}, policies: map[armid.Key]*Gap{}, policy: map[armid.Key]*Gap{},
		item: map[armid.Key]*Gap{}, itemOf: map[armid.Key]*Gap{},
		jobs: map[armid.Key]*Gap{}, guards: map[armid.Key]*Gap{},
		items: map[armid.Region][]*Gap{},
	}
	slices.SortFunc(g.all, compareGaps)
	g.all = slices.Compact(g.all)
	locations := map[armid.Key]string{}
	for _, v := range c.Vaults {
		locations[armid.Of(v.ID())] = v.Location
	}
	for i := range g.all {
		gap := &g.all[i]
		sub, vault, target := strings.ToLower(gap.Subscription), armid.Of(gap.Vault), armid.Of(gap.Target)
		switch gap.Kind {
		case GapSubscription:
			setFirst(g.vms, sub, gap)
			setFirst(g.vaultLists, sub, gap)
		case GapVMs:
			setFirst(g.vms, sub, gap)
		case GapVaults:
			setFirst(g.vaultLists, sub, gap)
		case GapVM:
			setFirst(g.vm, target, gap)
		case GapStatus:
			setFirst(g.status, target, gap)
		case GapVault:
			setFirst(g.vaults, vault, gap)
			g.addHiddenItems(gap, locations, x)
		case GapItems:
			g.addHiddenItems(gap, locations, x)
		case GapItem:
			setFirst(g.item, target, gap)
			setFirst(g.itemOf, vault, gap)
		case GapPolicies:
			setFirst(g.policies, vault, gap)
		case GapPolicy:
			setFirst(g.policy, target, gap)
		case GapJobs:
			setFirst(g.jobs, vault, gap)
		case GapGuards:
			setFirst(g.guards, vault, gap)
		case GapProtectable, GapVisibility, GapPoints, GapTargetGroup, GapStaging, GapRestoreJobs, GapManagementGroup:
		}
	}
	return g
}

func setFirst[K comparable](m map[K]*Gap, k K, g *Gap) {
	if m[k] == nil {
		m[k] = g
	}
}

// addHiddenItems records that the items of a vault were not all read.
func (g *gapIndex) addHiddenItems(gap *Gap, locations map[armid.Key]string, x *index) {
	vault := armid.Of(gap.Vault)
	location := gap.Location
	if v := x.vaults[vault]; v != nil && v.Location != "" {
		location = v.Location
	} else if location == "" {
		location = locations[vault]
	}
	r := armid.RegionOf(cmp.Or(armid.SubscriptionOf(gap.Vault), gap.Subscription), location)
	g.items[r] = append(g.items[r], gap)
}

// policyGap returns the gap that makes a policy of a vault unknown, or nil.
func (g *gapIndex) policyGap(v *vaultPlan, id string) *Gap {
	return cmp.Or(g.policies[v.key], g.policy[armid.Of(id)])
}

// itemsGap returns the gap on the items of one vault, or nil.
func (g *gapIndex) itemsGap(v *vaultPlan) *Gap {
	if gap := g.itemOf[v.key]; gap != nil {
		return gap
	}
	for _, gap := range g.gapsHiding(v.subscription, v.location) {
		if armid.Of(gap.Vault) == v.key {
			return gap
		}
	}
	return nil
}

// gapsHiding returns the gaps on items that could hide a VM in this region.
func (g *gapIndex) gapsHiding(subscription, location string) []*Gap {
	if len(g.items) == 0 {
		return nil
	}
	here := armid.RegionOf(subscription, location)
	if here.Location != "" {
		return slices.Concat(g.items[here], g.items[armid.Region{Subscription: here.Subscription}])
	}
	// The VM's location is unknown: any gap of the subscription may hide it.
	var out []*Gap
	for r, gaps := range g.items {
		if r.Subscription == here.Subscription {
			out = append(out, gaps...)
		}
	}
	slices.SortFunc(out, func(a, b *Gap) int { return compareGaps(*a, *b) })
	return out
}

// blockingGap returns a gap that prevents a decision about the VM, or nil.
func (g *gapIndex) blockingGap(s *vmState) *Gap {
	if len(g.all) == 0 {
		return nil
	}
	sub, key := strings.ToLower(s.target().Subscription), s.key()
	list := g.vms[sub]
	if s.vm == nil && !s.isMissing {
		return cmp.Or(g.vm[key], list, g.item[key])
	}
	if list != nil && s.rule != nil && s.rule.ID == "" {
		return list
	}
	activeIn := s.activeVaults()
	if len(activeIn) == 0 {
		if gap := cmp.Or(g.status[key], g.vaultLists[sub]); gap != nil {
			return gap
		}
	}
	hiding := g.gapsHiding(s.target().Subscription, s.target().Location)
	if gap := g.item[key]; gap != nil {
		hiding = append([]*Gap{gap}, hiding...)
	}
	for _, gap := range hiding {
		elsewhere := slices.ContainsFunc(activeIn, func(v string) bool { return !armid.Same(v, gap.Vault) })
		if !elsewhere {
			return gap
		}
	}
	return nil
}

// vaultGap returns the gap that makes it unknown whether a vault of the file exists, or nil.
func (g *gapIndex) vaultGap(v *vaultPlan) *Gap {
	if gap := g.vaults[v.key]; gap != nil {
		return gap
	}
	if v.observed == nil {
		return g.vaultLists[strings.ToLower(v.subscription)]
	}
	return nil
}

func compareGaps(a, b Gap) int {
	return cmp.Or(
		strings.Compare(string(a.Kind), string(b.Kind)),
		strings.Compare(a.Subscription, b.Subscription), strings.Compare(a.Location, b.Location),
		compareIDs(a.Vault, b.Vault), compareIDs(a.Target, b.Target),
		strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message),
		strings.Compare(a.RequestID, b.RequestID), cmp.Compare(a.Status, b.Status),
	)
}

// CodeNotUnderstood is the code of a [Gap] for a response that was not understood; its message names the field and
// shows the value.
const CodeNotUnderstood = "NotUnderstood"

// describeGap returns what could not be read, to end a sentence; of a nil gap "the VM".
func (pl *planner) describeGap(g *Gap) string {
	if g == nil {
		return "the VM"
	}
	var what string
	switch g.Kind {
	case GapVMs, GapVisibility:
		what = "the VMs of subscription " + pl.subscriptionText(g.Subscription)
	case GapSubscription:
		what = "subscription " + DescribeSubscription(cmp.Or(g.SubscriptionName, pl.names[strings.ToLower(g.Subscription)]), g.Subscription)
	case GapManagementGroup:
		what = "management group " + lastName(g.Target)
	case GapVaults:
		what = "the vaults of subscription " + pl.subscriptionText(g.Subscription)
	case GapVM:
		what = "the VM"
	case GapStatus:
		what = "the backup status of the VM"
	case GapVault:
		what = "vault " + lastName(g.Vault)
	case GapItems:
		what = "the items of vault " + lastName(g.Vault)
	case GapPolicies:
		what = "the policies of vault " + lastName(g.Vault)
	case GapItem:
		what = "the item of the VM in vault " + lastName(g.Vault)
	case GapPolicy:
		what = "policy " + lastName(g.Target)
	case GapJobs:
		what = "the jobs of vault " + lastName(g.Vault)
	case GapGuards:
		what = "the resource guards of vault " + lastName(g.Vault)
	case GapProtectable:
		what = "the VMs that can be protected"
	case GapPoints:
		what = "the recovery points of the VM"
	case GapRestoreJobs:
		what = "the Restore jobs of vault " + lastName(g.Vault)
	case GapTargetGroup:
		what = "the resource group " + lastName(g.Target)
	case GapStaging:
		what = "the storage accounts"
	default:
		what = string(g.Kind)
	}
	switch g.Code {
	case "":
	case CodeNotUnderstood:
		what += " (" + g.Message + ")"
	default:
		what += " (" + g.Code + ")"
	}
	return what
}

// lastName returns the last part of an id.
func lastName(id string) string {
	id = strings.TrimRight(id, "/")
	return id[strings.LastIndexByte(id, '/')+1:]
}
