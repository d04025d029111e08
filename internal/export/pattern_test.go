package export

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// A VM with a treatment is under a rule with that treatment, and no other VM is: neither one that was read, nor one
// that was not read and may be in a group that was.
func TestTheRulesAreForExactlyTheMachinesThatHaveSuchABackup(t *testing.T) {
	overRandomEstates(t, func(t *rapid.T) {
		o := estate(t)
		opt := Options{GroupBy: rapid.SampledFrom([]string{"", "none", "resource-group", "tag:env"}).Draw(t, "groupBy"), Subscriptions: []string{sub1, sub2}}
		r, err := Export(o, opt)
		if err != nil {
			t.Fatal(err)
		}
		c := r.Config
		c.Compile()
		seen := map[armid.Key]bool{}
		for _, vm := range o.VMs {
			seen[armid.Of(vm.ID)] = true
			if vm.Unreadable != "" {
				expectNoRule(t, &c, vm.ID)
				continue
			}
			i, ruled := c.Match(vm.Target())
			noted := slices.ContainsFunc(r.Comments, func(s string) bool { return strings.Contains(s, vm.ID+" ") || strings.Contains(s, vm.ID+":") })
			held := slices.ContainsFunc(o.Items, func(it plan.Item) bool { return armid.Same(it.VM, vm.ID) })
			if ruled != (held && !noted) {
				t.Fatalf("%s: rule %d, %t; held: %t, noted: %t\n%q", vm.ID, i, ruled, held, noted, r.Comments)
			}
		}
		for _, it := range o.Items {
			if !seen[armid.Of(it.VM)] {
				expectNoRule(t, &c, it.VM)
			}
		}
		for _, rule := range c.Rules {
			if rule.Protect == config.ProtectStopped && rule.ID == "" && len(rule.Match[0].Names) == 0 {
				t.Fatalf("rule %s stops what it does not name", rule.Name)
			}
		}
	})
}

