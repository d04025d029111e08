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
	t.names = namesakesOfAudit(r, idsOfComparison(r.Baseline))
	t.writeHead()
	t.writeUnread()
	t.writeBaseline()
	t.writeFindings()
	if s.All {
		t.writeVMs()
	}
	t.writeFoot()
	return out.Flush()
}

type auditText struct {
	planText
	audit.Result
}

func (t auditText) writeHead() {
	s := t.Summary
	paint := t.create
	switch {
	case s.Coverage == nil || !s.Complete:
		paint = t.change
	case s.Covered < s.Counted:
		paint = t.stop
	}
	fmt.Fprintln(t, t.bold(paint(describeCoverage(s))))
	if words := describeStates(s, isCounted); words != "" {
		t.writeProse("  ", plainText, words)
	}
	t.writeProse("  ", t.dim, describeLeftOut(s))
	for _, words := range describeRestores(s.RestoreProven) {
		t.writeProse("  ", plainText, words)
	}
	t.writeProse("  ", t.dim, describeProvenance(t.Result))
	for _, sub := range t.Scope.LeftOut {
		t.writeProse("  ", t.change, Line("not looked at, though it can be seen: subscription "+describeSubscription(sub)))
	}
	fmt.Fprintln(t)
}

// describeProvenance returns when, by whom and over what an audit was made.
func describeProvenance(r audit.Result) string {
	words := []string{
		r.Made.At.UTC().Format("2006-01-02 15:04Z"),
		formatCount(len(r.Scope.Subscriptions), "subscription"), formatCount(r.Scope.Vaults, "vault"),
	}
	if shard := describeShard(r.Shard); shard != "" {
		words = append(words, shard)
	}
	if r.Made.By != "" {
		words = append(words, "as "+r.Made.By)
	}
	if r.Made.Cloud != "" {
		words = append(words, r.Made.Cloud)
	}
	if r.Made.MaxAge > 0 {
		words = append(words, "stale after "+formatDuration(time.Duration(r.Made.MaxAge)*time.Second))
	}
	if r.Made.Source != "" {
		words = append(words, r.Made.Source)
	}
	return Line(strings.Join(words, ", "))
}

func (t auditText) writeUnread() {
	for _, g := range t.Gaps {
		t.writeMarked(t.change("?"), plainText, Line(fmt.Sprintf("could not read %s of %s: %s", g.Kind, t.names.gapPlace(g), describeGapCause(g))))
	}
	if len(t.Gaps) > 0 {
		t.writeProse("  ", t.dim, "what these could have shown is unknown, never unprotected")
	}
	t.writeExplained(t.Gaps)
	t.writeBlankAfter(len(t.Gaps))
}

func (t auditText) writeBaseline() {
	b := t.Baseline
	if b == nil {
		return
	}
	fmt.Fprintln(t, t.bold("since "+b.At.UTC().Format("2006-01-02 15:04Z")+": "+describeTrend(t.Result)))
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
			t.writeProse("  ", part.paint, fmt.Sprintf("%s %s: %s", formatNumber(len(part.changes)), part.what, Line(t.names.describeChanged(part.changes, t.style.Verbose))))
		}
	}
	fmt.Fprintln(t)
}

// describeTrend spells how coverage moved since the baseline: "91.2 % → 94.8 %". The baseline of a shard is of all shards,
// so that no trend of its own is known.
func describeTrend(r audit.Result) string {
	before, after := formatPercent(r.Baseline.Before), formatPercent(r.Baseline.After)
	if r.Shard != nil {
		return before + " in all shards, " + after + " in this one"
	}
	return before + " → " + after
}

func (n namesakes) describeChanged(changes []audit.Change, all bool) string {
	var words []string
	for i, c := range changes {
		if !all && i == textTargets {
			words = append(words, "…")
			break
		}
		words = append(words, n.name(c.ID))
	}
	return strings.Join(words, ", ")
}

func (t auditText) writeFindings() {
	groups := groupByCode(t.Findings)
	for _, g := range groups {
		paint := t.severity(g.severity)
		fmt.Fprintln(t, paint(fmt.Sprintf("%-8s", g.severity))+" "+t.bold(g.Code)+"  "+t.bold(Line(g.Title))+t.dim("  "+formatNumber(len(g.findings))))
		var lines []line
		for i, f := range g.findings {
			if !t.style.Verbose && i == textTargets {
				break
			}
			lines = append(lines, t.findingLine(f, paint))
		}
		columns := newTextTable(lines, t.style, t.palette)
		for _, l := range lines {
			columns.write(t, l)
		}
		if left := len(g.findings) - len(lines); left > 0 {
			t.writeProse("    ", t.dim, "… and "+formatNumber(left)+" more; -v names them all")
		}
		t.writeProse("  → ", t.other, Line(g.Hint))
		fmt.Fprintln(t)
	}
}

func (t auditText) findingLine(f audit.Finding, paint func(string) string) line {
	l := line{mark: severitySymbol(f.Severity), paint: paint, cells: []string{Line(targetName(f))}, why: Line(messageWithoutTarget(f))}
	if f.New {
		l.why = "new: " + l.why
	}
	if t.style.Verbose {
		if f.Rule != nil {
			l.details = append(l.details, Line(describeRule(f.Rule)))
		}
		if len(f.Controls) > 0 {
			l.details = append(l.details, Line(strings.Join(f.Controls, ", ")))
		}
	}
	return l
}

// FindingName returns what a finding is about, for people: with the subscription where others share the name.
func FindingName(f audit.Finding) string { return Line(targetName(f)) }

// targetName returns what a finding is about, for people: it stands in front of its message.
func targetName(f audit.Finding) string {
	if who, _, ok := strings.Cut(f.Message, ": "); ok {
		return who
	}
	return displayName(f.Target)
}

func (t auditText) writeVMs() {
	fmt.Fprintln(t, t.bold("VMs"))
	var lines []line
	names := namesakesOfAudit(t.Result, idsOfVMs(t.Result))
	for _, vm := range t.VMs {
		lines = append(lines, line{
			mark: "·", paint: t.state(vm.State), cells: []string{Line(names.name(vm.ID)), string(vm.State), Line(lastName(vm.Vault))},
			why: Line(describeVM(vm)),
		})
	}
	columns := newTextTable(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
	t.writeBlankAfter(len(lines))
}

// describeVM returns why a VM is in its state, and what else is known of it.
func describeVM(vm audit.VM) string {
	words := append([]string{vm.Because}, vm.Notes...)
	if test := describeRestoreTest(vm); test != "" {
		words = append(words, test)
	}
	return strings.Join(words, "; ")
}

func (t auditText) writeFoot() {
	var words []string
	for _, s := range audit.Severities() {
		if n := t.Summary.Findings[s]; n > 0 {
			words = append(words, formatNumber(n)+" "+string(s))
		}
	}
	total := "no findings"
	if len(words) > 0 {
		total = formatCount(len(t.Findings), "finding") + ": " + strings.Join(words, ", ")
	}
	if n := len(t.Gaps); n > 0 {
		total += "; " + formatCount(n, "read") + " failed"
	}
	t.writeProse("", t.bold, total)
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
