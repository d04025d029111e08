package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Two subscriptions, the first in shard 1/2 and the second in shard 2/2.
const (
	shardSub1 = "00000002-0000-4000-8000-000000000000"
	shardSub2 = "00000001-0000-4000-8000-000000000000"
)

// shardedConfig has a vault, a policy and a named VM in each of two subscriptions.
func shardedConfig() *config.Config {
	c := &config.Config{
		Subscriptions: []string{shardSub1, shardSub2},
		Policies:      []config.Policy{{Name: "daily"}},
		Settings:      config.DefaultSettings(),
	}
	c.Settings.Guards.MaxStops = config.Share{Count: 50, Percent: true}
	for _, s := range c.Subscriptions {
		c.Vaults = append(c.Vaults, config.Vault{Name: "rsv", Subscription: s, ResourceGroup: "rg", Location: "westeurope", Manage: true})
		c.Rules = append(c.Rules, config.Rule{Name: "one-" + s, ID: armid.VM(s, "rg", "one"), Protect: config.ProtectOn, Policy: "daily"})
	}
	c.Rules = append(c.Rules, config.Rule{Name: "rest", Match: []config.Selector{{Names: []string{"vm*"}}}, Protect: config.ProtectStopped})
	c.Compile()
	return c
}

// observedIn returns what a run reads in some subscriptions: a vault with four active items in each.
func observedIn(subscriptions ...string) plan.Observed {
	var o plan.Observed
	for _, s := range subscriptions {
		vault := armid.Vault(s, "rg", "rsv")
		o.Vaults = append(o.Vaults, plan.Vault{ID: vault, Name: "rsv", Location: "westeurope", InFile: true})
		o.Policies = append(o.Policies, plan.Policy{ID: armid.Policy(vault, "daily"), Name: "daily", Vault: vault})
		for _, name := range []string{"one", "vm1", "vm2", "vm3"} {
			id := armid.VM(s, "rg", name)
			vm, err := armid.ParseVM(id)
			if err != nil {
				panic(err)
			}
			o.VMs = append(o.VMs, plan.VM{ID: id, Name: name, ResourceGroup: "rg", Subscription: s, Location: "westeurope"})
			o.Items = append(o.Items, plan.Item{
				ID: armid.ProtectedItem(vault, vm), Vault: vault, VM: id, PolicyID: armid.Policy(vault, "daily"), PolicyName: "daily", State: plan.StateProtected,
			})
		}
	}
	return o
}

func TestAShardReadsItsOwnSubscriptionsOnly(t *testing.T) {
	c := shardedConfig()
	for i, s := range c.Subscriptions {
		scope := plan.ScopeOf(c.WithShard(config.Shard{Index: i + 1, Count: 2}))
		if !slices.Equal(scope.Subscriptions, []string{s}) {
			t.Errorf("shard %d reads %q", i+1, scope.Subscriptions)
		}
		if len(scope.Vaults) != 1 || armid.SubscriptionOf(scope.Vaults[0].ID) != s {
			t.Errorf("shard %d reads the vaults %v", i+1, scope.Vaults)
		}
		if len(scope.VMs) != 1 || armid.SubscriptionOf(scope.VMs[0]) != s {
			t.Errorf("shard %d reads the VMs %q", i+1, scope.VMs)
		}
	}
	if scope := plan.ScopeOf(c); len(scope.Subscriptions) != 2 || len(scope.Vaults) != 2 || len(scope.VMs) != 2 {
		t.Errorf("without a shard: %+v", scope)
	}
}

func TestThePlansOfAllShardsAreThePlanOfAll(t *testing.T) {
	c := shardedConfig()
	all := plan.Make(c, observedIn(c.Subscriptions...), plan.Options{})
	var changes []string
	for i, s := range c.Subscriptions {
		p := plan.Make(c.WithShard(config.Shard{Index: i + 1, Count: 2}), observedIn(s), plan.Options{})
		if p.Config != all.Config || p.Shard == nil || p.Shard.Index != i+1 || p.Shard.Count != 2 {
			t.Errorf("shard %d: config %s, shard %v; all: config %s", i+1, p.Config, p.Shard, all.Config)
		}
		if !p.Complete || p.Fingerprint == all.Fingerprint {
			t.Errorf("shard %d: complete %t, fingerprint %s; all: %s", i+1, p.Complete, p.Fingerprint, all.Fingerprint)
		}
		for _, ch := range p.Changes {
			if armid.SubscriptionOf(ch.Target) != s {
				t.Errorf("shard %d plans %s", i+1, ch.ID)
			}
			changes = append(changes, ch.ID)
		}
	}
	var want []string
	for _, ch := range all.Changes {
		want = append(want, ch.ID)
	}
	slices.Sort(changes)
	slices.Sort(want)
	if !slices.Equal(changes, want) || len(want) != 6 {
		t.Errorf("the shards plan\n%s\nall plan\n%s", strings.Join(changes, "\n"), strings.Join(want, "\n"))
	}
	if all.Shard != nil {
		t.Errorf("the plan of all is of shard %v", all.Shard)
	}
}

