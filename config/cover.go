package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// checkCovered reports rules, and selectors of a list, that never decide, because an earlier rule takes every
// VM that they could match, or because their own `except` does.
func (l *linter) checkCovered() {
	budget := coverBudget(maxCoverSteps)
	earlier := takers{short: newShortlist()}
	for i := range l.c.Rules {
		r := &l.c.Rules[i]
		if r.ID != "" || len(r.Match) == 0 || !l.said(&r.Match) {
			continue
		}
		var own []taken
		for j := range r.Match {
			s := &r.Match[j]
			if !l.at(s).sound() {
				continue
			}
			f := foldSelector(s)
			l.checkSelectorCovered(r, s, &f, &earlier, &budget)
			own = append(own, taken{by: r.Name, at: l.at(s), said: s, selector: f})
		}
		if !l.said(&r.Except) {
			earlier.add(own)
		}
		if budget < 0 {
			l.out.warn(l.at(r), "too-many", "select by tag or by resource group, or by id",
				"there are too many patterns to compare each with each: rules from here on are not checked for being covered")
			return
		}
	}
}

// maxCoverSteps takes about a quarter of a second.
const maxCoverSteps = 50_000_000

// coverBudget is how many steps may still be spent on comparing selectors. Below zero nothing is covered.
type coverBudget int

// taken is a selector whose VMs all go to its rule.
type taken struct {
	by       string
	at       *node
	said     *Selector
	selector foldedSelector
}

// takers are selectors whose VMs all go to their rules, in order.
type takers struct {
	all   []taken
	short *shortlist
}

func (t *takers) add(all []taken) {
	for _, one := range all {
		t.short.add(len(t.all), []Selector{*one.said})
		t.all = append(t.all, one)
	}
}

// covering is the first that covers a selector, or nil. A selector that asks for names covers only such as ask for none
// but those: it stands under any name of theirs, or under what that begins with. So it is with groups and with the values of a
// tag.
func (t *takers) covering(f *foldedSelector, budget *coverBudget) *taken {
	keys := keysOfVM{firstOf(f.names), firstOf(f.groups), func(yield func(tag, value string) bool) {
		for tag, values := range f.tags {
			if len(values) > 0 && !yield(tag, values[0]) {
				return
			}
		}
	}}
	i, ok := t.short.first(keys, func(i int) bool { return t.all[i].selector.covers(f, budget) })
	if !ok {
		return nil
	}
	return &t.all[i]
}

func firstOf(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

func (l *linter) checkSelectorCovered(r *Rule, s *Selector, f *foldedSelector, earlier *takers, budget *coverBudget) {
	for i := range r.Except {
		if !l.at(&r.Except[i]).sound() {
			continue
		}
		if e := foldSelector(&r.Except[i]); e.covers(f, budget) {
			l.out.fail(l.at(s), "covered", "", "this never matches: the rule's own \"except\" leaves out every VM that it selects")
			return
		}
	}
	if e := earlier.covering(f, budget); e != nil {
		l.out.fail(l.at(s), "covered", "the first rule that matches decides: put the narrower rule first",
			"this never decides: rule %s in %s matches every VM that it selects", quote(e.by), e.at.where())
	}
}

// foldedSelector is a selector, folded once for many comparisons.
type foldedSelector struct {
	names, groups, subscriptions, locations []string
	tags                                    map[string][]string
}

func foldSelector(s *Selector) foldedSelector {
	f := foldedSelector{
		names: foldAll(s.Names, strings.ToLower), groups: foldAll(s.ResourceGroups, strings.ToLower),
		subscriptions: foldAll(s.Subscriptions, strings.ToLower), locations: foldAll(s.Locations, armid.Location),
		tags: make(map[string][]string, len(s.Tags)),
	}
	for name, values := range s.Tags {
		f.tags[strings.ToLower(name)] = values
	}
	return f
}

func foldAll(values []string, fold func(string) string) []string {
	var folded []string
	for _, v := range values {
		folded = append(folded, fold(v))
	}
	return folded
}

// covers says whether every VM that t matches is matched by s. It may say false where the truth is hard to
// see, never true where it is not.
func (s *foldedSelector) covers(t *foldedSelector, budget *coverBudget) bool {
	*budget--
	return budget.covered(s.subscriptions, t.subscriptions, budget.same) &&
		budget.covered(s.locations, t.locations, budget.same) &&
		budget.covered(s.groups, t.groups, budget.glob) &&
		budget.covered(s.names, t.names, budget.glob) &&
		s.tagsCover(t, budget)
}

func (s *foldedSelector) tagsCover(t *foldedSelector, budget *coverBudget) bool {
	for name, wide := range s.tags {
		narrow, ok := t.tags[name]
		switch {
		case !ok, (len(wide) == 0) != (len(narrow) == 0):
			return false
		case len(wide) > 0 && !budget.covered(wide, narrow, budget.glob):
			return false
		}
	}
	return true
}

// covered says whether wide, where it is said, has a value for each value of narrow.
func (b *coverBudget) covered(wide, narrow []string, covers func(wide, narrow string) bool) bool {
	if wide == nil || slices.Contains(wide, "*") {
		return true
	}
	if narrow == nil {
		return false
	}
	for _, n := range narrow {
		if !slices.ContainsFunc(wide, func(w string) bool { return *b >= 0 && covers(w, n) }) {
			return false
		}
	}
	return true
}

func (b *coverBudget) same(wide, narrow string) bool {
	*b--
	return wide == narrow
}

func (b *coverBudget) glob(wide, narrow string) bool {
	*b--
	if quick, known := globCoversQuickly(wide, narrow); known {
		return quick
	}
	*b -= coverBudget(len(wide) * len(narrow))
	return *b >= 0 && globCovers(wide, narrow)
}
