package plan

import (
	"cmp"

	"github.com/azbackup/azbackup/internal/armid"
)

// planUndelete plans the recovery of a soft-deleted item, which is stopped afterwards (docs/azure.md §6). It needs
// none of the plan's changes to the vault, because its data will be purged soon.
func (pl *planner) planUndelete(s *vmState, at itemLocation) string {
	c := pl.itemChange(s, at, Undelete)
	c.Reason, c.Because = ReasonSoftDeleted, pl.sentence(ReasonSoftDeleted, pl.daysLeft(at.item))
	c.After = &State{State: StateProtectionStopped, Disks: at.item.Disks.normalize()}
	at.vault.vmCount++
	return pl.addChange(pendingChange{Change: c, weight: 1})
}

// planResume plans new backups for an item that is stopped, or will be once it is undeleted. Where the resume is
// blocked the undelete is still planned: it saves the data.
func (pl *planner) planResume(s *vmState, at itemLocation, undelete string) {
	it, v := at.item, at.vault
	p := pl.policyAt(v, s.rule.Policy)
	pl.selection.addDependency(s, v, p)
	c := pl.itemChange(s, at, Resume)
	c.Reason = ReasonProtectionStopped
	switch {
	case undelete != "":
		c.WaitsFor, c.Due = "", nil
		c.Before = &State{State: StateProtectionStopped, Disks: it.Disks.normalize()}
	case at.class == ItemSuspended:
		c.Reason = ReasonBackupsSuspended
	}
	c.Because = pl.sentence(c.Reason, "")
	c.Allowed, c.KeepDisks = s.rule.Resume, s.rule.Disks == nil
	disks := it.Disks.normalize()
	if s.rule.Disks != nil {
		disks = disksOf(s.rule.Disks)
	}
	c.After = &State{State: StateProtected, Policy: p.id, Disks: disks}
	var fields fieldList
	fields.add("policy", lastName(c.Before.Policy), lastName(p.id))
	fields.add("disks", it.Disks.describe(), disks.describe())
	c.Fields = fields
	from := pl.index.policies[armid.Of(it.PolicyID)]
	if reason, detail := pl.whyPolicyMisfits(s, p, tierOf(from)); reason != "" {
		pl.block(c, reason, detail, "")
		return
	}
	if c.After.Keeps = p.resultingRetention(); at.class == ItemSuspended {
		c.Before.Keeps = pl.currentRetention(from)
	}
	r := pl.resumeRisks(at, from, p)
	r.coverage = dropsDisks(it.Disks, disks)
	var lost *expiry
	if r.retention {
		var now *PolicySpec // a stopped item keeps all its points
		if at.class == ItemSuspended {
			now = pl.specToLeave(from, p)
		}
		lost = newExpiry(now, p.resultingSpec(), 0, it)
		if reason, detail := pl.whyGuardRefuses(v, guardItemWrite); reason != "" {
			pl.block(c, reason, detail, "")
			return
		}
	}
	c.Needs = withoutEmpty(undelete, cmp.Or(p.change, v.lastChange))
	weight := 1
	if undelete != "" {
		weight = 0 // counted with its undelete
	}
	pl.planBackup(s, it, v, pl.addChange(pendingChange{Change: c, risks: r, weight: weight, expiry: lost}), it.ID)
}

// resumeRisks returns the risks for the points of an item when backups resume. A stopped item keeps all its points;
// under a policy they expire again. Those of a suspended item always expire by its policy, so its resume is judged as a
// move of an active item is, whether it has points or not: its first backup may still end.
func (pl *planner) resumeRisks(at itemLocation, from *Policy, to *policyPlan) risks {
	if at.class == ItemSuspended {
		return risks{retention: pl.moveRisks(from, to).retention}
	}
	return risks{retention: at.item.mayHavePoints()}
}
