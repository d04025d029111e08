package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reportSyntax places a message of the YAML library, which knows a line at best ("yaml: line 3: …").
func reportSyntax(src *source, err error, out *diagnostics) {
	message, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(message); m != nil {
		message = strings.TrimPrefix(message, m[0])
		line, _ = strconv.Atoi(m[1])
		if strings.HasPrefix(message, "did not find expected") {
			line++ // the library counts from 0 in the messages of its parser, and from 1 in those of its scanner
		}
	}
	if strings.Contains(message, "exceeded max depth") {
		out.failAt(src, line, 1, "nesting", "", "values are nested too deep: at most %d levels", maxDepth)
		return
	}
	if tab, col := firstTab(src); tab > 0 && (strings.Contains(message, "cannot start any token") || strings.Contains(message, "tab character")) {
		out.failAt(src, tab, col, "tab", "indent with spaces", "a tab stands in the indentation, which YAML forbids")
		return
	}
	if reportYAMLMistake(src, message, line, out) || reportFlowGlob(src, message, line, out) {
		return
	}
	line = min(line, len(src.lines()))
	for line > 1 && strings.TrimSpace(src.line(line)) == "" {
		line--
	}
	text := src.line(line)
	col := 1 + utf8.RuneCountInString(text) - utf8.RuneCountInString(strings.TrimLeft(text, " \t"))
	if plain, ok := syntaxMessages()[message]; ok {
		message = plain
	}
	out.failAt(src, line, col, "syntax", "the fault stands in this line or in one of the next", "this is not YAML: %s", escape(message))
}

// syntaxMessages rewords the most frequent messages of the YAML library for a reader.
func syntaxMessages() map[string]string {
	return map[string]string{
		"mapping values are not allowed in this context": "a colon is not allowed here (put quotes around a value that holds one)",
		"did not find expected ',' or ']'":               "a list in brackets lacks a comma or its closing bracket, or a value in it needs quotes",
		"did not find expected ',' or '}'":               "a mapping in braces lacks a comma or its closing brace, or a value in it needs quotes",
		"did not find expected node content":             "a value or a closing bracket is missing",
		"did not find expected '-' indicator":            "the indentation does not fit the list",
		"did not find expected key":                      "the indentation does not fit the mapping",
		"could not find expected ':'":                    "a colon is missing behind a key",
		"found incompatible YAML document":               "the directive names a version that is neither 1.1 nor 1.2",
		"found unexpected end of stream":                 "a quote is not closed",
		"found character that cannot start any token":    "a value cannot start with this character (put quotes around it)",
	}
}

// firstTab finds the first tab in front of the text of a line.
func firstTab(src *source) (line, col int) {
	for i, l := range src.lines() {
		indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 && strings.TrimSpace(l) != "" {
			return i + 1, at + 1
		}
	}
	return 0, 0
}

// yamlMistake is an error of the YAML library that often comes of a glob without quotes: YAML takes * for an alias, and ? for
// the start of a key.
type yamlMistake struct {
	message *regexp.Regexp // of the library; its group is a name
	text    string         // what stands in the line then; %s is the name
	says    string         // what is wrong with it
	far     bool           // the library does not tell the line
}

func yamlMistakes() []yamlMistake {
	return []yamlMistake{
		{regexp.MustCompile(`^unknown anchor '(.*)' referenced$`), `(?:^|[\s\[{,:-])(\*%s)(?:[\s\]},:]|$)`, "no value before this one has this anchor", true},
		{regexp.MustCompile(`^did not find expected alphabetic or numeric character()$`), `(?:^|[\s\[{,:-])([*&][^\s,\]}]*)`, "this is not the name of an anchor", false},
		{regexp.MustCompile(`^mapping keys are not allowed in this context()$`), `(?:^|[\s\[{,:-])(\*[^\s,\]}]*\?)`, "this is not the name of an anchor", false},
	}
}

// reportYAMLMistake reports what the library says against a glob without quotes, at its place. It returns false where no
// such glob stands there.
func reportYAMLMistake(src *source, message string, line int, out *diagnostics) bool {
	for _, m := range yamlMistakes() {
		name := m.message.FindStringSubmatch(message)
		if name == nil {
			continue
		}
		glob := regexp.MustCompile(strings.ReplaceAll(m.text, "%s", regexp.QuoteMeta(name[1])))
		first, last := max(line-1, 1), min(line+1, len(src.lines()))
		if m.far {
			first, last = 1, len(src.lines())
		}
		for at := first; at <= last; at++ {
			text := src.line(at)
			if found := glob.FindStringSubmatchIndex(text); found != nil {
				before, glob := text[:found[2]], text[found[2]:found[3]]
				n := &node{src: src, line: short(at), col: short(1 + utf8.RuneCountInString(before)), width: short(utf8.RuneCountInString(glob))}
				out.fail(n, "syntax", hintQuotes, "this is not YAML: %s", m.says)
				return true
			}
		}
	}
	return false
}

const hintQuotes = "put quotes around a value that starts with * or &, or holds ?"
