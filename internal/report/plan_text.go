package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// riskNames is how many changes of one risk are named without Verbose.
const riskNames = 8

// PlanText writes a plan for a person: what speaks against it first (refusals, gaps, risks), then the
// changes by vault, then one line with counts and cost.
func PlanText(w io.Writer, p plan.Plan, s Style) error {
	out := bufio.NewWriter(w)
	t := planText{out, p, s, newPalette(s.Color), namesakesOf(p.Subscriptions, p.Changes, p.Unchanged), costsOf(p.Cost)}
	t.writeRefusals()
	t.writeGaps()
	t.writeRisks()
	t.writeNotes()
	t.writeGroups()
	t.writeTests()
	t.writeTotal()
	return out.Flush()
}

type planText struct {
	io.Writer
	plan  plan.Plan
	style Style
	palette
	names namesakes
	costs costs
}

// writeProse writes s below what was written before.
func (t planText) writeProse(indent string, paint func(string) string, s string) {
	for _, part := range wrap(s, t.style.Width-len(indent)) {
		fmt.Fprintf(t, "%s%s\n", indent, paint(part))
	}
}

// writeMarked writes a sentence behind a mark.
func (t planText) writeMarked(mark string, paint func(string) string, s string) {
	for i, part := range wrap(s, t.style.Width-2) {
		if i > 0 {
			mark = " "
		}
		fmt.Fprintf(t, "%s %s\n", mark, paint(part))
	}
}

func plainText(s string) string { return s }

func (t planText) writeRefusals() {
	for _, r := range t.plan.Refusals {
		t.writeMarked(t.stop("✗"), t.bold, "refused: "+Line(r.Message))
		lift := "no flag lifts this"
		if r.Flag != "" {
			lift = "if it is meant: " + Line(r.Flag)
		}
		t.writeProse("  ", t.dim, lift)
	}
	t.writeBlankAfter(len(t.plan.Refusals))
}

func (t planText) writeGaps() {
	for _, g := range t.plan.Gaps {
		t.writeMarked(t.change("?"), plainText, Line("could not read "+string(g.Kind)+" of "+t.names.gapPlace(g)+": "+describeGapCause(g)))
	}
	if !t.plan.Complete {
		t.writeProse("  ", t.dim, "what these could have shown is blocked, and nothing is stopped anywhere")
	}
	t.writeExplained(t.plan.Gaps)
	t.writeBlankAfter(len(t.plan.Gaps))
}

// writeExplained writes where the codes of gaps are explained.
func (t planText) writeExplained(gaps []plan.Gap) {
	if where := explainCodes(codesOfGaps(gaps)); where != "" {
		t.writeProse("  ", t.dim, where)
	}
}

func (t planText) writeRisks() {
	all := groupByRisk(t.plan.Changes)
	for _, g := range all {
		t.writeMarked(t.stop("!"), t.bold, g.title())
		for i, c := range g.changes {
			if i == riskNames && len(g.changes) > riskNames+1 && !t.style.Verbose {
				fmt.Fprintf(t, "    %s\n", t.dim("and "+formatNumber(len(g.changes)-i)+" more"))
				break
			}
			t.writeProse("    ", plainText, Line(strings.Join(nonEmpty(actionText(c.Action), t.names.placedName(c.Target), describeEffect(c)), " ")))
		}
	}
	t.writeBlankAfter(len(all))
}

// writeNotes writes what in the file is perhaps a mistake.
func (t planText) writeNotes() {
	for _, n := range t.plan.Notes {
		t.writeMarked(t.change("!"), plainText, Line(n))
	}
	t.writeBlankAfter(len(t.plan.Notes))
}

func (t planText) writeBlankAfter(n int) {
	if n > 0 {
		fmt.Fprintln(t)
	}
}

