package plan_test

import (
	"fmt"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// fleet returns an estate of n VMs in n/1000+20 vaults over four regions, with rules of all kinds. Nine of ten VMs
// have an item; one in a hundred of those needs a change.
func fleet(n int) (*config.Config, plan.Observed) {
	regions := []string{"westeurope", "northeurope", "eastus", "uksouth"}
	c := &config.Config{Subscriptions: []string{subscription}, Policies: []config.Policy{{Name: "daily"}, {Name: "long"}}}
	c.Settings.Guards = config.Guards{MaxChanges: n, MaxStops: config.Share{Count: 10, Percent: true}}
	var o plan.Observed
	vaults := n/1000 + 20
	for i := range vaults {
		name, region := fmt.Sprintf("rsv-%03d", i), regions[i%len(regions)]
		c.Vaults = append(c.Vaults, config.Vault{Name: name, Subscription: subscription, ResourceGroup: vaultGroup, Location: region})
		o.Vaults = append(o.Vaults, plan.Vault{ID: vaultID(name), Name: name, Location: region, InFile: true})
		for _, p := range []string{"daily", "long"} {
			o.Policies = append(o.Policies, plan.Policy{ID: policyID(name, p), Name: p, Vault: vaultID(name), Spec: plan.PolicySpec{Tier: "Enhanced"}})
		}
	}
	for i := range 50 {
		c.Rules = append(c.Rules, config.Rule{
			Name: fmt.Sprintf("team-%02d", i), Policy: "long", Spread: true, Protect: config.ProtectOn,
			Match: []config.Selector{{Tags: map[string][]string{"team": {fmt.Sprintf("t%02d", i)}}, ResourceGroups: []string{fmt.Sprintf("rg-%02d*", i)}}},
		})
	}
	c.Rules = append(c.Rules,
		config.Rule{Name: "off", Protect: config.ProtectOff, Match: []config.Selector{{Tags: map[string][]string{"backup": {"none"}}}}},
		config.Rule{Name: "all", Protect: config.ProtectOn, Policy: "daily", Spread: true, Match: []config.Selector{{Names: []string{"*"}}}})
	for i := range n {
		name, group := fmt.Sprintf("VM-%06d", i), fmt.Sprintf("RG-app-%04d", i%2000)
		vm := plan.VM{
			ID: armid.VM(subscription, group, name), Name: name, ResourceGroup: group, Subscription: subscription,
			Location: regions[i%len(regions)], Tags: map[string]string{"env": "prod", "owner": "platform", "team": fmt.Sprintf("t%02d", i%97)},
		}
		o.VMs = append(o.VMs, vm)
		if i%10 == 0 {
			continue
		}
		id, _ := armid.ParseVM(vm.ID)
		v := o.Vaults[i/len(regions)%(vaults/len(regions))*len(regions)+i%len(regions)]
		policy := "daily"
		if i%100 == 1 {
			policy = "long"
		}
		o.Items = append(o.Items, plan.Item{
			ID: armid.ProtectedItem(v.ID, id), Vault: v.ID, VM: vm.ID, Container: "iaasvmcontainerv2;" + group + ";" + name,
			State: plan.StateProtected, PolicyID: armid.Policy(v.ID, policy), PolicyName: policy, LastRecoveryPoint: now,
		})
	}
	return c, o
}

func BenchmarkMake(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c, o := fleet(n)
			b.ReportAllocs()
			for b.Loop() {
				p := plan.Make(c, o, plan.Options{Now: now})
				if len(p.Changes) < n/20 {
					b.Fatalf("only %d changes: %v", len(p.Changes), p.Summary)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/VM")
		})
	}
}
