package export

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// grouping says which selector a group of VMs may be written with.
type grouping struct {
	resourceGroup bool
	tag           string // folded name; "" = not by tag
}

func parseGroupBy(s string) (grouping, error) {
	name, isTag := strings.CutPrefix(s, "tag:")
	switch {
	case s == "" || s == "none":
		return grouping{}, nil
	case s == "resource-group":
		return grouping{resourceGroup: true}, nil
	case isTag && name != "":
		return grouping{tag: strings.ToLower(name)}, nil
	}
	return grouping{}, fmt.Errorf("grouping by %q: want tag:NAME, resource-group or none", s)
}

// value is what vm is grouped under, and whether a selector can say exactly that value: globs are live in
// tag values and group names, so a value that contains one cannot be written.
func (g grouping) value(vm plan.VM) (string, bool) {
	if g.resourceGroup {
		// Groups are unique within a subscription only.
		return strings.ToLower(vm.Subscription + "/" + vm.ResourceGroup), literal(vm.ResourceGroup)
	}
	if g.tag == "" {
		return "", false
	}
	for _, name := range slices.Sorted(maps.Keys(vm.Tags)) {
		if strings.ToLower(name) == g.tag {
			return vm.Tags[name], vm.Tags[name] != "" && literal(vm.Tags[name])
		}
	}
	return "", false
}

func literal(s string) bool { return !strings.ContainsAny(s, `*?[]\`) }

// rules writes the treatments: a group by its selector where it is uniform, else each VM by its id. Id rules
// come first; they beat selectors anyway, and a reader finds the exceptions on top.
func (e *exporter) rules(kept []treatment) []config.Rule {
	treated := map[armid.Key]treatment{}
	for _, t := range kept {
		treated[armid.Of(t.vm.ID)] = t
	}
	names := namer{}
	var groups []config.Rule
	grouped := map[armid.Key]bool{}
	for _, members := range e.groups() {
		t, ok := uniform(members, treated)
		if !ok {
			continue
		}
		for _, vm := range members {
			grouped[armid.Of(vm.ID)] = true
		}
		groups = append(groups, e.groupRule(members[0], t, names))
	}
	var byID []config.Rule
	for _, t := range kept {
		if !grouped[armid.Of(t.vm.ID)] {
			r := e.rule(t, names.unique(t.vm.Name))
			r.ID = t.vm.ID
			byID = append(byID, r)
		}
	}
	return append(byID, groups...)
}

// groups are all VMs that were read, by the value they are grouped under and, since a rule routes to one
// vault, by subscription and region.
func (e *exporter) groups() [][]plan.VM {
	byKey := map[string][]plan.VM{}
	for _, vm := range e.observed.VMs {
		value, ok := e.by.value(vm)
		if !ok {
			continue
		}
		key := strings.Join([]string{value, strings.ToLower(vm.Subscription), armid.Location(vm.Location)}, "\x00")
		byKey[key] = append(byKey[key], vm)
	}
	var all [][]plan.VM
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		members := byKey[key]
		slices.SortFunc(members, func(a, b plan.VM) int { return cmp.Compare(armid.Of(a.ID), armid.Of(b.ID)) })
		all = append(all, members)
	}
	return all
}

// uniform says whether every member is treated, and all alike. A group of one is written by id: a selector
// would promise more than one machine shows.
func uniform(members []plan.VM, treated map[armid.Key]treatment) (treatment, bool) {
	if len(members) < 2 {
		return treatment{}, false
	}
	first, ok := treated[armid.Of(members[0].ID)]
	if !ok {
		return treatment{}, false
	}
	for _, vm := range members[1:] {
		t, ok := treated[armid.Of(vm.ID)]
		if !ok || t.key() != first.key() {
			return treatment{}, false
		}
	}
	return first, true
}

func (e *exporter) groupRule(vm plan.VM, t treatment, names namer) config.Rule {
	sel := config.Selector{Locations: []string{armid.Location(vm.Location)}}
	if len(e.config.Subscriptions) > 1 {
		sel.Subscriptions = []string{vm.Subscription}
	}
	label := vm.ResourceGroup
	if e.by.resourceGroup {
		sel.ResourceGroups = []string{vm.ResourceGroup}
	} else {
		label, _ = e.by.value(vm)
		sel.Tags = map[string][]string{e.tagName(): {label}}
	}
	r := e.rule(t, names.unique(label+"-"+armid.Location(vm.Location)))
	r.Match = []config.Selector{sel}
	return r
}

// tagName is the tag's name as the estate spells it, the first spelling in order; names compare without case.
func (e *exporter) tagName() string {
	var spellings []string
	for _, vm := range e.observed.VMs {
		for name := range vm.Tags {
			if strings.ToLower(name) == e.by.tag {
				spellings = append(spellings, name)
			}
		}
	}
	if len(spellings) == 0 {
		return e.by.tag
	}
	return slices.Min(spellings)
}

func (e *exporter) rule(t treatment, name string) config.Rule {
	if t.stopped {
		return config.Rule{Name: name, Protect: config.ProtectStopped}
	}
	d := t.disks
	return config.Rule{Name: name, Policy: e.policyName(t.policy), Vault: []string{e.vaultRef(t.vault)}, Disks: &d}
}

// namer hands out names that differ by more than case.
type namer map[string]bool

func (n namer) unique(name string) string {
	candidate := name
	for i := 2; n[strings.ToLower(candidate)]; i++ {
		candidate = fmt.Sprintf("%s-%d", name, i)
	}
	n[strings.ToLower(candidate)] = true
	return candidate
}
