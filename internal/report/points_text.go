package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// PointsText writes recovery points for a person: what could not be read first, then each VM with its points, newest
// first, then how many can be restored now.
func PointsText(w io.Writer, p Points, s Style) error {
	out := bufio.NewWriter(w)
	t := pointsText{planText{Writer: out, style: s, palette: newPalette(s.Color), names: p.names()}, p}
	for _, g := range p.Gaps {
		t.writeMarked(t.change("?"), plainText, Line("could not read "+string(g.Kind)+" of "+t.names.gapPlace(g)+": "+describeGapCause(g)))
	}
	t.writeExplained(p.Gaps)
	t.writeBlankAfter(len(p.Gaps))
	for _, v := range p.VMs {
		t.vm(v)
	}
	t.sum()
	return out.Flush()
}

type pointsText struct {
	planText
	p Points
}

func (t pointsText) vm(v VMPoints) {
	fmt.Fprintf(t, "%s\n", t.bold(Line(strings.Join(nonEmpty(t.names.name(v.VM), t.where(v)), "  "))))
	switch {
	case v.Gone:
		t.writeProse("  ", t.change, "the VM does not exist any more")
	case v.Unseen:
		t.writeProse("  ", t.change, "the VM is in no list that was read: it may not exist any more, or the identity may not see it")
	}
	switch {
	case v.Item == nil:
		t.writeProse("  ", t.stop, "no vault that was read backs it up")
	case !v.Read:
		t.writeProse("  ", t.stop, "its recovery points could not be read")
	case len(v.Points) == 0 && !v.Item.LastRecoveryPoint.IsZero():
		t.writeProse("  ", t.stop, "none is listed, though its item tells of a recovery point of "+pointTime(v.Item.LastRecoveryPoint))
	case len(v.Points) == 0:
		t.writeProse("  ", t.change, "no recovery point")
	}
	lines := make([]line, len(v.Points))
	for i, p := range v.Points {
		lines[i] = t.point(v, p)
	}
	columns := newTextTable(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
	fmt.Fprintln(t)
}

func (pointsText) where(v VMPoints) string {
	if v.Item == nil {
		return ""
	}
	return strings.Join(nonEmpty(describeVault(v.Item.Vault), v.state()), ", ")
}

func (t pointsText) point(v VMPoints, p Point) line {
	why := v.whyNot(p, t.p.Now)
	l := line{mark: "✓", paint: t.create, why: Line(why), cells: []string{
		pointTime(p.Time), pointAge(t.p.Now, p.Time), Line(consistencyWords(p.Consistency)), Line(tierWords(p.Tiers)),
	}}
	if why != "" {
		l.mark, l.paint = "✗", t.blocked
	}
	if p.Proof != nil {
		l.details = append(l.details, Line(fmt.Sprintf("proven: restored by job %s, %s", lastName(p.Proof.ID), pointTime(p.Proof.End))))
	}
	if p.MayBePrunedEarlier {
		l.details = append(l.details, "the file keeps points for less long: this one may be pruned earlier")
	}
	if words := heldWords(p.Disks); words != "" {
		l.details = append(l.details, Line(words))
	}
	if t.style.Verbose {
		l.details = append(l.details, Line(strings.Join(nonEmpty("point "+p.Name, expiry(p.Expires)), ", ")))
	}
	return l
}

func expiry(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return "expires " + pointTime(at)
}

func pointTime(at time.Time) string {
	if at.IsZero() {
		return "time not known"
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

func pointAge(now, at time.Time) string {
	if at.IsZero() {
		return orDash("")
	}
	return formatDuration(now.Sub(at).Truncate(time.Minute)) + " ago"
}

// sum writes the last line: how many points there are, can be restored, are proven, and may be pruned earlier.
func (t pointsText) sum() {
	all, restorable, proven, prunedEarlier := 0, 0, 0, 0
	for _, v := range t.p.VMs {
		for _, p := range v.Points {
			all++
			restorable += one(v.whyNot(p, t.p.Now) == "")
			proven += one(p.Proof != nil)
			prunedEarlier += one(p.MayBePrunedEarlier)
		}
	}
	words := []string{formatCount(all, "recovery point"), formatNumber(restorable) + " can be restored now", formatNumber(proven) + " proven by a restore"}
	if prunedEarlier > 0 {
		words = append(words, formatNumber(prunedEarlier)+" may be pruned earlier by what the file wants")
	}
	if n := len(t.p.Gaps); n > 0 {
		words = append(words, formatCount(n, "gap"))
	}
	fmt.Fprintln(t, "Points: "+strings.Join(words, ", "))
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
