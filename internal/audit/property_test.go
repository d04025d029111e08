package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const sub2 = "22222222-2222-2222-2222-222222222222"

var propertyNow = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

// genConfig draws a file that excludes, stops and protects, or none.
func genConfig(t *rapid.T) *config.Config {
	if rapid.Bool().Draw(t, "without a file") {
		return nil
	}
	c := &config.Config{
		Files: []string{"azbackup.yaml"}, Subscriptions: []string{sub},
		Vaults:   []config.Vault{{Name: "v0", Subscription: sub, ResourceGroup: "rg", Location: "westeurope"}},
		Policies: []config.Policy{{Name: "daily"}, {Name: "weekly"}},
		Rules: []config.Rule{
			{Name: "one", ID: armid.VM(sub, "rg-0", "vm0"), Protect: config.ProtectOn, Policy: "weekly"},
			{Name: "seven", ID: armid.VM(sub, "rg-0", "vm7"), Protect: config.ProtectOn, Policy: "weekly"},
			{Name: "none", Match: []config.Selector{{ResourceGroups: []string{"rg-1"}}}, Protect: config.ProtectOff, Reason: "because"},
			{Name: "halt", Match: []config.Selector{{ResourceGroups: []string{"rg-2"}}}, Protect: config.ProtectStopped},
			{Name: "all", Match: []config.Selector{{Names: []string{"vm[0-4]", "vm*"}}}, Protect: config.ProtectOn, Policy: "daily"},
		},
	}
	c.Settings.Guards.MaxStops = config.Share{Count: 10, Percent: true}
	c.Compile()
	return c
}

func genObserved(t *rapid.T) plan.Observed {
	var o plan.Observed
	places := []struct{ sub, location string }{{sub, "westeurope"}, {sub, "northeurope"}, {sub2, "westeurope"}}
	for i, p := range places {
		v := plan.Vault{ID: armid.Vault(p.sub, "rg", fmt.Sprintf("v%d", i)), Name: fmt.Sprintf("v%d", i), Location: p.location, InFile: i == 0}
		v.Settings.Immutability = rapid.SampledFrom([]string{"Disabled", "Unlocked", "Locked"}).Draw(t, "immutability")
		o.Vaults = append(o.Vaults, v)
		for _, name := range []string{"daily", "weekly"} {
			pol := plan.Policy{ID: armid.Policy(v.ID, name), Name: name, Vault: v.ID}
			pol.Spec.Schedule = plan.ScheduleSpec{Frequency: "Daily", At: "22:00"}
			if name == "weekly" {
				pol.Spec.Schedule = plan.ScheduleSpec{Frequency: "Weekly", At: "22:00", Days: []string{"Saturday"}}
			}
			o.Policies = append(o.Policies, pol)
		}
	}
	for i := range rapid.IntRange(0, 7).Draw(t, "vms") {
		p := rapid.SampledFrom(places).Draw(t, "place")
		vm := plan.VM{Name: fmt.Sprintf("vm%d", i), ResourceGroup: fmt.Sprintf("rg-%d", rapid.IntRange(0, 3).Draw(t, "group")), Subscription: p.sub, Location: p.location}
		vm.ID = armid.VM(vm.Subscription, vm.ResourceGroup, vm.Name)
		vm.TimeCreated = genTime(t, "created")
		vm.Unsupported = rapid.SampledFrom([]string{"", "", "", "", "ephemeral"}).Draw(t, "unsupported")
		vm.NeedsEnhanced = rapid.SampledFrom([]string{"", "", "", "it has an Ultra disk"}).Draw(t, "enhanced")
		o.VMs = append(o.VMs, vm)
	}
	for range rapid.IntRange(0, 8).Draw(t, "items") {
		o.Items = append(o.Items, genItem(t, o))
	}
	o.Gaps = rapid.SliceOfN(rapid.Custom(genGap), 0, 2).Draw(t, "gaps")
	return o
}

