package report

import (
	"html"
	"strings"
	"unicode"
)

const (
	// mdLongest is how many characters of one untrusted value are shown.
	mdLongest = 300
	// mdFence is the longest run of backticks that is shown as such: cmark knows no code span whose fence is
	// longer than 80.
	mdFence = 8
)

// mdCode writes untrusted text as a code span. In it mentions, references, links, HTML and emphasis have no effect,
// not even after rendering, where "\@team" or "&#64;team" would be a mention again. A "\|" is how GFM spells
// a pipe inside a table cell, code spans included.
func mdCode(s string) string {
	s = truncate(escapeInvisible(s), mdLongest)
	if s == "" {
		return "–"
	}
	if longestRun(s, '`') > mdFence {
		s = truncate(strings.ReplaceAll(s, "`", `\x60`), mdLongest)
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	pad := ""
	if s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
		pad = " " // taken away again by the reader
	}
	return fence + pad + strings.ReplaceAll(s, "|", `\|`) + pad + fence
}

// mdProse writes a sentence that may hold untrusted names. Plain words stay as they are; every run of words
// with anything else in it becomes a code span.
func mdProse(s string) string {
	words := strings.Fields(s)
	var b strings.Builder
	for i := 0; i < len(words); i++ {
		if i > 0 {
			b.WriteByte(' ')
		}
		head, core, tail := splitPunctuation(words[i])
		if isPlainWord(core) {
			b.WriteString(words[i])
			continue
		}
		// Neighbours that need a span too share it, unless a quote or a comma stands between them.
		for tail == "" && i+1 < len(words) {
			h, c, t := splitPunctuation(words[i+1])
			if h != "" || isPlainWord(c) {
				break
			}
			core, tail = core+" "+c, t
			i++
		}
		b.WriteString(head + mdCode(core) + tail)
	}
	return b.String()
}

// splitPunctuation takes punctuation that is harmless in Markdown off both ends of a word.
func splitPunctuation(w string) (head, core, tail string) {
	core = strings.TrimLeft(w, `"'(`)
	head = w[:len(w)-len(core)]
	trimmed := strings.TrimRight(core, `"').,;:?…%`)
	return head, trimmed, core[len(trimmed):]
}

// isPlainWord reports whether w can mean nothing to a Markdown reader: letters, or digits, and hyphens between
// letters. Words with digits and letters are names or references ("GH-12") and get a span.
func isPlainWord(w string) bool {
	letters, digits := 0, 0
	for i, r := range w {
		switch {
		case unicode.IsLetter(r):
			letters++
		case r >= '0' && r <= '9':
			digits++
		case (r == '-' || r == '\'' || r == '.' || r == ',') && i > 0 && i < len(w)-1:
			if r == '.' && letters > 0 {
				return false // a host name
			}
		case r == '–' || r == '→' || r == '·':
		default:
			return false
		}
	}
	return letters == 0 || digits == 0
}

// mdSummary writes untrusted text into the line of a <summary>, which is HTML: Markdown is not read there.
func mdSummary(s string) string {
	return "<code>" + html.EscapeString(truncate(escapeInvisible(s), mdLongest)) + "</code>"
}

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
