package config

import "time"

// RestoreTest is one entry of `restoreTests`. Exactly one of IDs and Match is set. Only VMs that a rule backs up are
// tested.
type RestoreTest struct {
	// The name of the test, for messages and reports.
	Name string `yaml:"name" jsonschema:"required"`
	// The resource ids of VMs; they beat every match.
	IDs []string `yaml:"ids" jsonschema:"minItems=1,uniqueItems=true"`
	// The VMs that are tested: a selector, or a list of which any may match. VMs that no rule backs up are left out.
	Match []Selector `yaml:"match"`
	// The VMs of match that are not tested: a selector, or a list of which any may match.
	Except []Selector `yaml:"except"`
	// How often each VM is restored at least: 90d.
	Every time.Duration `yaml:"every" jsonschema:"required,format=duration"`
	// How many VMs a run restores at most, the longest unproven first: a number, a percentage of those that the test covers, or all (default).
	Sample Sample `yaml:"sample"`
	// Which recovery point is restored: latest (default), or oldest.
	Point string `yaml:"point" jsonschema:"enum=latest,enum=oldest"`
	// Which disks are restored: all (default), os, or the LUNs of data disks (the OS disk always is).
	Disks RestoreDisks `yaml:"disks"`
	// Where the disks are restored to, and removed from after the test.
	Into RestoreTarget `yaml:"into" jsonschema:"required"`

	Pos Position `yaml:"-"`
}

// RestoreTarget is where the disks of a restore test are made.
type RestoreTarget struct {
	// The resource group, by name (in the subscription of the vault) or id. It must have the tag azbackup-restore-tests: allowed.
	ResourceGroup string `yaml:"resourceGroup" jsonschema:"required"`
	// The storage accounts that stage, one for each region of vaults, by name (in the subscription of the vault) or id.
	StorageAccounts []string `yaml:"storageAccounts" jsonschema:"required,minItems=1,uniqueItems=true"`
}

// RestoreDisks are the LUNs of data disks to restore besides the OS disk; nil is all of them.
type RestoreDisks []int

// Sample is a number of VMs, or a percentage of those that a restore test covers; the zero value is all of them.
type Sample Share

// Of returns how many of n VMs the sample is: of a percentage at least one.
func (s Sample) Of(n int) int {
	switch {
	case s == Sample{}:
		return n
	case s.Percent:
		return (n*s.Count + 99) / 100
	}
	return min(s.Count, n)
}

// The values of `point:`; the key left out means PointLatest.
const (
	PointLatest = "latest"
	PointOldest = "oldest"
)

// MatchRestoreTest finds the restore test of a VM, as an index into RestoreTests, in the way [Config.Match] finds its
// rule. It does not check whether a rule backs the VM up.
func (c *Config) MatchRestoreTest(t Target) (test int, ok bool) {
	return c.compiled().tests.match(t)
}

// testMatcher finds the restore test of a VM.
type testMatcher struct {
	matcher *matcher
	tests   []int // by the numbers of the matcher: a test with several ids has one for each
}

func newTestMatcher(tests []RestoreTest) testMatcher {
	var m testMatcher
	var rules []Rule
	add := func(i int, r Rule) { rules, m.tests = append(rules, r), append(m.tests, i) }
	for i := range tests {
		for _, id := range tests[i].IDs {
			add(i, Rule{ID: id})
		}
		if tests[i].Match != nil {
			add(i, Rule{Match: tests[i].Match, Except: tests[i].Except})
		}
	}
	m.matcher = newMatcher(rules)
	return m
}

func (m testMatcher) match(t Target) (int, bool) {
	i, ok := m.matcher.match(t)
	if !ok {
		return 0, false
	}
	return m.tests[i], true
}
