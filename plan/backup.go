package plan

// planBackup plans an on-demand backup after the change `after`, or of an item that needs none, when the last recovery
// point of the VM is too old and no Backup job of it runs or was started within the rule's time.
func (pl *planner) planBackup(s *vmState, it *Item, v *vaultPlan, after, itemID string) {
	want := s.rule.Backup
	if want == nil || want.IfOlderThan <= 0 {
		return
	}
	c := pl.itemChange(s, itemLocation{}, Backup)
	c.Vault, c.Item, c.Needs = v.id, itemID, withoutEmpty(after)
	c.After = &State{Retain: Duration(want.Retain)}
	c.Reason = ReasonNoPoint
	detail := ""
	created := s.vm.TimeCreated // what was backed up earlier was another VM of the same id
	if it != nil && !it.LastRecoveryPoint.IsZero() && !it.LastRecoveryPoint.Before(created) {
		age := pl.opt.Now.Sub(it.LastRecoveryPoint)
		if age <= want.IfOlderThan {
			return
		}
		last := it.LastRecoveryPoint
		c.Before = &State{LastGood: &last}
		c.Reason, detail = ReasonPointTooOld, "more than "+describeAge(want.IfOlderThan)
	}
	if gap := pl.gaps.jobs[v.key]; gap != nil {
		pl.block(c, ReasonGap, pl.describeGap(gap), "")
		return
	}
	container := containerOf(it, s.id)
	for _, j := range pl.index.jobs[jobKey{v.key, container}] {
		if j.mayBackUp() && (j.IsRunning() || pl.opt.Now.Sub(j.Start) <= want.IfOlderThan && !j.Start.Before(created)) {
			return
		}
	}
	if j := pl.index.runningJob(v.key, container); j != nil && after == "" {
		c.WaitsFor = j.ID
	}
	c.Because = pl.sentence(c.Reason, detail)
	pl.addChange(pendingChange{Change: c})
}
