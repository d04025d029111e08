package plan

import (
	"maps"
	"slices"

	"github.com/azbackup/azbackup/internal/armid"
)

// Questions lists the reads that a plan needs besides those of every run: only the plan shows for which vaults and items.
// The caller does these reads and makes the plan again, [MaxRounds] times at most.
type Questions struct {
	// Guards are the ids of vaults where a stop or a shorter retention is planned, and whose resource guards were not
	// requested.
	Guards []string
	// Points are the ids of items whose recovery points may be pruned earlier, [MaxPointReads] at most. They only
	// inform: no decision depends on them.
	Points []string
	// Tests are the reads for the restore tests of the file; their answers are in [Observed.Tests].
	Tests []TestQuestion
}

// IsEmpty reports whether the plan needs no further reads.
func (w Questions) IsEmpty() bool { return len(w.Guards)+len(w.Points)+len(w.Tests) == 0 }

func (pl *planner) questions() Questions {
	w := Questions{Tests: pl.testQuestions()}
	switch {
	case len(pl.guardsNotRead) > 0:
		w.Guards = slices.SortedFunc(maps.Values(pl.guardsNotRead), compareIDs)
	case !pl.selection.isTestsOnly():
		w.Points = pl.pointQuestions()
	}
	return w
}

// pointQuestions returns the items whose recovery points are not known yet. Known points count towards the maximum
// too, so that the loop terminates.
func (pl *planner) pointQuestions() []string {
	var out []string
	seen := map[armid.Key]bool{}
	for _, l := range pl.unapprovedExpiries() {
		for _, it := range l.items {
			k := armid.Of(it.ID)
			if l.after == nil || seen[k] || !it.mayHavePoints() {
				continue
			}
			if len(seen) == MaxPointReads {
				return out
			}
			seen[k] = true
			if _, asked := pl.index.points[k]; !asked {
				out = append(out, it.ID)
			}
		}
	}
	return out
}

// testQuestions returns the questions of all restore tests, each once.
func (pl *planner) testQuestions() []TestQuestion {
	all := slices.Clone(pl.questionsOfTests)
	slices.SortStableFunc(all, compareQuestions)
	return slices.CompactFunc(all, func(a, b TestQuestion) bool { return a.Key() == b.Key() })
}
