package plan

import (
	"cmp"

	"github.com/azbackup/azbackup/internal/armid"
)

// undelete plans the recovery of a soft-deleted item; it ends stopped (docs/azure.md §6). It needs nothing
// that the plan does to the vault, because its data is running out of time.
func (m *maker) undelete(s *subject, at place) string {
	c := m.itemChange(s, at, Undelete)
	c.Reason, c.Because = ReasonSoftDeleted, m.sentence(ReasonSoftDeleted, m.daysLeft(at.item))
	c.After = &State{State: StateProtectionStopped, Disks: at.item.Disks.normal()}
	at.vault.load++
	return m.add(draft{Change: c, weight: 1})
}

// resume plans backups again for an item that is stopped, or will be once it is undeleted. Where that is
// blocked an undelete stands all the same: it saves the data.
func (m *maker) resume(s *subject, at place, undelete string) {
	it, v := at.item, at.vault
	p := m.policyAt(v, s.rule.Policy)
	m.only.touch(s, v, p)
	c := m.itemChange(s, at, Resume)
	c.Reason = ReasonProtectionStopped
	switch {
	case undelete != "":
		c.WaitsFor, c.Due = "", nil
		c.Before = &State{State: StateProtectionStopped, Disks: it.Disks.normal()}
	case at.class == ItemSuspended:
		c.Reason = ReasonBackupsSuspended
	}
	c.Because = m.sentence(c.Reason, "")
	c.Allowed, c.KeepDisks = s.rule.Resume, s.rule.Disks == nil
	disks := it.Disks.normal()
	if s.rule.Disks != nil {
		disks = disksOf(s.rule.Disks)
	}
	c.After = &State{State: StateProtected, Policy: p.id, Disks: disks}
	var fields fieldList
	fields.add("policy", lastName(c.Before.Policy), lastName(p.id))
	fields.add("disks", it.Disks.words(), disks.words())
	c.Fields = fields
	from := m.index.policies[armid.Of(it.PolicyID)]
	if reason, detail := m.policyFits(s, p, tierOf(from)); reason != "" {
		m.block(c, reason, detail, "")
		return
	}
	if c.After.Keeps = p.keepsThen(); at.class == ItemSuspended {
		c.Before.Keeps = m.keepsNow(from)
	}
	r := m.resumeRisks(at, from, p)
	r.coverage = fewer(it.Disks, disks)
	var lost *loss
	if r.retention {
		var now *PolicySpec // a stopped item keeps all it has
		if at.class == ItemSuspended {
			now = m.specToLeave(from, p)
		}
		lost = newLoss(now, p.keeps(), 0, it)
		if reason, detail := m.guardRefuses(v); reason != "" {
			m.block(c, reason, detail, "")
			return
		}
	}
	c.Needs = needs(undelete, cmp.Or(p.change, v.last))
	weight := 1
	if undelete != "" {
		weight = 0 // counted with its undelete
	}
	m.backup(s, it, v, m.add(draft{Change: c, risks: r, weight: weight, loss: lost}), it.ID)
}

// resumeRisks is what the points of an item risk when backups go on. While an item is stopped all its points
// stay; under a policy they age again. Those of a suspended item age all the time, by its policy.
func (m *maker) resumeRisks(at place, from *Policy, to *policyPlan) risks {
	if at.item.LastRecoveryPoint.IsZero() {
		return risks{}
	}
	if at.class == ItemSuspended && from != nil {
		return risks{retention: m.moveRisks(from, to).retention}
	}
	return risks{retention: true}
}
