package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// subscriptionOf returns the subscription that a gap is in; "" = none.
func subscriptionOf(g plan.Gap) string {
	return cmp.Or(g.Subscription, armid.SubscriptionOf(cmp.Or(g.Vault, g.Target)))
}

// withinSubscriptions leaves out what no estate has: an item whose VM is of another subscription than its vault, and a gap
// of two subscriptions.
func withinSubscriptions(o plan.Observed) plan.Observed {
	o.Items = slices.DeleteFunc(o.Items, func(it plan.Item) bool { return armid.SubscriptionOf(it.Vault) != armid.SubscriptionOf(it.VM) })
	o.Gaps = slices.DeleteFunc(o.Gaps, func(g plan.Gap) bool {
		of := armid.SubscriptionOf(cmp.Or(g.Vault, g.Target))
		return g.Subscription != "" && of != "" && of != g.Subscription
	})
	return o
}

// readBy returns what a shard reads of an estate; request ids are of its own requests.
func readBy(s config.Shard, o plan.Observed) plan.Observed {
	var own plan.Observed
	for _, vm := range o.VMs {
		if s.Has(vm.Subscription) {
			own.VMs = append(own.VMs, vm)
		}
	}
	for _, v := range o.Vaults {
		if s.Has(armid.SubscriptionOf(v.ID)) {
			own.Vaults = append(own.Vaults, v)
		}
	}
	for _, p := range o.Policies {
		if s.Has(armid.SubscriptionOf(p.Vault)) {
			own.Policies = append(own.Policies, p)
		}
	}
	for _, it := range o.Items {
		if s.Has(armid.SubscriptionOf(it.Vault)) {
			own.Items = append(own.Items, it)
		}
	}
	for _, sub := range o.Subscriptions {
		if s.Has(sub.ID) {
			own.Subscriptions = append(own.Subscriptions, sub)
		}
	}
	for _, g := range o.Gaps {
		if of := subscriptionOf(g); of == "" || s.Has(of) {
			own.Gaps = append(own.Gaps, g)
		}
	}
	return own
}

func throughJSON(t interface{ Fatal(args ...any) }, r Result) Result {
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Read(strings.NewReader(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestMergedResultsAreTheResultOfAllSubscriptions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, c := withinSubscriptions(genObserved(t)), genConfig(t)
		o.Subscriptions = []plan.Subscription{{ID: sub, Name: "Shop"}, {ID: sub2, Name: "Landing zone"}}
		var before *Result
		if rapid.Bool().Draw(t, "with a baseline") {
			earlier := Assess(c, withinSubscriptions(genObserved(t)), Options{Now: propertyNow.Add(-30 * time.Hour)})
			before = &earlier
		}
		opt := Options{Now: propertyNow, Subscriptions: []string{sub2}, FailOn: High}
		count := rapid.IntRange(1, 5).Draw(t, "shards")
		var parts []Result
		for i := range count {
			s := config.Shard{Index: i + 1, Count: count}
			own := opt
			own.Shard, own.Baseline = &s, before
			own.Subscriptions = slices.DeleteFunc([]string{sub2}, func(id string) bool { return !s.Has(id) })
			shardOf := c
			if c != nil {
				shardOf = c.WithShard(s)
			}
			parts = append(parts, throughJSON(t, Assess(shardOf, readBy(s, o), own)))
		}
		opt.Baseline = before
		want := Assess(c, o, opt)
		merged := Merge(rapid.Permutation(parts).Draw(t, "order of the files"))
		if diff := gocmp.Diff(bytesOf(t, want), bytesOf(t, merged)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestMergedRestoreTestsCountAllShards(t *testing.T) {
	c, o := tested("never", "proven", "slow")
	restored(o, "proven", 48*time.Hour, time.Minute)
	restored(o, "slow", 48*time.Hour, 5*time.Minute)
	group := "/subscriptions/" + sub + "/resourceGroups/rg-tests"
	o.Tests.Disks = map[armid.Key][]plan.Disk{armid.Of(group): {{ID: group + "/providers/Microsoft.Compute/disks/d", Job: "proven-0", State: "Unattached", SizeGB: 32}}}
	one := Assess(c, *o, Options{Now: propertyNow, Shard: &config.Shard{Index: 1, Count: 2}})
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Read(strings.NewReader(strings.ReplaceAll(string(text), sub, sub2)))
	if err != nil {
		t.Fatal(err)
	}
	two.Shard.Index = 2
	share, median, slowest, full := 4.0/6, int64(180), int64(300), int64(300)
	want := &RestoreSummary{
		VMs: 4, Due: 2, Covered: 6, Share: &share, MedianSeconds: &median, SlowestSeconds: &slowest, FullSeconds: &full, FullVMs: 6, InFlight: 20, LeftDisks: 2,
	}
	if d := gocmp.Diff(want, Merge([]Result{two, one}).Summary.RestoreProven); d != "" {
		t.Errorf("summary (-want +got)\n%s", d)
	}
}

func TestAMergedResultIsAsOldAsItsOldestShard(t *testing.T) {
	var parts []Result
	for i := range 3 {
		parts = append(parts, Result{
			Shard: &config.Shard{Index: 3 - i, Count: 3},
			Made:  Provenance{At: propertyNow.Add(time.Duration((i+2)%3) * time.Hour), By: fmt.Sprint("job ", i%2), Version: "v1"},
		})
	}
	m := Merge(parts)
	if !m.Made.At.Equal(propertyNow) || m.Made.By != "job 0, job 1" || m.Made.Version != "v1" || m.Shard != nil {
		t.Errorf("%+v, shard %v", m.Made, m.Shard)
	}
}
