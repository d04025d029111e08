package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// TargetFilter narrows a plan to a rule, a vault, resource groups or VMs, or to the restore tests
// (`--only rule=NAME|vault=NAME|group=GLOB|vm=GLOB|restore-tests`).
type TargetFilter struct {
	Key   FilterKey
	Value string
}

// FilterKey is the property that a [TargetFilter] selects by.
type FilterKey string

// The keys of [TargetFilter].
const (
	FilterByRule  FilterKey = "rule"
	FilterByVault FilterKey = "vault" // name, resource group/name, or id
	FilterByGroup FilterKey = "group" // glob over the name of the VM's resource group
	FilterByVM    FilterKey = "vm"    // glob over the name, resource group/name, or the id
	// FilterTests leaves nothing but restore tests in the plan; it has no value.
	FilterTests FilterKey = "restore-tests"
)

// ParseTargetFilter parses "rule=NAME", "vault=NAME", "group=GLOB", "vm=GLOB" or "restore-tests".
func ParseTargetFilter(s string) (TargetFilter, error) {
	if strings.TrimSpace(s) == string(FilterTests) {
		return TargetFilter{Key: FilterTests}, nil
	}
	key, value, found := strings.Cut(s, "=")
	switch k := FilterKey(strings.TrimSpace(key)); {
	case !found || strings.TrimSpace(value) == "":
	case k == FilterByRule, k == FilterByVault, k == FilterByGroup, k == FilterByVM:
		return TargetFilter{Key: k, Value: strings.TrimSpace(value)}, nil
	}
	return TargetFilter{}, fmt.Errorf("%q is not rule=NAME, vault=NAME, group=GLOB, vm=GLOB or restore-tests", s)
}

// selection is the set that `--only` selects: VMs, and the vaults and policies that these VMs use. A nil selection
// contains everything.
type selection struct {
	rules, vaults []string
	groups, vms   []*regexp.Regexp
	vaultUsed     map[armid.Key]bool
	policyUsed    map[armid.Key]bool
	testsOnly     bool
}

func newSelection(only []TargetFilter) *selection {
	if len(only) == 0 {
		return nil
	}
	o := &selection{vaultUsed: map[armid.Key]bool{}, policyUsed: map[armid.Key]bool{}}
	for _, one := range only {
		switch one.Key {
		case FilterByRule:
			o.rules = append(o.rules, one.Value)
		case FilterByVault:
			o.vaults = append(o.vaults, one.Value)
		case FilterByGroup:
			o.groups = append(o.groups, globOf(one.Value))
		case FilterByVM:
			o.vms = append(o.vms, globOf(one.Value))
		case FilterTests:
			o.testsOnly = true
		}
	}
	return o
}

// globOf compiles an anchored, case-insensitive glob with * and ?.
func globOf(pattern string) *regexp.Regexp {
	quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?is)^` + quoted + `$`)
}

// isActive reports whether the plan is narrowed.
func (o *selection) isActive() bool { return o != nil }

// isTestsOnly reports whether the plan has restore tests alone.
func (o *selection) isTestsOnly() bool { return o != nil && o.testsOnly }

// matches reports whether the VM is in the selection.
func (o *selection) matches(s *vmState) bool {
	if o == nil {
		return true
	}
	inRule := s.rule != nil && slices.Contains(o.rules, s.rule.Name)
	return (o.rules == nil || inRule) &&
		(o.groups == nil || slices.ContainsFunc(o.groups, func(g *regexp.Regexp) bool { return g.MatchString(s.target().ResourceGroup) })) &&
		(o.vms == nil || slices.ContainsFunc(o.vms, func(g *regexp.Regexp) bool { return matchesVM(g, s) })) &&
		(o.vaults == nil || slices.ContainsFunc(s.vaults, o.namesVault))
}

func matchesVM(g *regexp.Regexp, s *vmState) bool {
	return g.MatchString(s.target().Name) || g.MatchString(s.target().ResourceGroup+"/"+s.target().Name) || g.MatchString(s.id)
}

// namesVault reports whether a `vault=` filter names this vault.
func (o *selection) namesVault(k armid.Key) bool {
	id, err := armid.Parse(string(k))
	return err == nil && slices.ContainsFunc(o.vaults, func(name string) bool {
		return strings.EqualFold(name, id.Name()) || strings.EqualFold(name, id.ResourceGroup+"/"+id.Name()) ||
			armid.Of(name) == k
	})
}

// addDependency records that a selected VM uses a vault and a policy.
func (o *selection) addDependency(s *vmState, v *vaultPlan, p *policyPlan) {
	if o != nil && o.matches(s) {
		o.vaultUsed[v.key] = true
		o.policyUsed[armid.Of(p.id)] = true
	}
}

// includes reports whether a change stays in the plan. Changes of VMs were selected before.
func (o *selection) includes(d *pendingChange) bool {
	if o == nil {
		return true
	}
	action, vault := d.Action, armid.Of(d.Vault)
	if action == Blocked {
		action = d.Wanted
	}
	if o.testsOnly {
		return action == RestoreTest
	}
	byVault := o.rules == nil && o.groups == nil && o.vms == nil && o.namesVault(vault)
	switch action {
	case CreateVault, UpdateVault:
		return byVault || o.vaultUsed[vault]
	case CreatePolicy, UpdatePolicy:
		return byVault || o.policyUsed[armid.Of(d.Target)]
	case Refresh, Undelete, Protect, Modify, Resume, Stop, Backup, Restore, RestoreTest, Blocked, Unchanged, Excluded:
	}
	return true
}

// narrowTo records that the decision is about the chosen vault alone.
func (s *vmState) narrowTo(v *vaultPlan) { s.vaults = []armid.Key{v.key} }

// SelectVMs returns the ids of the VMs that the filters select, sorted: VMs that were read, and VMs of which only an item
// was read. A vault selects the VMs that have an item in it, in whatever state; a rule selects the VMs that it matches
// first, and of those that were not read only the one whose id it names.
func SelectVMs(c *config.Config, o Observed, only []TargetFilter) []string {
	pl := newPlanner(c, &o, Options{Filters: only}, nil)
	var ids []string
	for _, s := range pl.vmStates() {
		for _, it := range s.items {
			s.vaults = append(s.vaults, pl.index.key(it.Vault))
		}
		if pl.selection.matches(s) && (s.vm != nil || len(s.items) > 0) {
			ids = append(ids, s.id)
		}
	}
	return ids
}
