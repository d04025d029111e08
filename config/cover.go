package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// matching is an entry of the file of which the first that matches a VM decides.
type matching struct {
	name          string
	at            *node
	match, except *[]Selector
}

// checkCovered reports entries (what they are called), and selectors of a list, that never decide, because an earlier
// entry takes every VM that they could match, or because their own `except` does.
func (l *linter) checkCovered(what string, entries []matching) {
	budget := comparisonBudget(maxCoverSteps)
	earlier := coveringSelectors{what: what, candidates: newCandidateIndex()}
	for _, r := range entries {
		if len(*r.match) == 0 || !l.isSet(r.match) {
			continue
		}
		var own []seenSelector
		for j := range *r.match {
			s := &(*r.match)[j]
			if !l.nodeOf(s).isValid() {
				continue
			}
			f := foldSelector(s)
			l.checkSelectorCovered(r, s, &f, &earlier, &budget)
			own = append(own, seenSelector{by: r.name, at: l.nodeOf(s), said: s, selector: f})
		}
		if !l.isSet(r.except) {
			earlier.add(own)
		}
		if budget < 0 {
			l.out.warn(r.at, "too-many", "select by tag or by resource group, or by id",
				"there are too many patterns to compare each with each: %ss from here on are not checked for being covered", what)
			return
		}
	}
}

// maxCoverSteps takes about a quarter of a second.
const maxCoverSteps = 50_000_000

// comparisonBudget is how many steps may still be spent on comparing selectors. Below zero nothing is covered.
type comparisonBudget int

// seenSelector is a selector whose VMs all go to its rule.
type seenSelector struct {
	by       string
	at       *node
	said     *Selector
	selector foldedSelector
}

// coveringSelectors are selectors whose VMs all go to their rules, in order.
type coveringSelectors struct {
	what       string // what their entries are called
	all        []seenSelector
	candidates *candidateIndex
}

func (t *coveringSelectors) add(all []seenSelector) {
	for _, one := range all {
		t.candidates.add(len(t.all), []Selector{*one.said})
		t.all = append(t.all, one)
	}
}

// covering returns the first earlier selector that covers f, or nil. A selector with names covers f only if it matches
// every name of f, so it is enough to look for it under the first of them; the same is true of groups and of the values
// of a tag.
func (t *coveringSelectors) covering(f *foldedSelector, budget *comparisonBudget) *seenSelector {
	keys := keysOfVM{name: firstOf(f.names), group: firstOf(f.groups)}
	for tag, values := range f.tags {
		if len(values) > 0 {
			keys.tags = append(keys.tags, tagValue{name: tag, value: values[0]})
		}
	}
	i, ok := t.candidates.first(keys, func(i int) bool { return t.all[i].selector.covers(f, budget) })
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

func (l *linter) checkSelectorCovered(r matching, s *Selector, f *foldedSelector, earlier *coveringSelectors, budget *comparisonBudget) {
	for i := range *r.except {
		left := &(*r.except)[i]
		if !l.nodeOf(left).isValid() {
			continue
		}
		if e := foldSelector(left); e.covers(f, budget) {
			l.out.fail(l.nodeOf(s), "covered", "", "this never matches: the %s's own \"except\" leaves out every VM that it selects", earlier.what)
			return
		}
	}
	if e := earlier.covering(f, budget); e != nil {
		l.out.fail(l.nodeOf(s), "covered", "the first "+earlier.what+" that matches decides: put the narrower "+earlier.what+" first",
			"this never decides: %s %s in %s matches every VM that it selects", earlier.what, quote(e.by), e.at.describePlace())
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

// covers reports whether every VM that t matches is matched by s. It may return false where the truth is hard to
// see, never true where it is not.
func (s *foldedSelector) covers(t *foldedSelector, budget *comparisonBudget) bool {
	*budget--
	return budget.isCovered(s.subscriptions, t.subscriptions, budget.isSame) &&
		budget.isCovered(s.locations, t.locations, budget.isSame) &&
		budget.isCovered(s.groups, t.groups, budget.isGlobCovered) &&
		budget.isCovered(s.names, t.names, budget.isGlobCovered) &&
		s.tagsCover(t, budget)
}

func (s *foldedSelector) tagsCover(t *foldedSelector, budget *comparisonBudget) bool {
	for name, wide := range s.tags {
		narrow, ok := t.tags[name]
		switch {
		case !ok, (len(wide) == 0) != (len(narrow) == 0):
			return false
		case len(wide) > 0 && !budget.isCovered(wide, narrow, budget.isGlobCovered):
			return false
		}
	}
	return true
}

// isCovered reports whether wide, where it is set, has a value for each value of narrow.
func (b *comparisonBudget) isCovered(wide, narrow []string, covers func(wide, narrow string) bool) bool {
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

func (b *comparisonBudget) isSame(wide, narrow string) bool {
	*b--
	return wide == narrow
}

func (b *comparisonBudget) isGlobCovered(wide, narrow string) bool {
	*b--
	if quick, known := globCoversQuickly(wide, narrow); known {
		return quick
	}
	*b -= comparisonBudget(len(wide) * len(narrow))
	return *b >= 0 && globCovers(wide, narrow)
}
