package config

import (
	"slices"
	"strings"
	"testing"
)

func TestATagValueThatDiffersInCaseOnlyIsPointedOut(t *testing.T) {
	c := &Config{Rules: []Rule{
		{Name: "shop", Match: []Selector{{Tags: map[string][]string{"Env": {"ENH", "pre*"}}}}},
		{Name: "rest", Match: []Selector{{Tags: map[string][]string{"env": {"Prod"}, "none": {}}}}, Except: []Selector{{Tags: map[string][]string{"backup": {"None"}}}}},
	}}
	// Two of the first three miss; one "Prod" is meant, and "dev" is another word.
	vms := []map[string]string{
		{"env": "enh"},
		{"ENV": "enh"},
		{"env": "ENH"},
		{"env": "PRE-1"},
		{"env": "pre-1"},
		{"env": "Prod"},
		{"env": "dev"},
		{"backup": "none"},
		{"other": "enh"},
	}
	var got []string
	for _, found := range c.TagCases(slices.Values(vms)) {
		got = append(got, found.Text())
	}
	want := []string{
		`1 VM has the tag backup "none", rule rest wants "None": tag values are compared with their case`,
		`2 VMs have the tag Env "enh", rule shop wants "ENH": tag values are compared with their case`,
		`1 VM has the tag Env "PRE-1", rule shop wants "pre*": tag values are compared with their case`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for value, isSet := range map[string]bool{"enh": true, "dev": false, "": false} {
		steps := c.Explain(Target{Tags: map[string]string{"env": value}})
		if strings.Contains(steps[0].Reason, "with their case") != isSet {
			t.Errorf("env %q: %s", value, steps[0].Reason)
		}
	}
	if steps := c.Explain(Target{}); strings.Contains(steps[0].Reason, "with their case") {
		t.Errorf("no tag: %s", steps[0].Reason)
	}
}
