package config

import (
	"slices"
	"strings"
)

// shortlist finds, among selectors or rules numbered in order, those that may have to do with a VM of some name and
// resource group, without going through all: who spells out names, or else groups, is found under these alone.
type shortlist struct {
	names, groups map[string][]int // folded
	others        []int
}

func newShortlist() *shortlist {
	return &shortlist{names: map[string][]int{}, groups: map[string][]int{}}
}

// add puts what matches by any of the selectors under its number, which must not be less than those before.
func (l *shortlist) add(number int, selectors []Selector) {
	namesOf := func(s Selector) []string { return s.Names }
	groupsOf := func(s Selector) []string { return s.ResourceGroups }
	switch {
	case areSpelledOut(selectors, namesOf):
		put(l.names, number, selectors, namesOf)
	case areSpelledOut(selectors, groupsOf):
		put(l.groups, number, selectors, groupsOf)
	default:
		l.others = append(l.others, number)
	}
}

// areSpelledOut says whether every selector has such texts, and none of them is a pattern.
func areSpelledOut(selectors []Selector, texts func(Selector) []string) bool {
	return !slices.ContainsFunc(selectors, func(s Selector) bool {
		return len(texts(s)) == 0 || slices.ContainsFunc(texts(s), isPattern)
	})
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?") }

func put(to map[string][]int, number int, selectors []Selector, texts func(Selector) []string) {
	for _, s := range selectors {
		for _, text := range texts(s) {
			folded := strings.ToLower(text)
			if under := to[folded]; len(under) == 0 || under[len(under)-1] != number {
				to[folded] = append(under, number)
			}
		}
	}
}

// first is the lowest number, of those that may have to do with a folded name and group, for which holds is true.
func (l *shortlist) first(name, group string, holds func(number int) bool) (number int, ok bool) {
	lists := [...][]int{l.names[name], l.groups[group], l.others}
	for {
		next := -1
		for i, list := range lists {
			if len(list) > 0 && (next < 0 || list[0] < lists[next][0]) {
				next = i
			}
		}
		if next < 0 {
			return 0, false
		}
		number, lists[next] = lists[next][0], lists[next][1:]
		if holds(number) {
			return number, true
		}
	}
}
