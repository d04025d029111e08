package plan

import (
	"slices"

	"github.com/azbackup/azbackup/internal/armid"
)

// Remainder sorts the changes of a saved plan that write configuration: to be done, done, or stale.
type Remainder struct {
	// Plan is the plan now, narrowed to the approved changes that are still to be done. An approved change that is
	// blocked now stays in it, so that it is reported.
	Plan Plan
	// Done are the approved changes whose target is already as they want it.
	Done []Change
	// Stale are the approved changes that no longer fit their target: they must not be written.
	Stale []Stale
	// New are the changes that are planned now and were not approved. They are not carried out.
	New []Change
}

// Stale is an approved change that cannot be done as it was approved, and the reason.
type Stale struct {
	Change Change
	Why    string
	// IsBehind is true where the fault is not in the change itself but in one that it needs.
	IsBehind bool
}

// Subset compares a saved plan with the plan now, so that an interrupted run can continue without the changes that are
// new. now is made without [Options.Brief]. A backup is approved when the saved plan has one for the VM, a restore test when the saved plan restores the same
// disks to the same place; a refresh is included with the change that needs it. The refusals are those of the saved plan,
// because the guards judged that whole. A change with a risk that the saved plan does not show is stale. Both plans must be
// made from the same config.
func Subset(saved, now Plan) Remainder {
	s := newSubset(saved, now)
	var rest Remainder
	for _, c := range saved.Changes {
		if writesConfiguration(c.Action) {
			s.classify(c, &rest)
		}
	}
	for _, c := range now.Changes {
		if _, approved := s.approved[c.ID]; !approved && writesConfiguration(c.Action) {
			rest.New = append(rest.New, c)
		}
	}
	rest.Plan = s.narrowedPlan()
	rest.Plan.Refusals = append([]Refusal{}, saved.Refusals...)
	return rest
}

// subset matches the changes of two plans.
type subset struct {
	now              Plan
	approved         map[string]Change
	planned          map[string]Change
	approvedByTarget map[armid.Key][]Change // approved changes, by target
	plannedByTarget  map[armid.Key][]Change // changes of now, by target
	unchanged        map[armid.Key]Change   // VMs that the plan now leaves unchanged
	taken            map[string]bool        // ids of changes of now that are to be done, or to be reported as blocked
}

func newSubset(saved, now Plan) *subset {
	s := &subset{
		now: now, approved: map[string]Change{}, planned: map[string]Change{}, approvedByTarget: map[armid.Key][]Change{},
		plannedByTarget: map[armid.Key][]Change{}, unchanged: map[armid.Key]Change{}, taken: map[string]bool{},
	}
	for _, c := range saved.Changes {
		s.approved[c.ID] = c
		s.approvedByTarget[armid.Of(c.Target)] = append(s.approvedByTarget[armid.Of(c.Target)], c)
	}
	for _, c := range now.Unchanged {
		s.unchanged[armid.Of(c.Target)] = c
	}
	for _, c := range now.Changes {
		s.planned[c.ID] = c
		s.plannedByTarget[armid.Of(c.Target)] = append(s.plannedByTarget[armid.Of(c.Target)], c)
	}
	for _, c := range now.Changes { // needed changes come first
		s.taken[c.ID] = s.wasApproved(c) && s.unmetNeed(c) == ""
	}
	return s
}

// unmetNeed returns the id of a change that c needs and that is not to be done, or "".
func (s *subset) unmetNeed(c Change) string {
	for _, id := range c.Needs {
		if _, planned := s.planned[id]; planned && !s.taken[id] {
			return id
		}
	}
	return ""
}

// wasApproved reports whether the saved plan shows a change of the plan now, unaltered.
func (s *subset) wasApproved(c Change) bool {
	old, there := s.approved[c.ID]
	switch c.Action {
	case Refresh:
		return true
	case Backup:
		return there
	case RestoreTest:
		return there && isSameTest(old, c)
	case Blocked:
		return there || slices.ContainsFunc(s.approvedByTarget[armid.Of(c.Target)], func(w Change) bool { return s.isInTheWay(c, w) })
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Undelete, Protect, Modify, Resume, Stop, Restore:
		return there && isApproved(old, c)
	case Unchanged, Excluded:
	}
	return false
}

// isInTheWay reports whether a change of the plan now replaces an approved one of the same target that is no longer
// planned. A change that was approved together with it does not.
func (s *subset) isInTheWay(now, approved Change) bool {
	_, stillPlanned := s.planned[approved.ID]
	_, stoodBeside := s.approved[now.ID]
	if stillPlanned || stoodBeside || now.Action == Refresh {
		return false
	}
	action := now.Action
	if action == Blocked {
		action = now.Wanted
	}
	if isTimeDriven(action) || isTimeDriven(approved.Action) {
		return action == approved.Action
	}
	return writesConfiguration(approved.Action)
}

