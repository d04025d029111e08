package report

import (
	"slices"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// explainCodes returns the command that explains codes, with those of them that azbackup knows; "" where it knows none.
// They stand in the spelling of [apply.KnownCode], never in that of an answer, whose text is untrusted.
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

// mdExplained returns the Markdown to put behind a code: a link to the page that explains it, or "" where there is none.
func mdExplained(code string) string {
	url := apply.HelpURL(code)
	if url == "" {
		return ""
	}
	return " ([what that means](" + url + "))"
}
