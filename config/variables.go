package config

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// variables replaces ${NAME} and ${NAME:-default} in scalar values; $${ stands for a literal ${.
type variables struct {
	env func(string) (string, bool)
	out *diagnostics
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func newVariables(env func(string) (string, bool), out *diagnostics) *variables {
	return &variables{env: env, out: out}
}

// maxReplaced bounds a value with its variables replaced, in bytes: no value of the format is near to it.
const maxReplaced = 64 << 10

// expand replaces the variables in all values below n, never in keys.
func (v *variables) expand(n *node) {
	if n.kind == scalar && strings.Contains(n.text, "${") {
		n.text, n.hasVariable = v.replace(n)
	}
	for _, p := range n.pairs {
		v.expand(p.value)
	}
	for _, item := range n.items {
		v.expand(item)
	}
}

// replace returns the text of a scalar with its variables replaced, and whether there was one. The value of a
// variable is not searched for variables.
func (v *variables) replace(n *node) (text string, replaced bool) {
	var b strings.Builder
	rest := n.text
	for {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			b.WriteString(rest)
			return b.String(), replaced
		}
		if literal, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(literal + "${")
			rest = after
			continue
		}
		b.WriteString(before)
		body, tail, closed := strings.Cut(after, "}")
		if !closed {
			v.fail(n, "write $${ for a literal ${", "a ${ is not closed by }")
			return n.text, true
		}
		b.WriteString(v.value(n, body))
		if b.Len() > maxReplaced {
			v.fail(n, "", "the value is too long with its variables replaced: at most %d bytes", maxReplaced)
			return "", true
		}
		replaced, rest = true, tail
	}
}

func (v *variables) value(n *node, body string) string {
	name, fallback, hasFallback := strings.Cut(body, ":-")
	if !variableName.MatchString(name) {
		v.fail(n, "write ${NAME} or ${NAME:-default}; write $${ for a literal ${",
			"%s is not a variable", quote("${"+body+"}"))
		return ""
	}
	value, set := v.env(name)
	switch {
	case hasFallback && value == "":
		return fallback
	case !set:
		v.fail(n, "set it, or give a default: ${"+name+":-default}", "the variable %s is not set", name)
	case !utf8.ValidString(value):
		v.fail(n, "", "the variable %s does not hold UTF-8 text", name)
		return ""
	}
	return value
}

func (v *variables) fail(n *node, hint, format string, args ...any) {
	n.isInvalid = true
	v.out.fail(n, "variable", hint, format, args...)
}
