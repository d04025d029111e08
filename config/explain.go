package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// Step is how one rule judged a VM.
type Step struct {
	Rule    int // index into Config.Rules
	Name    string
	Pos     Position
	Matched bool // its id or selectors fit, and no `except` leaves the VM out
	Chosen  bool // it decides; at most one step of a VM
	// Reason is one clause, lower case, safe to print, e.g. "tag env is dev, wanted prod".
	Reason string
}

// Explain judges a VM by every rule and returns one step for each, in the order of the file. The chosen step is the
// rule that [Config.Match] returns.
func (c *Config) Explain(t Target) []Step {
	chosen, decided := c.Match(t)
	steps := make([]Step, 0, len(c.Rules))
	for i := range c.Rules {
		r := &c.Rules[i]
		matched, reason := r.explain(t)
		step := Step{Rule: i, Name: r.Name, Pos: r.Pos, Matched: matched, Chosen: decided && i == chosen, Reason: reason}
		if matched && !step.Chosen {
			step.Reason += fmt.Sprintf("; but rule %s comes first", clip(c.Rules[chosen].Name))
			if c.Rules[chosen].ID != "" {
				step.Reason += " as an id rule"
			}
		}
		steps = append(steps, step)
	}
	return steps
}

func (r *Rule) explain(t Target) (matched bool, reason string) {
	if r.ID != "" {
		if armid.Same(r.ID, t.ID) {
			return true, "id rule"
		}
		return false, "id rule of another VM"
	}
	var misses []string
	for _, s := range r.Match {
		hit, why := s.explain(t)
		if !hit {
			misses = append(misses, why)
			continue
		}
		for _, e := range r.Except {
			if out, because := e.explain(t); out {
				return false, "left out by except: " + because
			}
		}
		return true, why
	}
	return false, strings.Join(misses, "; or: ")
}

// explain returns why the selector matches (every key) or does not (the first key that fails).
func (s Selector) explain(t Target) (matched bool, reason string) {
	var hits []string
	for _, k := range s.keys(t) {
		if !k.isMatched {
			reason := fmt.Sprintf("%s is %s, wanted %s", k.what, k.has, k.wanted)
			if k.isCaseOnly {
				reason += ": tag values are compared with their case"
			}
			return false, reason
		}
		hits = append(hits, fmt.Sprintf("%s is %s", k.what, k.has))
	}
	return len(hits) > 0, strings.Join(hits, ", ")
}

// keyMatch is how one key of a selector judges a VM.
type keyMatch struct {
	what, has, wanted string
	isMatched         bool
	isCaseOnly        bool // a tag value that misses by its case
}

func (s Selector) keys(t Target) []keyMatch {
	var keys []keyMatch
	add := func(what, has string, wanted []string, alone Selector) {
		if wanted != nil {
			m := newMatcher([]Rule{{Match: []Selector{alone}}})
			_, matched := m.match(t)
			keys = append(keys, keyMatch{what: what, has: orMissing(has), wanted: describeAlternatives(wanted, "no such tag"), isMatched: matched})
		}
	}
	add("subscription", t.Subscription, s.Subscriptions, Selector{Subscriptions: s.Subscriptions})
	add("location", t.Location, s.Locations, Selector{Locations: s.Locations})
	for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
		add("tag "+clip(name), t.tag(name), s.Tags[name], Selector{Tags: map[string][]string{name: s.Tags[name]}})
		if has, k := t.tag(name), len(keys)-1; has != "" && len(s.Tags[name]) > 0 && !keys[k].isMatched {
			keys[k].isCaseOnly = anyGlob(globs(s.Tags[name], true), strings.ToLower(has))
		}
	}
	add("resource group", t.ResourceGroup, s.ResourceGroups, Selector{ResourceGroups: s.ResourceGroups})
	add("name", t.Name, s.Names, Selector{Names: s.Names})
	return keys
}

// tag returns the value of a tag, or "" when the VM has none.
func (t Target) tag(name string) string {
	for _, k := range slices.Sorted(maps.Keys(t.Tags)) {
		if strings.EqualFold(k, name) {
			if t.Tags[k] == "" {
				return `""`
			}
			return t.Tags[k]
		}
	}
	return ""
}

func orMissing(s string) string {
	if s == "" {
		return "missing"
	}
	return clip(s)
}

// describeAlternatives lists values; none stands for a tag that must not be there.
func describeAlternatives(values []string, none string) string {
	if len(values) == 0 {
		return none
	}
	printed := make([]string, len(values))
	for i, v := range values {
		printed[i] = clip(v)
	}
	return strings.Join(printed, " or ")
}
