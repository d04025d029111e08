package config

import (
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\uFEFF"

// maxIndentation bounds the blanks at the beginning of a line: a file of 20,000 levels has 200 MB of them, which need not be
// read to say that it is too deep.
const maxIndentation = 1000

// isReadable checks what a text file must be before YAML is asked: UTF-8, line breaks that every editor counts
// alike (so that positions hold), no control characters.
func isReadable(src *source, out *diagnostics) bool {
	if strings.HasPrefix(src.text, "\xFF\xFE") || strings.HasPrefix(src.text, "\xFE\xFF") {
		src.text = "" // nothing in it can be shown
		out.failAt(src, 1, 1, "encoding", "save the file as UTF-8", "the file is UTF-16, not UTF-8")
		return false
	}
	ok, line := true, 1
	rest := src.text
	for more := true; more; line++ {
		var text string
		text, rest, more = strings.Cut(rest, "\n")
		text = strings.TrimSuffix(text, "\r")
		if blanks := len(text) - len(strings.TrimLeft(text, " ")); blanks > maxIndentation && blanks < len(text) {
			src.text = src.text[:len(src.text)-len(rest)] // the lines below are not shown
			out.failAt(src, line, blanks+1, "nesting", "", "values are nested too deep: at most %d levels", maxDepth)
			return false
		}
		col := 1
		for i, r := range text {
			if fault := describeBadRune(text[i:], r); fault != "" {
				out.failAt(src, line, col, "encoding", "save the file as UTF-8 text; write special characters as \\u escapes in double quotes", "%s", fault)
				ok = false
				break // one per line is enough
			}
			col++
		}
	}
	return ok
}

func describeBadRune(rest string, r rune) string {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(rest, string(utf8.RuneError)):
		return "the file is not valid UTF-8 here"
	case r == '\r':
		return "a carriage return stands alone here"
	case r < ' ' && r != '\t', r >= 0x7F && r <= 0x9F, r == '\u2028', r == '\u2029', r == '\uFEFF', r == '\uFFFE', r == '\uFFFF':
		return "a control character (" + escapeRune(r) + ") stands here"
	default:
		return ""
	}
}
