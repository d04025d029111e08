package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes untrusted text safe for one line of a terminal or a log: what is not printable (control
// characters, newlines, direction marks, broken UTF-8) is shown as an escape such as \n or \u202e, and the
// markers by which CI systems find commands ("##vso[", "##[", "::" at the start) are broken up.
func Line(s string) string {
	s = strings.ReplaceAll(escapeInvisible(s), "##", `#\x23`)
	if rest, ok := strings.CutPrefix(strings.TrimLeft(s, " "), "::"); ok {
		return `:\x3a` + rest
	}
	return s
}

// escapeInvisible shows every character of s that has no glyph of its own as an escape.
func escapeInvisible(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// truncate cuts s to at most n characters, with an ellipsis where something was cut.
func truncate(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
