package plan_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// A brief plan is the plan without the unchanged entries, which it still counts.
func TestABriefPlanLeavesOutNothingButWhatIsUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		opt := plan.Options{Now: now, Filters: drawOnly(t)}
		whole := plan.Make(w.config, w.observed, opt)
		opt.Brief = true
		brief := plan.Make(w.config, w.observed, opt)
		if len(brief.Unchanged) > 0 {
			t.Fatalf("%d of what is unchanged", len(brief.Unchanged))
		}
		if n := whole.Summary[plan.Unchanged] + whole.Summary[plan.Excluded]; n != len(whole.Unchanged) {
			t.Errorf("%d are listed, %d counted", len(whole.Unchanged), n)
		}
		whole.Unchanged, whole.Compared = nil, nil
		if d := cmp.Diff(whole, brief); d != "" {
			t.Error(d)
		}
	})
}

func drawOnly(t *rapid.T) []plan.TargetFilter {
	return rapid.SampledFrom([][]plan.TargetFilter{nil, {{Key: plan.FilterByVM, Value: "vm1"}}, {{Key: plan.FilterByVault, Value: "v0"}}}).Draw(t, "only")
}

// The differences of an audit are those that a plan would write or, where blocked, wants.
func TestDifferencesAreThoseOfThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		var want []plan.SettingDrift
		for _, c := range plan.Make(w.config, w.observed, plan.Options{Now: now}).Changes {
			d := plan.SettingDrift{Action: c.Action, Target: c.Target, Fields: c.Fields}
			if c.Action == plan.Blocked {
				d.Action = c.Wanted
			}
			if isOfVaultOrPolicy(d.Action) {
				want = append(want, d)
			}
		}
		got := plan.SettingDrifts(w.config, w.observed, plan.Options{Now: now})
		if d := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); d != "" {
			t.Error(d)
		}
	})
}

func isOfVaultOrPolicy(a plan.Action) bool {
	return slices.Contains([]plan.Action{plan.CreateVault, plan.UpdateVault, plan.CreatePolicy, plan.UpdatePolicy}, a)
}

// crowded returns n VMs without a backup in a region with this many vaults, all of which their rule names.
func crowded(n, vaults int) (*config.Config, plan.Observed) {
	c, o := fleet(n)
	c.Vaults, o.Vaults, o.Policies, o.Items = nil, nil, nil, nil
	var refs []string
	for i := range vaults {
		name := fmt.Sprintf("rsv-%04d", i)
		refs = append(refs, name)
		c.Vaults = append(c.Vaults, config.Vault{Name: name, Subscription: subscription, ResourceGroup: vaultGroup, Location: "westeurope"})
		o.Vaults = append(o.Vaults, plan.Vault{ID: vaultID(name), Name: name, Location: "westeurope", InFile: true})
		o.Policies = append(o.Policies, plan.Policy{ID: policyID(name, "daily"), Name: "daily", Vault: vaultID(name), Spec: plan.PolicySpec{Tier: "Enhanced"}})
	}
	for i := range o.VMs {
		o.VMs[i].Location, o.VMs[i].Tags = "westeurope", nil
	}
	c.Rules = []config.Rule{{
		Name: "all", Protect: config.ProtectOn, Policy: "daily", Vault: refs, Match: []config.Selector{{Names: []string{"*"}}},
	}}
	return c, o
}

// The cost of a VM does not grow with the vaults that it may go to. It is measured in memory, which is the same on
// every machine.
func TestAPlanGrowsWithTheVMsAndTheVaultsNotWithTheirProduct(t *testing.T) {
	const n = 2000
	few, many := bytesToPlan(n, 10), bytesToPlan(n, 1000)
	empty := bytesToPlan(1, 1000) - bytesToPlan(1, 10) // the cost of the vaults alone
	if grown := float64(many-empty) / float64(few); grown > 1.3 {
		t.Errorf("%d VMs take %d bytes with 10 vaults and %.1f times that with 1000", n, few, grown)
	}
}

// A plan over twice the VMs takes twice the memory, and a little more.
func TestAPlanGrowsWithTheVMs(t *testing.T) {
	once, twice := bytesToPlan(4000, 20), bytesToPlan(8000, 20)
	if grown := float64(twice) / float64(once); grown > 2.3 {
		t.Errorf("twice the VMs take %.2f times the memory", grown)
	}
}

// bytesToPlan returns the total memory that a plan allocates.
func bytesToPlan(n, vaults int) int64 {
	c, o := crowded(n, vaults)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	plan.Make(c, o, plan.Options{Now: now, Brief: true})
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc) //nolint:gosec // less than 2^63
}
