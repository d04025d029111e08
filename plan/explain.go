package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// Explanation is all that decides about one VM.
type Explanation struct {
	VM string `json:"vm"`
	// Subscription is the display name of the VM's subscription, where it was read.
	Subscription string `json:"subscription_name,omitempty"`
	// Read is true where the VM was read; Missing where it is known not to exist.
	Read    bool `json:"read"`
	Missing bool `json:"missing,omitempty"`
	// Unsupported is the reason why the VM is not to be backed up ([VM.WhyUnprotectable]), NeedsEnhanced as in [VM].
	Unsupported   string `json:"unsupported,omitempty"`
	NeedsEnhanced string `json:"needs_enhanced,omitempty"`
	// Steps are the rules in order, each with its verdict on the VM. A VM that was not read has none: only its id is
	// known.
	Steps []config.Step `json:"steps,omitempty"`
	Rule  *RuleRef      `json:"rule,omitempty"`
	// Protect is the rule's `protect:`; "" without a rule.
	Protect config.Protect `json:"protect,omitempty"`
	// Candidates are the vaults that the rule may use, Vault the one that holds or will hold the VM.
	Candidates []string `json:"candidates,omitempty"`
	Vault      string   `json:"vault,omitempty"`
	Policy     string   `json:"policy,omitempty"` // id, in Vault
	Items      []Item   `json:"items,omitempty"`  // the VM's items now, the deciding one first
	Gap        *Gap     `json:"gap,omitempty"`    // the gap that prevents a decision
	// Next are the changes of the plan for this VM, after those that they need; or one entry with the reason why there
	// is none.
	Next []Change `json:"next"`
	// Schedule describes when backups run once Next is done; NextBackup is the next time, where the time zone is
	// known. The service starts a backup within two hours of it (docs/azure.md §13).
	Schedule   string     `json:"schedule,omitempty"`
	NextBackup *time.Time `json:"next_backup,omitempty"`
	// RestoreTest is the state of the VM's restore test; nil = no test covers the VM.
	RestoreTest *TestExplanation `json:"restore_test,omitempty"`
	HasTests    bool             `json:"-"` // the file has restore tests
	// Created is when the VM was made, zero where that is not known: an older recovery point is of an earlier VM of its id.
	Created time.Time `json:"-"`
}

// AmbiguousError reports that a name fits several VMs.
type AmbiguousError struct {
	Name string
	VMs  []string // their ids, sorted
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q may be any of %d VMs", e.Name, len(e.VMs))
}

// ErrNoVM reports that no VM that was read has the requested name.
var ErrNoVM = errors.New("no such VM among those that were read")

// Explain returns what decides about one VM, given by id, by resource group/name or by name. The error is an
// [*AmbiguousError] where several VMs fit, and wraps [ErrNoVM] where none does. It is pure like [Make].
func Explain(c *config.Config, o Observed, vm string, opt Options) (Explanation, error) {
	opt.Filters, opt.Brief = nil, false
	m := newPlanner(c, &o, opt, nil)
	m.planVaults()
	m.planPolicies()
	all := m.vmStates()
	found := filter(all, func(s *vmState) bool { return s.isCalled(vm) })
	switch {
	case len(found) == 0:
		return Explanation{}, fmt.Errorf("explaining %q: %w", vm, ErrNoVM)
	case len(found) > 1:
		e := &AmbiguousError{Name: vm}
		for _, s := range found {
			e.VMs = append(e.VMs, s.id)
		}
		return Explanation{}, e
	}
	m.decideAll(all) // all of them, because routing counts the load of the vaults
	m.planTests(all)
	m.arrangeChanges()
	return m.explain(found[0], m.build()), nil
}

func (s *vmState) isCalled(name string) bool {
	t := s.target()
	return armid.IsCalled(name, s.id, t.ResourceGroup, t.Name)
}

