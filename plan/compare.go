package plan

// Difference is the difference between two plans in the changes that the operator approves at the terminal: those that the
// fingerprint covers, and restore tests.
type Difference struct {
	Gone    []Change `json:"gone,omitempty"`    // approved, and no longer planned
	New     []Change `json:"new,omitempty"`     // planned, and not approved
	Changed []Pair   `json:"changed,omitempty"` // approved and planned, with different content
}

// Pair is one change in two plans.
type Pair struct {
	Approved Change `json:"approved"`
	Now      Change `json:"now"`
}

// Describe describes in words how the planned change differs from the approved one.
func (p Pair) Describe() string { return describeStale(p.Approved, p.Now) }

// IsEmpty reports whether both plans ask the operator to approve the same.
func (d Difference) IsEmpty() bool { return len(d.Gone)+len(d.New)+len(d.Changed) == 0 }

// Compare returns how the plan `now` differs from an approved one. Blocked changes, refreshes and backups are not compared.
func Compare(approved, now Plan) Difference {
	was, is := byID(approved), byID(now)
	var d Difference
	for _, c := range approved.Changes {
		if _, still := is[c.ID]; !still && isAsked(c.Action) {
			d.Gone = append(d.Gone, c)
		}
	}
	for _, c := range now.Changes {
		if !isAsked(c.Action) {
			continue
		}
		switch old, before := was[c.ID]; {
		case !before:
			d.New = append(d.New, c)
		case approvalForm(old) != approvalForm(c):
			d.Changed = append(d.Changed, Pair{Approved: old, Now: c})
		}
	}
	return d
}

func byID(p Plan) map[string]Change {
	out := make(map[string]Change, len(p.Changes))
	for _, c := range p.Changes {
		if isAsked(c.Action) {
			out[c.ID] = c
		}
	}
	return out
}
