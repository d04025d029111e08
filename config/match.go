package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// Target is what a rule looks at in a VM.
type Target struct {
	ID            string
	Name          string
	ResourceGroup string
	Subscription  string
	Location      string
	Tags          map[string]string
}

// Match finds the rule of a VM, as an index into Rules: the rule with its id, else the first rule that
// matches. It is safe for concurrent use. A Config that was not made by [Load] is compiled anew for every
// call; [Config.Compile] does that once.
func (c *Config) Match(t Target) (rule int, ok bool) {
	return c.compiled().matcher.match(t)
}

// Compile prepares a Config that was made or changed by hand for many calls of Match and of what finds vaults. It must
// not run at the same time as any other use of c.
func (c *Config) Compile() { c.compiledConfig = newCompiledConfig(c) }

func (c *Config) compiled() *compiledConfig {
	if c.compiledConfig != nil {
		return c.compiledConfig
	}
	return newCompiledConfig(c)
}

// compiledConfig is what every VM is looked up in, prepared once.
type compiledConfig struct {
	matcher *matcher
	tests   testMatcher
	index   index
}

func newCompiledConfig(c *Config) *compiledConfig {
	return &compiledConfig{matcher: newMatcher(c.Rules), tests: newTestMatcher(c.RestoreTests), index: newIndex(c)}
}

// matcher is the rules, compiled: ids in a map, patterns classified by form, tag names numbered.
type matcher struct {
	ids      *armid.Table // of the rules with an id
	byID     []int        // the rules, by the numbers of their ids
	rules    []compiledRule
	short    *candidateIndex // of rules
	tagIndex map[string]int  // folded tag name → its number
}

type compiledRule struct {
	index         int
	match, except []compiledSelector
}

type compiledSelector struct {
	locations, subscriptions []string
	names, groups            []glob
	tags                     []tagCondition
}

// tagCondition wants one of the values, or no such tag when absent.
type tagCondition struct {
	index    int
	isAbsent bool
	values   []glob
}

// foldedVM is a VM, folded for comparison.
type foldedVM struct {
	name, group, subscription, location string
	tags                                []tagValue // those that a rule asks for; one may stand twice, in two cases
}

type tagValue struct {
	slot        int
	name, value string // the name is folded
}

func newMatcher(rules []Rule) *matcher {
	m := &matcher{ids: armid.NewTable(0), short: newCandidateIndex(), tagIndex: map[string]int{}}
	for i, r := range rules {
		if r.ID != "" {
			if _, isNew := m.ids.Add(r.ID); isNew {
				m.byID = append(m.byID, i)
			}
			continue
		}
		m.short.add(len(m.rules), r.Match)
		m.rules = append(m.rules, compiledRule{index: i, match: m.compile(r.Match), except: m.compile(r.Except)})
	}
	return m
}

func (m *matcher) compile(selectors []Selector) []compiledSelector {
	compiled := make([]compiledSelector, len(selectors))
	for i, s := range selectors {
		c := &compiled[i]
		c.names, c.groups = globs(s.Names, true), globs(s.ResourceGroups, true)
		for _, id := range s.Subscriptions {
			c.subscriptions = append(c.subscriptions, strings.ToLower(id))
		}
		for _, l := range s.Locations {
			c.locations = append(c.locations, armid.Location(l))
		}
		for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
			values := s.Tags[name]
			c.tags = append(c.tags, tagCondition{index: m.indexOfTag(name), isAbsent: len(values) == 0, values: globs(values, false)})
		}
	}
	return compiled
}

func (m *matcher) indexOfTag(tag string) int {
	folded := strings.ToLower(tag)
	n, ok := m.tagIndex[folded]
	if !ok {
		n = len(m.tagIndex)
		m.tagIndex[folded] = n
	}
	return n
}

func globs(patterns []string, fold bool) []glob {
	var compiled []glob
	for _, p := range patterns {
		if fold {
			p = strings.ToLower(p)
		}
		compiled = append(compiled, newGlob(p))
	}
	return compiled
}

func (m *matcher) match(t Target) (int, bool) {
	if len(m.byID) > 0 {
		if i := m.ids.Find(t.ID); i >= 0 {
			return m.byID[i], true
		}
	}
	var room [8]tagValue
	s := m.foldVM(t, room[:0])
	i, ok := m.short.first(keysOfVM{s.name, s.group, s.tags}, func(i int) bool {
		return anyMatches(m.rules[i].match, &s) && !anyMatches(m.rules[i].except, &s)
	})
	if !ok {
		return 0, false
	}
	return m.rules[i].index, true
}

// foldVM folds a VM; tags is room for its tags.
func (m *matcher) foldVM(t Target, tags []tagValue) foldedVM {
	s := foldedVM{
		tags: tags,
		name: strings.ToLower(t.Name), group: strings.ToLower(t.ResourceGroup),
		subscription: strings.ToLower(t.Subscription), location: armid.Location(t.Location),
	}
	for name, value := range t.Tags {
		folded := strings.ToLower(name)
		if slot, ok := m.tagIndex[folded]; ok {
			s.tags = append(s.tags, tagValue{slot, folded, value})
		}
	}
	return s
}

func anyMatches(selectors []compiledSelector, s *foldedVM) bool {
	for i := range selectors {
		if selectors[i].matches(s) {
			return true
		}
	}
	return false
}

// matches reports whether every key of the selector holds; a selector without keys matches nothing.
func (c *compiledSelector) matches(s *foldedVM) bool {
	if c.isEmpty() {
		return false
	}
	if c.locations != nil && !slices.Contains(c.locations, s.location) ||
		c.subscriptions != nil && !slices.Contains(c.subscriptions, s.subscription) {
		return false
	}
	for i := range c.tags {
		if !c.tags[i].matches(s.tags) {
			return false
		}
	}
	return (c.groups == nil || anyGlob(c.groups, s.group)) && (c.names == nil || anyGlob(c.names, s.name))
}

func (c *compiledSelector) isEmpty() bool {
	return c.locations == nil && c.subscriptions == nil && c.names == nil && c.groups == nil && c.tags == nil
}

func (t *tagCondition) matches(tags []tagValue) bool {
	for _, tag := range tags {
		if tag.slot == t.index && (t.isAbsent || anyGlob(t.values, tag.value)) {
			return !t.isAbsent
		}
	}
	return t.isAbsent
}

func anyGlob(globs []glob, s string) bool {
	for _, g := range globs {
		if g.match(s) {
			return true
		}
	}
	return false
}
