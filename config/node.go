package config

import (
	"fmt"
	"slices"
	"strings"
)

// node is one value of a config file, free of YAML: what the walker and the lints see.
type node struct {
	src  *source
	line int // from 1
	col  int // from 1, in characters
	kind kind
	text string // scalar: the value, variables replaced
	tag  string // scalar: what a plain value looks like, e.g. "!!int"
	// quoted says that the scalar stood in quotes or in a block, so that it is a text whatever it looks like.
	quoted bool
	// variable says that ${…} was replaced in the scalar: its text may then stand for any scalar type.
	variable bool
	// nearMisses are known keys that unknown ones were probably meant to be: they are not reported missing.
	nearMisses []string
	// bad says that a problem was reported about the value: what follows from it is not reported again.
	bad   bool
	width int // characters the caret underlines
	pairs []pair
	items []*node
	via   *aliasUse // the alias that put the value here; nil where the file spells it out
}

// pair is one key of a mapping and its value; keys of one mapping are unique.
type pair struct{ key, value *node }

type kind uint8

const (
	scalar kind = iota
	mapping
	list
)

// get is the value of a key, or nil.
func (n *node) get(key string) *node {
	for _, p := range n.pairs {
		if p.key.text == key {
			return p.value
		}
	}
	return nil
}

func (n *node) meant(key string) bool { return slices.Contains(n.nearMisses, key) }

// sound says that nothing was reported about the value or anything below it.
func (n *node) sound() bool {
	if n.bad {
		return false
	}
	for _, p := range n.pairs {
		if p.key.bad || !p.value.sound() {
			return false
		}
	}
	return !slices.ContainsFunc(n.items, func(item *node) bool { return !item.sound() })
}

func (n *node) pos() Position { return Position{File: n.src.name, Line: n.line, Column: n.col} }

func (n *node) isNull() bool {
	return n.kind == scalar && !n.quoted && !n.variable && n.tag == tagNull
}

// isText says that the scalar is a text: quoted, or plain and not readable as something else.
func (n *node) isText() bool {
	return n.kind == scalar && (n.quoted || n.variable || n.tag == tagText || n.tag == tagTime)
}

// The tags that YAML gives to plain scalars.
const (
	tagNull = "!!null"
	tagText = "!!str"
	tagTime = "!!timestamp"
	tagInt  = "!!int"
	tagBool = "!!bool"
)

// origin names the alias and the anchor of an aliased value, for the end of a message; "" for any other.
func (n *node) origin() string {
	if n.via == nil {
		return ""
	}
	s := fmt.Sprintf("used by *%s in line %d", escape(n.via.name), n.via.line)
	if n.line == n.via.line {
		s = fmt.Sprintf("the value of &%s in line %d", escape(n.via.name), n.via.anchor)
	}
	if up := n.via.up; up != nil {
		s += fmt.Sprintf(", by *%s in line %d", escape(up.name), up.line)
	}
	return " (" + s + ")"
}

// startsWith says whether the value's text in the file starts with s.
func (n *node) startsWith(s string) bool {
	rest := []rune(n.src.line(n.line))
	return n.col >= 1 && n.col <= len(rest) && strings.HasPrefix(string(rest[n.col-1:]), s)
}

// describe says what the node is, for "must be …, not …".
func (n *node) describe() string {
	switch {
	case n.kind == mapping:
		return "a mapping"
	case n.kind == list:
		return "a list"
	case n.isNull():
		return "nothing"
	case n.isText():
		return "the text " + quote(n.text)
	default:
		return clip(n.text)
	}
}

// source is one file as read.
type source struct {
	name  string // as given on the command line, or joined with its directory
	text  string // valid UTF-8, unless reading failed before that was known
	split []string
}

// lines are the lines of the file, without their line breaks.
func (s *source) lines() []string {
	if s.split == nil {
		s.split = strings.Split(s.text, "\n")
		for i, l := range s.split {
			s.split[i] = strings.TrimSuffix(l, "\r")
		}
	}
	return s.split
}

// line is the text of one line, counted from 1; "" when there is no such line.
func (s *source) line(number int) string {
	if number < 1 || number > len(s.lines()) {
		return ""
	}
	return s.lines()[number-1]
}

// where names the node's place for a message about another one.
func (n *node) where() string { return fmt.Sprintf("%s:%d", clip(n.src.name), n.line) }
