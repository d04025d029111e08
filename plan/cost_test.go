package plan_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

func prices() *config.Prices {
	return &config.Prices{
		File: "prices.yaml", Currency: "EUR",
		Instance: config.InstancePrices{UpTo50GB: 4_000_000, UpTo500GB: 8_000_000, Further500GB: 7_000_000},
		Storage:  config.StoragePrices{LocallyRedundant: new(config.Price(20_000)), GeoRedundant: new(config.Price(33_333)), CrossRegionRestore: new(config.Price(50_000))},
	}
}

// diskSizes returns those of an OS disk and data disks from LUN 0.
func diskSizes(system int, data ...int) []plan.DiskSize {
	all := []plan.DiskSize{{LUN: plan.OSDiskLUN, GB: system}}
	for lun, gb := range data {
		all = append(all, plan.DiskSize{LUN: lun, GB: gb})
	}
	return all
}

// oneVM returns an estate with one VM, in a vault of some redundancy.
func oneVM(sizes []plan.DiskSize, redundancy string) (*config.Config, plan.Observed) {
	c, o := bigVault(0, 1)
	o.VMs[0].DiskSizes = sizes
	o.Vaults[0].Settings.Redundancy = redundancy
	return c, o
}

func estimate(c *config.Config, o plan.Observed, p *config.Prices) *plan.CostEstimate {
	return plan.Make(c, o, plan.Options{Now: now, Prices: p}).Cost
}

// describeEstimate returns an estimate of one change, e.g. "protect 5.00", "stop: size unknown" or "none".
func describeEstimate(t testing.TB, e *plan.CostEstimate) string {
	t.Helper()
	if len(e.Changes) == 0 && e.Monthly == 0 && e.NotCounted == nil {
		return "none"
	}
	if len(e.Changes) != 1 {
		t.Fatalf("got %d changes, want one", len(e.Changes))
	}
	one := e.Changes[0]
	if one.Monthly == nil {
		if e.Monthly != 0 || !cmp.Equal(e.NotCounted, map[plan.UncountedReason]int{one.NotCounted: 1}) {
			t.Errorf("%+v is not counted apart", e)
		}
		return string(one.NotCounted)
	}
	if e.Monthly != *one.Monthly || e.NotCounted != nil {
		t.Errorf("the total of %+v is not its change", e)
	}
	return one.Monthly.String()
}

