package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// policyKey is a policy of the file in one of its vaults.
type policyKey struct {
	vault armid.Key
	name  string // folded
}

// policyPlan is a policy of the file in one vault: its observed state, and its state after the plan.
type policyPlan struct {
	id            string // as read, else derived
	conf          *config.Policy
	observed      *Policy
	spec          PolicySpec // as it will be
	isKnown       bool       // spec can be relied on
	retentionText []string   // the retention of spec in words, computed on first use
	tier          string     // as it will be; "" = unknown
	change        string     // the change of this plan after which it is as in the file
	refusal       Reason     // why no item can be put under it
	detail        string
}

// planPolicies plans the changes of every managed policy in each of its vaults.
func (pl *planner) planPolicies() {
	for i := range pl.config.Policies {
		p := &pl.config.Policies[i]
		if !p.Manage {
			continue
		}
		for _, ref := range pl.config.VaultsOf(p) {
			v := pl.vaults[armid.Of(ref.ID())]
			if v == nil {
				continue
			}
			k := policyKey{v.key, strings.ToLower(p.Name)}
			if pl.policies[k] == nil {
				pl.policies[k] = pl.planPolicy(v, p)
			}
		}
	}
}

// policyAt returns the named policy in a vault, as items see it: managed or not, with the reason why no item can be put
// under it.
func (pl *planner) policyAt(v *vaultPlan, name string) *policyPlan {
	k := policyKey{v.key, strings.ToLower(name)}
	if p := pl.policies[k]; p != nil {
		return p
	}
	p := pl.findPolicy(v, name, pl.config.Policy(name))
	switch gap := pl.gaps.policyGap(v, p.id); {
	case gap != nil:
		p.refusal, p.detail = ReasonGap, pl.describeGap(gap)
	case pl.index.takenPolicies[armid.Of(p.id)]:
		p.refusal, p.detail = ReasonNoSuchPolicy, pl.describeTaken(v, name)
	case p.observed == nil:
		p.refusal, p.detail = ReasonNoSuchPolicy, fmt.Sprintf("%s in vault %s", name, v.name)
	case p.observed.Unreadable != "":
		p.refusal, p.detail = ReasonPolicyUnreadable, p.observed.Unreadable
	case p.tierDiffers():
		p.refusal, p.detail = ReasonPolicyTier, p.describeTier()
	}
	pl.policies[k] = p
	return p
}

// describeTaken describes a policy whose name is taken.
func (pl *planner) describeTaken(v *vaultPlan, name string) string {
	return fmt.Sprintf("%s in vault %s is for another workload", name, v.name)
}

// findPolicy returns a policy from the observed state.
func (pl *planner) findPolicy(v *vaultPlan, name string, conf *config.Policy) *policyPlan {
	p := &policyPlan{id: armid.Policy(v.id, name), conf: conf}
	if p.observed = pl.index.policies[armid.Of(p.id)]; p.observed != nil {
		p.id = p.observed.ID
		p.spec, p.isKnown = p.observed.Spec.normalize(), p.observed.Unreadable == ""
		p.tier = p.spec.Tier
	}
	return p
}

// resultingSpec returns the spec that the policy has after the plan, or nil if it is unknown.
func (p *policyPlan) resultingSpec() *PolicySpec {
	if !p.isKnown {
		return nil
	}
	s := p.spec
	return &s
}

func (p *policyPlan) tierDiffers() bool {
	return p.conf != nil && p.conf.Tier != "" && p.observed != nil && !strings.EqualFold(p.conf.Tier, p.tier)
}

func (p *policyPlan) describeTier() string {
	return fmt.Sprintf("%s is %s, the file says %s", p.observed.Name, p.tier, p.conf.Tier)
}

func (pl *planner) planPolicy(v *vaultPlan, conf *config.Policy) *policyPlan {
	p := pl.findPolicy(v, conf.Name, conf)
	c := Change{
		ID: changeID(UpdatePolicy, armid.Of(p.id)), Action: UpdatePolicy, Target: p.id, Vault: v.id,
		Rule: refOf(conf.Name, conf.Pos), Needs: withoutEmpty(v.lastChange),
	}
	gap := cmp.Or(v.gap, pl.gaps.policyGap(v, p.id))
	if p.observed == nil && gap == nil {
		c.ID, c.Action = changeID(CreatePolicy, armid.Of(p.id)), CreatePolicy
	}
	switch {
	case gap != nil:
		pl.refusePolicy(p, c, ReasonGap, pl.describeGap(gap))
	case pl.index.takenPolicies[armid.Of(p.id)]:
		pl.refusePolicy(p, c, ReasonPolicyUnreadable, pl.describeTaken(v, conf.Name))
	case !v.isUsable():
		pl.refusePolicy(p, c, ReasonNoSuchVault, v.name)
	case p.observed == nil:
		pl.createPolicy(v, p, c)
	case p.tierDiffers():
		pl.refusePolicy(p, c, ReasonPolicyTier, p.describeTier())
	case p.observed.Unreadable != "":
		pl.refusePolicy(p, c, ReasonPolicyUnreadable, p.observed.Unreadable)
	default:
		pl.updatePolicy(v, p, c)
	}
	return p
}

