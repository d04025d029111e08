package config

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxQuoted bounds how many characters of a value a message repeats.
const maxQuoted = 200

// quote prints untrusted text in a message: in double quotes, cut when long, with everything escaped that
// a terminal or a log could act on (control characters, escape sequences, right-to-left marks).
func quote(s string) string {
	short, cut := cutRunes(s, maxQuoted)
	q := strconv.Quote(short)
	if cut {
		q += "…"
	}
	return q
}

// clip prints untrusted text without quotes, otherwise like quote.
func clip(s string) string {
	short, cut := cutRunes(s, maxQuoted)
	if cut {
		return escape(short) + "…"
	}
	return escape(short)
}

// escape makes untrusted text safe to print on one line.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(escapeRune(r))
	}
	return b.String()
}

func escapeRune(r rune) string {
	if r != utf8.RuneError && unicode.IsPrint(r) {
		return string(r)
	}
	q := strconv.QuoteRune(r)
	return q[1 : len(q)-1]
}

func cutRunes(s string, limit int) (string, bool) {
	n := 0
	for i := range s {
		if n == limit {
			return s[:i], true
		}
		n++
	}
	return s, false
}

// quoteAll lists names for "expected one of": quoted, comma-separated.
func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}
