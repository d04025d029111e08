package config

import (
	"strings"
	"unicode/utf8"
)

// reportFlowGlob reports a glob with a ? and without quotes in a list in brackets or a mapping in braces, where the library
// takes each ? for the start of a key. It returns false where that is not what the library's message comes of.
func reportFlowGlob(src *source, message string, line int, out *diagnostics) bool {
	switch message {
	case "did not find expected ',' or ']'", "did not find expected ',' or '}'", "did not find expected node content":
	default:
		return false
	}
	glob := findFlowGlob(src, line)
	if glob == nil {
		return false
	}
	out.fail(glob, "syntax", hintQuotes, "this is not YAML: a ? within brackets or braces is read as the start of a key")
	return true
}

// findFlowGlob returns the first plain scalar with a ? in the lists in brackets and mappings in braces that begin in a line,
// or nil. The library names the line where such a value begins, not the one of the mistake.
func findFlowGlob(src *source, line int) *node {
	depth, quote := 0, rune(0)
	for ; line <= len(src.lines()); line++ {
		text := []rune(src.line(line))
		for i := 0; i < len(text); i++ {
			r := text[i]
			starts := i == 0 || strings.ContainsRune(" \t[]{},", text[i-1])
			switch {
			case quote != 0:
				switch {
				case quote == '"' && r == '\\':
					i++
				case r == quote:
					quote = 0 // of two single quotes in a row the second begins the next part of the text
				}
			case strings.ContainsRune("[{", r) && (depth > 0 || starts):
				depth++
			case depth == 0, strings.ContainsRune(" \t,:", r):
			case strings.ContainsRune("]}", r):
				depth--
			case strings.ContainsRune(`"'`, r):
				quote = r
			case r == '#' && starts:
				i = len(text)
			default:
				end := i + flowScalarLength(text[i:])
				if scalar := string(text[i:end]); strings.Contains(scalar, "?") && scalar != "?" || scalar == "?" && end < len(text) && text[end] != ' ' {
					return &node{src: src, line: short(line), col: short(i + 1), width: short(utf8.RuneCountInString(scalar))}
				}
				i = end - 1
			}
		}
		if depth <= 0 && quote == 0 {
			return nil
		}
	}
	return nil
}

// flowScalarLength returns how many characters the plain scalar has with which text begins, as far as it stands in one line
// and without blanks at its end.
func flowScalarLength(text []rune) int {
	end := len(text)
	for i, r := range text {
		isLast := i+1 == len(text)
		if strings.ContainsRune(",[]{}", r) || r == ':' && (isLast || strings.ContainsRune(" \t,[]{}", text[i+1])) ||
			r == '#' && i > 0 && strings.ContainsRune(" \t", text[i-1]) {
			end = i
			break
		}
	}
	return max(1, utf8.RuneCountInString(strings.TrimRight(string(text[:end]), " \t")))
}
