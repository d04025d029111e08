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

// policyPlan is a policy of the file in one vault: what it is, and what the plan makes of it.
type policyPlan struct {
	id      string // as read, else derived
	conf    *config.Policy
	seen    *Policy
	spec    PolicySpec // as it will be
	known   bool       // spec can be relied on
	words   []string   // what spec keeps, once somebody asked
	tier    string     // as it will be; "" = not known
	change  string     // the change of this plan after which it is as the file says
	refused Reason     // why no item can be put under it
	detail  string
}

// planPolicies decides on every managed policy in each of its vaults.
func (m *maker) planPolicies() {
	for i := range m.config.Policies {
		p := &m.config.Policies[i]
		if !p.Manage {
			continue
		}
		for _, ref := range m.config.VaultsOf(p) {
			v := m.vaults[armid.Of(ref.ID())]
			if v == nil {
				continue
			}
			k := policyKey{v.key, strings.ToLower(p.Name)}
			if m.policies[k] == nil {
				m.policies[k] = m.planPolicy(v, p)
			}
		}
	}
}

// policyAt is the named policy in a vault, as items see it.
func (m *maker) policyAt(v *vaultPlan, name string) *policyPlan {
	k := policyKey{v.key, strings.ToLower(name)}
	if p := m.policies[k]; p != nil {
		return p
	}
	p := m.findPolicy(v, name, m.config.Policy(name))
	switch gap := m.gaps.onPolicy(v, p.id); {
	case gap != nil:
		p.refused, p.detail = ReasonGap, gap.words()
	case m.index.taken[armid.Of(p.id)]:
		p.refused, p.detail = ReasonNoSuchPolicy, m.takenWords(v, name)
	case p.seen == nil:
		p.refused, p.detail = ReasonNoSuchPolicy, fmt.Sprintf("%s in vault %s", name, v.name)
	case p.seen.Unreadable != "":
		p.refused, p.detail = ReasonPolicyUnreadable, p.seen.Unreadable
	case p.tierDiffers():
		p.refused, p.detail = ReasonPolicyTier, p.tierWords()
	}
	m.policies[k] = p
	return p
}

// takenWords says of a policy that its name is taken.
func (m *maker) takenWords(v *vaultPlan, name string) string {
	return fmt.Sprintf("%s in vault %s is for another workload", name, v.name)
}

// findPolicy looks a policy up in what was read.
func (m *maker) findPolicy(v *vaultPlan, name string, conf *config.Policy) *policyPlan {
	p := &policyPlan{id: armid.Policy(v.id, name), conf: conf}
	if p.seen = m.index.policies[armid.Of(p.id)]; p.seen != nil {
		p.id = p.seen.ID
		p.spec, p.known = p.seen.Spec.normal(), p.seen.Unreadable == ""
		p.tier = p.spec.Tier
	}
	return p
}

// keeps is the policy as it will be; nil where that is not known.
func (p *policyPlan) keeps() *PolicySpec {
	if !p.known {
		return nil
	}
	s := p.spec
	return &s
}

func (p *policyPlan) tierDiffers() bool {
	return p.conf != nil && p.conf.Tier != "" && p.seen != nil && !strings.EqualFold(p.conf.Tier, p.tier)
}

func (p *policyPlan) tierWords() string {
	return fmt.Sprintf("%s is %s, the file says %s", p.seen.Name, p.tier, p.conf.Tier)
}

func (m *maker) planPolicy(v *vaultPlan, conf *config.Policy) *policyPlan {
	p := m.findPolicy(v, conf.Name, conf)
	c := Change{
		ID: changeID(UpdatePolicy, armid.Of(p.id)), Action: UpdatePolicy, Target: p.id, Vault: v.id,
		Rule: refOf(conf.Name, conf.Pos), Needs: needs(v.last),
	}
	gap := cmp.Or(v.unread, m.gaps.onPolicy(v, p.id))
	if p.seen == nil && gap == nil {
		c.ID, c.Action = changeID(CreatePolicy, armid.Of(p.id)), CreatePolicy
	}
	switch {
	case gap != nil:
		m.refusePolicy(p, c, ReasonGap, gap.words())
	case m.index.taken[armid.Of(p.id)]:
		m.refusePolicy(p, c, ReasonPolicyUnreadable, m.takenWords(v, conf.Name))
	case !v.usable():
		m.refusePolicy(p, c, ReasonNoSuchVault, v.name)
	case p.seen == nil:
		m.createPolicy(v, p, c)
	case p.tierDiffers():
		m.refusePolicy(p, c, ReasonPolicyTier, p.tierWords())
	case p.seen.Unreadable != "":
		m.refusePolicy(p, c, ReasonPolicyUnreadable, p.seen.Unreadable)
	default:
		m.updatePolicy(v, p, c)
	}
	return p
}

