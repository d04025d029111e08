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

// grouping selects which rules may omit the names of their VMs.
type grouping struct {
	groups bool   // whole resource groups
	tag    string // folded name of a tag; "" = not by tag
}

func parseGroupBy(s string) (grouping, error) {
	name, isTag := strings.CutPrefix(s, "tag:")
	switch {
	case s == "none":
		return grouping{}, nil
	case s == "" || s == "resource-group":
		return grouping{groups: true}, nil
	case isTag && name != "":
		return grouping{groups: true, tag: strings.ToLower(name)}, nil
	}
	return grouping{}, fmt.Errorf("grouping by %q: want tag:NAME, resource-group or none", s)
}

// isLiteral reports whether a selector can express exactly this text: globs are active in it, and some characters are
// rejected.
func isLiteral(s string) bool { return s != "" && !strings.ContainsAny(s, `*?[]{}\/`) }

// mayBePattern reports whether one rule without names may stand for VMs with the same treatment. A rule that stops may not:
// it would stop VMs that are created and backed up later. Nor may a rule for one VM: it would claim more than one VM shows;
// nor any rule where a gap may hide other VMs.
func (e *exporter) mayBePattern(subscription string, members int, w ruleKey) bool {
	return members >= 2 && !w.stopped && e.found.isWhole(subscription)
}

// tagged identifies the VMs with one value of the tag in one region of one subscription: a rule routes to one vault.
type tagged struct {
	value, subscription, location string
}

// takeTagged returns rules for the tag values whose VMs all have the same treatment, and the other treatments.
func (e *exporter) takeTagged(all []treatment, names nameAllocator) (rules []config.Rule, rest []treatment) {
	if e.grouping.tag == "" {
		return nil, all
	}
	treated := make(map[*plan.VM]treatment, len(all))
	for _, t := range all {
		treated[t.vm] = t
	}
	members := map[tagged][]*plan.VM{}
	spelling := ""
	for _, vm := range e.vms {
		for name, value := range vm.Tags {
			if strings.ToLower(name) != e.grouping.tag {
				continue
			}
			if spelling == "" || name < spelling {
				spelling = name
			}
			key := tagged{value, strings.ToLower(vm.Subscription), armid.Location(vm.Location)}
			members[key] = append(members[key], vm)
		}
	}
	taken := map[*plan.VM]bool{}
	for _, key := range slices.SortedFunc(maps.Keys(members), compareTagged) {
		t, uniform := commonTreatment(members[key], treated)
		if !uniform || !isLiteral(key.value) || !e.mayBePattern(key.subscription, len(members[key]), t.ruleKey()) {
			continue
		}
		for _, vm := range members[key] {
			taken[vm] = true
		}
		s := config.Selector{Tags: map[string][]string{spelling: {key.value}}, Locations: []string{key.location}}
		if len(e.config.Subscriptions) > 1 {
			s.Subscriptions = []string{key.subscription}
		}
		rules = append(rules, e.ruleEntry(t, names.allocate(key.value+"-"+key.location), s))
	}
	rest = slices.DeleteFunc(all, func(t treatment) bool { return taken[t.vm] })
	return rules, rest
}

func compareTagged(a, b tagged) int {
	return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.subscription, b.subscription), cmp.Compare(a.location, b.location))
}

// commonTreatment returns the treatment that all members have; false where they differ, or one has none.
func commonTreatment(members []*plan.VM, treated map[*plan.VM]treatment) (treatment, bool) {
	first, ok := treated[members[0]]
	for _, vm := range members {
		if t, there := treated[vm]; !ok || !there || t.ruleKey() != first.ruleKey() {
			return treatment{}, false
		}
	}
	return first, true
}
