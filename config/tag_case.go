package config

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// TagCase is a tag value that VMs have and that differs only by case from one that a rule wants. Tag values are
// compared with their case, so the rule does not match those VMs.
type TagCase struct {
	Rule       string // the first rule that wants it
	Pos        Position
	Tag        string
	Wanted, Is string
	VMs        int
}

// Text returns one clause, safe to print.
func (t TagCase) Text() string {
	vms, have := "VMs", "have"
	if t.VMs == 1 {
		vms, have = "VM", "has"
	}
	return fmt.Sprintf("%d %s %s the tag %s %s, rule %s wants %s: tag values are compared with their case",
		t.VMs, vms, have, clip(t.Tag), quote(t.Is), clip(t.Rule), quote(t.Wanted))
}

// TagCases compares the tags of all VMs with what the rules want, in the order of the rules.
func (c *Config) TagCases(tags iter.Seq[map[string]string]) []TagCase {
	wanted := map[string][]TagCase{} // by folded tag name
	for _, r := range c.Rules {
		for _, s := range slices.Concat(r.Match, r.Except) {
			for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
				for _, v := range s.Tags[name] {
					folded := strings.ToLower(name)
					wanted[folded] = append(wanted[folded], TagCase{Rule: r.Name, Pos: r.Pos, Tag: name, Wanted: v})
				}
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	seen := map[string]map[string]int{} // folded tag name → value → VMs
	for all := range tags {
		for name, value := range all {
			folded := strings.ToLower(name)
			if len(wanted[folded]) == 0 {
				continue
			}
			if seen[folded] == nil {
				seen[folded] = map[string]int{}
			}
			seen[folded][value]++
		}
	}
	var found []TagCase
	for tag, values := range seen {
		for value, vms := range values {
			if t, is := findCaseMiss(wanted[tag], value); is {
				t.Is, t.VMs = value, vms
				found = append(found, t)
			}
		}
	}
	slices.SortFunc(found, func(a, b TagCase) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Wanted, b.Wanted), cmp.Compare(a.Is, b.Is))
	})
	return found
}

// findCaseMiss finds the first wanted value that a tag's value misses by its case, where none equals it.
func findCaseMiss(wanted []TagCase, value string) (miss TagCase, is bool) {
	for _, w := range wanted {
		if newGlob(w.Wanted).match(value) {
			return TagCase{}, false
		}
		if !is && newGlob(strings.ToLower(w.Wanted)).match(strings.ToLower(value)) {
			miss, is = w, true
		}
	}
	return miss, is
}
