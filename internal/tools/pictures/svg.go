package main

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
)

// theme has the colours of a terminal, as CSS.
type theme struct {
	name, background, border, text, faint string
	colors                                map[int]string // by the SGR parameter
}

// themes returns a light and a dark one. Every colour stands off its background by 4.5 to 1 at least, as WCAG 2 asks of text.
func themes() []theme {
	return []theme{
		{"light", "#ffffff", "#d0d7de", "#1f2328", "#656d76", map[int]string{31: "#cf222e", 32: "#116329", 33: "#7d4e00", 35: "#8250df", 36: "#1b5c72"}},
		{"dark", "#0d1117", "#30363d", "#e6edf3", "#8d96a0", map[int]string{31: "#ff7b72", 32: "#56d364", 33: "#e3b341", 35: "#bc8cff", 36: "#56d4dd"}},
	}
}

// The size of a cell and the margin around all, in CSS pixels.
const (
	cellWidth, cellHeight = 8.4, 19
	fontSize              = 14
	margin                = 16
)

// draw returns the SVG of a terminal with text on it, whose colours are SGR escape sequences; any other sequence is an
// error. Each run of one colour is set to the width of its cells, so that columns stay columns in every font.
func draw(title, text string, t theme) ([]byte, error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var b strings.Builder
	width, current := 0, pen{}
	for row, line := range lines {
		column := 0
		for line != "" {
			if rest, is := strings.CutPrefix(line, "\x1b["); is {
				parameters, after, found := strings.Cut(rest, "m")
				if !found {
					return nil, fmt.Errorf("the line %d has a sequence that is no colour", row+1)
				}
				if err := current.set(parameters); err != nil {
					return nil, fmt.Errorf("the line %d: %w", row+1, err)
				}
				line = after
				continue
			}
			run, rest := line, ""
			if at := strings.IndexByte(line, '\x1b'); at >= 0 {
				run, rest = line[:at], line[at:]
			}
			line = rest
			writeRuns(&b, run, column, row, current, t)
			column += runewidth.StringWidth(run)
		}
		width = max(width, column)
	}
	w, h := float64(width)*cellWidth+2*margin, len(lines)*cellHeight+2*margin
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]d" viewBox="0 0 %[1]s %[2]d" role="img" aria-label="%[3]s">`+"\n",
		number(w), h, escaped(title))
	fmt.Fprintf(&svg, "<!-- Made by internal/tools/pictures. -->\n")
	fmt.Fprintf(&svg, `<rect x="0.5" y="0.5" width="%s" height="%d" rx="6" fill="%s" stroke="%s"/>`+"\n", number(w-1), h-1, t.background, t.border)
	fmt.Fprintf(&svg, `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%d" fill="%s" xml:space="preserve">`+"\n", fontSize, t.text)
	svg.WriteString(b.String() + "</g>\n</svg>\n")
	return []byte(svg.String()), nil
}

// writeRuns writes the words of a run, parted where two blanks follow each other.
func writeRuns(b *strings.Builder, run string, column, row int, p pen, t theme) {
	for len(run) > 0 {
		trimmed := strings.TrimLeft(run, " ")
		column += len(run) - len(trimmed)
		word, rest := trimmed, ""
		if at := strings.Index(trimmed, "  "); at >= 0 {
			word, rest = trimmed[:at], trimmed[at:]
		}
		run = rest
		word = strings.TrimRight(word, " ")
		if word == "" {
			continue
		}
		cells := runewidth.StringWidth(word)
		fmt.Fprintf(b, `<text x="%s" y="%d" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
			number(margin+float64(column)*cellWidth), margin+row*cellHeight+fontSize, number(float64(cells)*cellWidth), p.attributes(t), escaped(word))
		column += cells
	}
}

// pen is how text is written at a place.
type pen struct {
	color       int // the SGR parameter; 0 = that of the terminal
	bold, faint bool
}

// set applies the parameters of one SGR sequence.
func (p *pen) set(parameters string) error {
	for word := range strings.SplitSeq(parameters, ";") {
		n, err := strconv.Atoi(word)
		switch {
		case err != nil || n > 39:
			return fmt.Errorf("the sequence %q is none that can be drawn", parameters)
		case n == 0:
			*p = pen{}
		case n == 1:
			p.bold = true
		case n == 2:
			p.faint = true
		case n == 22:
			p.bold, p.faint = false, false
		case n == 39:
			p.color = 0
		case n >= 30 && n <= 37:
			p.color = n
		default:
			return fmt.Errorf("the sequence %q is none that can be drawn", parameters)
		}
	}
	return nil
}

func (p pen) attributes(t theme) string {
	var a string
	switch {
	case p.color != 0 && t.colors[p.color] != "":
		a = ` fill="` + t.colors[p.color] + `"`
	case p.faint:
		a = ` fill="` + t.faint + `"`
	}
	if p.bold {
		a += ` font-weight="bold"`
	}
	return a
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
