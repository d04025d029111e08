package plan

import (
	"cmp"
	"container/heap"
	"slices"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// routeKey identifies VMs that share their destinations.
type routeKey struct {
	class int // see [planner.routeClass]
	armid.Region
}

// routeClass returns one number for all rules that name the same vaults and the same policy. Such rules share destinations,
// because there may be many rules and many vaults.
func (pl *planner) routeClass(rule int) int {
	class, known := pl.routeClasses[rule]
	if !known {
		r := &pl.config.Rules[rule]
		text := strings.Join(append([]string{r.Policy}, r.Vault...), "\n")
		class, known = pl.routeTexts[text]
		if !known {
			class = len(pl.routeTexts)
			pl.routeTexts[text] = class
		}
		pl.routeClasses[rule] = class
	}
	return class
}

// destinations are the vaults that VMs of one route class and one region may go to. They are computed once, because there
// may be many VMs and many vaults.
type destinations struct {
	all  []*vaultPlan // by name
	mine []*vaultPlan // of all, those in the subscription
	near []*vaultPlan // of mine, those in the region
	// alike are those of near that one name in the rule means: vaults that joined, whose groups the rule does not say.
	alike []*vaultPlan
	set   map[*vaultPlan]bool
	fits  map[string]*fitting // of near, by [VM.NeedsEnhanced]
}

func (d *destinations) has(v *vaultPlan) bool { return d.set[v] }

// candidates returns the vaults that a VM of a rule may go to.
func (pl *planner) candidates(s *vmState) *destinations {
	target := s.target()
	k := routeKey{pl.routeClass(s.ruleIndex), armid.RegionOf(target.Subscription, target.Location)}
	if found, ok := pl.routes[k]; ok {
		return found
	}
	d := &destinations{set: map[*vaultPlan]bool{}, fits: map[string]*fitting{}}
	for _, v := range pl.config.Candidates(s.rule, target.Subscription, target.Location) {
		if p := pl.vaults[armid.Of(v.ID())]; p != nil && !d.set[p] {
			d.all = append(d.all, p)
			d.set[p] = true
		}
	}
	slices.SortFunc(d.all, func(a, b *vaultPlan) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)), strings.Compare(string(a.key), string(b.key)))
	})
	d.mine = filter(d.all, func(v *vaultPlan) bool { return strings.ToLower(v.subscription) == k.Subscription })
	d.near = filter(d.mine, func(v *vaultPlan) bool { return armid.Location(v.location) == k.Location })
	d.alike = pl.alikeVaults(s.rule.Vault, d.near)
	pl.routes[k] = d
	return d
}

// alikeVaults returns the first vaults of near that one of the references means, where it means several.
func (pl *planner) alikeVaults(refs []string, near []*vaultPlan) []*vaultPlan {
	if len(near) < 2 {
		return nil
	}
	for _, ref := range refs {
		means := map[armid.Key]bool{}
		for _, v := range pl.config.FindVaults(ref) {
			means[armid.Of(v.ID())] = true
		}
		if alike := filter(near, func(v *vaultPlan) bool { return means[v.key] }); len(alike) > 1 {
			return alike
		}
	}
	return nil
}

// route returns the vault for a VM without an item: of the candidates that can take it, the one with the fewest VMs,
// this plan's included; of equals the first by name (docs/design.md §3). Where none can take it, r and detail are the
// reason, and v is the only candidate or nil.
//
// A candidate that cannot take the VM is passed over, however empty: if it blocked the VM, the routing of other VMs
// would decide about the block, and a second plan could find more to do.
func (pl *planner) route(s *vmState) (v *vaultPlan, r Reason, detail string) {
	d := pl.candidates(s)
	switch {
	case len(d.all) == 0 && len(s.rule.Vault) > 0 && pl.config.Shard.IsAll(): // a match could have found it, here or in another shard
		return nil, ReasonNoSuchVault, strings.Join(s.rule.Vault, ", ")
	case len(d.all) == 0:
		return nil, ReasonNoVault, "region " + s.target().Location
	case len(d.mine) == 0:
		return nil, ReasonOtherSubscription, vaultNames(d.all) + " in subscription " + pl.subscriptionText(d.all[0].subscription)
	case len(d.near) == 0:
		return nil, ReasonOtherRegion, vaultNames(d.mine) + " in " + d.mine[0].location + ", the VM in " + s.target().Location
	case len(d.near) > 1 && len(s.rule.Vault) == 0 && !s.rule.Spread:
		return nil, ReasonAmbiguousVault, vaultNames(d.near)
	case len(d.alike) > 0 && !s.rule.Spread:
		return nil, ReasonAmbiguousVault, placedVaultNames(d.alike)
	}
	needs := s.vm.NeedsEnhanced
	f := d.fits[needs]
	if f == nil {
		f = pl.fitting(s, d.near)
		d.fits[needs] = f
	}
	return f.choose()
}

