package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// InvalidError says why a plan cannot be carried out. What [Make] makes never is: it is a fault in this program, or
// of whoever wrote the plan by hand.
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

// Validate returns an [*InvalidError] where a plan is not what the engine relies on, else nil:
//
//   - each change has an id of its own;
//   - what a change needs stands before it in the plan, so that there is no circle and nothing is waited for in vain;
//   - the changes of one target follow one another by their needs, and none of them does what another did: two
//     writes of one thing never race.
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

// validation gathers what is wrong with a plan.
type validation struct {
	plan     Plan
	index    map[string]int // by id
	problems []string
	wrong    map[int]bool // the changes that the problems are about
}

// add notes a problem; the function it returns takes the places of the changes concerned.
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