func genTime(t *rapid.T, label string) time.Time {
	hours := rapid.SampledFrom([]int{-1, 1, 20, 29, 31, 100, 173, 175, 5000}).Draw(t, label)
	if hours < 0 {
		return time.Time{}
	}
	return propertyNow.Add(-time.Duration(hours) * time.Hour)
}

func genItem(t *rapid.T, o plan.Observed) plan.Item {
	v := rapid.SampledFrom(o.Vaults).Draw(t, "vault")
	vm := armid.VM(armid.SubscriptionOf(v.ID), "rg-9", "gone")
	if len(o.VMs) > 0 {
		vm = rapid.SampledFrom(o.VMs).Draw(t, "item's vm").ID
	}
	id, _ := armid.ParseVM(vm)
	policy := rapid.SampledFrom([]string{"daily", "weekly"}).Draw(t, "policy")
	it := plan.Item{
		ID: armid.ProtectedItem(v.ID, id), Vault: v.ID, VM: vm, PolicyID: armid.Policy(v.ID, policy), PolicyName: policy,
		State: rapid.SampledFrom([]string{
			plan.StateProtected, plan.StateProtected, plan.StateIRPending, plan.StateProtectionError, plan.StateProtectionStopped,
			plan.StateBackupsSuspended, plan.StateProtectionPaused, "Quarantined",
		}).Draw(t, "state"),
		LastRecoveryPoint: genTime(t, "point"),
		LastBackupStatus:  rapid.SampledFrom([]string{"", "Completed", "Failed"}).Draw(t, "status"),
	}
	if it.State == plan.StateProtectionStopped {
		it.SoftDeleted = rapid.Bool().Draw(t, "deleted")
	}
	it.Partial = rapid.IntRange(0, 9).Draw(t, "partial") == 0
	return it
}

func genGap(t *rapid.T) plan.Gap {
	g := plan.Gap{
		Kind: rapid.SampledFrom([]plan.GapKind{
			plan.GapVMs, plan.GapVM, plan.GapVault, plan.GapVaults, plan.GapPolicies, plan.GapItems, plan.GapJobs, plan.GapStatus,
			plan.GapProtectable, plan.GapVisibility, plan.GapGuards, plan.GapSubscription, "of-a-later-version",
		}).Draw(t, "kind"),
		Code: "AuthorizationFailed", Status: 403,
		Subscription: rapid.SampledFrom([]string{sub, sub2, ""}).Draw(t, "gap's subscription"),
		Location:     rapid.SampledFrom([]string{"westeurope", "northeurope", ""}).Draw(t, "gap's location"),
	}
	switch g.Kind {
	case plan.GapVault, plan.GapPolicies, plan.GapItems, plan.GapJobs, plan.GapGuards:
		g.Vault = armid.Vault(rapid.SampledFrom([]string{sub, sub2}).Draw(t, "vault's"), "rg", rapid.SampledFrom([]string{"v0", "v1", "v2", "v9"}).Draw(t, "gap's vault"))
	case plan.GapVM, plan.GapStatus:
		g.Target = armid.VM(sub, fmt.Sprintf("rg-%d", rapid.IntRange(0, 3).Draw(t, "target's group")), fmt.Sprintf("vm%d", rapid.IntRange(0, 7).Draw(t, "target")))
	default:
	}
	return g
}

func states(r Result) map[armid.Key]State {
	m := map[armid.Key]State{}
	for _, vm := range r.VMs {
		m[armid.Of(vm.ID)] = vm.State
	}
	return m
}

