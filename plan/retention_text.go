package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// The risk of moving an item to another policy is judged by the schedule and retention of both. A change describes
// them in words, so that they are approved with it and can be compared right before the write.

// DescribeRetention returns a policy's schedule, retention, instant restore and consistency in words: all that the risk of
// a move between policies depends on.
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

// resultingRetention returns the retention of an item that comes under the policy; nil where it is unknown.
func (p *policyPlan) resultingRetention() []string {
	if p.isKnown && p.retentionText == nil {
		p.retentionText = []string{DescribeRetention(p.spec)}
	}
	return p.retentionText
}

// currentRetention returns the retention of a policy that an item leaves, and its retention after this plan; nil where
// it is unknown.
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

// CheckRetention compares a policy that an item leaves or goes to with the retention that the risk of the change was
// judged by; nil = the policy does not exist. Where the plan did not know the retention, there is nothing to compare.
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

// retentionDrifts describes, for a planned change, the policies of its item that do not keep what they kept when the
// change was approved. A policy that the approved plan changes as well may keep what it kept or what it will keep. Where
// the approved plan did not know what a policy keeps, there is nothing to compare.
func retentionDrifts(approved, now Change) []string {
	var out []string
	for _, side := range [][2]*State{{approved.Before, now.Before}, {approved.After, now.After}} {
		was, is := side[0], side[1]
		if was == nil || is == nil || len(was.Keeps) == 0 || !armid.Same(was.Policy, is.Policy) {
			continue
		}
		if len(is.Keeps) == 0 {
			out = append(out, "what policy "+lastName(is.Policy)+" keeps is not known any more")
		}
		for _, keeps := range is.Keeps {
			if !slices.Contains(was.Keeps, keeps) {
				out = append(out, "policy "+lastName(is.Policy)+" was "+strings.Join(was.Keeps, ", then ")+", and is now "+keeps)
			}
		}
	}
	return out
}
