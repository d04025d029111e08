package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// node is one value of a config file, free of YAML: what the decoder and the lints see. A file may have millions: each
// field counts.
type node struct {
	src   *source
	text  string // scalar: the value, variables replaced
	pairs []pair
	items []*node
	alias *aliasUse // the alias that put the value here; nil where the file spells it out
	// nearMisses are known keys that unknown ones were probably meant to be: they are not reported missing; nil for none.
	nearMisses *[]string
	line       int32 // from 1
	col        int32 // from 1, in characters
	width      int32 // characters the caret underlines
	kind       kind
	tag        scalarTag // scalar: what a plain value looks like
	// isQuoted means that the scalar stood in quotes or in a block, so that it is a text whatever it looks like.
	isQuoted bool
	// hasVariable means that ${…} was replaced in the scalar: its text may then stand for any scalar type.
	hasVariable bool
	// isInvalid means that a problem was reported about the value: what follows from it is not reported again.
	isInvalid bool
}

// short returns a line, a column or a width as nodes keep it: files are smaller than 2 GB.
func short(n int) int32 { return int32(max(0, min(n, math.MaxInt32))) } //nolint:gosec // it is in the range

// pair is one key of a mapping and its value; keys of one mapping are unique.
type pair struct{ key, value *node }

type kind uint8

const (
	scalar kind = iota
	mapping
	list
)

// get returns the value of a key, or nil.
func (n *node) get(key string) *node {
	for _, p := range n.pairs {
		if p.key.text == key {
			return p.value
		}
	}
	return nil
}

func (n *node) suggests(key string) bool {
	return n.nearMisses != nil && slices.Contains(*n.nearMisses, key)
}

// suggest records a known key that an unknown one was probably meant to be.
func (n *node) suggest(key string) {
	if n.nearMisses == nil {
		n.nearMisses = new([]string)
	}
	*n.nearMisses = append(*n.nearMisses, key)
}

// isValid reports whether nothing was reported about the value or anything below it.
func (n *node) isValid() bool {
	if n.isInvalid {
		return false
	}
	for _, p := range n.pairs {
		if p.key.isInvalid || !p.value.isValid() {
			return false
		}
	}
	return !slices.ContainsFunc(n.items, func(item *node) bool { return !item.isValid() })
}

func (n *node) pos() Position {
	return Position{File: n.src.name, Line: int(n.line), Column: int(n.col)}
}

func (n *node) isNull() bool {
	return n.kind == scalar && !n.isQuoted && !n.hasVariable && n.tag == tagNull
}

// isText reports whether the scalar is a text: quoted, or plain and not readable as something else.
func (n *node) isText() bool {
	return n.kind == scalar && (n.isQuoted || n.hasVariable || n.tag == tagText || n.tag == tagTime)
}

// scalarTag is the tag that YAML gives to a plain scalar.
type scalarTag uint8

const (
	tagOther scalarTag = iota
	tagNull
	tagText
	tagTime
	tagInt
	tagBool
)

func scalarTagOf(name string) scalarTag {
	switch name {
	case "!!null":
		return tagNull
	case "!!str", "!!merge": // << is special as a key only
		return tagText
	case "!!timestamp":
		return tagTime
	case "!!int":
		return tagInt
	case "!!bool":
		return tagBool
	}
	return tagOther
}

// describeAlias names the alias and the anchor of an aliased value, for the end of a message; "" for any other.
func (n *node) describeAlias() string {
	if n.alias == nil {
		return ""
	}
	s := fmt.Sprintf("used by *%s in line %d", escape(n.alias.name), n.alias.line)
	if int(n.line) == n.alias.line {
		s = fmt.Sprintf("the value of &%s in line %d", escape(n.alias.name), n.alias.anchor)
	}
	if up := n.alias.up; up != nil {
		s += fmt.Sprintf(", by *%s in line %d", escape(up.name), up.line)
	}
	return " (" + s + ")"
}

// startsWith reports whether the value's text in the file starts with s.
func (n *node) startsWith(s string) bool {
	rest := []rune(n.src.line(int(n.line)))
	return n.col >= 1 && int(n.col) <= len(rest) && strings.HasPrefix(string(rest[n.col-1:]), s)
}

// describe returns what the node is, for "must be …, not …".
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
	name       string // as given on the command line, or joined with its directory
	text       string // valid UTF-8, unless reading failed before that was known
	splitLines []string
}

// lines returns the lines of the file, without their line breaks.
func (s *source) lines() []string {
	if s.splitLines == nil {
		s.splitLines = strings.Split(s.text, "\n")
		for i, l := range s.splitLines {
			s.splitLines[i] = strings.TrimSuffix(l, "\r")
		}
	}
	return s.splitLines
}

// line returns the text of one line, counted from 1; "" when there is no such line.
func (s *source) line(number int) string {
	if number < 1 || number > len(s.lines()) {
		return ""
	}
	return s.lines()[number-1]
}

// describePlace names the node's place for a message about another one.
func (n *node) describePlace() string { return fmt.Sprintf("%s:%d", clip(n.src.name), n.line) }