// refusePolicy blocks the policy's change and every item that would need the policy.
func (m *maker) refusePolicy(p *policyPlan, c Change, r Reason, detail string) {
	p.refused, p.detail = r, detail
	m.block(c, r, detail, "")
}

func (m *maker) createPolicy(v *vaultPlan, p *policyPlan, c Change) {
	if m.inVault[v.key] >= MaxPoliciesPerVault {
		m.refusePolicy(p, c, ReasonPolicyLimit, fmt.Sprintf("%d in vault %s", m.inVault[v.key], v.name))
		return
	}
	m.inVault[v.key]++
	spec := specOf(p.conf, PolicySpec{})
	p.spec, p.known, p.tier = spec, true, spec.Tier
	c.Reason, c.Because = ReasonPolicyMissing, m.sentence(ReasonPolicyMissing, "")
	c.After = &State{Spec: &spec}
	p.change = m.add(draft{Change: c, weight: 1})
}

func (m *maker) updatePolicy(v *vaultPlan, p *policyPlan, c Change) {
	before := p.seen.Spec.normal()
	after := specOf(p.conf, before)
	c.Fields = DiffSpec(before, after)
	if len(c.Fields) == 0 {
		return
	}
	c.Reason, c.Because = ReasonPolicyDiffers, m.sentence(ReasonPolicyDiffers, "")
	c.Before, c.After = &State{Spec: &before}, &State{Spec: &after}
	users, suspended := m.usersOf(v, p)
	if reason, detail := m.policyRefused(v, before, after, suspended); reason != "" {
		m.block(c, reason, detail, "")
		return
	}
	var r risks
	var lost *loss
	if users > 0 { // without items there is no point that could be pruned
		listed := m.index.under[armid.Of(p.id)]
		r, lost = specRisks(before, after), newLoss(&before, &after, users-len(listed), ageing(listed)...)
	}
	p.spec = after
	p.change = m.add(draft{Change: c, risks: r, weight: max(1, users), loss: lost})
}

// policyRefused says why the service would refuse to change a policy: shorter retention under a resource
// guard or in an immutable vault, longer retention while an item is suspended (docs/azure.md §6, §8.3).
func (m *maker) policyRefused(v *vaultPlan, before, after PolicySpec, suspended int) (Reason, string) {
	if specRisks(before, after).retention {
		if v.immutable() {
			return ReasonImmutableVault, v.name
		}
		if reason, detail := m.guardRefuses(v); reason != "" {
			return reason, detail
		}
	}
	if suspended > 0 && specRisks(after, before).retention {
		return ReasonSuspendedItems, count(suspended, "item")
	}
	return "", ""
}

// usersOf counts the items under a policy. The service's own count is taken where it is larger: it sees
// items that could not be listed.
func (m *maker) usersOf(v *vaultPlan, p *policyPlan) (users, suspendedItems int) {
	for _, it := range m.index.under[armid.Of(p.id)] {
		users++
		if it.Class() == ItemSuspended {
			suspendedItems++
		}
	}
	if m.gaps.hidden(v) != nil {
		users = max(users, 1)
	}
	return max(users, p.seen.Items), suspendedItems
}

// ageing are the items whose recovery points age under their policy, by id: a stopped item keeps all it has.
func ageing(items []*Item) []*Item {
	out := slices.DeleteFunc(slices.Clone(items), func(it *Item) bool {
		return it.Class() != ItemActive && it.Class() != ItemSuspended
	})
	slices.SortFunc(out, func(a, b *Item) int { return compareIDs(a.ID, b.ID) })
	return out
}

// needs lists the ids that are there.
func needs(ids ...string) []string {
	var out []string
	for _, id := range ids {
		if id != "" {
			out = append(out, id)
		}
	}
	return out
}
