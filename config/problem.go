package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Problem is one thing that is wrong in a config file (or, as a warning, that is probably not meant).
type Problem struct {
	Position
	Code    string `json:"rule"`
	Message string `json:"message"` // safe to print; one line
	Hint    string `json:"hint,omitempty"`
	Warning bool   `json:"warning,omitempty"`

	source string // the whole line, as written
	length int    // characters to underline
}

// maxPrinted bounds how many problems [LoadError.Error] prints.
const maxPrinted = 100

// LoadError is what is wrong with the files of one config, sorted by file and position: all problems, or the first
// [maxDiagnostics] that were found.
type LoadError struct {
	Problems []Problem
	// Subject names what the files hold, for a message: "the config", "the file of prices".
	Subject string
	causes  []error
}

// Error prints the problems as `file:line:col: message [code]`, each with its source line, a caret and a hint.
func (e *LoadError) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == maxPrinted {
			b.WriteString("… and more: the first " + strconv.Itoa(maxPrinted) + " are shown\n")
			break
		}
		b.WriteString(p.String())
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Unwrap returns the errors of reading files, e.g. for errors.Is(err, fs.ErrNotExist).
func (e *LoadError) Unwrap() []error { return e.causes }

// String prints the problem over several lines, without a final line break.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(escape(p.File))
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	fmt.Fprintf(&b, "%s [%s]", p.Message, p.Code)
	if p.Line > 0 && p.source != "" {
		b.WriteString(p.excerpt())
	}
	if p.Hint != "" {
		b.WriteString("\n  hint: " + p.Hint)
	}
	return b.String()
}

// The excerpt shows at most this many characters before the place, of the place, and after it.
const (
	excerptBefore = 50
	excerptPlace  = 60
	excerptAfter  = 30
)

// excerpt returns the source line with a caret below it. Both are escaped, and cut around the place when long.
func (p Problem) excerpt() string {
	runes := []rune(p.source)
	at := min(p.Column-1, len(runes))
	length := min(max(p.length, 1), excerptPlace)
	start, end := max(0, at-excerptBefore), min(len(runes), at+length+excerptAfter)
	before, after := escape(string(runes[start:at])), escape(string(runes[at:end]))
	if start > 0 {
		before = "…" + before
	}
	if end < len(runes) {
		after += "…"
	}
	under := escape(string(runes[at:min(at+length, end)]))
	width := max(1, runewidth.StringWidth(under))
	gutter := fmt.Sprintf("%5d", p.Line)
	return fmt.Sprintf("\n%s | %s%s\n%s | %s%s", gutter, before, after,
		strings.Repeat(" ", len(gutter)), strings.Repeat(" ", runewidth.StringWidth(before)), strings.Repeat("^", width))
}

// maxDiagnostics bounds how many problems are kept: a broken generator can make one per line.
const maxDiagnostics = 2000

// diagnostics gathers problems while files are read.
type diagnostics struct {
	failures, warnings []Problem
	causes             []error
}

func (c *diagnostics) add(p Problem) {
	list := &c.failures
	if p.Warning {
		list = &c.warnings
	}
	if len(*list) < maxDiagnostics {
		*list = append(*list, p)
	}
}

// fail reports an error at a node.
func (c *diagnostics) fail(n *node, r code, hint, format string, args ...any) {
	c.add(problemAt(n, r, hint, fmt.Sprintf(format, args...)))
}

// warn reports something that is allowed but probably not meant.
func (c *diagnostics) warn(n *node, r code, hint, format string, args ...any) {
	p := problemAt(n, r, hint, fmt.Sprintf(format, args...))
	p.Warning = true
	c.add(p)
}

func problemAt(n *node, r code, hint, message string) Problem {
	return Problem{
		Position: n.pos(), Code: string(r), Message: message + n.describeAlias(), Hint: hint,
		source: n.src.line(int(n.line)), length: int(n.width),
	}
}

// failFile reports an error about a file as a whole.
func (c *diagnostics) failFile(name string, cause error, hint, format string, args ...any) {
	const r code = "file"
	c.add(Problem{Position: Position{File: name}, Code: string(r), Message: fmt.Sprintf(format, args...), Hint: hint})
	if cause != nil {
		c.causes = append(c.causes, cause)
	}
}

// failAt reports an error at a place that no node has; the place is moved into the file when it lies outside.
func (c *diagnostics) failAt(src *source, line, col int, r code, hint, format string, args ...any) {
	line, col = src.clampPosition(line, col)
	c.fail(&node{src: src, line: short(line), col: short(col), width: 1}, r, hint, format, args...)
}

// clampPosition returns the place nearest to line and col that the file has: what is missing at its end, the YAML library
// places behind it.
func (s *source) clampPosition(line, col int) (int, int) {
	line = min(max(line, 1), len(s.lines()))
	return line, min(max(col, 1), utf8.RuneCountInString(s.line(line))+1)
}

// isFull reports whether no more problems are kept, so that the search may end.
func (c *diagnostics) isFull() bool { return len(c.failures) == maxDiagnostics }

// isFullOfWarnings reports whether no more warnings are kept.
func (c *diagnostics) isFullOfWarnings() bool { return len(c.warnings) == maxDiagnostics }

// sortedResult sorts the problems by place.
func (c *diagnostics) sortedResult(files []string) (warnings []Problem, err error) {
	order := make(map[string]int, len(files))
	for i, f := range files {
		order[f] = i
	}
	warnings = sortByPosition(c.warnings, order)
	if failures := sortByPosition(c.failures, order); len(failures) > 0 {
		return warnings, &LoadError{Problems: failures, Subject: "the config", causes: c.causes}
	}
	return warnings, nil
}

func sortByPosition(list []Problem, order map[string]int) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(list, func(a, b Problem) bool { return a == b })
}
