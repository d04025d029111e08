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

// PlanText writes a plan for a person: what stands against it first (refusals, gaps, risks), then the
// changes by vault, then one line with counts and cost.
func PlanText(w io.Writer, p plan.Plan, s Style) error {
	out := bufio.NewWriter(w)
	t := planText{out, p, s, newPalette(s.Color)}
	t.refusals()
	t.gaps()
	t.risks()
	t.notes()
	t.groups()
	t.total()
	return out.Flush()
}

type planText struct {
	io.Writer
	plan  plan.Plan
	style Style
	palette
}

// prose writes s below what was said before.
func (t planText) prose(indent string, paint func(string) string, s string) {
	for _, part := range wrap(s, t.style.Width-len(indent)) {
		fmt.Fprintf(t, "%s%s\n", indent, paint(part))
	}
}

// marked writes a sentence behind a mark.
func (t planText) marked(mark string, paint func(string) string, s string) {
	for i, part := range wrap(s, t.style.Width-2) {
		if i > 0 {
			mark = " "
		}
		fmt.Fprintf(t, "%s %s\n", mark, paint(part))
	}
}

func plain(s string) string { return s }

func (t planText) refusals() {
	for _, r := range t.plan.Refusals {
		t.marked(t.stop("✗"), t.bold, "refused: "+Line(r.Message))
		lift := "no flag lifts this"
		if r.Flag != "" {
			lift = "if it is meant: " + Line(r.Flag)
		}
		t.prose("  ", t.dim, lift)
	}
	t.blankAfter(len(t.plan.Refusals))
}

func (t planText) gaps() {
	for _, g := range t.plan.Gaps {
		t.marked(t.change("?"), plain, "could not read "+GapWords(g))
	}
	if !t.plan.Complete {
		t.prose("  ", t.dim, "what these could have shown is blocked, and nothing is stopped anywhere")
	}
	t.blankAfter(len(t.plan.Gaps))
}

func (t planText) risks() {
	all := risks(t.plan.Changes)
	for _, g := range all {
		t.marked(t.stop("!"), t.bold, g.title())
		for i, c := range g.changes {
			if i == riskNames && len(g.changes) > riskNames+1 && !t.style.Verbose {
				fmt.Fprintf(t, "    %s\n", t.dim("and "+number(len(g.changes)-i)+" more"))
				break
			}
			t.prose("    ", plain, Line(strings.Join(notEmpty(verb(c.Action), name(c.Target), effect(c)), " ")))
		}
	}
	t.blankAfter(len(all))
}

// notes says what in the file is perhaps not meant.
func (t planText) notes() {
	for _, n := range t.plan.Notes {
		t.marked(t.change("!"), plain, Line(n))
	}
	t.blankAfter(len(t.plan.Notes))
}

func (t planText) blankAfter(n int) {
	if n > 0 {
		fmt.Fprintln(t)
	}
}

func (t planText) groups() {
	changes := t.plan.Changes
	if t.style.All {
		changes = slices.Concat(changes, t.plan.Unchanged)
	}
	all := groups(changes)
	listing := make([][]line, len(all))
	for i, g := range all {
		for _, c := range g.changes {
			listing[i] = append(listing[i], t.line(c))
		}
	}
	columns := newColumns(slices.Concat(listing...), t.style, t.palette)
	for i, g := range all {
		title, where := g.heading()
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

func (t planText) line(c plan.Change) line {
	l := line{
		mark:  symbol(c.Action),
		paint: func(s string) string { return t.action(c.Action, s) },
		cells: []string{verb(c.Action), Line(name(c.Target)), Line(effect(c))},
		why:   Line(c.Because),
	}
	if c.WaitsFor != "" {
		l.why += "; waits for the job that runs now"
	}
	if c.Action == plan.Unchanged || t.style.Verbose {
		for _, n := range c.Notes {
			l.details = append(l.details, Line(n))
		}
	}
	if t.style.Verbose {
		if len(c.Fields) > 0 {
			l.cells[2] = "" // the same fields follow, one by one
		}
		for _, f := range c.Fields {
			l.details = append(l.details, Line(fieldWord(c, f)))
		}
		if c.WaitsFor != "" {
			l.details = append(l.details, Line("job "+lastName(c.WaitsFor)))
		}
		if r := rule(c.Rule); r != "" {
			l.details = append(l.details, Line(r))
		}
	}
	return l
}

// total is the last line: counts, requests, duration.
func (t planText) total() {
	if t.plan.Fingerprint != "" && actionable(t.plan) > 0 {
		fmt.Fprintln(t, t.dim("fingerprint "+Line(t.plan.Fingerprint)))
	}
	words := []string{headline(t.plan)}
	if n := requests(t.plan.Forecast.Requests); n > 0 {
		words = append(words, plural(n, "request"))
	}
	if d := time.Duration(t.plan.Forecast.Duration); d > 0 {
		words = append(words, "about "+duration(d))
	}
	for i, part := range wrap(strings.Join(words, " · "), t.style.Width) {
		if i == 0 {
			part = t.bold(part)
		}
		fmt.Fprintln(t, part)
	}
}

// headline is a plan in one line: "Plan: 2 protect, 1 blocked, 97 unchanged".
func headline(p plan.Plan) string {
	what := counts(p.Summary)
	if actionable(p) == 0 {
		what = strings.Join(notEmpty("nothing to do", what), ", ")
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

func actionable(p plan.Plan) int {
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

func requests(byKind map[string]int) int {
	n := 0
	for _, count := range byKind {
		n += count
	}
	return n
}
