package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	sub1 = "11111111-1111-1111-1111-111111111111"
	vmID = "/subscriptions/" + sub1 + "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/app01"
)

func target(name string, tags map[string]string) Target {
	return Target{
		ID:   "/subscriptions/" + sub1 + "/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/" + name,
		Name: name, ResourceGroup: "RG-App", Subscription: strings.ToUpper(sub1), Location: "West Europe", Tags: tags,
	}
}

func TestASelectorMatches(t *testing.T) {
	prod := map[string]string{"Env": "prod", "tier": "web"}
	tests := []struct {
		rule     string
		selector Selector
		tags     map[string]string
		want     bool
	}{
		{"names without case", Selector{Names: []string{"APP*"}}, nil, true},
		{"names from end to end", Selector{Names: []string{"app"}}, nil, false},
		{"? stands for one character", Selector{Names: []string{"app0?"}}, nil, true},
		{"? does not stand for none", Selector{Names: []string{"app01?"}}, nil, false},
		{"one of several values", Selector{Names: []string{"x", "app01"}}, nil, true},
		{"groups without case", Selector{ResourceGroups: []string{"rg-*"}}, nil, true},
		{"locations without case and spaces", Selector{Locations: []string{"westeurope"}}, nil, true},
		{"subscriptions without case", Selector{Subscriptions: []string{sub1}}, nil, true},
		{"tag names without case", Selector{Tags: map[string][]string{"ENV": {"prod"}}}, prod, true},
		{"tag values with case", Selector{Tags: map[string][]string{"env": {"Prod"}}}, prod, false},
		{"tag values as globs", Selector{Tags: map[string][]string{"env": {"p*d"}}}, prod, true},
		{"any value", Selector{Tags: map[string][]string{"env": {"*"}}}, prod, true},
		{"any value is some value", Selector{Tags: map[string][]string{"env": {"*"}}}, nil, false},
		{"the empty value", Selector{Tags: map[string][]string{"env": {""}}}, map[string]string{"env": ""}, true},
		{"no such tag", Selector{Tags: map[string][]string{"backup": {}}}, prod, true},
		{"no such tag, but there is", Selector{Tags: map[string][]string{"env": {}}}, prod, false},
		{"a tag that is missing", Selector{Tags: map[string][]string{"env": {"prod"}}}, nil, false},
		{"every key", Selector{Names: []string{"app*"}, Locations: []string{"northeurope"}}, nil, false},
		{"every tag", Selector{Tags: map[string][]string{"env": {"prod"}, "tier": {"db"}}}, prod, false},
		{"nothing when it says nothing", Selector{}, prod, false},
	}
	for _, tt := range tests {
		c := &Config{Rules: []Rule{{Match: []Selector{tt.selector}}}}
		if _, got := c.Match(target("app01", tt.tags)); got != tt.want {
			t.Errorf("%s: matched = %v, want %v", tt.rule, got, tt.want)
		}
	}
}

func TestRulesDecideInOrderAndIdsFirst(t *testing.T) {
	every := []Selector{{Names: []string{"*"}}}
	c := &Config{Rules: []Rule{
		{Name: "excepted", Match: every, Except: []Selector{{Names: []string{"app*"}}}},
		{Name: "list", Match: []Selector{{Names: []string{"x"}}, {Names: []string{"app02"}}}},
		{Name: "all", Match: every},
		{Name: "by id", ID: vmID},
	}}
	c.Compile()
	for name, want := range map[string]string{"app01": "by id", "app02": "list", "app03": "all", "db": "excepted"} {
		i, ok := c.Match(target(name, nil))
		if !ok || c.Rules[i].Name != want {
			t.Errorf("rule of %s = %d, %v, want %q", name, i, ok, want)
		}
	}
	if _, ok := (&Config{}).Match(target("app01", nil)); ok {
		t.Error("a config without rules matched")
	}
}

// slowWildcard is the meaning of a pattern in the fewest words.
func slowWildcard(p, s []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == '*':
		return slowWildcard(p[1:], s) || len(s) > 0 && slowWildcard(p, s[1:])
	default:
		return len(s) > 0 && (p[0] == '?' || p[0] == s[0]) && slowWildcard(p[1:], s[1:])
	}
}

