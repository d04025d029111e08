package plan

import (
	"slices"

	"github.com/azbackup/azbackup/internal/armid"
)

// Difference is how two plans differ in what the fingerprint covers.
type Difference struct {
	Gone    []Change `json:"gone,omitempty"`    // approved, and no longer planned
	New     []Change `json:"new,omitempty"`     // planned, and not approved
	Changed []Pair   `json:"changed,omitempty"` // planned otherwise than approved
}

// Pair is one change in two plans.
type Pair struct {
	Approved Change `json:"approved"`
	Now      Change `json:"now"`
}

// Empty says that the plans have the same fingerprint.
func (d Difference) Empty() bool { return len(d.Gone)+len(d.New)+len(d.Changed) == 0 }

// Compare says how the plan now differs from one that was approved.
func Compare(approved, now Plan) Difference {
	was, is := byID(approved), byID(now)
	var d Difference
	for _, c := range approved.Changes {
		if _, still := is[c.ID]; !still && writesConfiguration(c.Action) {
			d.Gone = append(d.Gone, c)
		}
	}
	for _, c := range now.Changes {
		if !writesConfiguration(c.Action) {
			continue
		}
		switch old, before := was[c.ID]; {
		case !before:
			d.New = append(d.New, c)
		case essence(old) != essence(c):
			d.Changed = append(d.Changed, Pair{Approved: old, Now: c})
		}
	}
	return d
}

func byID(p Plan) map[string]Change {
	out := make(map[string]Change, len(p.Changes))
	for _, c := range p.Changes {
		if writesConfiguration(c.Action) {
			out[c.ID] = c
		}
	}
	return out
}

// Subset narrows the plan now to what was approved with a saved plan, so that a run that was cut can go on:
// what is done already is no longer in now, and what is new, or would now be something else, is left. A
// backup was approved when the saved plan has one for the VM; a refresh goes with the change that needs it.
// The refusals are those of the saved plan, because that is the whole that somebody judges.
func Subset(saved, now Plan) (apply Plan, left []Change) {
	approved := map[string]string{}
	for _, c := range saved.Changes {
		approved[c.ID] = ""
		if writesConfiguration(c.Action) {
			approved[c.ID] = essence(c)
		}
	}
	planned := map[string]bool{}
	for _, c := range now.Changes {
		planned[c.ID] = true
	}
	taken := map[string]bool{}
	for _, c := range now.Changes { // what is needed comes first
		unmet := slices.ContainsFunc(c.Needs, func(id string) bool { return planned[id] && !taken[id] })
		taken[c.ID] = !unmet && wasApproved(c, approved)
	}
	needed := map[string]bool{}
	for _, c := range now.Changes {
		if taken[c.ID] && c.Action != Refresh {
			for _, id := range c.Needs {
				needed[id] = true
			}
		}
	}
	apply = now
	apply.Changes, apply.Unchanged, apply.Summary = []Change{}, nil, map[Action]int{}
	for _, c := range now.Changes {
		switch {
		case taken[c.ID] && (c.Action != Refresh || needed[c.ID]):
			apply.Changes = append(apply.Changes, c)
			apply.Summary[c.Action]++
		case c.Action != Blocked && c.Action != Refresh:
			left = append(left, c)
		}
	}
	apply.Fingerprint = fingerprint(apply.Changes)
	apply.Refusals = append([]Refusal{}, saved.Refusals...)
	apply.Forecast = forecastOf(apply.Changes, map[armid.Key]int{}, 0)
	return apply, left
}

// wasApproved says whether the saved plan has the change. What it wanted to do and is blocked now stays, so
// that it is reported.
func wasApproved(c Change, approved map[string]string) bool {
	switch c.Action {
	case Refresh:
		return true
	case Blocked:
		_, wanted := approved[changeID(c.Wanted, armid.Of(c.Target))]
		_, same := approved[c.ID]
		return wanted || same
	case Backup:
		_, same := approved[c.ID]
		return same
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Undelete, Protect, Modify, Resume, Stop:
		return approved[c.ID] == essence(c)
	case Unchanged, Excluded:
	}
	return false
}