// A vault or a VM that another shard reads is neither missing nor created here, whatever else the file wants of it.
func TestAShardWithoutSubscriptionsPlansNothing(t *testing.T) {
	c := shardedConfig()
	for i := range 40 {
		s := config.Shard{Index: i + 1, Count: 40}
		if s.Has(shardSub1) || s.Has(shardSub2) {
			continue
		}
		p := plan.Make(c.WithShard(s), plan.Observed{}, plan.Options{})
		if len(p.Changes)+len(p.Refusals)+len(p.Gaps) > 0 || !p.Complete {
			t.Fatalf("shard %s plans %v, refuses %v", s, p.Changes, p.Refusals)
		}
	}
}

func TestGuardsCountWithinTheShardAndSaySo(t *testing.T) {
	c := shardedConfig()
	p := plan.Make(c.WithShard(config.Shard{Index: 1, Count: 2}), observedIn(shardSub1), plan.Options{})
	const want = "stops, and reductions of what is backed up: 3, allowed are 2 (50% of 4 active items); counted in shard 1/2 alone"
	if len(p.Refusals) != 1 || p.Refusals[0].Message != want {
		t.Errorf("refusals %+v, want %q", p.Refusals, want)
	}
	p = plan.Make(c, observedIn(c.Subscriptions...), plan.Options{})
	if len(p.Refusals) != 1 || strings.Contains(p.Refusals[0].Message, "shard") {
		t.Errorf("without a shard: %+v", p.Refusals)
	}
}

func TestAVaultOfAnotherShardIsNamedAsTheOneThatCannotTakeTheVM(t *testing.T) {
	c := shardedConfig()
	c.Rules = []config.Rule{{Name: "wrong", ID: armid.VM(shardSub1, "rg", "one"), Protect: config.ProtectOn, Policy: "daily", Vault: []string{armid.Vault(shardSub2, "rg", "rsv")}}}
	c.Compile()
	o := observedIn(shardSub1)
	o.Items = nil
	p := plan.Make(c.WithShard(config.Shard{Index: 1, Count: 2}), o, plan.Options{})
	if len(p.Changes) != 1 || p.Changes[0].Reason != plan.ReasonOtherSubscription {
		t.Errorf("changes %+v", p.Changes)
	}
}

func TestASearchAsksForNothingOfOtherShardsAndCountsAll(t *testing.T) {
	c := shardedConfig()
	c.SubscriptionQuery, c.Subscriptions = &config.SubscriptionQuery{}, nil
	c.Settings.Guards.MinSubscriptions = 2
	c = c.WithShard(config.Shard{Index: 1, Count: 2})
	if named := plan.SearchOf(c).Named; !slices.Equal(named, []string{strings.ToLower(shardSub1)}) {
		t.Errorf("it asks for %q", named)
	}
	found := plan.FoundSubscriptions{
		Visible: []plan.Subscription{{ID: shardSub1, State: "Enabled"}, {ID: shardSub2, State: "Enabled"}},
		Gaps:    []plan.Gap{{Kind: plan.GapSubscription, Subscription: shardSub2}, {Kind: plan.GapManagementGroup, Target: "mg"}},
	}
	choice := plan.ChooseSubscriptions(c, found)
	if len(choice.Chosen) != 1 || choice.Chosen[0].ID != shardSub1 || choice.OtherShards != 1 {
		t.Errorf("chosen: %+v", choice)
	}
	if len(choice.Gaps) != 1 || choice.Gaps[0].Kind != plan.GapManagementGroup {
		t.Errorf("gaps: %+v", choice.Gaps)
	}
}