// words lists all words over the letters up to a length.
func words(letters string, length int) []string {
	all, last := []string{""}, []string{""}
	for range length {
		var next []string
		for _, w := range last {
			for _, l := range letters {
				next = append(next, w+string(l))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

func TestAGlobMeansWhatItSays(t *testing.T) {
	for _, pattern := range words("aé*?", 5) {
		for _, text := range words("aé", 4) {
			if got, want := newGlob(pattern).match(text), slowWildcard([]rune(pattern), []rune(text)); got != want {
				t.Fatalf("match(%q, %q) = %v, want %v", pattern, text, got, want)
			}
		}
	}
}

func TestAGlobCoversOnlyWhatItMatches(t *testing.T) {
	covered, texts := 0, words("ab", 5)
	for _, wide := range words("ab*?", 3) {
		for _, narrow := range words("ab*?", 3) {
			if !globCovers(wide, narrow) {
				continue
			}
			covered++
			for _, text := range texts {
				if newGlob(narrow).match(text) && !newGlob(wide).match(text) {
					t.Fatalf("%q is said to cover %q, but %q is matched by the latter only", wide, narrow, text)
				}
			}
		}
	}
	if covered < 500 {
		t.Errorf("only %d pairs were said to be covered", covered)
	}
}

func randomSelector(t *rapid.T) Selector {
	values := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "a*", "*b", "?"}), 1, 2, rapid.ID[string])
	s := Selector{}
	for s.Names == nil && s.Locations == nil && s.Tags == nil {
		if rapid.Bool().Draw(t, "names") {
			s.Names = values.Draw(t, "name")
		}
		if rapid.Bool().Draw(t, "locations") {
			s.Locations = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"we", "ne"}), 1, 2, rapid.ID[string]).Draw(t, "location")
		}
		if rapid.Bool().Draw(t, "tags") {
			s.Tags = map[string][]string{"t": {}}
			if rapid.Bool().Draw(t, "has") {
				s.Tags["t"] = values.Draw(t, "tag")
			}
		}
	}
	return s
}

func randomTarget(t *rapid.T) Target {
	vm := Target{
		Name:     rapid.SampledFrom([]string{"a", "b", "ab", "ba", "c"}).Draw(t, "vm"),
		Location: rapid.SampledFrom([]string{"we", "ne"}).Draw(t, "at"),
	}
	if value := rapid.SampledFrom([]string{"", "a", "b", "ab", "c"}).Draw(t, "t"); value != "" {
		vm.Tags = map[string]string{"T": value}
	}
	return vm
}

func TestACoveringSelectorMatchesEveryVMOfTheCoveredOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow, vm := randomSelector(t), randomSelector(t), randomTarget(t)
		matches := func(s Selector) bool {
			_, ok := (&Config{Rules: []Rule{{Match: []Selector{s}}}}).Match(vm)
			return ok
		}
		w, n := foldSelector(&wide), foldSelector(&narrow)
		if w.covers(&n, new(comparisonBudget(1000))) && matches(narrow) && !matches(wide) {
			t.Fatalf("%v is said to cover %v, but %v is matched by the latter only", wide, narrow, vm)
		}
	})
}

func TestExplainTellsWhatMatchDecides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Config{}
		for i := range rapid.IntRange(0, 4).Draw(t, "rules") {
			r := Rule{Name: fmt.Sprint(i), Match: []Selector{randomSelector(t)}}
			if rapid.Bool().Draw(t, "except") {
				r.Except = []Selector{randomSelector(t)}
			}
			c.Rules = append(c.Rules, r)
		}
		vm := randomTarget(t)
		want, ok := c.Match(vm)
		got := slices.IndexFunc(c.Explain(vm), func(s Step) bool { return s.Chosen })
		if ok && got != want || !ok && got >= 0 {
			t.Fatalf("Match = %d, %v; Explain chose %d", want, ok, got)
		}
		first := slices.IndexFunc(c.Explain(vm), func(s Step) bool { return s.Matched })
		if first != got {
			t.Fatalf("the first rule that matched is %d, the chosen one %d", first, got)
		}
	})
}

