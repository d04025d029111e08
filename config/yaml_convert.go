package config

import (
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxDepth bounds how deep values may be nested; the format itself needs eight levels.
const maxDepth = 32

// maxAliased bounds how many values aliases may add to those that a file spells out: a few lines of nested aliases can
// stand for billions. A file may have as many again as it spells out, and this many more.
const maxAliased = 200_000

// converter turns the library's nodes into ours. An alias becomes a copy of what its anchor names, so that
// variables, problems and positions belong to one use of it.
type converter struct {
	src         *source
	out         *diagnostics
	isInvalid   bool                // something was met that has no meaning: the file is not decoded
	inAlias     map[*yaml.Node]bool // the anchored values that are being converted
	via         *aliasUse           // the alias whose value is being converted; nil outside of one
	aliasBudget int                 // how many more values aliases may add
	isExhausted bool                // there was no more room
}

// aliasUse is a place where an alias stands.
type aliasUse struct {
	name   string
	line   int       // of the alias
	anchor int       // line of the anchored value
	up     *aliasUse // the alias in whose value this one stands, or nil
}

func newConverter(src *source, out *diagnostics, doc *yaml.Node) *converter {
	return &converter{src: src, out: out, inAlias: map[*yaml.Node]bool{}, aliasBudget: maxAliased + countNodes(doc)}
}

// countNodes returns how many values a document spells out. An alias counts as one: its Content is empty.
func countNodes(y *yaml.Node) int {
	n := 1
	for _, child := range y.Content {
		n += countNodes(child)
	}
	return n
}

func (c *converter) convert(y *yaml.Node, depth int) *node {
	line, col := y.Line, y.Column
	if line > len(c.src.lines()) {
		line, col = c.src.clampPosition(line, col)
	}
	n := &node{src: c.src, line: short(line), col: short(col), width: 1, alias: c.via}
	if !c.hasRoom(n, depth) {
		return n
	}
	if y.Style&yaml.TaggedStyle != 0 {
		c.fail(n, "yaml-tag", "leave the tag out; quote a value that must be a text", "YAML tags such as %s are not supported", quote(y.Tag))
	}
	if y.Anchor != "" && !c.inAlias[y] {
		c.inAlias[y] = true
		defer delete(c.inAlias, y)
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = mapping
		c.pairs(y, n, depth)
	case yaml.SequenceNode:
		n.kind = list
		n.items = make([]*node, 0, len(y.Content))
		for i, item := range y.Content {
			if c.isExhausted {
				break
			}
			n.items = append(n.items, c.convert(item, depth+1))
			c.release(&y.Content[i])
		}
	case yaml.AliasNode:
		return c.alias(y, n, depth)
	case yaml.ScalarNode:
		n.text, n.tag = y.Value, scalarTagOf(y.ShortTag())
		n.isQuoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		n.width = short(c.width(y))
	case yaml.DocumentNode:
	}
	return n
}

// release frees a value of the library's tree that was converted, so that a big file is not kept in memory twice. The value
// of an anchor is converted again for each alias, so it is not freed.
func (c *converter) release(y **yaml.Node) {
	if len(c.inAlias) == 0 && c.via == nil {
		*y = nil
	}
}

// hasRoom reports whether there is room for one more value, as deep as it stands.
func (c *converter) hasRoom(n *node, depth int) bool {
	if depth > maxDepth {
		c.fail(n, "nesting", "", "values are nested too deep: at most %d levels", maxDepth)
		return false
	}
	if c.via == nil {
		return true
	}
	if c.aliasBudget--; c.aliasBudget < 0 && !c.isExhausted {
		c.isExhausted = true
		c.fail(n, "alias", "write fewer of them, or the values themselves",
			"aliases make too much of this file: at most %d values more than it spells out", maxAliased)
	}
	return !c.isExhausted
}

// alias converts what an alias stands for. The value stands where the alias does; what is below it keeps its own place.
func (c *converter) alias(y *yaml.Node, n *node, depth int) *node {
	n.width = short(1 + utf8.RuneCountInString(y.Value))
	if c.inAlias[y.Alias] {
		c.fail(n, "alias", "", "the alias *%s stands within what it stands for", escape(y.Value))
		return n
	}
	saved := c.via
	c.via = &aliasUse{name: y.Value, line: int(n.line), anchor: y.Alias.Line, up: saved}
	value := c.convert(y.Alias, depth)
	c.via = saved
	value.line, value.col, value.width = n.line, n.col, n.width
	return value
}

func (c *converter) pairs(y *yaml.Node, n *node, depth int) {
	seen := keySet{few: make([]*node, 0, min(len(y.Content)/2, fewKeys))}
	n.pairs = make([]pair, 0, len(y.Content)/2)
	var merged []*node
	for i := 0; i+1 < len(y.Content) && !c.isExhausted; i += 2 {
		key := c.convert(y.Content[i], depth+1)
		value := c.convert(y.Content[i+1], depth+1)
		c.release(&y.Content[i+1])
		if key.kind != scalar {
			c.fail(key, "wrong-type", "", "a key must be a word, not %s", key.describe())
			continue
		}
		if first := seen.find(key.text); first != nil {
			c.out.fail(key, "duplicate-key", "", "key %s stands twice: first in line %d", quote(key.text), first.line)
			continue
		}
		seen.add(key)
		if key.text == "<<" && !key.isQuoted {
			merged = append(merged, c.mergedBy(value)...)
			continue
		}
		n.pairs = append(n.pairs, pair{key, value})
	}
	// A key of the mapping itself beats a merged one, and the first mapping that is merged beats the next.
	for _, m := range merged {
		for _, p := range m.pairs {
			if seen.find(p.key.text) == nil {
				seen.add(p.key)
				n.pairs = append(n.pairs, p)
			}
		}
	}
}

// keySet are the keys of one mapping. Nearly all mappings have few, for which a map would cost more than it saves.
type keySet struct {
	few  []*node
	many map[string]*node // nil while there are few
}

const fewKeys = 16

func (s *keySet) find(text string) *node {
	if s.many != nil {
		return s.many[text]
	}
	for _, key := range s.few {
		if key.text == text {
			return key
		}
	}
	return nil
}

func (s *keySet) add(key *node) {
	switch {
	case s.many != nil:
		s.many[key.text] = key
	case len(s.few) < fewKeys:
		s.few = append(s.few, key)
	default:
		s.many = make(map[string]*node, 2*fewKeys)
		for _, k := range append(s.few, key) {
			s.many[k.text] = k
		}
	}
}

// mergedBy lists the mappings that the value of a merge key names.
func (c *converter) mergedBy(value *node) []*node {
	of := []*node{value}
	if value.kind == list {
		of = value.items
	}
	for _, m := range of {
		if m.kind != mapping && !c.isExhausted {
			c.fail(m, "alias", "", "a merge key (<<) takes a mapping, or a list of mappings, not %s", m.describe())
			return nil
		}
	}
	return of
}

func (c *converter) fail(n *node, r code, hint, format string, args ...any) {
	c.isInvalid = true
	c.out.fail(n, r, hint, format, args...)
}

// maxScannedLine bounds the lines, in bytes, in which the end of a quoted scalar is looked for: doing so for each
// scalar of one huge line would take minutes.
const maxScannedLine = 2000

// width returns how many characters of its first line a scalar takes.
func (c *converter) width(y *yaml.Node) int {
	if y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return 1
	}
	line := c.src.line(y.Line)
	if len(line) > maxScannedLine {
		return max(1, min(utf8.RuneCountInString(y.Value), excerptPlace))
	}
	if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
		return max(1, min(utf8.RuneCountInString(y.Value), utf8.RuneCountInString(line)-y.Column+1))
	}
	rest := []rune(line)
	return max(1, closingQuote(rest[min(y.Column-1, len(rest)):]))
}

// closingQuote returns the length of a quoted scalar that starts rest, as far as it stands on this line.
func closingQuote(rest []rune) int {
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && rest[0] == '"':
			i++
		case rest[i] == rest[0] && rest[0] == '\'' && i+1 < len(rest) && rest[i+1] == '\'':
			i++
		case rest[i] == rest[0]:
			return i + 1
		}
	}
	return len(rest)
}
