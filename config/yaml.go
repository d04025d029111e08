package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxDepth bounds how deep values may be nested; the format itself needs eight levels.
const maxDepth = 32

// This file is the only one that knows the YAML library.

// parse turns one file into nodes. It returns nil when the file is no single, plain YAML document; why is
// reported to out.
func parse(src *source, out *collector) *node {
	src.text = strings.TrimPrefix(src.text, byteOrderMark) // some editors write one; no column counts it
	if !readable(src, out) {
		return nil
	}
	docs := yaml.NewDecoder(strings.NewReader(src.text))
	doc, err := decodeDocument(docs)
	switch {
	case errors.Is(err, io.EOF):
		out.place(src, 1, 1, ruleEmpty, "a file starts with: version: 1", "the file is empty")
		return nil
	case err != nil:
		reportSyntax(src, err, out)
		return nil
	}
	c := converter{src: src, out: out}
	root := c.convert(doc.Content[0], 1)
	if second, err := decodeDocument(docs); err == nil {
		out.place(src, second.Line, second.Column, ruleSecondDocument, "write one file per document, or one list",
			"a second document starts here: a file holds one")
		return nil
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(src, err, out)
		return nil
	}
	if c.broken {
		return nil
	}
	return root
}

// decodeDocument reads the next document. The library is no longer maintained: should an input make it
// panic, that is one more unreadable file and no crash.
func decodeDocument(d *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	doc = &yaml.Node{}
	if err := d.Decode(doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// converter turns the library's nodes into ours.
type converter struct {
	src    *source
	out    *collector
	broken bool // something was met that has no meaning: the file is not walked
}

func (c *converter) convert(y *yaml.Node, depth int) *node {
	n := &node{src: c.src, line: y.Line, col: y.Column, width: 1}
	if n.line > len(c.src.lines()) {
		n.line, n.col = c.src.inside(n.line, n.col)
	}
	c.plain(y, n)
	if depth > maxDepth {
		c.refuse(n, ruleNesting, "", "values are nested too deep: at most %d levels", maxDepth)
		return n
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = mapping
		c.pairs(y, n, depth)
	case yaml.SequenceNode:
		n.kind = list
		for _, item := range y.Content {
			n.items = append(n.items, c.convert(item, depth+1))
		}
	case yaml.AliasNode:
		n.width = 1 + utf8.RuneCountInString(y.Value)
		c.refuse(n, ruleAlias, "write the value out", "aliases are not supported")
	case yaml.ScalarNode:
		n.text, n.tag = y.Value, y.ShortTag()
		n.quoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		n.width = c.width(y)
	case yaml.DocumentNode:
	}
	return n
}

// plain refuses anchors and explicit tags: a reader must see every value where it stands.
func (c *converter) plain(y *yaml.Node, n *node) {
	if y.Anchor != "" {
		c.refuse(n, ruleAlias, "write the value out where it is needed", "anchors are not supported")
	}
	if y.Style&yaml.TaggedStyle != 0 {
		c.refuse(n, ruleYAMLTag, "leave the tag out; quote a value that must be a text", "YAML tags such as %s are not supported", quote(y.Tag))
	}
}

func (c *converter) pairs(y *yaml.Node, n *node, depth int) {
	seen := make(map[string]*node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := c.convert(y.Content[i], depth+1)
		value := c.convert(y.Content[i+1], depth+1)
		if key.kind != scalar {
			c.refuse(key, ruleWrongType, "", "a key must be a word, not %s", key.describe())
			continue
		}
		if key.text == "<<" && !key.quoted {
			c.refuse(key, ruleAlias, "write the keys out", "merge keys are not supported")
			continue
		}
		if first, ok := seen[key.text]; ok {
			c.out.fail(key, ruleDuplicateKey, "", "key %s stands twice: first in line %d", quote(key.text), first.line)
			continue
		}
		seen[key.text] = key
		n.pairs = append(n.pairs, pair{key, value})
	}
}

func (c *converter) refuse(n *node, r rule, hint, format string, args ...any) {
	c.broken = true
	c.out.fail(n, r, hint, format, args...)
}

// maxMeasured bounds the lines, in bytes, in which the end of a quoted scalar is looked for: doing so for each
// scalar of one huge line would take minutes.
const maxMeasured = 2000

// width is how many characters of its first line a scalar takes.
func (c *converter) width(y *yaml.Node) int {
	if y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return 1
	}
	line := c.src.line(y.Line)
	if len(line) > maxMeasured {
		return max(1, min(utf8.RuneCountInString(y.Value), excerptPlace))
	}
	if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
		return max(1, min(utf8.RuneCountInString(y.Value), utf8.RuneCountInString(line)-y.Column+1))
	}
	rest := []rune(line)
	return max(1, closingQuote(rest[min(y.Column-1, len(rest)):]))
}

// closingQuote is the length of a quoted scalar that starts rest, as far as it stands on this line.
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

// writeYAML writes a mapping: entries of a list one after the other, short values on one line.
func writeYAML(root []entry) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(toYAML(root)); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func toYAML(value any) *yaml.Node {
	switch v := value.(type) {
	case []entry:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, e := range v {
			n.Content = append(n.Content, textNode(e.key), toYAML(e.value))
		}
		return inline(n)
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, toYAML(item))
		}
		return inline(n)
	case string:
		return textNode(strings.ReplaceAll(v, "${", "$${"))
	case int:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(v)}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
}

// textNode is a text; the library quotes it where it would be read as something else.
func textNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if n.Style == yaml.LiteralStyle { // a text with a line break: one line is safer to read and to check
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// inline writes a list of scalars, and a small mapping of values that fit on a line, on one line.
func inline(n *yaml.Node) *yaml.Node {
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode && (n.Kind == yaml.SequenceNode || c.Style != yaml.FlowStyle) {
			return n
		}
	}
	if n.Kind == yaml.SequenceNode || len(n.Content) <= 2*maxInline {
		n.Style = yaml.FlowStyle
	}
	return n
}

// maxInline is how many keys a mapping written on one line may have.
const maxInline = 4
