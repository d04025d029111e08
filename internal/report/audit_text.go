package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/audit"
)

// textTargets is how many targets of one code are named without Verbose.
const textTargets = 20

// AuditText writes an audit for a person: the number and what it leaves out, what could not be read, then the
// findings by kind, worst first. With All every VM is listed too.
func AuditText(w io.Writer, r audit.Result, s Style) error {
	out := bufio.NewWriter(w)
	t := auditText{planText{Writer: out, style: s, palette: newPalette(s.Color)}, r}
	t.head()
	t.unread()
	t.baseline()
	t.findings()
	if s.All {
		t.machines()
	}
	t.foot()
	return out.Flush()
}

type auditText struct {
	planText
	audit.Result
}

func (t auditText) head() {
	s := t.Summary
	paint := t.create
	switch {
	case s.Coverage == nil || !s.Complete:
		paint = t.change
	case s.Covered < s.Counted:
		paint = t.stop
	}
	fmt.Fprintln(t, t.bold(paint(coverageWords(s))))
	if words := stateCounts(s, counted); words != "" {
		t.prose("  ", plain, words)
	}
	t.prose("  ", t.dim, leftOutWords(s))
	t.prose("  ", t.dim, madeWords(t.Result))
	for _, sub := range t.Scope.LeftOut {
		t.prose("  ", t.change, Line("not looked at, though it can be seen: subscription "+subscriptionWords(sub)))
	}
	fmt.Fprintln(t)
}

// madeWords is when, by whom and over what an audit was made.
func madeWords(r audit.Result) string {
	words := []string{
		r.Made.At.UTC().Format("2006-01-02 15:04Z"),
		plural(len(r.Scope.Subscriptions), "subscription"), plural(r.Scope.Vaults, "vault"),
	}
	if r.Made.By != "" {
		words = append(words, "as "+r.Made.By)
	}
	if r.Made.Cloud != "" {
		words = append(words, r.Made.Cloud)
	}
	if r.Made.MaxAge > 0 {
		words = append(words, "stale after "+duration(time.Duration(r.Made.MaxAge)*time.Second))
	}
	if r.Made.Source != "" {
		words = append(words, r.Made.Source)
	}
	return Line(strings.Join(words, ", "))
}

func (t auditText) unread() {
	for _, g := range t.Gaps {
		t.marked(t.change("?"), plain, Line(fmt.Sprintf("could not read %s of %s: %s", g.Kind, gapWords(g), gapCause(g))))
	}
	if len(t.Gaps) > 0 {
		t.prose("  ", t.dim, "what these could have shown is unknown, never unprotected")
	}
	t.blankAfter(len(t.Gaps))
}

func (t auditText) baseline() {
	b := t.Baseline
	if b == nil {
		return
	}
	fmt.Fprintln(t, t.bold("since "+b.At.UTC().Format("2006-01-02 15:04Z")+": "+trend(b)))
	for _, part := range []struct {
		what    string
		paint   func(string) string
		changes []audit.Change
	}{
		{"newly unprotected", t.stop, b.Unprotected},
		{"newly protected", t.create, b.Protected},
		{"became unknown", t.change, b.BecameUnknown},
		{"new VM", t.other, b.Added},
		{"gone", t.dim, b.Removed},
	} {
		if len(part.changes) > 0 {
			t.prose("  ", part.paint, fmt.Sprintf("%s %s: %s", number(len(part.changes)), part.what, Line(changeNames(part.changes, t.style.Verbose))))
		}
	}
	fmt.Fprintln(t)
}

// trend spells how coverage moved: "91.2 % → 94.8 %".
func trend(c *audit.Comparison) string { return percent(c.Before) + " → " + percent(c.After) }

func changeNames(changes []audit.Change, all bool) string {
	var words []string
	for i, c := range changes {
		if !all && i == textTargets {
			words = append(words, "…")
			break
		}
		words = append(words, name(c.ID))
	}
	return strings.Join(words, ", ")
}

func (t auditText) findings() {
	groups := byCode(t.Findings)
	for _, g := range groups {
		paint := t.severity(g.severity)
		fmt.Fprintln(t, paint(fmt.Sprintf("%-8s", g.severity))+" "+t.bold(g.Code)+"  "+t.bold(Line(g.Title))+t.dim("  "+number(len(g.findings))))
		var lines []line
		for i, f := range g.findings {
			if !t.style.Verbose && i == textTargets {
				break
			}
			lines = append(lines, t.finding(f, paint))
		}
		columns := newColumns(lines, t.style, t.palette)
		for _, l := range lines {
			columns.write(t, l)
		}
		if left := len(g.findings) - len(lines); left > 0 {
			t.prose("    ", t.dim, "… and "+number(left)+" more; -v names them all")
		}
		t.prose("  → ", t.other, Line(g.Hint))
		fmt.Fprintln(t)
	}
}

func (t auditText) finding(f audit.Finding, paint func(string) string) line {
	l := line{mark: severitySymbol(f.Severity), paint: paint, cells: []string{Line(targetName(f))}, why: Line(about(f))}
	if f.New {
		l.why = "new: " + l.why
	}
	if t.style.Verbose {
		if f.Rule != nil {
			l.details = append(l.details, Line(rule(f.Rule)))
		}
		if len(f.Controls) > 0 {
			l.details = append(l.details, Line(strings.Join(f.Controls, ", ")))
		}
	}
	return l
}

// targetName is what a finding is about, for people: it stands in front of its message.
func targetName(f audit.Finding) string {
	if who, _, ok := strings.Cut(f.Message, ": "); ok {
		return who
	}
	return name(f.Target)
}

func (t auditText) machines() {
	fmt.Fprintln(t, t.bold("VMs"))
	var lines []line
	for _, vm := range t.VMs {
		lines = append(lines, line{
			mark: "·", paint: t.state(vm.State), cells: []string{Line(name(vm.ID)), string(vm.State), Line(lastName(vm.Vault))},
			why: Line(strings.Join(append([]string{vm.Because}, vm.Notes...), "; ")),
		})
	}
	columns := newColumns(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
	t.blankAfter(len(lines))
}

func (t auditText) foot() {
	var words []string
	for _, s := range audit.Severities() {
		if n := t.Summary.Findings[s]; n > 0 {
			words = append(words, number(n)+" "+string(s))
		}
	}
	total := "no findings"
	if len(words) > 0 {
		total = plural(len(t.Findings), "finding") + ": " + strings.Join(words, ", ")
	}
	if n := len(t.Gaps); n > 0 {
		total += "; " + plural(n, "read") + " failed"
	}
	t.prose("", t.bold, total)
}

func severitySymbol(s audit.Severity) string {
	switch s {
	case audit.Critical, audit.High:
		return "✗"
	case audit.Medium:
		return "!"
	default:
		return "·"
	}
}

func (p palette) severity(s audit.Severity) func(string) string {
	switch s {
	case audit.Critical, audit.High:
		return p.stop
	case audit.Medium:
		return p.change
	case audit.Low:
		return p.other
	default:
		return p.dim
	}
}

func (p palette) state(s audit.State) func(string) string {
	switch {
	case s.IsCovered():
		return p.create
	case s == audit.Unknown:
		return p.change
	case s.IsLeftOut():
		return p.dim
	default:
		return p.stop
	}
}
