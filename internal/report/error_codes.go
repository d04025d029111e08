package report

import (
	"slices"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// explainCodes returns where the codes that azbackup knows are explained; "" = none is. A code that is known in part,
// as one with a version, is given as it is known, so that nothing of an answer is shown here.
func explainCodes(codes []string) string {
	var known []string
	for _, code := range codes {
		if c := apply.KnownCode(code); c != "" && !slices.Contains(known, c) {
			known = append(known, c)
		}
	}
	if len(known) == 0 {
		return ""
	}
	return "azbackup help errors explains " + someOf(known)
}

func codesOfGaps(gaps []plan.Gap) []string {
	var codes []string
	for _, g := range gaps {
		codes = append(codes, g.Code)
	}
	return codes
}

// codesOfFailures returns the codes of what did not end well.
func codesOfFailures(results []apply.Result) []string {
	var codes []string
	for _, r := range results {
		if !isGood(r.Outcome) {
			codes = append(codes, r.Code)
		}
	}
	return codes
}

// mdExplained returns a link to the page of a code behind it, or "".
func mdExplained(code string) string {
	url := apply.HelpURL(code)
	if url == "" {
		return ""
	}
	return " ([what that means](" + url + "))"
}
