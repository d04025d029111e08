package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// This file and yaml_convert.go are the only ones that know the YAML library.

// parse turns one file into nodes. It returns nil when the file is no single, plain YAML document; why is
// reported to out.
func parse(src *source, out *diagnostics) *node {
	src.text = strings.TrimPrefix(src.text, byteOrderMark) // some editors write one; no column counts it
	if !isReadable(src, out) {
		return nil
	}
	docs := yaml.NewDecoder(readAsYAML11(src.text))
	doc, err := decodeDocument(docs)
	switch {
	case errors.Is(err, io.EOF):
		out.failAt(src, 1, 1, "empty", "a file starts with: version: 1", "the file is empty")
		return nil
	case err != nil:
		reportSyntax(src, err, out)
		return nil
	}
	c := newConverter(src, out)
	root := c.root(doc.Content[0])
	if second, err := decodeDocument(docs); err == nil {
		out.failAt(src, second.Line, second.Column, "second-document", "write one file per document, or one list",
			"a second document starts here: a file holds one")
		return nil
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(src, err, out)
		return nil
	}
	if c.isInvalid {
		return nil
	}
	return root
}

// readAsYAML11 reads a text whose directive says YAML 1.2 as if it said 1.1: the library refuses the number, and reads either.
func readAsYAML11(text string) io.Reader {
	at := 0
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) >= 2 && strings.HasPrefix(line, "%YAML") && words[1] == "1.2" {
			minor := at + strings.Index(line, "1.2") + len("1.")
			return io.MultiReader(strings.NewReader(text[:minor]), strings.NewReader("1"), strings.NewReader(text[minor+1:]))
		}
		if len(words) > 0 && line[0] != '#' && line[0] != '%' {
			break // directives stand before everything else
		}
		at += len(line)
	}
	return strings.NewReader(text)
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

// writeYAML writes a mapping: entries of a list one after the other, short values on one line.
func writeYAML(root []entry) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	n := toYAML(root)
	n.Style = 0 // however short: each part of a config stands on lines of its own
	if err := enc.Encode(n); err != nil {
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
		return setInline(n)
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, toYAML(item))
		}
		return setInline(n)
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

// textNode returns a text; the library quotes it where it would be read as something else.
func textNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if s == "<<" { // the library leaves it bare, which makes a merge key of it
		n.Style = yaml.DoubleQuotedStyle
	}
	if n.Style == yaml.LiteralStyle { // a text with a line break: one line is safer to read and to check
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// setInline writes a list of scalars, and a small mapping of values that fit on a line, on one line. A longer list has a
// line for each of its values, so that a change to it shows as one.
func setInline(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.MappingNode && len(n.Content) > 2*maxInline || width(n) > maxWidth {
		return n
	}
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode && (n.Kind == yaml.SequenceNode || c.Style != yaml.FlowStyle) {
			return n
		}
	}
	n.Style = yaml.FlowStyle
	return n
}

// width returns about how many characters a value takes on one line, with what parts it from the next.
func width(n *yaml.Node) int {
	sum := len(n.Value) + 2
	for _, c := range n.Content {
		sum += width(c)
	}
	return sum
}

const (
	maxInline = 4   // how many keys a mapping written on one line may have
	maxWidth  = 110 // how wide a value written on one line may be
)