// fitting holds the vaults of a region that can take VMs with the same requirement ([VM.NeedsEnhanced]).
type fitting struct {
	refused Reason // why all of them refuse
	detail  string
	only    *vaultPlan // the vault, where it is the only one
	all     []*vaultPlan
	byLoad  vaultHeap // all of them; a load may have grown since it was recorded
}

func (pl *planner) fitting(s *vmState, near []*vaultPlan) *fitting {
	f := &fitting{}
	if len(near) == 1 {
		f.only = near[0]
	}
	for _, v := range near {
		reason, what := pl.whyVaultRejects(s, v)
		switch {
		case reason == ReasonGap: // the unread vault might be the right one
			return &fitting{refused: reason, detail: what, only: f.only}
		case reason == "":
			f.byLoad = append(f.byLoad, loaded{v, v.vmCount, len(f.all)})
			f.all = append(f.all, v)
		case f.refused == "":
			f.refused, f.detail = reason, what
		}
	}
	heap.Init(&f.byLoad)
	return f
}

// choose returns the emptiest vault, or why there is none.
func (f *fitting) choose() (v *vaultPlan, r Reason, detail string) {
	if len(f.byLoad) == 0 {
		return f.only, f.refused, f.detail
	}
	for first := &f.byLoad[0]; first.load != first.vault.vmCount; first = &f.byLoad[0] {
		first.load = first.vault.vmCount // loads only grow
		heap.Fix(&f.byLoad, 0)
	}
	v = f.byLoad[0].vault
	if v.vmCount >= MaxVMsPerVault {
		return f.only, ReasonVaultFull, vaultNames(f.all) + " with " + strconv.Itoa(v.vmCount)
	}
	return v, "", ""
}

// loaded is a vault with the number of its VMs when last checked, and its rank by name.
type loaded struct {
	vault  *vaultPlan
	load   int
	byName int
}

// vaultHeap orders vaults by load, the emptiest first, and equals by name. It implements [heap.Interface].
type vaultHeap []loaded

func (h vaultHeap) Len() int { return len(h) }
func (h vaultHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].load, h[j].load), cmp.Compare(h[i].byName, h[j].byName)) < 0
}
func (h vaultHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *vaultHeap) Push(x any)   { *h = append(*h, x.(loaded)) } //nolint:forcetypeassert // nothing else is in it

// Pop implements [heap.Interface].
func (h *vaultHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// whyVaultRejects returns why a vault cannot take the VM, or "". Capacity is checked in choose.
func (pl *planner) whyVaultRejects(s *vmState, v *vaultPlan) (Reason, string) {
	switch {
	case v.gap != nil:
		return ReasonGap, pl.describeGap(v.gap)
	case !v.isUsable():
		return ReasonNoSuchVault, v.name
	}
	return pl.whyPolicyMisfits(s, pl.policyAt(v, s.rule.Policy), "")
}

func filter[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, v := range all {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// Tunable: maxNames is the maximum number of vaults that a sentence names, because every such change repeats them.
const maxNames = 8

// vaultNames joins the names of vaults for display.
func vaultNames(vaults []*vaultPlan) string {
	return joinNames(vaults, func(v *vaultPlan) string { return v.name })
}

// placedVaultNames is vaultNames with the resource groups, for vaults of one name.
func placedVaultNames(vaults []*vaultPlan) string {
	return joinNames(vaults, func(v *vaultPlan) string { return v.conf.ResourceGroup + "/" + v.name })
}

func joinNames(vaults []*vaultPlan, name func(*vaultPlan) string) string {
	var out []string
	for _, v := range vaults[:min(len(vaults), maxNames)] {
		out = append(out, name(v))
	}
	list := strings.Join(out, ", ")
	if more := len(vaults) - len(out); more > 0 {
		list += " and " + strconv.Itoa(more) + " more"
	}
	return list
}
