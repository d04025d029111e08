package plan

import (
	"slices"
	"strings"
)

// What an item risks on its way to another policy is judged by what the two policies make and keep. A change says in
// words what that was, so that it is part of what is approved, and can be compared right before the write.

// DescribeRetention is what a policy makes and keeps, in words: all that a risk is judged by.
func DescribeRetention(s PolicySpec) string {
	var words []string
	for _, f := range DiffSpec(PolicySpec{}, s) {
		switch part, _, _ := strings.Cut(f.Path, "."); part {
		case "schedule", "instantRestoreDays", "retention", "consistency":
			words = append(words, f.Path+" "+f.After)
		}
	}
	return strings.Join(words, ", ")
}

// resultingRetention is what the policy keeps when an item comes under it; nil where that is not known.
func (p *policyPlan) resultingRetention() []string {
	if p.isKnown && p.retentionText == nil {
		p.retentionText = []string{DescribeRetention(p.spec)}
	}
	return p.retentionText
}

// currentRetention is what a policy that an item leaves keeps, and what this plan makes of that; nil where it is not known.
func (pl *planner) currentRetention(p *Policy) []string {
	if known, asked := pl.retentionOfLeft[p]; asked {
		return known
	}
	now := specNow(p)
	if now == nil {
		return nil
	}
	out := []string{DescribeRetention(*now)}
	if changed := pl.plannedSpec(p); changed != nil {
		out = append(out, DescribeRetention(*changed))
	}
	pl.retentionOfLeft[p] = slices.Compact(out)
	return pl.retentionOfLeft[p]
}

// CheckRetention compares a policy that an item leaves or goes to with what the risk of the change was judged by; nil = the
// policy is not there. Where the plan did not know what it keeps, there is nothing to compare.
func CheckRetention(name string, approved []string, now *Policy) []Drift {
	is := ""
	switch {
	case len(approved) == 0:
		return nil
	case now == nil:
	case now.Unreadable != "":
		is = "not understood: " + now.Unreadable
	default:
		is = DescribeRetention(now.Spec)
	}
	if slices.Contains(approved, is) {
		return nil
	}
	return []Drift{{Path: "policy " + name, Approved: approved[0], Now: is, Wanted: approved[len(approved)-1]}}
}
