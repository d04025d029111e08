package config

import (
	"slices"
	"strings"
)

// candidateIndex finds, among selectors or rules numbered in order, those that may have to do with a VM, without going through
// all. Whoever asks for names, groups or values of a tag is found under these alone: under the texts that a pattern begins
// with, and, of several keys, under those that the fewest others share.
type candidateIndex struct {
	under    map[anchor][]int
	prefixes map[anchorKind][]int // the lengths of what patterns begin with, each once
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
)

// keysOfVM is what a VM is looked for by: its folded name and group, and its tags, whose names are folded.
type keysOfVM struct {
	name, group string
	tags        func(yield func(tag, value string) bool)
}

func newCandidateIndex() *candidateIndex {
	return &candidateIndex{under: map[anchor][]int{}, prefixes: map[anchorKind][]int{}}
}

// add puts what matches by any of the selectors under its number, which must not be less than those before.
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
		if length := len(a.text); (a.kind == byNamePrefix || a.kind == byGroupPrefix) && !slices.Contains(l.prefixes[a.kind], length) {
			l.prefixes[a.kind] = append(l.prefixes[a.kind], length)
		}
	}
}

// rarest are the anchors of one key of a selector: of that under which the fewest stand so far. Nil = it has none.
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
	consider(textAnchors(s.Names, byName, byNamePrefix))
	consider(textAnchors(s.ResourceGroups, byGroup, byGroupPrefix))
	for _, name := range sortedKeys(s.Tags) {
		consider(tagAnchors(strings.ToLower(name), s.Tags[name]))
	}
	return rarest
}

// textAnchors are the anchors of texts and patterns; nil where there are none, or where one may begin with anything.
func textAnchors(texts []string, whole, prefix anchorKind) []anchor {
	var anchors []anchor
	for _, text := range texts {
		text = strings.ToLower(text)
		switch i := strings.IndexAny(text, "*?"); {
		case i < 0:
			anchors = append(anchors, anchor{kind: whole, text: text})
		case i == 0:
			return nil
		default:
			anchors = append(anchors, anchor{kind: prefix, text: text[:i]})
		}
	}
	return anchors
}

// tagAnchors are the anchors of the values of a tag; nil where no value, or any like a pattern, is asked for.
func tagAnchors(tag string, values []string) []anchor {
	var anchors []anchor
	for _, v := range values {
		if isPattern(v) {
			return nil
		}
		anchors = append(anchors, anchor{kind: byTag, tag: tag, text: v})
	}
	return anchors
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?") }

// first is the lowest number, of those that may have to do with a VM, for which holds is true.
func (l *candidateIndex) first(vm keysOfVM, holds func(number int) bool) (number int, ok bool) {
	room := [16][]int{l.others}
	lists := room[:1]
	add := func(a anchor) {
		if list := l.under[a]; len(list) > 0 {
			lists = append(lists, list)
		}
	}
	add(anchor{kind: byName, text: vm.name})
	add(anchor{kind: byGroup, text: vm.group})
	for _, length := range l.prefixes[byNamePrefix] {
		if length <= len(vm.name) {
			add(anchor{kind: byNamePrefix, text: vm.name[:length]})
		}
	}
	for _, length := range l.prefixes[byGroupPrefix] {
		if length <= len(vm.group) {
			add(anchor{kind: byGroupPrefix, text: vm.group[:length]})
		}
	}
	for tag, value := range vm.tags {
		add(anchor{byTag, tag, value})
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