func (t planText) writeGroups() {
	changes := t.plan.Changes
	if t.style.All {
		changes = slices.Concat(changes, t.plan.Unchanged)
	}
	all := groupByVault(changes)
	listing := make([][]line, len(all))
	for i, g := range all {
		for _, c := range g.changes {
			listing[i] = append(listing[i], t.newLine(c))
		}
	}
	columns := newTextTable(slices.Concat(listing...), t.style, t.palette)
	for i, g := range all {
		title, where := g.heading(t.names)
		if where != "" && t.style.Width > 0 && len(title)+len(where)+2 > t.style.Width {
			where = ""
		}
		fmt.Fprintln(t, strings.TrimRight(t.bold(Line(title))+"  "+t.dim(Line(where)), " "))
		for _, l := range listing[i] {
			columns.write(t, l)
		}
		fmt.Fprintln(t)
	}
}

func (t planText) newLine(c plan.Change) line {
	l := line{
		mark:  actionSymbol(c.Action),
		paint: func(s string) string { return t.action(c.Action, s) },
		cells: []string{actionText(c.Action), Line(t.names.name(c.Target)), Line(describeEffect(c))},
		why:   Line(c.Because),
	}
	if c.WaitsFor != "" {
		l.why += "; waits for the job that runs now"
	}
	if cost := t.costs.describe(c); cost != "" {
		l.why += "; " + Line(cost)
	}
	// A note of a restore says that another point, or another machine, may be meant: whoever approves it must see it.
	if c.Action == plan.Unchanged || c.RestoreOrder != nil || t.style.Verbose {
		for _, n := range c.Notes {
			l.details = append(l.details, Line(n))
		}
	}
	if t.style.Verbose {
		if len(c.Fields) > 0 {
			l.cells[2] = "" // the same fields follow, one by one
		}
		for _, f := range c.Fields {
			l.details = append(l.details, Line(describeField(c, f)))
		}
		for _, d := range restoreDetails(c.RestoreOrder) {
			l.details = append(l.details, Line(d))
		}
		if c.WaitsFor != "" {
			l.details = append(l.details, Line("job "+lastName(c.WaitsFor)))
		}
		if r := describeRule(c.Rule); r != "" {
			l.details = append(l.details, Line(r))
		}
	}
	return l
}

// writeTotal writes the last line: counts, requests, duration, and the estimate of costs where there is one.
func (t planText) writeTotal() {
	if t.plan.Fingerprint != "" && (countActionable(t.plan) > 0 || t.plan.Summary[plan.RestoreTest] > 0 && !t.plan.CoversNothing()) {
		fmt.Fprintln(t, t.dim("fingerprint "+Line(t.plan.Fingerprint)))
	}
	for _, line := range describeMerged(t.plan) {
		t.writeProse("", t.dim, Line(line))
	}
	words := nonEmpty(describePlan(t.plan), describeShard(t.plan.Shard))
	if n := countRequests(t.plan.Forecast.Requests); n > 0 {
		words = append(words, formatCount(n, "request"))
	}
	if d := time.Duration(t.plan.Forecast.Duration); d > 0 {
		words = append(words, "about "+formatDuration(d))
	}
	for i, part := range wrap(strings.Join(words, " · "), t.style.Width) {
		if i == 0 {
			part = t.bold(part)
		}
		fmt.Fprintln(t, part)
	}
	if t.plan.Cost != nil {
		t.writeProse("", plainText, Line(describeCost(t.plan.Cost)))
	}
}

// describePlan returns a plan in one line: "Plan: 2 protect, 1 blocked, 97 unchanged".
func describePlan(p plan.Plan) string {
	what := describeCounts(p.Summary)
	if countActionable(p) == 0 {
		what = strings.Join(nonEmpty("nothing to do", what), ", ")
	}
	switch {
	case len(p.Refusals) > 0:
		return "Plan refused: " + what
	case !p.Complete:
		return "Plan incomplete: " + what
	default:
		return "Plan: " + what
	}
}

func countActionable(p plan.Plan) int {
	n := 0
	for a, count := range p.Summary {
		switch a {
		case plan.Blocked, plan.Unchanged, plan.Excluded:
		default:
			n += count
		}
	}
	return n
}

func countRequests(byKind map[string]int) int {
	n := 0
	for _, count := range byKind {
		n += count
	}
	return n
}
