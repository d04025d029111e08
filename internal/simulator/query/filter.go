package query

import (
	"fmt"
	"strings"
)

// condition is one comparison of an OData filter: name eq 'value'.
type condition struct {
	Name, Op, Value string
}

// Filter is a conjunction; all of Recovery Services' filters are (docs/azure.md §2, §3, §11).
type Filter []condition

// ParseFilter reads "a eq 'x' and b eq 'y'". Names and operators are read without case.
func ParseFilter(s string) (Filter, error) {
	var f Filter
	p := filterText{s}
	for p.rest() != "" {
		if len(f) > 0 && !strings.EqualFold(p.word(), "and") {
			return nil, fmt.Errorf("expected \"and\" in filter %q", s)
		}
		name, op := strings.ToLower(p.word()), strings.ToLower(p.word())
		value, ok := p.value()
		if name == "" || !ok {
			return nil, fmt.Errorf("expected a comparison in filter %q", s)
		}
		switch op {
		case "eq", "ne", "ge", "gt", "le", "lt":
		default:
			return nil, fmt.Errorf("%q is not an operator, in filter %q", op, s)
		}
		f = append(f, condition{name, op, value})
	}
	return f, nil
}

type filterText struct{ s string }

func (p *filterText) rest() string {
	p.s = strings.TrimLeft(p.s, " \t")
	return p.s
}

func (p *filterText) word() string {
	s := p.rest()
	end := strings.IndexAny(s, " \t'")
	if end < 0 {
		end = len(s)
	}
	p.s = s[end:]
	return s[:end]
}

// value reads 'text', in which ” is a quote, or a bare word.
func (p *filterText) value() (string, bool) {
	s := p.rest()
	if !strings.HasPrefix(s, "'") {
		w := p.word()
		return w, w != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		p.s = s[i+1:]
		return b.String(), true
	}
	return "", false
}

// CheckNames returns an error unless every name in f is one of names, and every comparison an eq.
func (f Filter) CheckNames(names ...string) error {
	for _, c := range f {
		known := false
		for _, n := range names {
			known = known || strings.EqualFold(n, c.Name)
		}
		if !known {
			return fmt.Errorf("the filter does not know %q", c.Name)
		}
		if c.Op != "eq" {
			return fmt.Errorf("the filter does not know %q", c.Op)
		}
	}
	return nil
}

// Matches reports whether every condition holds for the values field returns; they are compared without case.
func (f Filter) Matches(field func(name string) string) bool {
	return f.MatchesAll(func(name, want string) bool { return strings.EqualFold(field(name), want) })
}

// MatchesAll reports whether holds is true of every condition.
func (f Filter) MatchesAll(holds func(name, want string) bool) bool {
	for _, c := range f {
		if !holds(c.Name, c.Value) {
			return false
		}
	}
	return true
}
