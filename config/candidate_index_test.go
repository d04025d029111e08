package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spelled draws a selector that may spell out names, groups and tags, or what they begin with, or none of them.
func spelled(t *rapid.T) Selector {
	values := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "A", "b", "ab", "a*", "aB?", "?"}), 1, 2, rapid.ID[string])
	var s Selector
	if rapid.Bool().Draw(t, "names") {
		s.Names = values.Draw(t, "name")
	}
	if rapid.Bool().Draw(t, "groups") {
		s.ResourceGroups = values.Draw(t, "group")
	}
	for _, tag := range []string{"t", "U"} {
		switch rapid.IntRange(0, 3).Draw(t, "tags") {
		case 0:
			s.Tags = withTag(s.Tags, tag, values.Draw(t, tag))
		case 1:
			s.Tags = withTag(s.Tags, tag, []string{}) // it must not be there
		}
	}
	if s.Names == nil && s.ResourceGroups == nil && s.Tags == nil || rapid.IntRange(0, 3).Draw(t, "locations") == 0 {
		s.Locations = []string{rapid.SampledFrom([]string{"we", "ne"}).Draw(t, "location")}
	}
	return s
}

func withTag(tags map[string][]string, name string, values []string) map[string][]string {
	if tags == nil {
		tags = map[string][]string{}
	}
	tags[name] = values
	return tags
}

func TestTheShortListFindsTheRuleThatGoingThroughAllFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Config{}
		for i := range rapid.IntRange(0, 8).Draw(t, "rules") {
			r := Rule{Name: fmt.Sprint(i)}
			for range rapid.IntRange(1, 2).Draw(t, "selectors") {
				r.Match = append(r.Match, spelled(t))
			}
			if rapid.IntRange(0, 3).Draw(t, "excepts") == 0 {
				r.Except = []Selector{spelled(t)}
			}
			c.Rules = append(c.Rules, r)
		}
		word := func(label string) string { return rapid.SampledFrom([]string{"a", "A", "b", "AB", "x"}).Draw(t, label) }
		vm := Target{Name: word("vm"), ResourceGroup: word("rg"), Location: rapid.SampledFrom([]string{"we", "ne"}).Draw(t, "at"), Tags: map[string]string{}}
		for _, name := range []string{"T", "u", "U"} {
			if rapid.Bool().Draw(t, "tagged") {
				vm.Tags[name] = rapid.SampledFrom([]string{"a", "A", "b", "aBx", ""}).Draw(t, name)
			}
		}
		want := slices.IndexFunc(c.Rules, func(r Rule) bool { matched, _ := r.explain(vm); return matched })
		got, ok := c.Match(vm)
		if ok != (want >= 0) || ok && got != want {
			t.Fatalf("%+v: rule %d, %t; the first that matches is %d", vm, got, ok, want)
		}
	})
}

func TestTheShortListFindsTheSelectorThatCoversFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := coveringSelectors{candidates: newCandidateIndex()}
		want := -1
		selectors := rapid.SliceOfN(rapid.Custom(spelled), 0, 6).Draw(t, "selectors")
		narrow := spelled(t)
		f := foldSelector(&narrow)
		budget := comparisonBudget(1_000_000)
		for i := range selectors {
			one := seenSelector{by: fmt.Sprint(i), said: &selectors[i], selector: foldSelector(&selectors[i])}
			all.add([]seenSelector{one})
			if want < 0 && one.selector.covers(&f, &budget) {
				want = i
			}
		}
		got := all.covering(&f, &budget)
		if (got == nil) != (want < 0) || got != nil && got.by != fmt.Sprint(want) {
			t.Fatalf("%+v is covered by %+v, and first by selector %d of %+v", narrow, got, want, selectors)
		}
	})
}

// What export writes for 100,000 VMs are tens of thousands of rules that spell out their VMs or their groups.
func TestRulesThatSpellOutTheirVMsAreNotComparedEachWithEach(t *testing.T) {
	const rules = 12_000
	for _, selector := range []string{
		"{resourceGroups: [rg-%[1]d], names: [vm-%[1]d]}", "{names: [vm-%d.*]}", "{tags: {env: [prod, test], team: t%d}, names: [vm*]}",
		"{tags: {team-%d: [a, b]}}", "{tags: {env: prod, app: 'a%d-*'}}",
	} {
		var b strings.Builder
		b.WriteString("version: 1\nsubscriptions: [" + sub1 + "]\nvms:\n")
		for i := range rules {
			fmt.Fprintf(&b, "  - {name: r%d, match: %s, protect: stopped}\n", i, fmt.Sprintf(selector, i))
		}
		c := load(t, b.String()) // without the warning that there are too many to compare
		vm, asked := target("vm-7", map[string]string{"team": "t7", "Env": "prod", "Team-7": "b", "app": "a7-web"}), 0
		vm.ResourceGroup = "rg-7"
		if strings.Contains(selector, ".*") {
			vm.Name = "vm-7.example"
		}
		if i, ok := c.Match(vm); !ok || i != 7 {
			t.Errorf("%s: rule %d, %t", selector, i, ok)
		}
		m := c.compiledConfig.matcher
		s := m.foldVM(vm, nil)
		m.short.first(keysOfVM{s.name, s.group, s.tags}, func(int) bool { asked++; return false })
		if asked > 3 { // the first rules stand where the others would have to
			t.Errorf("%s: %d rules are asked about one VM", selector, asked)
		}
	}
}
