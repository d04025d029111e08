package plan

import (
	"slices"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// This file is the table of docs/design.md §5: one method per column, one case per row.

// decide adds to the plan what is to be done about every VM. Those that go into a vault for the first time
// come last: only then is it known how full the vaults will be.
func (m *maker) decide(all []*subject) {
	for _, s := range all {
		m.within(s, func() { m.decideOne(s) })
	}
	for _, n := range m.newcomers {
		m.within(n.subject, func() { m.protect(n.subject, n.at) })
	}
	m.planRefresh()
}

// newcomer is a VM without an item that will get one.
type newcomer struct {
	subject *subject
	at      place
}

func (m *maker) decideOne(s *subject) {
	switch {
	case s.rule == nil:
		m.withoutRule(s)
	case s.rule.Protect == config.ProtectOff:
		m.leaveAlone(s)
	case s.rule.Protect == config.ProtectStopped:
		m.wantStopped(s)
	default:
		m.wantProtected(s)
	}
}

// within decides about a VM that `--only` may leave out: it is decided all the same, so that the others are
// routed as ever.
func (m *maker) within(s *subject, decide func()) {
	changes, quiet, unchanged, excluded := len(m.changes), len(m.quiet), m.unchanged, m.excluded
	decide()
	if !m.only.takes(s) {
		m.changes, m.quiet, m.unchanged, m.excluded = m.changes[:changes], m.quiet[:quiet], unchanged, excluded
	}
}

// wantProtected is the column "protected by P".
func (m *maker) wantProtected(s *subject) {
	candidates := m.candidates(s)
	at := m.locate(s, candidates.has)
	m.involve(s, at, candidates.all)
	block := func(r Reason, detail string) { m.block(m.itemChange(s, at, wantedAction(at)), r, detail, "") }
	switch gap := m.gaps.touching(s); {
	case gap != nil || s.vm == nil && !s.missing:
		block(ReasonGap, gap.words())
		return
	case s.missing:
		block(ReasonNoSuchVM, "")
		return
	}
	if why := s.vm.Unprotectable(s.rule, slices.Values(s.items)); why != "" {
		m.leaveUnprotectable(s, at, why)
		return
	}
	switch {
	case at.class == ItemUnknown:
		block(ReasonUnknownState, m.describe(at.item))
	case at.class == NoItem, at.class == ItemSoftDeleted && !at.here:
		m.newcomers = append(m.newcomers, newcomer{s, at})
	case !at.here && at.class == ItemActive && m.acceptsElsewhere(s.rule):
		m.keep(s, at, ReasonAcceptedElsewhere, "vault "+lastName(at.item.Vault))
	case !at.here && at.class == ItemActive:
		block(ReasonElsewhere, "vault "+lastName(at.item.Vault))
	case !at.here:
		block(ReasonRegisteredElsewhere, "vault "+lastName(at.item.Vault))
	case at.class == ItemActive:
		m.modify(s, at)
	case at.class == ItemSoftDeleted:
		m.resume(s, at, m.undelete(s, at))
	default:
		m.resume(s, at, "")
	}
}

// wantStopped is the column "stopped". Such a rule needs no vault: without one it concerns the item in
// whichever vault of the file it is.
func (m *maker) wantStopped(s *subject) {
	here, candidates := anyVault, []*vaultPlan(nil)
	if len(s.rule.Vault) > 0 {
		found := m.candidates(s)
		here, candidates = found.has, found.all
	}
	at := m.locate(s, here)
	m.involve(s, at, candidates)
	switch gap := m.gaps.touching(s); {
	case gap != nil || s.vm == nil && !s.missing:
		m.block(m.itemChange(s, at, Stop), ReasonGap, gap.words(), "")
	case at.class == NoItem:
		m.keep(s, at, ReasonNothingToStop, "")
	case at.class == ItemUnknown:
		m.block(m.itemChange(s, at, Stop), ReasonUnknownState, m.describe(at.item), "")
	case at.class == ItemActive && at.here:
		m.stop(s, at, ReasonRuleStops)
	case at.class == ItemActive:
		m.block(m.itemChange(s, at, Stop), ReasonElsewhere, "vault "+lastName(at.item.Vault), "")
	case !at.here:
		m.keep(s, at, ReasonStoppedElsewhere, m.describe(at.item))
	case at.class == ItemSoftDeleted:
		m.undelete(s, at)
	case at.class == ItemSuspended:
		m.keep(s, at, ReasonSuspendedAges, "")
	default:
		m.keep(s, at, ReasonAlreadyStopped, "")
	}
}

// leaveAlone is the column `protect: false`.
func (m *maker) leaveAlone(s *subject) {
	at := m.locate(s, anyVault)
	m.involve(s, at, nil)
	reason, detail := ReasonExcluded, s.rule.Reason
	if s.missing && at.item != nil {
		reason, detail = ReasonOrphan, m.describe(at.item)
	}
	m.keep(s, at, reason, detail)
}

// withoutRule is the column "no rule". Only a VM that was seen is ever stopped here: an item whose VM was
// not read may have one that the identity cannot see.
func (m *maker) withoutRule(s *subject) {
	at := m.locate(s, anyVault)
	m.involve(s, at, nil)
	switch gap := m.gaps.vm[s.key]; {
	case s.vm == nil && gap != nil:
		m.keep(s, at, ReasonGap, gap.words())
	case s.vm == nil && at.item == nil: // it stands in a list that broke off
		m.keep(s, at, ReasonGap, m.gaps.touching(s).words())
	case s.vm == nil:
		m.keep(s, at, ReasonOrphan, m.describe(at.item))
	case m.unmatchedStops(s, at):
		m.stop(s, at, ReasonUnmatchedStops)
	default:
		m.keep(s, at, ReasonNoRule, "")
	}
}

// unmatchedStops says whether an item that no rule matches is stopped: its vault says so, nothing was left
// unread, nobody narrowed the plan, and nothing runs on the item.
func (m *maker) unmatchedStops(s *subject, at place) bool {
	return at.here && at.class == ItemActive && at.vault.conf.Unmatched == unmatchedStop && at.vault.conf.Manage &&
		!m.incomplete() && !m.only.narrows() && m.jobOn(s, at.item, at.vault.key) == nil
}

func anyVault(*vaultPlan) bool { return true }

func (m *maker) acceptsElsewhere(r *config.Rule) bool {
	if r.Elsewhere != "" {
		return r.Elsewhere == elsewhereAccept
	}
	return m.config.Settings.Elsewhere == elsewhereAccept
}

// wantedAction is what would be done to an item in this place, were it not blocked.
func wantedAction(at place) Action {
	switch {
	case at.class == NoItem, at.class == ItemSoftDeleted && !at.here:
		return Protect
	case at.class == ItemSoftDeleted:
		return Undelete
	case at.class == ItemStopped, at.class == ItemSuspended:
		return Resume
	}
	return Modify
}

// involve notes which vaults the decision is about: where the item is, else where it could go. Only `--only`
// asks.
func (m *maker) involve(s *subject, at place, candidates []*vaultPlan) {
	if !m.only.narrows() {
		return
	}
	if at.item != nil {
		s.involved = append(s.involved, m.index.key(at.item.Vault))
		return
	}
	for _, v := range candidates {
		s.involved = append(s.involved, v.key)
	}
}

// jobOn is the job that runs on the VM in a vault now, or nil.
func (m *maker) jobOn(s *subject, it *Item, vault armid.Key) *Job {
	if len(m.index.jobs) == 0 {
		return nil
	}
	return m.index.running(vault, containerOf(it, s.id))
}
