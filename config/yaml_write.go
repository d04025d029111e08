package config

import (
	"bytes"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

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