func TestExplainGivesReasons(t *testing.T) {
	c := &Config{Rules: []Rule{
		{Name: "dev", Match: []Selector{{Tags: map[string][]string{"env": {"dev", "test"}}}}},
		{Name: "untagged", Match: []Selector{{Tags: map[string][]string{"env": {}}}}},
		{Name: "owned", Match: []Selector{{Tags: map[string][]string{"owner": {"*"}}}, {Names: []string{"db*"}}}},
		{Name: "bastions", Match: []Selector{{Names: []string{"*"}}}, Except: []Selector{{Names: []string{"app*"}}}},
		{Name: "prod", Match: []Selector{{Locations: []string{"westeurope"}, Tags: map[string][]string{"env": {"prod"}}}}},
		{Name: "all", Match: []Selector{{Names: []string{"*"}}}},
		{Name: "other", ID: vmID + "2"},
	}}
	want := []string{
		"tag env is prod, wanted dev or test",
		"tag env is prod, wanted no such tag",
		"tag owner is missing, wanted *; or: name is app01, wanted db*",
		"left out by except: name is app01",
		"location is West Europe, tag env is prod",
		"name is app01; but rule prod comes first",
		"id rule of another VM",
	}
	check := func(want []string) {
		t.Helper()
		for i, step := range c.Explain(target("app01", map[string]string{"env": "prod"})) {
			if step.Reason != want[i] {
				t.Errorf("rule %s: %q, want %q", step.Name, step.Reason, want[i])
			}
		}
	}
	check(want)
	c.Rules[6].ID = vmID
	want[4] += "; but rule other comes first as an id rule"
	want[5] = "name is app01; but rule other comes first as an id rule"
	want[6] = "id rule"
	check(want)
}

// fleet makes rules that all look at the same tags, and VMs of which every other one has a rule.
func fleet(rules, vms int) (*Config, []Target) {
	c := &Config{}
	for i := range rules {
		c.Rules = append(c.Rules, Rule{Match: []Selector{{
			Tags:           map[string][]string{"env": {"prod"}, "app": {fmt.Sprintf("app-%d-*", i)}},
			ResourceGroups: []string{fmt.Sprintf("rg-%d-*", i)}, Names: []string{"*-vm-*"},
		}}})
	}
	c.Compile()
	targets := make([]Target, vms)
	for i := range targets {
		app := fmt.Sprintf("%d-x", i%(2*rules))
		targets[i] = target(fmt.Sprintf("app-vm-%d", i), map[string]string{"env": "prod", "app": "app-" + app, "owner": "a", "cost": "b"})
		targets[i].ResourceGroup = "rg-" + app
	}
	return c, targets
}

func TestEveryOtherVMOfAFleetIsMatched(t *testing.T) {
	c, vms := fleet(200, 2000)
	matched := 0
	for _, vm := range vms {
		if _, ok := c.Match(vm); ok {
			matched++
		}
	}
	if matched != len(vms)/2 {
		t.Errorf("%d VMs matched, want %d", matched, len(vms)/2)
	}
}

// BenchmarkMatch is one VM against 200 rules.
func BenchmarkMatch(b *testing.B) {
	c, vms := fleet(200, 1000)
	for i := 0; b.Loop(); i++ {
		c.Match(vms[i%len(vms)])
	}
}

func TestTheFirstRestoreTestThatMatchesCountsAndAnIDBeatsIt(t *testing.T) {
	vm := func(name string) string {
		return "/subscriptions/" + sub1 + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/" + name
	}
	c := &Config{RestoreTests: []RestoreTest{
		{Name: "gold", Match: []Selector{{Names: []string{"a*"}}}, Except: []Selector{{Names: []string{"a2"}}}},
		{Name: "ids", IDs: []string{vm("b1"), vm("A1")}},
		{Name: "rest", Match: []Selector{{Names: []string{"a*"}}}},
	}}
	for name, want := range map[string]int{"a0": 0, "a1": 1, "B1": 1, "a2": 2, "c": -1} {
		got, ok := c.MatchRestoreTest(Target{ID: vm(name), Name: name, ResourceGroup: "rg", Subscription: sub1})
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%s has the test %d, want %d", name, got, want)
		}
	}
}

func TestASampleIsNeverMoreThanThereAreAndAPercentageAtLeastOne(t *testing.T) {
	for _, tt := range []struct {
		sample  Sample
		n, want int
	}{
		{Sample{}, 7, 7},
		{Sample{Count: 3}, 7, 3},
		{Sample{Count: 3}, 2, 2},
		{Sample{Count: 3}, 0, 0},
		{Sample{Count: 10, Percent: true}, 7, 1},
		{Sample{Count: 10, Percent: true}, 11, 2},
		{Sample{Count: 100, Percent: true}, 7, 7},
		{Sample{Count: 1, Percent: true}, 0, 0},
	} {
		if got := tt.sample.Of(tt.n); got != tt.want {
			t.Errorf("%+v of %d is %d, want %d", tt.sample, tt.n, got, tt.want)
		}
	}
}
