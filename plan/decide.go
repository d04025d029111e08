package plan

import (
	"slices"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// This file implements the table of docs/design.md §5: one method per column, one case per row.

// decideAll adds to the plan the changes of every VM. VMs that go into a vault for the first time come last: only then
// is the load of the vaults known.
func (pl *planner) decideAll(all []*vmState) {
	for _, s := range all {
		pl.decideWithin(s, func() { pl.decideVM(s) })
	}
	for _, n := range pl.pendingProtections {
		pl.decideWithin(n.vm, func() { pl.planProtect(n.vm, n.at) })
	}
	pl.planRefresh()
}

// newProtection is a VM without an item that will get one.
type newProtection struct {
	vm *vmState
	at itemLocation
}

func (pl *planner) decideVM(s *vmState) {
	switch {
	case s.rule == nil:
		pl.decideUnmatched(s)
	case s.rule.Protect == config.ProtectOff:
		pl.decideExcluded(s)
	case s.rule.Protect == config.ProtectStopped:
		pl.decideStopped(s)
	default:
		pl.decideProtected(s)
	}
}

// decideWithin decides about a VM that `--only` may leave out. VMs outside the target are decided too: routing must
// not change.
func (pl *planner) decideWithin(s *vmState, decide func()) {
	changes, quiet, unchanged, excluded := len(pl.changes), len(pl.unchanged), pl.unchangedCount, pl.excludedCount
	decide()
	if !pl.selection.matches(s) {
		pl.changes, pl.unchanged, pl.unchangedCount, pl.excludedCount = pl.changes[:changes], pl.unchanged[:quiet], unchanged, excluded
	}
}

// decideProtected is the column "protected by P".
func (pl *planner) decideProtected(s *vmState) {
	candidates := pl.candidates(s)
	at := pl.selectItem(s, candidates.has)
	pl.recordVaults(s, at, candidates.all)
	block := func(r Reason, detail string) { pl.block(pl.itemChange(s, at, wantedAction(at)), r, detail, "") }
	switch gap := pl.gaps.blockingGap(s); {
	case gap != nil || s.vm == nil && !s.isMissing:
		block(ReasonGap, pl.describeGap(gap))
		return
	case s.isMissing:
		block(ReasonNoSuchVM, "")
		return
	}
	if why := s.vm.WhyUnprotectable(s.rule, slices.Values(s.items)); why != "" {
		pl.excludeUnprotectable(s, at, why)
		return
	}
	switch {
	case at.class == ItemUnknown:
		block(ReasonUnknownState, pl.describeItem(at.item))
	case at.class == NoItem, at.class == ItemSoftDeleted && !at.isCandidate:
		pl.pendingProtections = append(pl.pendingProtections, newProtection{s, at})
	case !at.isCandidate && at.class == ItemActive && pl.acceptsElsewhere(s.rule):
		pl.recordUnchanged(s, at, ReasonAcceptedElsewhere, "vault "+lastName(at.item.Vault))
	case !at.isCandidate && at.class == ItemActive:
		block(ReasonElsewhere, "vault "+lastName(at.item.Vault))
	case !at.isCandidate:
		block(ReasonRegisteredElsewhere, "vault "+lastName(at.item.Vault))
	case at.class == ItemActive:
		pl.planModify(s, at)
	case at.class == ItemSoftDeleted:
		pl.planResume(s, at, pl.planUndelete(s, at))
	default:
		pl.planResume(s, at, "")
	}
}

// decideStopped is the column "stopped". Such a rule needs no vault: without one it applies to the item in any vault
// of the file.
func (pl *planner) decideStopped(s *vmState) {
	here, candidates := anyVault, []*vaultPlan(nil)
	if len(s.rule.Vault) > 0 {
		found := pl.candidates(s)
		here, candidates = found.has, found.all
	}
	at := pl.selectItem(s, here)
	pl.recordVaults(s, at, candidates)
	switch gap := pl.gaps.blockingGap(s); {
	case gap != nil || s.vm == nil && !s.isMissing:
		pl.block(pl.itemChange(s, at, Stop), ReasonGap, pl.describeGap(gap), "")
	case at.class == NoItem:
		pl.recordUnchanged(s, at, ReasonNothingToStop, s.rule.Reason)
	case at.class == ItemUnknown:
		pl.block(pl.itemChange(s, at, Stop), ReasonUnknownState, pl.describeItem(at.item), "")
	case at.class == ItemActive && at.isCandidate:
		pl.planStop(s, at, ReasonRuleStops, s.rule.Reason)
	case at.class == ItemActive:
		pl.block(pl.itemChange(s, at, Stop), ReasonElsewhere, "vault "+lastName(at.item.Vault), "")
	case !at.isCandidate:
		pl.recordUnchanged(s, at, ReasonStoppedElsewhere, pl.describeItem(at.item))
	case at.class == ItemSoftDeleted:
		pl.planUndelete(s, at)
	case at.class == ItemSuspended:
		pl.recordUnchanged(s, at, ReasonSuspendedAges, s.rule.Reason)
	default:
		pl.recordUnchanged(s, at, ReasonAlreadyStopped, s.rule.Reason)
	}
}

// decideExcluded is the column `protect: false`.
func (pl *planner) decideExcluded(s *vmState) {
	at := pl.selectItem(s, anyVault)
	pl.recordVaults(s, at, nil)
	reason, detail := ReasonExcluded, s.rule.Reason
	if s.isMissing && at.item != nil {
		reason, detail = ReasonOrphan, pl.describeItem(at.item)
	}
	pl.recordUnchanged(s, at, reason, detail)
}

// decideUnmatched is the column "no rule". It stops only a VM that was read: an item whose VM was not read may have
// one that the identity cannot see.
func (pl *planner) decideUnmatched(s *vmState) {
	at := pl.selectItem(s, anyVault)
	pl.recordVaults(s, at, nil)
	switch gap, _ := armid.Get(pl.gaps.vm, s.id); {
	case s.vm == nil && gap != nil:
		pl.recordUnchanged(s, at, ReasonGap, pl.describeGap(gap))
	case s.vm == nil && at.item == nil: // it is in a list that was not read to its end
		pl.recordUnchanged(s, at, ReasonGap, pl.describeGap(pl.gaps.blockingGap(s)))
	case s.vm == nil:
		pl.recordUnchanged(s, at, ReasonOrphan, pl.describeItem(at.item))
	case pl.isUnmatchedStopped(s, at):
		pl.planStop(s, at, ReasonUnmatchedStops, "")
	default:
		pl.recordUnchanged(s, at, ReasonNoRule, "")
	}
}

// isUnmatchedStopped reports whether an item that no rule matches is stopped: its vault is configured so, there is no
// gap, the plan is not narrowed, and no job runs on the item.
func (pl *planner) isUnmatchedStopped(s *vmState, at itemLocation) bool {
	return at.isCandidate && at.class == ItemActive && at.vault.conf.Unmatched == unmatchedStop && at.vault.conf.Manage &&
		!pl.isIncomplete() && !pl.selection.isActive() && pl.jobOn(s, at.item, at.vault.key) == nil
}

func anyVault(*vaultPlan) bool { return true }

func (pl *planner) acceptsElsewhere(r *config.Rule) bool {
	if r.Elsewhere != "" {
		return r.Elsewhere == elsewhereAccept
	}
	return pl.config.Settings.Elsewhere == elsewhereAccept
}

// wantedAction returns the action for an item in this location, were it not blocked.
func wantedAction(at itemLocation) Action {
	switch {
	case at.class == NoItem, at.class == ItemSoftDeleted && !at.isCandidate:
		return Protect
	case at.class == ItemSoftDeleted:
		return Undelete
	case at.class == ItemStopped, at.class == ItemSuspended:
		return Resume
	}
	return Modify
}

// recordVaults records the vaults that the decision is about: where the item is, else where it could go. Only `--only`
// uses them.
func (pl *planner) recordVaults(s *vmState, at itemLocation, candidates []*vaultPlan) {
	if !pl.selection.isActive() {
		return
	}
	if at.item != nil {
		s.vaults = append(s.vaults, pl.index.key(at.item.Vault))
		return
	}
	for _, v := range candidates {
		s.vaults = append(s.vaults, v.key)
	}
}

// jobOn returns the job that runs on the VM in a vault now, or nil.
func (pl *planner) jobOn(s *vmState, it *Item, vault armid.Key) *Job {
	if len(pl.index.jobs) == 0 {
		return nil
	}
	return pl.index.runningJob(vault, containerOf(it, s.id))
}