func TestStatesPartitionTheVMs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := genObserved(t)
		r := Assess(genConfig(t), o, Options{Now: propertyNow})
		seen := states(r)
		if len(seen) != len(r.VMs) {
			t.Fatalf("%d VMs have %d ids: one stands twice", len(r.VMs), len(seen))
		}
		for _, vm := range o.VMs {
			if _, ok := seen[armid.Of(vm.ID)]; !ok {
				t.Fatalf("%s was read and is in no state", vm.ID)
			}
		}
		sum := 0
		for s, n := range r.Summary.States {
			if !slices.Contains(States(), s) {
				t.Fatalf("%q is no state", s)
			}
			sum += n
		}
		if sum != len(r.VMs) || r.Summary.VMs != sum {
			t.Fatalf("the states count %d of %d VMs", sum, len(r.VMs))
		}
		for _, vm := range r.VMs {
			if slices.Contains(vm.Also, vm.State) || !slices.IsSortedFunc(append([]State{vm.State}, vm.Also...), byPrecedence) {
				t.Fatalf("%s: %s, also %v: not in the order of precedence", vm.ID, vm.State, vm.Also)
			}
		}
	})
}

func byPrecedence(a, b State) int { return slices.Index(States(), a) - slices.Index(States(), b) }

func TestGapsOnlyEverTakeKnowledgeAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, c := genObserved(t), genConfig(t)
		before := Assess(c, o, Options{Now: propertyNow})
		o.Gaps = append(slices.Clone(o.Gaps), rapid.Custom(genGap).Draw(t, "another gap"))
		after := Assess(c, o, Options{Now: propertyNow})
		now := states(after)
		for id, was := range states(before) {
			if is := now[id]; is != was && is != Unknown {
				t.Fatalf("%s was %s and is %s: a failed read taught us something", id, was, is)
			}
		}
		for id, is := range now {
			if _, ok := states(before)[id]; !ok && is != Unknown {
				t.Fatalf("%s came with a gap and is %s", id, is)
			}
		}
		had := map[string]bool{}
		for _, f := range before.Findings {
			had[f.Fingerprint] = true
		}
		for _, f := range after.Findings {
			if !had[f.Fingerprint] && f.Code != codeUnknown {
				t.Fatalf("a gap brought the finding %s %s", f.Code, f.Message)
			}
		}
		if after.Summary.Complete || !after.IsIncomplete() {
			t.Fatal("a result over a gap calls itself complete")
		}
	})
}

func TestOrderOfReadsDoesNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, c := genObserved(t), genConfig(t)
		want := bytesOf(t, Assess(c, o, Options{Now: propertyNow}))
		shuffled := o
		shuffled.VMs = rapid.Permutation(o.VMs).Draw(t, "vms shuffled")
		shuffled.Items = rapid.Permutation(o.Items).Draw(t, "items shuffled")
		shuffled.Vaults = rapid.Permutation(o.Vaults).Draw(t, "vaults shuffled")
		shuffled.Policies = rapid.Permutation(o.Policies).Draw(t, "policies shuffled")
		shuffled.Gaps = rapid.Permutation(o.Gaps).Draw(t, "gaps shuffled")
		if diff := cmp.Diff(want, bytesOf(t, Assess(c, shuffled, Options{Now: propertyNow}))); diff != "" {
			t.Fatal(diff)
		}
	})
}

func bytesOf(t *rapid.T, r Result) string {
	out, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestResultSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Assess(genConfig(t), genObserved(t), Options{Now: propertyNow})
		var back Result
		if err := json.Unmarshal([]byte(bytesOf(t, r)), &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(bytesOf(t, r), bytesOf(t, back)); diff != "" {
			t.Fatal(diff)
		}
		if !maps.Equal(r.Summary.States, back.Summary.States) {
			t.Fatalf("%v became %v", r.Summary.States, back.Summary.States)
		}
	})
}

func TestABaselineOfTheSameEstateShowsNothingNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, c := genObserved(t), genConfig(t)
		first := Assess(c, o, Options{Now: propertyNow})
		second := Assess(c, o, Options{Now: propertyNow, Baseline: &first})
		b := second.Baseline
		if n := len(b.Unprotected) + len(b.Protected) + len(b.BecameUnknown) + len(b.Added) + len(b.Removed); n != 0 {
			t.Fatalf("%d changes where nothing changed: %+v", n, b)
		}
		for _, f := range second.Findings {
			if f.New {
				t.Fatalf("%s %s is called new", f.Code, f.Target)
			}
		}
	})
}