// refusePolicy blocks the policy's change and every item that would need the policy.
func (pl *planner) refusePolicy(p *policyPlan, c Change, r Reason, detail string) {
	p.refusal, p.detail = r, detail
	pl.block(c, r, detail, "")
}

func (pl *planner) createPolicy(v *vaultPlan, p *policyPlan, c Change) {
	if pl.policiesPerVault[v.key] >= MaxPoliciesPerVault {
		pl.refusePolicy(p, c, ReasonPolicyLimit, fmt.Sprintf("%d in vault %s", pl.policiesPerVault[v.key], v.name))
		return
	}
	pl.policiesPerVault[v.key]++
	spec := specOf(p.conf, PolicySpec{})
	p.spec, p.isKnown, p.tier = spec, true, spec.Tier
	c.Reason, c.Because = ReasonPolicyMissing, pl.sentence(ReasonPolicyMissing, "")
	c.After = &State{Spec: &spec}
	p.change = pl.addChange(pendingChange{Change: c, weight: 1})
}

func (pl *planner) updatePolicy(v *vaultPlan, p *policyPlan, c Change) {
	before := p.observed.Spec.normalize()
	after := specOf(p.conf, before)
	c.Fields = DiffSpec(before, after)
	if len(c.Fields) == 0 {
		return
	}
	c.Reason, c.Because = ReasonPolicyDiffers, pl.sentence(ReasonPolicyDiffers, "")
	c.Before, c.After = &State{Spec: &before}, &State{Spec: &after}
	users, suspended := pl.countUsers(v, p)
	if reason, detail := pl.whyPolicyRefused(v, before, after, suspended); reason != "" {
		pl.block(c, reason, detail, "")
		return
	}
	var r risks
	var lost *expiry
	if users > 0 { // without items there is no point that could be pruned
		listed := pl.index.itemsByPolicy[armid.Of(p.id)]
		r, lost = specRisks(before, after), newExpiry(&before, &after, users-len(listed), ageingItems(listed)...)
	}
	p.spec = after
	p.change = pl.addChange(pendingChange{Change: c, risks: r, weight: max(1, users), expiry: lost})
}

// whyPolicyRefused returns why the service would refuse to change a policy: an archive that it keeps and that no longer
// fits, shorter retention under a resource guard or in an immutable vault, longer retention while an item is suspended
// (docs/azure.md §6, §8.3).
func (pl *planner) whyPolicyRefused(v *vaultPlan, before, after PolicySpec, suspended int) (Reason, string) {
	if after.archivesInVain() && !before.archivesInVain() && after.Archive.describe() == before.Archive.describe() {
		return ReasonPolicyArchives, after.Archive.describe()
	}
	if specRisks(before, after).retention {
		if v.isImmutable() {
			return ReasonImmutableVault, v.name
		}
		if reason, detail := pl.whyGuardRefuses(v, guardPolicyWrite); reason != "" {
			return reason, detail
		}
	}
	if suspended > 0 && specRisks(after, before).retention {
		return ReasonSuspendedItems, formatCount(suspended, "item")
	}
	return "", ""
}

// archivesInVain reports whether no point of the policy may be archived, though it says so: the service refuses to write
// such a policy (docs/azure.md §8.3). Where the file has no `archive`, the one that was read goes back whatever the file keeps.
func (s PolicySpec) archivesInVain() bool {
	if s.Archive == nil {
		return false
	}
	need := 9 // for what the service recommends
	if s.Archive.Mode != ArchiveRecommended {
		const remaining, longestMonth = 6, 31
		need = s.Archive.After + remaining
		if strings.EqualFold(s.Archive.Unit, "Days") {
			need = s.Archive.After/longestMonth + remaining
		}
	}
	longest := 0
	if s.Retention.Months != nil {
		longest = s.Retention.Months.Keep
	}
	if s.Retention.Years != nil {
		longest = max(longest, 12*s.Retention.Years.Keep)
	}
	return longest < need || s.Tier == TierEnhanced && s.Schedule.Frequency == FrequencyWeekly
}

// countUsers counts the items under a policy. Where the service's own count is larger it returns that one: it includes
// items that could not be listed.
func (pl *planner) countUsers(v *vaultPlan, p *policyPlan) (users, suspendedItems int) {
	for _, it := range pl.index.itemsByPolicy[armid.Of(p.id)] {
		users++
		if it.Class() == ItemSuspended {
			suspendedItems++
		}
	}
	if pl.gaps.itemsGap(v) != nil {
		users = max(users, 1)
	}
	return max(users, p.observed.Items), suspendedItems
}

// ageingItems returns the items whose recovery points expire under their policy, by id: a stopped item keeps all its
// points.
func ageingItems(items []*Item) []*Item {
	out := slices.DeleteFunc(slices.Clone(items), func(it *Item) bool {
		return it.Class() != ItemActive && it.Class() != ItemSuspended
	})
	slices.SortFunc(out, func(a, b *Item) int { return compareIDs(a.ID, b.ID) })
	return out
}

// withoutEmpty returns the ids that are not empty.
func withoutEmpty(ids ...string) []string {
	var out []string
	for _, id := range ids {
		if id != "" {
			out = append(out, id)
		}
	}
	return out
}
