package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// ruleGroup holds the VMs of one resource group with the same treatment. It becomes one rule.
type ruleGroup struct {
	group   resourceGroup
	key     ruleKey
	members []treatment // sorted by VM
}

// ruleEntries returns the rules of the treatments: first those that need ids, then a rule for each vault, policy, disk
// filter and resource group, then the tags.
func (e *exporter) ruleEntries(all []treatment) []config.Rule {
	names := nameAllocator{}
	byTag, rest := e.takeTagged(all, names)
	var rules []config.Rule
	var sayable []treatment
	for _, t := range rest {
		if isLiteral(t.vm.Name) && isLiteral(t.vm.ResourceGroup) {
			sayable = append(sayable, t)
			continue
		}
		r := e.ruleEntry(t, names.allocate(t.vm.Name))
		r.ID = t.vm.ID
		rules = append(rules, r)
	}
	buckets := e.groupByRule(sayable)
	labels := e.ruleNames(buckets)
	patterns := len(byTag)
	for i, b := range buckets {
		s, whole := e.selectorOf(b)
		patterns += boolToInt(whole)
		rules = append(rules, e.ruleEntry(b.members[0], names.allocate(labels[i]), s))
	}
	if patterns > 0 {
		e.addComment("rules for a whole resource group or tag (%d): all that is there is backed up alike, and what is made there later will be, too", patterns)
	}
	return append(rules, byTag...)
}

func (e *exporter) groupByRule(all []treatment) []ruleGroup {
	type key struct {
		resourceGroup
		ruleKey
	}
	numbers := map[key]int{}
	var buckets []ruleGroup
	for _, t := range all {
		k := key{groupOf(t.vm.Subscription, t.vm.ResourceGroup), t.ruleKey()}
		n, there := numbers[k]
		if !there {
			n = len(buckets)
			numbers[k] = n
			buckets = append(buckets, ruleGroup{group: k.resourceGroup, key: k.ruleKey})
		}
		buckets[n].members = append(buckets[n].members, t)
	}
	slices.SortFunc(buckets, func(a, b ruleGroup) int {
		return cmp.Or(
			cmp.Compare(a.group.name, b.group.name), cmp.Compare(a.group.subscription, b.group.subscription),
			cmp.Compare(boolToInt(a.key.stopped), boolToInt(b.key.stopped)), cmp.Compare(a.key.vault, b.key.vault),
			cmp.Compare(a.key.policy, b.key.policy), cmp.Compare(a.key.disks, b.key.disks),
		)
	})
	return buckets
}

// selectorOf returns the selector of a group's VMs: the whole group where that is exactly the same set, else their
// names.
func (e *exporter) selectorOf(b ruleGroup) (s config.Selector, whole bool) {
	first := b.members[0].vm
	s.ResourceGroups = []string{e.found.spelt[b.group].mostFrequent()}
	at := region{b.group, armid.Location(first.Location)}
	if e.grouping.groups && e.mayBePattern(b.group.subscription, len(b.members), b.key) &&
		e.found.machines[at] == len(b.members) && !e.found.hidden[b.group] {
		s.Locations = []string{at.location}
		if len(e.config.Subscriptions) > 1 {
			s.Subscriptions = []string{first.Subscription}
		}
		return s, true
	}
	for _, t := range b.members {
		s.Names = append(s.Names, t.vm.Name)
		if len(e.config.Subscriptions) > 1 && s.Subscriptions == nil && e.found.hasNamesake(b.group.name, t.vm.Name) {
			s.Subscriptions = []string{first.Subscription}
		}
	}
	return s, false
}

// ruleNames returns names for the rules of the groups: the name of the resource group where it has one rule only, else with
// the vault, and where that is not enough the policy.
func (e *exporter) ruleNames(buckets []ruleGroup) []string {
	forms := make([][]string, len(buckets))
	uses := map[string]int{}
	for i, b := range buckets {
		t := b.members[0]
		name := e.found.spelt[b.group].mostFrequent()
		if t.isStopped {
			forms[i] = []string{name, name + "-stopped"}
		} else {
			vault := name + "-" + t.vault.Name
			forms[i] = []string{name, vault, vault + "-" + t.policy}
		}
		for _, f := range forms[i] {
			uses[strings.ToLower(f)]++
		}
	}
	labels := make([]string, len(buckets))
	for i, all := range forms {
		only := slices.IndexFunc(all, func(f string) bool { return uses[strings.ToLower(f)] == 1 })
		if only < 0 {
			only = len(all) - 1
		}
		labels[i] = all[only]
	}
	return labels
}

func (e *exporter) ruleEntry(t treatment, name string, match ...config.Selector) config.Rule {
	r := config.Rule{Name: name, Match: match}
	if t.isStopped {
		r.Protect = config.ProtectStopped
		return r
	}
	r.Policy, r.Vault, r.Disks = e.refs.policy(t.policy), []string{e.refs.vault(t.vault.ID)}, &t.disks
	return r
}

// nameAllocator allocates names that differ without case as well.
type nameAllocator map[string]int

func (n nameAllocator) allocate(name string) string {
	candidate := name
	for n[strings.ToLower(candidate)] > 0 {
		n[strings.ToLower(name)]++
		candidate = fmt.Sprintf("%s-%d", name, n[strings.ToLower(name)])
	}
	n[strings.ToLower(candidate)]++
	return candidate
}