// expectNoRule looks up a VM whose location and tags are unknown.
func expectNoRule(t *rapid.T, c *config.Config, id string) {
	vm, err := armid.ParseVM(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, location := range []string{"westeurope", "northeurope", "uksouth"} {
		target := config.Target{ID: id, Name: vm.Name(), ResourceGroup: vm.ResourceGroup, Subscription: vm.Subscription, Location: location}
		if i, ok := c.Match(target); ok {
			t.Fatalf("%s was not seen or not understood, and would be under rule %+v", id, c.Rules[i])
		}
	}
}

// fleetOf returns VMs of one resource group, all backed up in the same way.
func fleetOf(n int) plan.Observed {
	vault := plan.Vault{ID: armid.Vault(sub1, "rg-backup", "rsv"), Name: "rsv", Location: "westeurope"}
	policy := plan.Policy{ID: armid.Policy(vault.ID, "daily"), Name: "daily", Vault: vault.ID, Spec: spec("Enhanced", 30)}
	o := plan.Observed{Vaults: []plan.Vault{vault}, Policies: []plan.Policy{policy}}
	for i := range n {
		name := fmt.Sprintf("web%d", i)
		id := armid.VM(sub1, "rg", name)
		o.VMs = append(o.VMs, plan.VM{ID: id, Name: name, ResourceGroup: "rg", Subscription: sub1, Location: "westeurope", Tags: map[string]string{"env": "prod"}})
		o.Items = append(o.Items, plan.Item{ID: "i" + id, Vault: vault.ID, VM: id, State: plan.StateProtected, PolicyID: policy.ID, PolicyName: "daily"})
	}
	return o
}

// A rule is for a whole resource group, or a whole tag value, only where that selects exactly the VMs that were read,
// and all were read.
func TestARuleIsForAWholeGroupOnlyWhereAllOfItIsBackedUpAlike(t *testing.T) {
	elsewhere := armid.VM(sub2, "RG", "WEB0")
	for name, c := range map[string]struct {
		change  func(o *plan.Observed)
		by      string
		whole   bool
		names   int
		subs    int
		stopped bool
	}{
		"alike":                     {change: func(*plan.Observed) {}, whole: true, subs: 1},
		"alike, by tag":             {change: func(*plan.Observed) {}, by: "tag:env", whole: true, subs: 1},
		"alike, names wanted":       {change: func(*plan.Observed) {}, by: "none", names: 3},
		"one without backup":        {change: func(o *plan.Observed) { o.Items = o.Items[:2] }, names: 2},
		"one without backup, tag":   {change: func(o *plan.Observed) { o.Items = o.Items[:2] }, by: "tag:env", names: 2},
		"one alone":                 {change: func(o *plan.Observed) { o.VMs, o.Items = o.VMs[:1], o.Items[:1] }, names: 1},
		"one not seen":              {change: func(o *plan.Observed) { o.VMs = o.VMs[:2] }, names: 2},
		"one not understood":        {change: func(o *plan.Observed) { o.VMs[2].Unreadable = "a new kind" }, names: 2},
		"one cannot be backed up":   {change: func(o *plan.Observed) { o.VMs[2].Unsupported = "a new kind" }, names: 2},
		"the list was not read":     {change: func(o *plan.Observed) { o.Gaps = []plan.Gap{{Kind: plan.GapVisibility, Subscription: sub1}} }, names: 3},
		"a vault was not read, tag": {change: func(o *plan.Observed) { o.Gaps = []plan.Gap{{Kind: plan.GapItems, Vault: o.Vaults[0].ID}} }, by: "tag:env", names: 3},
		"another subscription's gap": {
			change: func(o *plan.Observed) { o.Gaps = []plan.Gap{{Kind: plan.GapVMs, Subscription: sub2}} }, whole: true, subs: 1,
		},
		"all stopped": {change: func(o *plan.Observed) {
			for i := range o.Items {
				o.Items[i].State, o.Items[i].PolicyID = plan.StateProtectionStopped, ""
			}
		}, names: 3, stopped: true},
		"all stopped, tag": {change: func(o *plan.Observed) {
			for i := range o.Items {
				o.Items[i].State, o.Items[i].PolicyID = plan.StateProtectionStopped, ""
			}
		}, by: "tag:env", names: 3, stopped: true},
		"a namesake": {change: func(o *plan.Observed) {
			o.VMs = append(o.VMs, plan.VM{ID: elsewhere, Name: "WEB0", ResourceGroup: "RG", Subscription: sub2, Location: "westeurope"})
		}, by: "none", names: 3, subs: 1},
		"a namesake that was not seen": {change: func(o *plan.Observed) {
			o.Items = append(o.Items, plan.Item{ID: "j", Vault: o.Vaults[0].ID, VM: elsewhere, State: plan.StateProtected})
		}, by: "none", names: 3, subs: 1},
	} {
		o := fleetOf(3)
		c.change(&o)
		r, err := Export(o, Options{GroupBy: c.by, Subscriptions: []string{sub1, sub2}})
		if err != nil || len(r.Config.Rules) != 1 {
			t.Fatalf("%s: %v, %+v", name, err, r.Config.Rules)
		}
		rule := r.Config.Rules[0]
		s := rule.Match[0]
		if len(s.Names) != c.names || len(s.Subscriptions) != c.subs || (rule.Protect == config.ProtectStopped) != c.stopped {
			t.Errorf("%s: %+v", name, rule)
		}
		said := slices.ContainsFunc(r.Comments, func(s string) bool { return strings.HasPrefix(s, "rules for a whole resource group or tag (1)") })
		if said != c.whole {
			t.Errorf("%s: a comment says what it means for machines to come: %t", name, said)
		}
	}
}

// A VM that a selector cannot express exactly is named by its id.
func TestANameThatIsAPatternStandsByItsID(t *testing.T) {
	for _, name := range []string{"web*", "web?", "we[b]"} {
		o := fleetOf(1)
		o.VMs[0].Name = name
		r, err := Export(o, Options{Subscriptions: []string{sub1}})
		if err != nil || len(r.Config.Rules) != 1 || r.Config.Rules[0].ID != o.VMs[0].ID || len(r.Config.Rules[0].Match) > 0 {
			t.Errorf("%s: %v, %+v", name, err, r.Config.Rules)
		}
	}
}

// A rule is named after its group, and what distinguishes it from the other rules of the group.
func TestRulesAreCalledAfterTheirGroups(t *testing.T) {
	o := fleetOf(4)
	weekly := plan.Policy{ID: armid.Policy(o.Vaults[0].ID, "weekly"), Name: "weekly", Vault: o.Vaults[0].ID, Spec: spec("Enhanced", 60)}
	o.Policies = append(o.Policies, weekly)
	o.Items[1].PolicyID, o.Items[1].PolicyName = weekly.ID, weekly.Name
	o.Items[2].Disks = &plan.Disks{Include: true}
	o.Items[3].State, o.Items[3].PolicyID = plan.StateProtectionStopped, ""
	r, err := Export(o, Options{Subscriptions: []string{sub1}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, rule := range r.Config.Rules {
		names = append(names, rule.Name)
	}
	if want := []string{"rg-rsv-daily", "rg-rsv-daily-2", "rg-rsv-weekly", "rg-stopped"}; !slices.Equal(names, want) {
		t.Errorf("the rules are called %q, want %q", names, want)
	}
}
