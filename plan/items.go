package plan

import (
	"cmp"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// itemChange returns the common part of every change of an item.
func (pl *planner) itemChange(s *vmState, at itemLocation, a Action) Change {
	c := Change{ID: changeID(a, s.key()), Action: a, Target: s.id, Notes: pl.noteOthers(at.others)}
	if s.rule != nil {
		c.Rule = pl.ruleRefs[s.ruleIndex]
	}
	if at.item == nil {
		return c
	}
	c.Vault, c.Item = at.item.Vault, at.item.ID
	c.Before = stateOf(at.item)
	if at.class == ItemSoftDeleted && !at.item.PurgeAt.IsZero() {
		due := at.item.PurgeAt
		c.Due = &due
	}
	if at.vault != nil {
		c.Vault = at.vault.id
		if j := pl.jobOn(s, at.item, at.vault.key); j != nil {
			c.WaitsFor = j.ID
		}
	}
	return c
}

// stateOf returns the state of an item as it was read.
func stateOf(it *Item) *State {
	s := &State{State: it.State, Policy: it.PolicyID, Disks: it.Disks.normalize()}
	if it.SoftDeleted {
		s.State = StateSoftDeleted
	}
	if s.Policy == "" && it.PolicyName != "" {
		s.Policy = armid.Policy(it.Vault, it.PolicyName)
	}
	return s
}

// recordUnchanged records that a VM or an item stays unchanged.
func (pl *planner) recordUnchanged(s *vmState, at itemLocation, r Reason, detail string) {
	if pl.opt.Brief {
		pl.count(r)
		return
	}
	c := pl.itemChange(s, at, Unchanged)
	c.Reason, c.Because, c.WaitsFor = r, pl.sentence(r, detail), ""
	unwanted := s.rule == nil || s.rule.Protect == config.ProtectOff
	if at.item != nil && s.vm != nil && unwanted {
		c.Notes = append([]string{pl.describeItem(at.item)}, c.Notes...)
	}
	if at.vault != nil && s.vm != nil && s.rule == nil && at.class == ItemActive && at.vault.conf.Unmatched == unmatchedStop {
		c.Notes = append(c.Notes, "not stopped in this run")
	}
	pl.count(r)
	pl.unchanged = append(pl.unchanged, c)
}

// count counts a VM or an item that stays unchanged.
func (pl *planner) count(r Reason) {
	if r == ReasonExcluded {
		pl.excludedCount++
	} else {
		pl.unchangedCount++
	}
}

// planProtect plans the first backup configuration of a VM in the vault that it is routed to.
func (pl *planner) planProtect(s *vmState, at itemLocation) {
	c := pl.itemChange(s, itemLocation{others: at.others}, Protect)
	if at.item != nil { // soft-deleted elsewhere: as no item
		c.Notes = append(c.Notes, "also "+pl.describeItem(at.item))
	}
	v, reason, detail := pl.route(s)
	if v == nil {
		pl.block(c, reason, detail, "")
		return
	}
	s.narrowTo(v)
	p := pl.policyAt(v, s.rule.Policy)
	pl.selection.addDependency(s, v, p)
	c.Vault = v.id
	c.After = &State{State: StateProtected, Policy: p.id}
	if c.KeepDisks = s.rule.Disks == nil; !c.KeepDisks {
		c.After.Disks = disksOf(s.rule.Disks)
	}
	if vm, err := armid.ParseVM(s.id); err == nil {
		c.Item = armid.ProtectedItem(v.id, vm)
	}
	if j := pl.jobOn(s, nil, v.key); j != nil {
		c.WaitsFor = j.ID
	}
	if reason != "" {
		pl.block(c, reason, detail, "")
		return
	}
	v.vmCount++
	c.Reason, c.Because = ReasonNotProtected, pl.sentence(ReasonNotProtected, "")
	c.Needs = withoutEmpty(cmp.Or(p.change, v.lastChange))
	pl.planBackup(s, nil, v, pl.addChange(pendingChange{Change: c, weight: 1}), c.Item)
}

// excludeUnprotectable leaves out a VM that Azure Backup cannot protect. Only where the file names that very VM does
// it need manual action.
func (pl *planner) excludeUnprotectable(s *vmState, at itemLocation, why string) {
	if pl.opt.Brief && s.rule.ID == "" {
		pl.count(ReasonUnsupported)
		return
	}
	c := pl.itemChange(s, at, wantedAction(at))
	if at.item != nil {
		c.Notes = append([]string{pl.describeItem(at.item)}, c.Notes...)
	}
	if s.rule.ID != "" {
		pl.block(c, ReasonUnsupported, why, "")
		return
	}
	c.ID, c.Action, c.WaitsFor = changeID(Unchanged, s.key()), Unchanged, ""
	c.Reason, c.Because = ReasonUnsupported, pl.sentence(ReasonUnsupported, why)
	pl.count(ReasonUnsupported)
	pl.unchanged = append(pl.unchanged, c)
}

// whyPolicyMisfits returns why the VM cannot be put under the policy, or "". from is the tier of its policy now, ""
// when it has none or it is unknown.
func (pl *planner) whyPolicyMisfits(s *vmState, p *policyPlan, from string) (Reason, string) {
	switch {
	case p.refusal != "":
		return p.refusal, p.detail
	case p.tier == TierStandard && from == TierEnhanced:
		return ReasonEnhancedToStandard, lastName(p.id) + " is Standard"
	case p.tier == TierStandard && s.vm.NeedsEnhanced != "":
		return ReasonNeedsEnhanced, s.vm.NeedsEnhanced
	}
	return "", ""
}

// planModify plans another policy or other disks for an active item, or records the item as unchanged.
func (pl *planner) planModify(s *vmState, at itemLocation) {
	it, v := at.item, at.vault
	p := pl.policyAt(v, s.rule.Policy)
	pl.selection.addDependency(s, v, p)
	disks := it.Disks.normalize()
	if s.rule.Disks != nil {
		disks = disksOf(s.rule.Disks)
	}
	otherPolicy, otherDisks := !pl.isUnder(it, p), !it.Partial && !it.Disks.Equal(disks)
	c := pl.itemChange(s, at, Modify)
	c.KeepDisks = s.rule.Disks == nil
	if it.Partial && (otherPolicy || s.rule.Disks != nil) {
		pl.block(c, ReasonPartlyRead, "", "")
		return
	}
	if !otherPolicy && !otherDisks {
		pl.recordUnchanged(s, at, ReasonInSync, "")
		pl.planBackup(s, it, v, "", it.ID)
		return
	}
	var fields fieldList
	fields.add("policy", lastName(c.Before.Policy), lastName(p.id))
	fields.add("disks", it.Disks.describe(), disks.describe())
	c.Fields = fields
	c.After = &State{State: StateProtected, Policy: p.id, Disks: disks}
	var r risks
	var lost *expiry
	c.Reason = ReasonOtherDisks
	if otherPolicy {
		if c.Reason = ReasonOtherPolicy; otherDisks {
			c.Reason = ReasonOtherPolicyDisks
		}
		from := pl.index.policies[armid.Of(c.Before.Policy)]
		if reason, detail := pl.whyPolicyMisfits(s, p, tierOf(from)); reason != "" {
			pl.block(c, reason, detail, "")
			return
		}
		c.Before.Keeps, c.After.Keeps = pl.currentRetention(from), p.resultingRetention()
		if r = pl.moveRisks(from, p); r.retention {
			lost = newExpiry(pl.specToLeave(from, p), p.resultingSpec(), 0, it)
		}
	}
	r.coverage = r.coverage || dropsDisks(it.Disks, disks)
	if reason, detail := pl.whyCutRefused(v, r, c.Before.Policy, p); reason != "" {
		pl.block(c, reason, detail, "")
		return
	}
	c.Because = pl.sentence(c.Reason, "")
	c.Needs = withoutEmpty(cmp.Or(p.change, v.lastChange))
	pl.planBackup(s, it, v, pl.addChange(pendingChange{Change: c, risks: r, weight: 1, expiry: lost}), it.ID)
}

// isUnder is [isSamePolicy] by keys that are folded once, because it is called for most items of an estate.
func (pl *planner) isUnder(it *Item, p *policyPlan) bool {
	if it.PolicyID != "" {
		return pl.index.key(it.PolicyID) == pl.index.key(p.id)
	}
	return isSamePolicy(it, p.id)
}

// whyCutRefused returns why a shorter retention for an item, certain or possible, is refused. from is the id of the
// policy that it is under.
func (pl *planner) whyCutRefused(v *vaultPlan, r risks, from string, to *policyPlan) (Reason, string) {
	switch {
	case !r.retention:
		return "", ""
	case !v.isImmutable():
		return pl.whyGuardRefuses(v, guardItemWrite)
	}
	if why := whyRetentionUnknown(from, pl.index.policies[armid.Of(from)], to); why != "" {
		return ReasonRetentionNotKnown, why
	}
	return ReasonImmutableVault, v.name
}

// whyRetentionUnknown returns why the retention that an item loses between two policies is unknown, or "".
func whyRetentionUnknown(id string, from *Policy, to *policyPlan) string {
	switch {
	case id == "":
		return "the old policy is not known: the item names none"
	case from == nil:
		return "the old policy is not known: " + lastName(id) + " was not found in the vault"
	case from.Unreadable != "":
		return "the old policy is not known: " + from.Name + ": " + from.Unreadable
	case !to.isKnown:
		return "the new policy " + lastName(to.id) + " holds something this program does not know"
	}
	return ""
}

// moveRisks returns the risks for an item that moves from one policy to another. A policy that was not read, or was not
// understood, may keep more than any other. A policy that this plan changes as well is judged as it is and as it will be.
func (pl *planner) moveRisks(from *Policy, to *policyPlan) risks {
	if from == nil || whyRetentionUnknown(from.ID, from, to) != "" {
		return risks{retention: true}
	}
	r := specRisks(from.Spec, to.spec)
	if changed := pl.plannedSpec(from); changed != nil {
		r = r.union(specRisks(*changed, to.spec))
	}
	return r
}

// plannedSpec returns the spec of a policy after this plan; nil where it is unknown.
func (pl *planner) plannedSpec(p *Policy) *PolicySpec {
	if changed := pl.policies[policyKey{pl.index.key(p.Vault), strings.ToLower(p.Name)}]; changed != nil {
		return changed.resultingSpec()
	}
	return nil
}

// specToLeave returns the spec by which an item loses retention when it leaves the policy: the current one, or, where
// that costs no recovery point, the one after this plan. Nil where it is unknown.
func (pl *planner) specToLeave(from *Policy, to *policyPlan) *PolicySpec {
	now := specNow(from)
	if now == nil || !to.isKnown || shortensRetention(*now, to.spec) {
		return now
	}
	return cmp.Or(pl.plannedSpec(from), now)
}

// specNow returns the current spec of a policy; nil where it is unknown.
func specNow(p *Policy) *PolicySpec {
	if p == nil || p.Unreadable != "" {
		return nil
	}
	s := p.Spec.normalize()
	return &s
}

func tierOf(p *Policy) string {
	if p == nil {
		return ""
	}
	return p.Spec.normalize().Tier
}

// planStop plans to stop new backups; the data is kept. detail is the file's own reason, or "".
func (pl *planner) planStop(s *vmState, at itemLocation, why Reason, detail string) {
	c := pl.itemChange(s, at, Stop)
	c.Reason, c.Because = why, pl.sentence(why, detail)
	c.After = &State{State: StateProtectionStopped, Disks: at.item.Disks.normalize()}
	if s.rule == nil { // configured on the vault
		c.Rule = refOf(at.vault.conf.Name, at.vault.conf.Pos)
	}
	if pl.isIncomplete() {
		pl.block(c, ReasonIncomplete, pl.describeGap(&pl.gaps.all[0]), "")
		return
	}
	if reason, detail := pl.whyGuardRefuses(at.vault, guardItemStop); reason != "" {
		pl.block(c, reason, detail, "")
		return
	}
	pl.addChange(pendingChange{Change: c, risks: risks{stops: true}, weight: 1})
}
