package config

import (
	"maps"
	"slices"
	"strings"
)

// candidateIndex finds, among selectors or rules numbered in order, those that may match a VM, without going through
// all. A selector with names, groups or tags stands under the values of one of these keys only (of a pattern: under the
// text in front of its first wildcard): of the key under whose values the fewest entries stand so far. A selector
// without such a key may match any VM.
type candidateIndex struct {
	under    map[anchor][]int
	prefixes map[anchor][]int // the lengths of what patterns begin with, each once, by an anchor without its text
	others   []int
}

// anchor is a condition under which a selector is found.
type anchor struct {
	kind anchorKind
	tag  string // folded
	text string
}

type anchorKind int

const (
	byName anchorKind = iota
	byGroup
	byTag
	byNamePrefix
	byGroupPrefix
	byTagPrefix
)

func (k anchorKind) isPrefix() bool { return k >= byNamePrefix }

// keysOfVM is what a VM is looked for by: its folded name and group, and its tags.
type keysOfVM struct {
	name, group string
	tags        []tagValue
}

func newCandidateIndex() *candidateIndex {
	return &candidateIndex{under: map[anchor][]int{}, prefixes: map[anchor][]int{}}
}

// add enters the rule (or the selector) that matches by any of these selectors, by its number. Numbers must not
// decrease from call to call.
func (l *candidateIndex) add(number int, selectors []Selector) {
	var chosen []anchor
	for i := range selectors {
		anchors := l.rarest(&selectors[i])
		if anchors == nil {
			l.others = append(l.others, number)
			return
		}
		chosen = append(chosen, anchors...)
	}
	for _, a := range chosen {
		if under := l.under[a]; len(under) == 0 || under[len(under)-1] != number {
			l.under[a] = append(under, number)
		}
		of := anchor{kind: a.kind, tag: a.tag}
		if length := len(a.text); a.kind.isPrefix() && !slices.Contains(l.prefixes[of], length) {
			l.prefixes[of] = append(l.prefixes[of], length)
		}
	}
}

// rarest returns the anchors of the one key of a selector under which the fewest entries stand so far; nil where no key
// has anchors.
func (l *candidateIndex) rarest(s *Selector) (rarest []anchor) {
	least := 0
	consider := func(anchors []anchor) {
		if anchors == nil {
			return
		}
		n := 0
		for _, a := range anchors {
			n += len(l.under[a])
		}
		if rarest == nil || n < least {
			rarest, least = anchors, n
		}
	}
	consider(textAnchors(foldAll(s.Names, strings.ToLower), anchor{kind: byName}, anchor{kind: byNamePrefix}))
	consider(textAnchors(foldAll(s.ResourceGroups, strings.ToLower), anchor{kind: byGroup}, anchor{kind: byGroupPrefix}))
	for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
		tag := strings.ToLower(name)
		consider(textAnchors(s.Tags[name], anchor{kind: byTag, tag: tag}, anchor{kind: byTagPrefix, tag: tag}))
	}
	return rarest
}

// textAnchors returns the anchors of texts and patterns, of the kind of whole and of prefix; nil where there are none, or
// where one may begin with anything.
func textAnchors(texts []string, whole, prefix anchor) []anchor {
	var anchors []anchor
	for _, text := range texts {
		a := whole
		if i := strings.IndexAny(text, "*?"); i == 0 {
			return nil
		} else if i > 0 {
			a, text = prefix, text[:i]
		}
		a.text = text
		anchors = append(anchors, a)
	}
	return anchors
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?") }

// first returns, of the entries that may match a VM, the lowest number for which holds is true.
func (l *candidateIndex) first(vm keysOfVM, holds func(number int) bool) (number int, ok bool) {
	room := [16][]int{l.others} // nearly always enough: this runs for each VM, and makes no garbage
	lists := l.appendLists(room[:1], vm.name, anchor{kind: byName}, anchor{kind: byNamePrefix})
	lists = l.appendLists(lists, vm.group, anchor{kind: byGroup}, anchor{kind: byGroupPrefix})
	for _, t := range vm.tags {
		lists = l.appendLists(lists, t.value, anchor{kind: byTag, tag: t.name}, anchor{kind: byTagPrefix, tag: t.name})
	}
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
		number = lists[next][0]
		for i, list := range lists { // one may stand under several
			if len(list) > 0 && list[0] == number {
				lists[i] = list[1:]
			}
		}
		if holds(number) {
			return number, true
		}
	}
}

// appendLists appends the lists under a text, as a whole and by what it begins with.
func (l *candidateIndex) appendLists(lists [][]int, text string, whole, prefix anchor) [][]int {
	whole.text = text
	if list := l.under[whole]; len(list) > 0 {
		lists = append(lists, list)
	}
	for _, length := range l.prefixes[prefix] {
		if length <= len(text) {
			begin := prefix
			begin.text = text[:length]
			if list := l.under[begin]; len(list) > 0 {
				lists = append(lists, list)
			}
		}
	}
	return lists
}
