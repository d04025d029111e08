package report

import (
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// maxColumnWidth is how far a column is padded, on a terminal a third of its width at most; what is longer
	// pushes its own line only.
	maxColumnWidth = 56
	// minProseWidth is the room below which a sentence moves to lines of its own.
	minProseWidth = 28
)

// line is one entry of a listing: cells in columns, a sentence behind them, and details below.
type line struct {
	mark    string
	paint   func(string) string // for mark and the first cell
	cells   []string
	why     string
	details []string
}

// textTable lays lines out for a terminal of the given width (0 = endless). Widths are those of the glyphs, so
// wide characters stay aligned. Cells are never cut: what does not fit is stacked.
type textTable struct {
	width  int
	cells  []int
	dim    func(string) string
	indent string
}

func newTextTable(lines []line, s Style, p palette) textTable {
	c := textTable{width: s.Width, dim: p.dim, indent: "  "}
	most := maxColumnWidth
	if s.Width > 0 {
		most = min(most, s.Width/3)
	}
	for _, l := range lines {
		for i, cell := range l.cells {
			if i == len(c.cells) {
				c.cells = append(c.cells, 0)
			}
			c.cells[i] = max(c.cells[i], min(text.StringWidth(cell), most))
		}
	}
	return c
}

// write prints one line of the listing.
func (c textTable) write(w io.Writer, l line) {
	if c.width > 0 && c.usedWidth(l) > c.width {
		c.writeStacked(w, l)
	} else {
		c.writeRow(w, l)
	}
	for _, d := range l.details {
		c.writeProse(w, d)
	}
}

// usedWidth returns the width of l's cells in their columns, with the space for a sentence behind them.
func (c textTable) usedWidth(l line) int {
	used := len(c.indent) + 2
	for i, cell := range l.cells {
		used += max(c.cells[i], text.StringWidth(cell)) + 2
	}
	return used
}

func (c textTable) writeRow(w io.Writer, l line) {
	var b strings.Builder
	b.WriteString(c.indent + l.paint(l.mark) + " ")
	for i, cell := range l.cells {
		padded := text.Pad(cell, c.cells[i], ' ')
		if i == 0 {
			padded = l.paint(padded)
		}
		b.WriteString(padded + "  ")
	}
	room := c.width - c.usedWidth(l)
	if c.width > 0 && room < minProseWidth && text.StringWidth(l.why) > room {
		io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
		c.writeProse(w, l.why)
		return
	}
	hang := "\n" + strings.Repeat(" ", c.usedWidth(l))
	for i, part := range wrap(l.why, room) {
		if i > 0 {
			b.WriteString(hang)
		}
		b.WriteString(c.dim(part))
	}
	io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
}

// writeStacked puts what does not fit side by side below: the first two cells if they fit, then the others.
func (c textTable) writeStacked(w io.Writer, l line) {
	first, rest := l.cells[0], l.cells[1:]
	head := c.indent + l.paint(l.mark) + " " + l.paint(first)
	if len(rest) > 0 && len(c.indent)+4+text.StringWidth(first)+text.StringWidth(rest[0]) <= c.width {
		head, rest = head+"  "+rest[0], rest[1:]
	}
	io.WriteString(w, head+"\n")
	for _, cell := range rest {
		for _, part := range wrap(cell, c.width-6) {
			if part != "" {
				io.WriteString(w, "      "+part+"\n")
			}
		}
	}
	c.writeProse(w, l.why)
}

// writeProse writes a sentence below its line.
func (c textTable) writeProse(w io.Writer, s string) {
	if s == "" {
		return
	}
	for _, part := range wrap(s, c.width-6) {
		io.WriteString(w, "      "+c.dim(part)+"\n")
	}
}

// wrap breaks s into lines of at most n columns, at spaces where there are any; n < 1 = not at all.
func wrap(s string, n int) []string {
	if n < 1 || text.StringWidth(s) <= n {
		return []string{s}
	}
	lines := strings.Split(text.WrapSoft(s, n), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
