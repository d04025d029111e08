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
	var changed []plan.Change
	for _, pair := range d.Changed {
		changed = append(changed, pair.Now)
	}
	for _, part := range []struct {
		title   string
		changes []plan.Change
	}{
		{"planned now, and not approved", d.New},
		{"planned otherwise than approved", changed},
		{"approved, and not needed any more", d.Gone},
	} {
		if len(part.changes) == 0 {
			continue
		}
		fmt.Fprintf(out, "%s\n", t.bold(part.title))
		var lines []line
		for _, c := range part.changes {
			lines = append(lines, t.line(c))
		}
		columns := newColumns(lines, s, t.palette)
		for _, l := range lines {
			columns.write(out, l)
		}
	}
	return out.Flush()
}
