package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// Only narrows a plan to a rule, a vault or VMs (`--only rule=NAME|vault=NAME|vm=GLOB`).
type Only struct {
	Key   OnlyKey
	Value string
}

// OnlyKey is what an [Only] looks at.
type OnlyKey string

// The keys of [Only].
const (
	OnlyRule  OnlyKey = "rule"
	OnlyVault OnlyKey = "vault" // name, or resource group/name
	OnlyVM    OnlyKey = "vm"    // glob over the name, resource group/name, or the id
)

// ParseOnly reads "rule=NAME", "vault=NAME" or "vm=GLOB".
func ParseOnly(s string) (Only, error) {
	key, value, found := strings.Cut(s, "=")
	switch k := OnlyKey(strings.TrimSpace(key)); {
	case !found || strings.TrimSpace(value) == "":
	case k == OnlyRule, k == OnlyVault, k == OnlyVM:
		return Only{Key: k, Value: strings.TrimSpace(value)}, nil
	}
	return Only{}, fmt.Errorf("%q is not rule=NAME, vault=NAME or vm=GLOB", s)
}

// selection is what `--only` takes in: VMs, and of the vaults and policies those that these VMs use. A nil
// selection takes everything.
type selection struct {
	rules, vaults []string
	vms           []*regexp.Regexp
	vaultUsed     map[armid.Key]bool
	policyUsed    map[armid.Key]bool
}

func newSelection(only []Only) *selection {
	if len(only) == 0 {
		return nil
	}
	o := &selection{vaultUsed: map[armid.Key]bool{}, policyUsed: map[armid.Key]bool{}}
	for _, one := range only {
		switch one.Key {
		case OnlyRule:
			o.rules = append(o.rules, one.Value)
		case OnlyVault:
			o.vaults = append(o.vaults, one.Value)
		case OnlyVM:
			o.vms = append(o.vms, globOf(one.Value))
		}
	}
	return o
}

// globOf compiles an anchored glob with * and ?, without case.
func globOf(pattern string) *regexp.Regexp {
	quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?is)^` + quoted + `$`)
}

// narrows says whether the plan is about less than everything.
func (o *selection) narrows() bool { return o != nil }

// takes says whether the VM is in the selection.
func (o *selection) takes(s *subject) bool {
	if o == nil {
		return true
	}
	inRule := s.rule != nil && slices.Contains(o.rules, s.rule.Name)
	return (o.rules == nil || inRule) &&
		(o.vms == nil || slices.ContainsFunc(o.vms, func(g *regexp.Regexp) bool { return matchesVM(g, s) })) &&
		(o.vaults == nil || slices.ContainsFunc(s.involved, o.namesVault))
}

func matchesVM(g *regexp.Regexp, s *subject) bool {
	return g.MatchString(s.target().Name) || g.MatchString(s.target().ResourceGroup+"/"+s.target().Name) || g.MatchString(s.id)
}

// namesVault says whether a `vault=` names this vault.
func (o *selection) namesVault(k armid.Key) bool {
	id, err := armid.Parse(string(k))
	return err == nil && slices.ContainsFunc(o.vaults, func(name string) bool {
		return strings.EqualFold(name, id.Name()) || strings.EqualFold(name, id.ResourceGroup+"/"+id.Name()) ||
			armid.Of(name) == k
	})
}

// touch notes that a selected VM uses a vault and a policy.
func (o *selection) touch(s *subject, v *vaultPlan, p *policyPlan) {
	if o != nil && o.takes(s) {
		o.vaultUsed[v.key] = true
		o.policyUsed[armid.Of(p.id)] = true
	}
}

// keeps says whether a change stays in the plan. Changes of VMs were chosen before.
func (o *selection) keeps(d *draft) bool {
	if o == nil {
		return true
	}
	action, vault := d.Action, armid.Of(d.Vault)
	if action == Blocked {
		action = d.Wanted
	}
	byVault := o.rules == nil && o.vms == nil && o.namesVault(vault)
	switch action {
	case CreateVault, UpdateVault:
		return byVault || o.vaultUsed[vault]
	case CreatePolicy, UpdatePolicy:
		return byVault || o.policyUsed[armid.Of(d.Target)]
	case Refresh, Undelete, Protect, Modify, Resume, Stop, Backup, Restore, Blocked, Unchanged, Excluded:
	}
	return true
}

// settle narrows what the decision is about to the vault that was chosen.
func (s *subject) settle(v *vaultPlan) { s.involved = []armid.Key{v.key} }
