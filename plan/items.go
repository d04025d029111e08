package plan

import (
	"cmp"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// itemChange is the common part of every change of an item.
func (m *maker) itemChange(s *subject, at place, a Action) Change {
	c := Change{ID: changeID(a, s.key), Action: a, Target: s.id, Notes: m.noteOthers(at.others)}
	if s.rule != nil {
		c.Rule = m.refs[s.ruleNo]
	}
	if at.item == nil {
		return c
	}
	c.Vault, c.Item = at.item.Vault, at.item.ID
	c.Before = before(at.item)
	if at.class == ItemSoftDeleted && !at.item.PurgeAt.IsZero() {
		due := at.item.PurgeAt
		c.Due = &due
	}
	if at.vault != nil {
		c.Vault = at.vault.id
		if j := m.jobOn(s, at.item, at.vault.key); j != nil {
			c.WaitsFor = j.ID
		}
	}
	return c
}

// before is an item as it was read.
func before(it *Item) *State {
	s := &State{State: it.State, Policy: it.PolicyID, Disks: it.Disks.normal()}
	if it.SoftDeleted {
		s.State = StateSoftDeleted
	}
	if s.Policy == "" && it.PolicyName != "" {
		s.Policy = armid.Policy(it.Vault, it.PolicyName)
	}
	return s
}

// keep puts down that nothing is done.
func (m *maker) keep(s *subject, at place, r Reason, detail string) {
	if m.opt.Brief {
		m.count(r)
		return
	}
	c := m.itemChange(s, at, Unchanged)
	c.Reason, c.Because, c.WaitsFor = r, m.sentence(r, detail), ""
	unwanted := s.rule == nil || s.rule.Protect == config.ProtectOff
	if at.item != nil && s.vm != nil && unwanted {
		c.Notes = append([]string{m.describe(at.item)}, c.Notes...)
	}
	if at.vault != nil && s.vm != nil && s.rule == nil && at.class == ItemActive && at.vault.conf.Unmatched == unmatchedStop {
		c.Notes = append(c.Notes, "not stopped in this run")
	}
	m.count(r)
	m.quiet = append(m.quiet, c)
}

// count counts a VM or an item of which nothing is done.
func (m *maker) count(r Reason) {
	if r == ReasonExcluded {
		m.excluded++
	} else {
		m.unchanged++
	}
}

// protect plans the first backup configuration of a VM in the vault that it is routed to.
func (m *maker) protect(s *subject, at place) {
	c := m.itemChange(s, place{others: at.others}, Protect)
	if at.item != nil { // soft-deleted elsewhere: as no item
		c.Notes = append(c.Notes, "also "+m.describe(at.item))
	}
	v, reason, detail := m.route(s)
	if v == nil {
		m.block(c, reason, detail, "")
		return
	}
	s.settle(v)
	p := m.policyAt(v, s.rule.Policy)
	m.only.touch(s, v, p)
	c.Vault = v.id
	c.After = &State{State: StateProtected, Policy: p.id}
	if c.KeepDisks = s.rule.Disks == nil; !c.KeepDisks {
		c.After.Disks = disksOf(s.rule.Disks)
	}
	if vm, err := armid.ParseVM(s.id); err == nil {
		c.Item = armid.ProtectedItem(v.id, vm)
	}
	if j := m.jobOn(s, nil, v.key); j != nil {
		c.WaitsFor = j.ID
	}
	if reason != "" {
		m.block(c, reason, detail, "")
		return
	}
	v.load++
	c.Reason, c.Because = ReasonNotProtected, m.sentence(ReasonNotProtected, "")
	c.Needs = needs(cmp.Or(p.change, v.last))
	m.backup(s, nil, v, m.add(draft{Change: c, weight: 1}), c.Item)
}

// leaveUnprotectable leaves a VM out that Azure Backup cannot protect. Only where the file names that very VM is it
// something that somebody has to look at.
func (m *maker) leaveUnprotectable(s *subject, at place, why string) {
	if m.opt.Brief && s.rule.ID == "" {
		m.count(ReasonUnsupported)
		return
	}
	c := m.itemChange(s, at, wantedAction(at))
	if at.item != nil {
		c.Notes = append([]string{m.describe(at.item)}, c.Notes...)
	}
	if s.rule.ID != "" {
		m.block(c, ReasonUnsupported, why, "")
		return
	}
	c.ID, c.Action, c.WaitsFor = changeID(Unchanged, s.key), Unchanged, ""
	c.Reason, c.Because = ReasonUnsupported, m.sentence(ReasonUnsupported, why)
	m.count(ReasonUnsupported)
	m.quiet = append(m.quiet, c)
}

// policyFits says why the VM cannot be put under the policy, or "". from is the tier of its policy now, ""
// when it has none or it is not known.
func (m *maker) policyFits(s *subject, p *policyPlan, from string) (Reason, string) {
	switch {
	case p.refused != "":
		return p.refused, p.detail
	case p.tier == TierStandard && from == TierEnhanced:
		return ReasonEnhancedToStandard, lastName(p.id) + " is Standard"
	case p.tier == TierStandard && s.vm.NeedsEnhanced != "":
		return ReasonNeedsEnhanced, s.vm.NeedsEnhanced
	}
	return "", ""
}

// modify plans another policy or other disks for an active item, or finds nothing to do.
func (m *maker) modify(s *subject, at place) {
	it, v := at.item, at.vault
	p := m.policyAt(v, s.rule.Policy)
	m.only.touch(s, v, p)
	disks := it.Disks.normal()
	if s.rule.Disks != nil {
		disks = disksOf(s.rule.Disks)
	}
	otherPolicy, otherDisks := !m.isUnder(it, p), !it.Partial && !it.Disks.Equal(disks)
	c := m.itemChange(s, at, Modify)
	c.KeepDisks = s.rule.Disks == nil
	if it.Partial && (otherPolicy || s.rule.Disks != nil) {
		m.block(c, ReasonPartlyRead, "", "")
		return
	}
	if !otherPolicy && !otherDisks {
		m.keep(s, at, ReasonInSync, "")
		m.backup(s, it, v, "", it.ID)
		return
	}
	var fields fieldList
	fields.add("policy", lastName(c.Before.Policy), lastName(p.id))
	fields.add("disks", it.Disks.words(), disks.words())
	c.Fields = fields
	c.After = &State{State: StateProtected, Policy: p.id, Disks: disks}
	var r risks
	var lost *loss
	c.Reason = ReasonOtherDisks
	if otherPolicy {
		if c.Reason = ReasonOtherPolicy; otherDisks {
			c.Reason = ReasonOtherPolicyDisks
		}
		from := m.index.policies[armid.Of(c.Before.Policy)]
		if reason, detail := m.policyFits(s, p, tierOf(from)); reason != "" {
			m.block(c, reason, detail, "")
			return
		}
		c.Before.Keeps, c.After.Keeps = m.keepsNow(from), p.keepsThen()
		if r = m.moveRisks(from, p); r.retention {
			lost = newLoss(m.specToLeave(from, p), p.keeps(), 0, it)
		}
	}
	r.coverage = r.coverage || fewer(it.Disks, disks)
	if reason, detail := m.cutRefused(v, r, c.Before.Policy, p); reason != "" {
		m.block(c, reason, detail, "")
		return
	}
	c.Because = m.sentence(c.Reason, "")
	c.Needs = needs(cmp.Or(p.change, v.last))
	m.backup(s, it, v, m.add(draft{Change: c, risks: r, weight: 1, loss: lost}), it.ID)
}

// isUnder is samePolicy with ids folded once: most items of a fleet come by here.
func (m *maker) isUnder(it *Item, p *policyPlan) bool {
	if it.PolicyID != "" {
		return m.index.key(it.PolicyID) == m.index.key(p.id)
	}
	return samePolicy(it, p.id)
}

// cutRefused says why a shorter retention for an item, or what may be one, cannot be had. from is the policy that
// it is under, by id.
func (m *maker) cutRefused(v *vaultPlan, r risks, from string, to *policyPlan) (Reason, string) {
	switch {
	case !r.retention:
		return "", ""
	case !v.immutable():
		return m.guardRefuses(v)
	}
	if why := notKnown(from, m.index.policies[armid.Of(from)], to); why != "" {
		return ReasonRetentionNotKnown, why
	}
	return ReasonImmutableVault, v.name
}

// notKnown says why nobody can tell what an item loses on its way from one policy to another, or "".
func notKnown(id string, from *Policy, to *policyPlan) string {
	switch {
	case id == "":
		return "the old policy is not known: the item names none"
	case from == nil:
		return "the old policy is not known: " + lastName(id) + " was not found in the vault"
	case from.Unreadable != "":
		return "the old policy is not known: " + from.Name + ": " + from.Unreadable
	case !to.known:
		return "the new policy " + lastName(to.id) + " holds something this program does not know"
	}
	return ""
}

// moveRisks is what an item risks on its way from one policy to another. A policy that cannot be read may
// keep more than any other. One that this plan changes too is judged as it is and as it will be.
func (m *maker) moveRisks(from *Policy, to *policyPlan) risks {
	if from == nil || notKnown(from.ID, from, to) != "" {
		return risks{retention: true}
	}
	r := specRisks(from.Spec, to.spec)
	if changed := m.changedSpec(from); changed != nil {
		r = r.with(specRisks(*changed, to.spec))
	}
	return r
}

// changedSpec is what this plan makes of a policy; nil where that is not known.
func (m *maker) changedSpec(p *Policy) *PolicySpec {
	if changed := m.policies[policyKey{m.index.key(p.Vault), strings.ToLower(p.Name)}]; changed != nil {
		return changed.keeps()
	}
	return nil
}

// specToLeave is the side of a policy that an item loses by when it leaves for another: as it is, or, where
// that costs no recovery point, as this plan makes it. Nil where it is not known.
func (m *maker) specToLeave(from *Policy, to *policyPlan) *PolicySpec {
	now := specNow(from)
	if now == nil || !to.known || cutsPoints(*now, to.spec) {
		return now
	}
	return cmp.Or(m.changedSpec(from), now)
}

// specNow is what a policy says now; nil where that is not known.
func specNow(p *Policy) *PolicySpec {
	if p == nil || p.Unreadable != "" {
		return nil
	}
	s := p.Spec.normal()
	return &s
}

func tierOf(p *Policy) string {
	if p == nil {
		return ""
	}
	return p.Spec.normal().Tier
}

// stop plans the end of new backups; the data is kept.
func (m *maker) stop(s *subject, at place, why Reason) {
	c := m.itemChange(s, at, Stop)
	c.Reason, c.Because = why, m.sentence(why, "")
	c.After = &State{State: StateProtectionStopped, Disks: at.item.Disks.normal()}
	if s.rule == nil { // the vault says so
		c.Rule = refOf(at.vault.conf.Name, at.vault.conf.Pos)
	}
	if m.incomplete() {
		m.block(c, ReasonIncomplete, m.gaps.all[0].words(), "")
		return
	}
	if reason, detail := m.guardRefuses(at.vault); reason != "" {
		m.block(c, reason, detail, "")
		return
	}
	m.add(draft{Change: c, risks: risks{stops: true}, weight: 1})
}