func TestEstimateOfAProtection(t *testing.T) {
	for _, test := range []struct {
		name       string
		sizes      []plan.DiskSize
		redundancy string
		disks      *config.Disks
		want       string
	}{
		{"a small instance", diskSizes(50), "LocallyRedundant", nil, "5.00"},                         // 4 + 50 × 0.02
		{"one GB above small", diskSizes(51), "LocallyRedundant", nil, "9.02"},                       // 8 + 51 × 0.02
		{"the largest medium", diskSizes(100, 400), "LocallyRedundant", nil, "18.00"},                // 8 + 500 × 0.02
		{"one GB above medium", diskSizes(100, 401), "LocallyRedundant", nil, "25.02"},               // 8 + 7 + 501 × 0.02
		{"two of 500 GB", diskSizes(1000), "LocallyRedundant", nil, "35.00"},                         // 8 + 7 + 1000 × 0.02
		{"one GB above two", diskSizes(1000, 1), "LocallyRedundant", nil, "42.02"},                   // 8 + 14 + 1001 × 0.02
		{"a price with more decimals", diskSizes(64), "GeoRedundant", nil, "10.13"},                  // 8 + 64 × 0.033333 = 10.133312
		{"disks that are left out", diskSizes(30, 400, 10), "LocallyRedundant", leaveOut(0), "4.80"}, // 4 + 40 × 0.02
		{"a size of a disk that is left out", diskSizes(30, 0), "LocallyRedundant", leaveOut(0), "4.60"},
		{"no sizes", nil, "LocallyRedundant", nil, "size unknown"},
		{"a disk without a size", diskSizes(30, 0), "LocallyRedundant", nil, "size unknown"},
		{"a vault that was not read in full", diskSizes(30), "", nil, "redundancy unknown"},
		{"a redundancy without a price", diskSizes(30), "ZoneRedundant", nil, "no price for the redundancy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, o := oneVM(test.sizes, test.redundancy)
			c.Rules[0].Disks = test.disks
			if got := describeEstimate(t, estimate(c, o, prices())); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	c, o := oneVM(diskSizes(50), "GeoRedundant")
	o.Vaults[0].Settings.CrossRegionRestore = new(true)
	if got := describeEstimate(t, estimate(c, o, prices())); got != "6.50" { // 4 + 50 × 0.05
		t.Errorf("with cross-region restore: got %s", got)
	}
}

func leaveOut(luns ...int) *config.Disks { return &config.Disks{Kind: config.DisksExclude, LUNs: luns} }

func TestEstimateOfWhatIsProtected(t *testing.T) {
	kept := prices()
	kept.Instance.ChargedWhileStopped = true
	active := func(o *plan.Observed) { o.Items = []plan.Item{itemIn("here", "vm00000", plan.StateProtected, "daily")} }
	stopped := func(o *plan.Observed) {
		o.Items = []plan.Item{itemIn("here", "vm00000", plan.StateProtectionStopped, "")}
	}
	for _, test := range []struct {
		name   string
		prices *config.Prices
		item   func(*plan.Observed)
		rule   func(*config.Rule)
		want   string
	}{
		{"nothing to do", prices(), active, func(*config.Rule) {}, "none"},
		{"a stop keeps the data", prices(), active, func(r *config.Rule) { r.Protect = config.ProtectStopped }, "-8.00"},
		{"a stop, charged all the same", kept, active, func(r *config.Rule) { r.Protect = config.ProtectStopped }, "0.00"},
		{"a resume finds the data", prices(), stopped, func(r *config.Rule) { r.Resume = true }, "8.00"},
		{"a resume, charged before", kept, stopped, func(r *config.Rule) { r.Resume = true }, "0.00"},
		{"fewer disks", prices(), active, func(r *config.Rule) { r.Disks = leaveOut(0) }, "-8.00"}, // 4 + 40 × 0.02 from 8 + 240 × 0.02
		{"another policy", prices(), active, func(r *config.Rule) { r.Policy = "long" }, "other retention"},
		{"another policy and disks", prices(), active, func(r *config.Rule) { r.Policy, r.Disks = "long", leaveOut(0) }, "other retention"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, o := oneVM(diskSizes(40, 200), "LocallyRedundant")
			c.Policies = append(c.Policies, config.Policy{Name: "long"})
			o.Policies = append(o.Policies, plan.Policy{ID: policyID("here", "long"), Name: "long", Vault: vaultID("here")})
			test.item(&o)
			test.rule(&c.Rules[0])
			if got := describeEstimate(t, estimate(c, o, test.prices)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// drawSizes gives VMs of a world sizes, or none.
func drawSizes(t *rapid.T, o *plan.Observed) {
	for i := range o.VMs {
		if rapid.Bool().Draw(t, "sized") {
			o.VMs[i].DiskSizes = diskSizes(rapid.IntRange(0, 600).Draw(t, "system"), rapid.SliceOfN(rapid.IntRange(0, 3000), 0, 3).Draw(t, "data")...)
		}
	}
}

func TestTheEstimateIsTheSumOfItsChangesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		drawSizes(t, &w.observed)
		p := plan.Make(w.config, w.observed, plan.Options{Now: now, Prices: prices()})
		var sum plan.Amount
		gaps, counted := map[plan.UncountedReason]int{}, map[string]bool{}
		for _, c := range p.Cost.Changes {
			counted[c.ID] = true
			if (c.Monthly == nil) == (c.NotCounted == "") {
				t.Errorf("%+v is neither counted nor left out", c)
			}
			if c.Monthly != nil {
				sum += *c.Monthly
			} else {
				gaps[c.NotCounted]++
			}
		}
		if sum != p.Cost.Monthly || len(gaps) != len(p.Cost.NotCounted) || len(gaps) > 0 && !cmp.Equal(gaps, p.Cost.NotCounted) {
			t.Errorf("sum %s and %v of the changes, %s and %v in total", sum, gaps, p.Cost.Monthly, p.Cost.NotCounted)
		}
		for _, c := range p.Changes {
			changesCost := c.Action == plan.Protect || c.Action == plan.Resume || c.Action == plan.Stop || c.Action == plan.Modify
			if counted[c.ID] != changesCost {
				t.Errorf("%s: counted %t", c.ID, counted[c.ID])
			}
		}
		other := plan.Make(w.config, shuffle(w.observed, rapid.Int64().Draw(t, "seed")), plan.Options{Now: now, Prices: prices()})
		if d := cmp.Diff(p.Cost, other.Cost); d != "" {
			t.Errorf("in another order: %s", d)
		}
		p.Cost = nil
		if d := cmp.Diff(make1(w), p); d != "" {
			t.Errorf("prices change more than the estimate: %s", d)
		}
	})
}

func TestWithoutSizesNoCostIsInvented(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		e := estimate(w.config, w.observed, prices())
		for _, c := range e.Changes {
			if c.Monthly != nil {
				t.Errorf("%s has the amount %s", c.ID, c.Monthly)
			}
		}
		if e.Monthly != 0 {
			t.Errorf("the total is %s", e.Monthly)
		}
	})
}

func TestAmountsSurviveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := plan.Amount(rapid.Int64Range(-1_000_000_000_000, 1_000_000_000_000).Draw(t, "amount"))
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got plan.Amount
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Errorf("%s became %s (%v)", data, got, err)
		}
	})
	for text, want := range map[string]string{"-0.05": "-0.05", "7": "7.00", "7.5": "7.50", "7.555": "error", `"7"`: "error", "1e2": "error"} {
		var a plan.Amount
		got := "error"
		if err := json.Unmarshal([]byte(text), &a); err == nil {
			got = a.String()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if got := fmt.Sprint(plan.Amount(-5)); got != "-0.05" {
		t.Error(got)
	}
}
