package report

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// AuditMarkdown writes an audit for a step summary or a comment: a headline, the states, what could not be read, then a
// table per kind of finding, worst first. It is at most 65,536 bytes long; rows that do not fit are left out and
// counted.
func AuditMarkdown(w io.Writer, r audit.Result) error {
	head := mdAuditHead(r)
	var parts []mdPart
	for i, g := range groupByCode(r.Findings) {
		parts = append(parts, mdFindings(g, len(r.Findings) <= mdOpen || i == 0))
	}
	_, err := io.WriteString(w, head+mdTruncate(parts, mdLimit-len(head)))
	return err
}

// mdPart is a table of findings of one kind.
type mdPart struct {
	open, close string
	rows        []string
}

// text returns the part with at most n rows, and how many others there are.
func (p mdPart) text(n int) string {
	n = min(n, len(p.rows))
	more := ""
	if left := len(p.rows) - n; left > 0 {
		more = fmt.Sprintf("\n… and **%s** not shown.\n", formatCount(left, "more finding"))
	}
	return p.open + strings.Join(p.rows[:n], "") + more + p.close
}

// mdTruncate writes parts in at most limit bytes: every part is cut to the same number of rows, the largest that
// fits; where not even headings fit, the last parts go.
func mdTruncate(parts []mdPart, limit int) string {
	for left := 0; left <= len(parts); left++ {
		tail := ""
		if left > 0 {
			tail = fmt.Sprintf("\n… and **%s** not shown.\n", formatCount(left, "more kind")+" of findings")
		}
		all := func(n int) string {
			var b strings.Builder
			for _, p := range parts[:len(parts)-left] {
				b.WriteString(p.text(n))
			}
			return b.String() + tail
		}
		most := 0
		for _, p := range parts {
			most = max(most, len(p.rows))
		}
		// The first number of rows that does not fit; a row more never makes the text shorter by more than its note.
		n := sort.Search(most+1, func(n int) bool { return len(all(n)) > limit })
		if n > 0 {
			return all(n - 1)
		}
	}
	return ""
}

func mdAuditHead(r audit.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s azbackup audit: %s\n\n", auditSign(r), describeCoverage(r.Summary))
	b.WriteString(mdStates(r.Summary))
	fmt.Fprintf(&b, "\n%s. %s.\n", mdProse(upperFirst(describeLeftOut(r.Summary))), mdProse(upperFirst(describeProvenance(r))))
	for _, words := range describeRestores(r.Summary.RestoreProven) {
		fmt.Fprintf(&b, "\n%s.\n", mdProse(upperFirst(words)))
	}
	names := namesakesOfAudit(r, idsOfComparison(nil))
	mdList(&b, "Could not be read", r.Gaps, mdGaps, func(g plan.Gap) string {
		return "❔ " + mdProse(truncate(string(g.Kind)+" of "+names.gapPlace(g)+": "+describeGapCause(g), mdLongest)) + mdExplained(g.Code)
	})
	mdList(&b, "Not looked at, though they can be seen", r.Scope.LeftOut, mdGaps, func(s audit.Subscription) string {
		return "subscription " + mdCode(describeSubscription(s))
	})
	if r.Baseline != nil {
		mdBaseline(&b, r)
	}
	return b.String()
}

func auditSign(r audit.Result) string {
	switch {
	case r.IsIncomplete():
		return "⚠️"
	case len(r.FailingFindings()) > 0 || r.Summary.Covered < r.Summary.Counted:
		return "❌"
	default:
		return "✅"
	}
}

// mdStates returns a table with a column per state that occurs.
func mdStates(s audit.Summary) string {
	var names, rules, values []string
	for _, state := range audit.States() {
		if n := s.States[state]; n > 0 {
			names = append(names, string(state))
			rules = append(rules, "--:")
			values = append(values, formatNumber(n))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return mdRow(names...) + mdRow(rules...) + mdRow(values...)
}

func mdBaseline(b *strings.Builder, r audit.Result) {
	c := r.Baseline
	names := namesakesOfAudit(r, idsOfComparison(c))
	fmt.Fprintf(b, "\n### Coverage %[2]s since %[1]s\n", c.At.UTC().Format("2006-01-02 15:04Z"), describeTrend(r))
	for _, part := range []struct {
		title   string
		changes []audit.Change
	}{
		{"Newly unprotected", c.Unprotected}, {"Newly protected", c.Protected}, {"Became unknown", c.BecameUnknown},
	} {
		mdList(b, part.title, part.changes, mdRisks, func(ch audit.Change) string {
			return mdCode(names.name(ch.ID)) + ": " + string(ch.Before) + " → " + string(ch.After)
		})
	}
	if len(c.Added)+len(c.Removed) > 0 {
		fmt.Fprintf(b, "\n%s added, %s gone.\n", formatCount(len(c.Added), "VM"), formatNumber(len(c.Removed)))
	}
}

func mdFindings(g codeGroup, open bool) mdPart {
	fold := "<details>"
	if open {
		fold = "<details open>"
	}
	p := mdPart{
		open: fmt.Sprintf("\n%s<summary>%s <strong>%s</strong> %s: %s</summary>\n\nWhat to do: %s.\n\n%s%s", fold, severityMark(g.severity),
			g.Code, string(g.severity), mdSummaryText(fmt.Sprintf("%s (%s)", g.Title, formatNumber(len(g.findings)))), mdProse(g.Hint),
			mdRow("target", "what", "rule"), mdRow("---", "---", "---")),
		close: "\n</details>\n",
	}
	for _, f := range g.findings {
		where := ""
		if f.Rule != nil {
			where = mdCode(f.Rule.Name)
		}
		what := mdProse(truncate(messageWithoutTarget(f), mdLongest))
		if f.New {
			what = "**new** " + what
		}
		p.rows = append(p.rows, mdRow(mdCode(targetName(f)), what, where))
	}
	return p
}

// mdSummaryText writes our own words into the HTML of a <summary>.
func mdSummaryText(s string) string { return strings.NewReplacer("<", "&lt;", "&", "&amp;").Replace(s) }

func severityMark(s audit.Severity) string {
	switch s {
	case audit.Critical, audit.High:
		return "🔴"
	case audit.Medium:
		return "🟠"
	case audit.Low:
		return "🟡"
	default:
		return "🔵"
	}
}

func upperFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
