package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// checkCovered reports rules, and selectors of a list, that never decide, because an earlier rule takes every
// VM that they could match, or because their own `except` does.
func (l *linter) checkCovered() {
	var earlier []*Rule
	for i := range l.c.Rules {
		r := &l.c.Rules[i]
		if r.ID != "" || len(r.Match) == 0 {
			continue
		}
		for j := range r.Match {
			if l.at(&r.Match[j]).sound() {
				l.checkSelectorCovered(r, &r.Match[j], earlier)
			}
		}
		if !l.said(&r.Except) && l.at(&r.Match).sound() {
			earlier = append(earlier, r)
		}
	}
}

func (l *linter) checkSelectorCovered(r *Rule, s *Selector, earlier []*Rule) {
	n := l.at(s)
	for i := range r.Except {
		if l.at(&r.Except[i]).sound() && r.Except[i].covers(s) {
			l.out.fail(n, ruleCovered, "", "this never matches: the rule's own \"except\" leaves out every VM that it selects")
			return
		}
	}
	for _, e := range earlier {
		for i := range e.Match {
			if e.Match[i].covers(s) {
				l.out.fail(n, ruleCovered, "the first rule that matches decides: put the narrower rule first",
					"this never decides: rule %s in %s matches every VM that it selects", quote(e.Name), l.at(&e.Match[i]).where())
				return
			}
		}
	}
}

// covers says whether every VM that t matches is matched by s. It may say false where the truth is hard to
// see, never true where it is not.
func (s *Selector) covers(t *Selector) bool {
	same := func(a, b string) bool { return strings.EqualFold(a, b) }
	region := func(a, b string) bool { return armid.Location(a) == armid.Location(b) }
	name := func(p, q string) bool { return globCovers(strings.ToLower(p), strings.ToLower(q)) }
	return covered(s.Subscriptions, t.Subscriptions, same) &&
		covered(s.Locations, t.Locations, region) &&
		covered(s.Names, t.Names, name) &&
		covered(s.ResourceGroups, t.ResourceGroups, name) &&
		s.tagsCover(t)
}

// covered says whether wide, where it is said, has a value for each value of narrow.
func covered(wide, narrow []string, covers func(wide, narrow string) bool) bool {
	if wide == nil || slices.Contains(wide, "*") {
		return true
	}
	if narrow == nil {
		return false
	}
	for _, n := range narrow {
		if !slices.ContainsFunc(wide, func(w string) bool { return covers(w, n) }) {
			return false
		}
	}
	return true
}

func (s *Selector) tagsCover(t *Selector) bool {
	for name, wide := range s.Tags {
		narrow, ok := t.tag(name)
		switch {
		case !ok, (len(wide) == 0) != (len(narrow) == 0):
			return false
		case len(wide) > 0 && !covered(wide, narrow, globCovers):
			return false
		}
	}
	return true
}

// tag finds the values for a tag, without case.
func (s *Selector) tag(name string) ([]string, bool) {
	for n, values := range s.Tags {
		if strings.EqualFold(n, name) {
			return values, true
		}
	}
	return nil, false
}
