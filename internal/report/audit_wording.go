package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/audit"
)

// codeGroup is the findings of one code, severity and hint: one kind of trouble, and one thing to do.
type codeGroup struct {
	audit.CodeHelp
	severity audit.Severity
	findings []audit.Finding
}

// groupByCode groups findings that stand worst first and keeps that order.
func groupByCode(findings []audit.Finding) []codeGroup {
	helps := map[string]audit.CodeHelp{}
	for _, h := range audit.Codes() {
		helps[h.Code] = h
	}
	var groups []codeGroup
	for _, f := range findings {
		i := slices.IndexFunc(groups, func(g codeGroup) bool { return g.Code == f.Code && g.severity == f.Severity && g.Hint == f.Hint })
		if i < 0 {
			h, ok := helps[f.Code]
			if !ok { // of a newer version's file
				h = audit.CodeHelp{Code: f.Code, Title: f.Code}
			}
			h.Hint = f.Hint
			i = len(groups)
			groups = append(groups, codeGroup{CodeHelp: h, severity: f.Severity})
		}
		groups[i].findings = append(groups[i].findings, f)
	}
	return groups
}

// messageWithoutTarget returns a finding's message without the name of its target, which stands beside it.
func messageWithoutTarget(f audit.Finding) string {
	if _, rest, ok := strings.Cut(f.Message, ": "); ok {
		return rest
	}
	return f.Message
}

// formatPercent spells a share so that it never says more than is true: 99.96 % is not 100 %.
func formatPercent(share *float64) string {
	switch {
	case share == nil:
		return "–"
	case *share == 0 || *share == 1:
		return fmt.Sprintf("%d %%", int(*share*100))
	case *share < 0.001:
		return "< 0.1 %"
	default:
		return fmt.Sprintf("%d.%d %%", int(*share*1000)/10, int(*share*1000)%10)
	}
}

// describeStates spells the states that occur and that keep accepts: "93 protected, 2 stale".
func describeStates(s audit.Summary, keep func(audit.State) bool) string {
	var words []string
	states := audit.States()
	slices.Reverse(states) // good news is the larger number: it goes first
	for _, state := range states {
		if n := s.States[state]; n > 0 && keep(state) {
			words = append(words, formatNumber(n)+" "+string(state))
		}
	}
	return strings.Join(words, ", ")
}

func isCounted(s audit.State) bool { return !s.IsLeftOut() }

// describeCoverage returns the headline: the share and what it is of.
func describeCoverage(s audit.Summary) string {
	if s.Coverage == nil {
		return "no VM to count"
	}
	return fmt.Sprintf("%s covered, %s of %s", formatPercent(s.Coverage), formatNumber(s.Covered), formatCount(s.Counted, "VM"))
}

// describeLeftOut returns what the share leaves out; it is never printed without it.
func describeLeftOut(s audit.Summary) string {
	words := describeStates(s, audit.State.IsLeftOut)
	switch {
	case words == "" && s.Gaps > 0:
		return "nothing left out of what could be read"
	case words == "":
		return "nothing left out"
	}
	return "left out: " + words
}

// describeSubscription names a subscription: its name and its id, or what there is.
func describeSubscription(s audit.Subscription) string {
	if s.Name == "" {
		return s.ID
	}
	return s.Name + " (" + s.ID + ")"
}
