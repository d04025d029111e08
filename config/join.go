package config

import (
	"slices"
	"strings"
)

// The keys that join must know, because it works before the decoder does: they stand in the tags of Config as well.
const (
	keyVersion       = "version"
	keySubscriptions = "subscriptions"
)

// join makes one tree of several files: lists are put together, mappings merged key by key, and every other
// value may stand once. Each file has its version.
func join(roots []*node, out *diagnostics) *node {
	joined := &node{kind: mapping, src: roots[0].src, line: roots[0].line, col: roots[0].col, width: 1}
	for _, root := range roots {
		if root.kind != mapping {
			out.fail(root, "wrong-type", "a file starts with: version: 1", "the file must be a mapping, not %s", root.describe())
			joined.isInvalid = true
			continue
		}
		checkVersion(root, out)
		joined.merge(slices.DeleteFunc(slices.Clone(root.pairs), func(p pair) bool { return p.key.text == keyVersion }), out)
	}
	// The versions are checked: the decoder only has to find one.
	checked := &node{src: joined.src, line: joined.line, col: joined.col, width: 1, text: keyVersion, isInvalid: true}
	joined.pairs = append(joined.pairs, pair{key: checked, value: checked})
	return joined
}

// merge adds the keys of a further file to the mapping.
func (n *node) merge(pairs []pair, out *diagnostics) {
	index := make(map[string]int, len(n.pairs))
	for i, have := range n.pairs {
		index[have.key.text] = i
	}
	for _, p := range pairs {
		i, ok := index[p.key.text]
		if !ok {
			n.pairs = append(n.pairs, p)
			continue
		}
		have := n.pairs[i]
		switch {
		case have.value.kind == list && p.value.kind == list:
			n.pairs[i].value = have.value.extendedList(p)
		case have.value.kind == mapping && p.value.kind == mapping:
			merged := *have.value
			merged.pairs = slices.Clone(merged.pairs)
			merged.merge(p.value.pairs, out)
			n.pairs[i].value = &merged
		default:
			out.fail(p.key, "once-per-config", "say it in one file only", "%s is said in %s already, line %d",
				quote(p.key.text), clip(have.key.src.name), have.key.line)
		}
	}
}

// extendedList returns the list with the items of a further file.
func (n *node) extendedList(p pair) *node {
	items := p.value.items
	if p.key.text == keySubscriptions {
		items = n.without(items)
	}
	longer := *n
	longer.items = slices.Concat(n.items, items)
	return &longer
}

// without drops the items that the list has already: two files may name the same subscription.
func (n *node) without(items []*node) []*node {
	have := map[string]bool{}
	for _, item := range n.items {
		have[strings.ToLower(item.text)] = true
	}
	var kept []*node
	for _, item := range items {
		if item.kind != scalar || !have[strings.ToLower(item.text)] {
			kept = append(kept, item)
		}
	}
	return kept
}

func checkVersion(root *node, out *diagnostics) {
	version := root.get(keyVersion)
	switch {
	case version == nil:
		out.fail(root, "missing-key", "the first line of a file is: version: 1", "the file lacks the key %s", quote(keyVersion))
	case version.isInvalid || version.kind == scalar && version.text == "1" && (version.hasVariable || version.tag == tagInt):
	default:
		out.fail(version, "version", "", "the version must be 1, not %s", version.describe())
		version.isInvalid = true
	}
}
