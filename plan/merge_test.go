package plan_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// shardPlans returns the plans of both shards of shardedConfig, as they come back from JSON.
func shardPlans(t *testing.T, c *config.Config, opt plan.Options) []plan.Plan {
	t.Helper()
	var parts []plan.Plan
	for i, s := range c.Subscriptions {
		text, err := json.Marshal(plan.Make(c.WithShard(config.Shard{Index: i + 1, Count: 2}), observedIn(s), opt))
		if err != nil {
			t.Fatal(err)
		}
		var p plan.Plan
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	return parts
}

func TestMergedPlansHaveTheChangesAndTheFingerprintOfThePlanOfAllSubscriptions(t *testing.T) {
	c := shardedConfig()
	opt := plan.Options{Prices: &config.Prices{File: "prices.yaml", Currency: "EUR"}}
	whole := plan.Make(c, observedIn(c.Subscriptions...), opt)
	parts := shardPlans(t, c, opt)
	slices.Reverse(parts)
	merged := plan.Merge(parts)
	if len(whole.Changes) == 0 || len(whole.Cost.Changes) == 0 || len(merged.Shards) != 2 || merged.Shards[0].Fingerprint != parts[1].Fingerprint {
		t.Fatalf("%+v\nmerged: %+v", whole, merged)
	}
	if !merged.IsMerged() || parts[0].IsMerged() || whole.IsMerged() {
		t.Errorf("merged %t, of a shard %t, of all %t", merged.IsMerged(), parts[0].IsMerged(), whole.IsMerged())
	}
	if err := plan.Validate(merged); err != nil {
		t.Error(err)
	}
	if len(merged.Refusals) != 2 || merged.Refusals[0].Message == merged.Refusals[1].Message {
		t.Errorf("each shard refuses: %+v", merged.Refusals)
	}
	merged.Shards, merged.Refusals, merged.Forecast = nil, whole.Refusals, whole.Forecast
	whole.Capacity, whole.Compared, whole.Gaps = plan.Capacity{}, nil, []plan.Gap{}
	if d := cmp.Diff(whole, merged); d != "" {
		t.Errorf("(-of all +merged)\n%s", d)
	}
}

func TestMergedForecastsAreOfShardsThatRunAtTheSameTime(t *testing.T) {
	one, two := config.Shard{Index: 1, Count: 2}, config.Shard{Index: 2, Count: 2}
	due, later := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	m := plan.Merge([]plan.Plan{
		{
			Shard: &one, Complete: true, Notes: []string{"a"}, Summary: map[plan.Action]int{plan.Protect: 1},
			Forecast:     plan.Forecast{Requests: map[string]int{"writes": 2}, Duration: plan.Duration(time.Minute), Notes: []string{"n"}},
			RestoreTests: []plan.TestSummary{{Name: "gold", VMs: 3, Proven: 1, Due: 2, NextDue: &later}, {Name: "silver"}},
		},
		{
			Shard: &two, Notes: []string{"a", "b"}, Summary: map[plan.Action]int{plan.Protect: 2},
			Forecast:     plan.Forecast{Requests: map[string]int{"writes": 3}, Duration: plan.Duration(time.Hour), Notes: []string{"n"}},
			RestoreTests: []plan.TestSummary{{Name: "gold", VMs: 1, Proven: 1, NextDue: &due}, {Name: "silver", Waiting: 1}},
		},
	})
	if m.Complete || m.Summary[plan.Protect] != 3 || !slices.Equal(m.Notes, []string{"a", "b"}) {
		t.Errorf("%+v", m)
	}
	if d := cmp.Diff(plan.Forecast{Requests: map[string]int{"writes": 5}, Duration: plan.Duration(time.Hour), Notes: []string{"n"}}, m.Forecast); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]plan.TestSummary{{Name: "gold", VMs: 4, Proven: 2, Due: 2, NextDue: &due}, {Name: "silver", Waiting: 1}}, m.RestoreTests); d != "" {
		t.Error(d)
	}
}

func TestAGapOfNoSubscriptionIsMergedOnce(t *testing.T) {
	group := func(request, target string) plan.Gap {
		return plan.Gap{Kind: plan.GapManagementGroup, Target: target, Code: "AuthorizationFailed", Status: 403, Message: "no, " + request, RequestID: request}
	}
	vms := plan.Gap{Kind: plan.GapVMs, Subscription: shardSub1, Code: "AuthorizationFailed"}
	items := plan.Gap{Kind: plan.GapItems, Vault: "/subscriptions/" + shardSub1 + "/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v", Code: "X"}
	const mg = "/providers/Microsoft.Management/managementGroups/"
	got := plan.MergeGaps(
		[]plan.Gap{group("1", mg+"a"), group("2", mg+"a"), vms, items},
		[]plan.Gap{group("3", mg+"A"), group("4", mg+"b"), vms, items},
	)
	want := []plan.Gap{group("1", mg+"a"), group("2", mg+"a"), vms, items, group("4", mg+"b"), vms, items}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	other := group("5", mg+"a")
	other.Code, other.Status = "TooManyRequests", 429
	if got := plan.MergeGaps([]plan.Gap{group("1", mg+"a")}, []plan.Gap{other}); len(got) != 2 {
		t.Errorf("another reason is another gap: %+v", got)
	}
}
