package plan

// backup plans an on-demand backup behind the change `after`, or of an item that needs none, when the last
// recovery point is too old and no Backup job runs or was started within the time that the rule gives.
func (m *maker) backup(s *subject, it *Item, v *vaultPlan, after, itemID string) {
	want := s.rule.Backup
	if want == nil || want.IfOlderThan <= 0 {
		return
	}
	c := m.itemChange(s, place{}, Backup)
	c.Vault, c.Item, c.Needs = v.id, itemID, needs(after)
	c.After = &State{Retain: Duration(want.Retain)}
	c.Reason = ReasonNoPoint
	detail := ""
	if it != nil && !it.LastRecoveryPoint.IsZero() {
		age := m.opt.Now.Sub(it.LastRecoveryPoint)
		if age <= want.IfOlderThan {
			return
		}
		last := it.LastRecoveryPoint
		c.Before = &State{LastGood: &last}
		c.Reason, detail = ReasonPointTooOld, "more than "+ageWords(want.IfOlderThan)
	}
	if gap := m.gaps.jobs[v.key]; gap != nil {
		m.block(c, ReasonGap, gap.words(), "")
		return
	}
	container := containerOf(it, s.id)
	for _, j := range m.index.jobs[jobKey{v.key, container}] {
		if j.mayBackUp() && (j.Running() || m.opt.Now.Sub(j.Start) <= want.IfOlderThan) {
			return
		}
	}
	if j := m.index.running(v.key, container); j != nil && after == "" {
		c.WaitsFor = j.ID
	}
	c.Because = m.sentence(c.Reason, detail)
	m.add(draft{Change: c})
}