// classify adds an approved change to the part of rest that it belongs to.
func (s *subset) classify(c Change, rest *Remainder) {
	now, planned := s.planned[c.ID]
	if planned {
		switch unmet := s.unmetNeed(now); {
		case !isApproved(c, now):
			rest.Stale = append(rest.Stale, Stale{Change: c, Why: describeStale(c, now)})
		case unmet != "":
			n := s.planned[unmet]
			why := "it needs " + string(n.Action) + " of " + lastName(n.Target) + ", which is not as approved"
			rest.Stale = append(rest.Stale, Stale{Change: c, Why: why, IsBehind: true})
		}
		return
	}
	for _, other := range s.plannedByTarget[armid.Of(c.Target)] {
		switch {
		case !s.isInTheWay(other, c):
		case other.Action == Blocked:
			return // it stays in the plan, and is reported as blocked
		case !isItem(c.Action):
			rest.Stale = append(rest.Stale, Stale{Change: c, Why: "now it would be " + string(other.Action) + ": " + other.Because})
			return
		}
	}
	if isSetting(c.Action) && !s.now.Compared[armid.Of(c.Target)] {
		rest.Stale = append(rest.Stale, Stale{Change: c, Why: "it is not planned any more: " + lastName(c.Target) + " is not there, is not the file's any more, or was not read"})
		return
	}
	if isItem(c.Action) && !s.isDone(c) {
		rest.Stale = append(rest.Stale, Stale{Change: c, Why: s.whyGone(c)})
		return
	}
	rest.Done = append(rest.Done, c)
}

// isDone reports whether the VM of an approved change that is no longer planned is as the change wants it.
func (s *subset) isDone(c Change) bool {
	for _, is := range append(slices.Clone(s.plannedByTarget[armid.Of(c.Target)]), s.unchanged[armid.Of(c.Target)]) {
		if is.Before != nil && !isTimeDriven(is.Action) && armid.Same(is.Vault, c.Vault) && isReached(c, *is.Before) {
			return true
		}
	}
	return false
}

// isReached reports whether an item is as a change of it wants it.
func isReached(c Change, is State) bool {
	switch c.Action {
	case Undelete:
		return is.State != "" && is.State != StateSoftDeleted
	case Stop:
		return IsStopped(is.State)
	case Protect, Modify, Resume:
		return c.After != nil && IsActive(is.State) && armid.Same(is.Policy, c.After.Policy) &&
			(keepsDiskFilter(c) || is.Disks.Equal(c.After.Disks))
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh, Backup, Restore, RestoreTest, Blocked, Unchanged, Excluded:
	}
	return false
}

// whyGone describes the VM of a change that is neither done nor planned.
func (s *subset) whyGone(c Change) string {
	all := slices.Clone(s.plannedByTarget[armid.Of(c.Target)])
	if is, there := s.unchanged[armid.Of(c.Target)]; there {
		all = append(all, is)
	}
	for _, is := range all {
		switch {
		case isTimeDriven(is.Action):
		case is.Before != nil && !armid.Same(is.Vault, c.Vault):
			return "the machine is now " + is.Before.describe() + " in vault " + lastName(is.Vault)
		case is.Before != nil:
			return "the machine was " + c.Before.describe() + ", and is now " + is.Before.describe()
		default:
			return "it is not planned any more: " + is.Because
		}
	}
	return "it is not planned any more: the machine is not there, or was not read"
}

// narrowedPlan returns the plan now, narrowed to the taken changes.
func (s *subset) narrowedPlan() Plan {
	needed := map[string]bool{}
	for _, c := range s.now.Changes {
		if s.taken[c.ID] && c.Action != Refresh {
			for _, id := range c.Needs {
				needed[id] = true
			}
		}
	}
	p := s.now
	p.Changes, p.Unchanged, p.Compared, p.Summary = []Change{}, nil, nil, map[Action]int{}
	for _, c := range s.now.Changes {
		if s.taken[c.ID] && (c.Action != Refresh || needed[c.ID]) {
			p.Changes = append(p.Changes, c)
			p.Summary[c.Action]++
		}
	}
	p.Fingerprint = fingerprint(p.Changes)
	p.forecastChanges()
	return p
}

// isApproved reports whether a change is as it was approved, with no additional risk, and between policies that keep what
// they kept. Fewer risks are accepted: half of the plan may already be done.
func isApproved(approved, now Change) bool {
	if canonicalChange(approved) != canonicalChange(now) || len(retentionDrifts(approved, now)) > 0 {
		return false
	}
	return !slices.ContainsFunc(Risks(), func(r Risk) bool { return now.HasRisk(r) && !approved.HasRisk(r) })
}

// isSetting reports whether an action writes a vault or a policy.
func isSetting(a Action) bool {
	return a == CreateVault || a == UpdateVault || a == CreatePolicy || a == UpdatePolicy
}

func isItem(a Action) bool {
	switch a {
	case Undelete, Protect, Modify, Resume, Stop:
		return true
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh, Backup, Restore, RestoreTest, Blocked, Unchanged, Excluded:
	}
	return false
}
