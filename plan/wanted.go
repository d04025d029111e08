package plan

import (
	"maps"
	"slices"

	"github.com/azbackup/azbackup/internal/armid"
)

// Wanted is what a plan would like to know besides what every run reads: only the plan itself says of which
// vaults and items.
type Wanted struct {
	// Guards are the ids of vaults where a stop or a shorter retention is planned, and whose resource guards
	// were not asked for.
	Guards []string
	// Points are the ids of items whose recovery points may be pruned earlier, [MaxPointReads] at most. They
	// inform: no decision depends on them.
	Points []string
}

// Empty says that the plan knows all it asks for.
func (w Wanted) Empty() bool { return len(w.Guards)+len(w.Points) == 0 }

func (m *maker) wanted() Wanted {
	if len(m.unguarded) > 0 {
		return Wanted{Guards: slices.SortedFunc(maps.Values(m.unguarded), compareIDs)}
	}
	return Wanted{Points: m.wantedPoints()}
}

// wantedPoints are the items whose recovery points are not known yet. Those that are count as well, so that
// asking again does not go on and on.
func (m *maker) wantedPoints() []string {
	var out []string
	seen := map[armid.Key]bool{}
	for _, l := range m.losses() {
		for _, it := range l.items {
			k := armid.Of(it.ID)
			if l.after == nil || seen[k] || it.LastRecoveryPoint.IsZero() {
				continue
			}
			if len(seen) == MaxPointReads {
				return out
			}
			seen[k] = true
			if _, asked := m.index.points[k]; !asked {
				out = append(out, it.ID)
			}
		}
	}
	return out
}