func (pl *planner) explain(s *vmState, p Plan) Explanation {
	e := Explanation{VM: s.id, Read: s.vm != nil, Missing: s.isMissing, Next: changesFor(s.key(), p), RestoreTest: pl.testExplanation(s), HasTests: len(pl.tests) > 0}
	e.Subscription = SubscriptionNames(*pl.observed, p.Changes, []Gap{{Subscription: armid.SubscriptionOf(s.id)}})[strings.ToLower(armid.SubscriptionOf(s.id))]
	if s.vm != nil {
		e.NeedsEnhanced, e.Created = s.vm.NeedsEnhanced, s.vm.TimeCreated
		e.Steps = pl.config.Explain(s.target())
	}
	e.Gap = pl.gaps.blockingGap(s) // without a rule, too: it may hide what the VM has now
	here := anyVault
	if s.rule != nil {
		e.Rule, e.Protect = refOf(s.rule.Name, s.rule.Pos), s.rule.Protect
		if s.rule.Protect != config.ProtectOff && (s.rule.Protect != config.ProtectStopped || len(s.rule.Vault) > 0) {
			candidates := pl.candidates(s)
			here = candidates.has
			for _, v := range candidates.all {
				e.Candidates = append(e.Candidates, v.id)
			}
		}
	}
	at := pl.selectItem(s, here)
	if s.vm != nil {
		e.Unsupported = s.vm.WhyUnprotectable(s.rule, slices.Values(s.items))
	}
	if at.item != nil {
		e.Items = append(e.Items, *at.item)
		for _, it := range at.others {
			e.Items = append(e.Items, *it)
		}
	}
	pl.explainPolicy(at, &e)
	return e
}

// changesFor returns the changes of the plan for a VM, after those that they need, in plan order.
func changesFor(vm armid.Key, p Plan) []Change {
	wanted := map[string]bool{}
	for _, c := range slices.Backward(p.Changes) { // needed changes come first
		if armid.Of(c.Target) == vm || wanted[c.ID] {
			wanted[c.ID] = true
			for _, id := range c.Needs {
				wanted[id] = true
			}
		}
	}
	next := filter(p.Changes, func(c Change) bool { return wanted[c.ID] })
	if len(next) == 0 {
		next = filter(p.Unchanged, func(c Change) bool { return armid.Of(c.Target) == vm })
	}
	return next
}

// explainPolicy fills in vault, policy and schedule as they will be.
func (pl *planner) explainPolicy(at itemLocation, e *Explanation) {
	if at.item != nil && at.class == ItemActive {
		e.Vault, e.Policy = at.item.Vault, stateOf(at.item).Policy
	}
	for _, c := range e.Next {
		switch c.Action {
		case Protect, Modify, Resume:
			e.Vault, e.Policy = c.Vault, c.After.Policy
		case Stop:
			e.Vault, e.Policy = c.Vault, ""
		case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh, Undelete, Backup, Restore, RestoreTest, Blocked, Unchanged, Excluded:
		}
	}
	if e.Policy == "" {
		return
	}
	spec, known := pl.resultingSpecAt(e.Vault, e.Policy)
	if !known {
		return
	}
	e.Schedule = spec.Schedule.describe()
	if spec.TimeZone != "" {
		e.Schedule += ", " + spec.TimeZone
	}
	if zone := pl.opt.loadZone(spec.TimeZone); zone != nil {
		if next, ok := spec.Schedule.Next(pl.opt.Now, zone); ok {
			e.NextBackup = &next
		}
	}
}

// resultingSpecAt returns a policy's spec as it will be.
func (pl *planner) resultingSpecAt(vault, policy string) (PolicySpec, bool) {
	if p := pl.policies[policyKey{armid.Of(vault), strings.ToLower(lastName(policy))}]; p != nil {
		return p.spec, p.isKnown
	}
	if p := pl.index.policies[armid.Of(policy)]; p != nil {
		return p.Spec.normalize(), p.Unreadable == ""
	}
	return PolicySpec{}, false
}
