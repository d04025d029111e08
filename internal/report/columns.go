package report

import (
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// widest is how far a column is padded; what is longer pushes its own line only.
	widest = 56
	// leastProse is the room below which a sentence moves to lines of its own.
	leastProse = 28
)

// line is one entry of a listing: cells in columns, a sentence behind them, and details below.
type line struct {
	mark    string
	paint   func(string) string // for mark and the first cell
	cells   []string
	why     string
	details []string
}

// columns lays lines out for a terminal of the given width (0 = endless). Widths are those of the glyphs, so
// wide characters stay aligned. Cells are never cut: what does not fit is stacked.
type columns struct {
	width  int
	cells  []int
	dim    func(string) string
	indent string
}

func newColumns(lines []line, s Style, p palette) columns {
	c := columns{width: s.Width, dim: p.dim, indent: "  "}
	for _, l := range lines {
		for i, cell := range l.cells {
			if i == len(c.cells) {
				c.cells = append(c.cells, 0)
			}
			c.cells[i] = max(c.cells[i], min(text.StringWidth(cell), widest))
		}
	}
	return c
}

// write prints one line of the listing.
func (c columns) write(w io.Writer, l line) {
	if c.width > 0 && c.left() < 0 {
		c.writeStacked(w, l)
	} else {
		c.writeRow(w, l)
	}
	for _, d := range l.details {
		c.writeProse(w, "      ", d)
	}
}

// left is what a row leaves for its sentence.
func (c columns) left() int {
	left := c.width - len(c.indent) - 2
	for _, n := range c.cells {
		left -= n + 2
	}
	return left
}

func (c columns) writeRow(w io.Writer, l line) {
	var b strings.Builder
	b.WriteString(c.indent + l.paint(l.mark) + " ")
	for i, cell := range l.cells {
		padded := text.Pad(cell, c.cells[i], ' ')
		if i == 0 {
			padded = l.paint(padded)
		}
		b.WriteString(padded + "  ")
	}
	switch {
	case l.why == "":
	case c.width == 0:
		b.WriteString(c.dim(l.why))
	case c.left() >= leastProse:
		hang := strings.Repeat(" ", c.width-c.left())
		for i, part := range wrap(l.why, c.left()) {
			if i > 0 {
				b.WriteString("\n" + hang)
			}
			b.WriteString(c.dim(part))
		}
	default:
		io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
		c.writeProse(w, "      ", l.why)
		return
	}
	io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
}

func (c columns) writeStacked(w io.Writer, l line) {
	io.WriteString(w, c.indent+l.paint(l.mark)+" "+l.paint(l.cells[0])+"\n")
	for _, cell := range l.cells[1:] {
		for _, part := range wrap(cell, c.width-4) {
			if part != "" {
				io.WriteString(w, "    "+part+"\n")
			}
		}
	}
	if l.why != "" {
		c.writeProse(w, "      ", l.why)
	}
}

func (c columns) writeProse(w io.Writer, indent, s string) {
	for _, part := range wrap(s, c.width-len(indent)) {
		io.WriteString(w, indent+c.dim(part)+"\n")
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
