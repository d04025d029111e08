package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/azbackup/azbackup/plan"
)

// DifferenceText writes how a plan differs from the one that was approved, for a person.
func DifferenceText(w io.Writer, d plan.Difference, s Style) error {
	out := bufio.NewWriter(w)
	t := planText{Writer: out, style: s, palette: newPalette(s.Color)}
	var changed []line
	for _, pair := range d.Changed {
		l := t.newLine(pair.Now)
		if why := pair.Describe(); why != "" {
			l.why = Line(why)
		}
		changed = append(changed, l)
	}
	t.writePart("planned now, and not approved", t.newLines(d.New))
	t.writePart("planned otherwise than approved", changed)
	t.writePart("approved, and not needed any more", t.newLines(d.Gone))
	return out.Flush()
}

// RestText writes what of a saved plan cannot be done as it was approved, and what is new, for a person.
func RestText(w io.Writer, rest plan.Remainder, s Style) error {
	out := bufio.NewWriter(w)
	t := planText{Writer: out, style: s, palette: newPalette(s.Color)}
	var stale []line
	for _, old := range rest.Stale {
		l := t.newLine(old.Change)
		l.why = Line(old.Why)
		stale = append(stale, l)
	}
	t.writePart("planned now, and not approved", t.newLines(rest.New))
	t.writePart("approved, and left, because what is there is not what it was approved for", stale)
	return out.Flush()
}

func (t planText) newLines(changes []plan.Change) []line {
	var lines []line
	for _, c := range changes {
		lines = append(lines, t.newLine(c))
	}
	return lines
}

// writePart writes lines below a title; nothing where there are none.
func (t planText) writePart(title string, lines []line) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(t, "%s\n", t.bold(title))
	columns := newTextTable(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
}
