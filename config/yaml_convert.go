package config

import (
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxDepth bounds how deep values may be nested; the format itself needs eight levels.
const maxDepth = 32

// maxAliased and aliasedPerValue bound how many values aliases may add: a few lines of nested aliases can stand for
// billions. A file may have maxAliased of them, and aliasedPerValue more for each value that it spells out, so that each of
// its rules and vaults may merge a full set of keys, however many there are.
const (
	maxAliased      = 200_000
	aliasedPerValue = 8
)

// converter turns the library's nodes into ours. An alias becomes a copy of what its anchor names, so that
// variables, problems and positions belong to one use of it.
type converter struct {
	src       *source
	out       *diagnostics
	isInvalid bool                // something was met that has no meaning: the file is not decoded
	inAlias   map[*yaml.Node]bool // the anchored values that are being converted
	via       *aliasUse           // the alias whose value is being converted; nil outside of one
}

// aliasUse is a place where an alias stands.
type aliasUse struct {
	name   string
	line   int       // of the alias
	anchor int       // line of the anchored value
	up     *aliasUse // the alias in whose value this one stands, or nil
}

func newConverter(src *source, out *diagnostics) *converter {
	return &converter{src: src, out: out, inAlias: map[*yaml.Node]bool{}}
}

// root converts the value of a document. It returns nil where aliases make too much of it: that is counted before
// anything is copied, so that a refusal costs no more than the text itself.
func (c *converter) root(y *yaml.Node) *node {
	count := aliasCount{sizes: map[*yaml.Node]int{}, budget: maxAliased + aliasedPerValue*countNodes(y)}
	count.sizeOf(y)
	if at := count.exceeded; at != nil {
		n := c.place(at)
		n.width = aliasWidth(at)
		c.fail(n, "alias", "write fewer of them, or the values themselves",
			"aliases make too much of this file: with &%s of line %d they stand for more than %d values", escape(at.Value), at.Alias.Line, count.budget)
		return nil
	}
	return c.convert(y, 1)
}

// countNodes returns how many values a document spells out. An alias counts as one: its Content is empty.
func countNodes(y *yaml.Node) int {
	n := 1
	for _, child := range y.Content {
		n += countNodes(child)
	}
	return n
}

// aliasCount counts the values that the aliases of a document stand for.
type aliasCount struct {
	sizes    map[*yaml.Node]int // how many values each anchored value stands for
	added    int                // by the aliases that were met
	budget   int
	exceeded *yaml.Node // the alias at which added exceeded the budget, or nil
}

// sizeOf returns how many values y stands for. An anchor stands before its aliases, so its size is known when one of them is
// met; an alias within its own anchor stands for nothing, and is refused later.
func (c *aliasCount) sizeOf(y *yaml.Node) int {
	if y.Kind == yaml.AliasNode {
		size := c.sizes[y.Alias]
		if c.added += size; c.added > c.budget && c.exceeded == nil {
			c.exceeded = y
		}
		return 1 + size
	}
	size := 1
	for _, child := range y.Content {
		if c.exceeded != nil {
			break // what follows could count further than a number reaches
		}
		size += c.sizeOf(child)
	}
	if y.Anchor != "" {
		c.sizes[y] = size
	}
	return size
}

// place returns a node of ours that stands where y does, and holds nothing yet.
func (c *converter) place(y *yaml.Node) *node {
	line, col := y.Line, y.Column
	if line > len(c.src.lines()) {
		line, col = c.src.clampPosition(line, col)
	}
	return &node{src: c.src, line: short(line), col: short(col), width: 1, alias: c.via}
}

func aliasWidth(y *yaml.Node) int32 { return short(1 + utf8.RuneCountInString(y.Value)) }

func (c *converter) convert(y *yaml.Node, depth int) *node {
	n := c.place(y)
	if depth > maxDepth {
		c.fail(n, "nesting", "", "values are nested too deep: at most %d levels", maxDepth)
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

// alias converts what an alias stands for. The value stands where the alias does; what is below it keeps its own place.
func (c *converter) alias(y *yaml.Node, n *node, depth int) *node {
	n.width = aliasWidth(y)
	if c.inAlias[y.Alias] {
		c.fail(n, "alias", "", "the alias *%s stands within what it stands for, &%[1]s of line %[2]d", escape(y.Value), y.Alias.Line)
		n.isInvalid = true
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
	for i := 0; i+1 < len(y.Content); i += 2 {
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
		if m.isInvalid {
			return nil
		}
		if m.kind != mapping {
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
