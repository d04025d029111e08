package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// InvalidError reports why a plan cannot be carried out. A plan of [Make] is always valid: the fault is in this
// program, or in a plan written by hand.
type InvalidError struct {
	Problems []string // each names the ids of the changes it is about
	Changes  []string // their ids, in plan order
}

func (e *InvalidError) Error() string {
	const most = 3
	shown := e.Problems[:min(most, len(e.Problems))]
	s := "the plan contradicts itself: " + strings.Join(shown, "; ")
	if n := len(e.Problems) - len(shown); n > 0 {
		s += fmt.Sprintf("; and %d more", n)
	}
	return s
}

// Validate returns an [*InvalidError] where a plan lacks what the executor relies on, else nil:
//
//   - each change has an id of its own;
//   - a change comes after those that it needs, so that there is no cycle and no change waits uselessly;
//   - the changes of one target follow one another by their needs, and no two have the same effect: two writes of one
//     resource never race;
//   - a restore has its recovery point, its item, its group and its account, and a restore test names the test of the file
//     and restores into that test's group, where its disks are removed. No other change has any of these.
func Validate(p Plan) error {
	v := &validation{plan: p, index: make(map[string]int, len(p.Changes)), wrong: map[int]bool{}}
	for i, c := range p.Changes {
		if before, twice := v.index[c.ID]; twice || c.ID == "" {
			v.add("%q is the id of more than one change", c.ID)(before, i)
			continue
		}
		v.index[c.ID] = i
	}
	v.checkNeeds()
	v.checkTargets()
	v.checkRestores()
	if len(v.problems) == 0 {
		return nil
	}
	e := &InvalidError{Problems: v.problems}
	for i, c := range p.Changes {
		if v.wrong[i] {
			e.Changes = append(e.Changes, c.ID)
		}
	}
	return e
}

// validation collects the problems of a plan.
type validation struct {
	plan     Plan
	index    map[string]int // by id
	problems []string
	wrong    map[int]bool // the changes that the problems are about
}

// add records a problem; the function it returns takes the indexes of the changes concerned.
func (v *validation) add(format string, args ...any) func(changes ...int) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
	return func(changes ...int) {
		for _, i := range changes {
			v.wrong[i] = true
		}
	}
}

func (v *validation) checkNeeds() {
	for i, c := range v.plan.Changes {
		for _, id := range c.Needs {
			switch before, known := v.index[id]; {
			case !known:
				v.add("%q needs %q, which is not in the plan", c.ID, id)(i)
			case before >= i:
				v.add("%q needs %q, which does not come before it", c.ID, id)(before, i)
			}
		}
	}
}

func (v *validation) checkTargets() {
	type effect struct {
		action Action
		target armid.Key
	}
	last, done := map[armid.Key]int{}, map[effect]int{}
	for i, c := range v.plan.Changes {
		if c.Action == Blocked || c.Action == Refresh || c.Action == Unchanged {
			continue // they write nothing of their target
		}
		this := effect{c.Action, armid.Of(c.Target)}
		if before, there := last[this.target]; there && !slices.Contains(c.Needs, v.plan.Changes[before].ID) {
			v.add("%q and %q write one target, and neither needs the other", v.plan.Changes[before].ID, c.ID)(before, i)
		}
		// A vault is locked by an update of its own, because only an unlocked one can be (docs/azure.md §7.3).
		if before, twice := done[this]; twice && c.Action != UpdateVault {
			v.add("%q does once more what %q did", c.ID, v.plan.Changes[before].ID)(before, i)
		}
		last[this.target], done[this] = i, i
	}
}

func (v *validation) checkRestores() {
	for i, c := range v.plan.Changes {
		isTest := c.Action == RestoreTest
		mayBeTest := isTest || c.Action == Blocked && c.Wanted == RestoreTest
		switch {
		case (isTest || c.Action == Restore) != (c.RestoreOrder != nil):
			v.add("%q is a restore without a recovery point, or no restore and has one", c.ID)(i)
		case isTest && c.Test == nil, !mayBeTest && c.Test != nil:
			v.add("%q is a restore test without a test, or none and has one", c.ID)(i)
		case c.RestoreOrder != nil && (c.Point.ID == "" || c.Into == "" || c.Staging == "" || c.Item == ""):
			v.add("%q lacks the recovery point, its item, or where to restore it", c.ID)(i)
		case isTest && (c.Test.Name == "" || !armid.Same(c.Test.Group, c.Into)):
			v.add("%q restores into another group than its test names", c.ID)(i)
		}
	}
}
