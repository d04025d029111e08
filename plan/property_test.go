package plan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// world is a random config with a random estate, over few names so that they match.
type world struct {
	config   *config.Config
	observed plan.Observed
}

func locations() []string { return []string{"westeurope", "northeurope"} }

func drawWorld(t *rapid.T) world {
	c := drawConfig(t)
	return world{c, drawObserved(t, c)}
}

func drawConfig(t *rapid.T) *config.Config {
	c := &config.Config{Version: 1, Subscriptions: []string{subscription}}
	c.Settings = config.Settings{
		Refresh:   rapid.SampledFrom([]string{"auto", "always", "never"}).Draw(t, "refresh"),
		Elsewhere: rapid.SampledFrom([]string{"block", "accept"}).Draw(t, "elsewhere"),
		Limits:    config.Limits{Operations: 500},
		Guards: config.Guards{
			MaxStops:   config.Share{Count: rapid.IntRange(0, 100).Draw(t, "maxStops"), Percent: rapid.Bool().Draw(t, "percent")},
			MaxChanges: rapid.IntRange(0, 20).Draw(t, "maxChanges"),
		},
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "vaults") {
		c.Vaults = append(c.Vaults, drawVault(t, fmt.Sprintf("v%d", i)))
	}
	for _, name := range []string{"daily", "long"} {
		c.Policies = append(c.Policies, drawPolicy(t, name))
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
		c.Rules = append(c.Rules, drawRule(t, c, i))
	}
	return c
}

func drawVault(t *rapid.T, name string) config.Vault {
	v := config.Vault{
		Name: name, Subscription: subscription, ResourceGroup: vaultGroup,
		Location: rapid.SampledFrom(locations()).Draw(t, "location"), Manage: rapid.Bool().Draw(t, "manage"), Unmatched: "report",
	}
	if v.Manage {
		v.Redundancy = rapid.SampledFrom([]string{"", "GeoRedundant", "ZoneRedundant"}).Draw(t, "redundancy")
		v.Immutability = rapid.SampledFrom([]string{"", "Disabled", "Unlocked", "Locked"}).Draw(t, "immutability")
		v.SoftDeleteDays = rapid.SampledFrom([]*int{nil, new(14), new(60)}).Draw(t, "softDeleteDays")
		v.Tags = rapid.SampledFrom([]map[string]string{nil, {"Owner": "platform"}}).Draw(t, "tags")
		v.Unmatched = rapid.SampledFrom([]string{"report", "stop"}).Draw(t, "unmatched")
		if v.Redundancy == "GeoRedundant" {
			v.CrossRegionRestore = rapid.SampledFrom([]*bool{nil, new(false), new(true)}).Draw(t, "crr")
		}
	}
	return v
}

func drawPolicy(t *rapid.T, name string) config.Policy {
	p := config.Policy{Name: name, Manage: rapid.Bool().Draw(t, "managePolicy")}
	if p.Manage {
		p.Tier = rapid.SampledFrom([]string{"Standard", "Enhanced"}).Draw(t, "tier")
		p.TimeZone = "UTC"
		p.Schedule = &config.Schedule{Daily: &config.Daily{At: "22:00"}}
		p.Retention = &config.Retention{Days: new(rapid.SampledFrom([]int{30, 90}).Draw(t, "days"))}
		if rapid.Bool().Draw(t, "weeks") {
			p.Retention.Weeks = &config.KeepWeeks{Keep: 12, Days: []string{"Wednesday", "Sunday"}}
		}
	}
	return p
}

func drawRule(t *rapid.T, c *config.Config, i int) config.Rule {
	r := config.Rule{
		Name:    fmt.Sprintf("r%d", i),
		Protect: rapid.SampledFrom([]config.Protect{config.ProtectOn, config.ProtectOn, config.ProtectOff, config.ProtectStopped}).Draw(t, "protect"),
	}
	if rapid.IntRange(0, 3).Draw(t, "byID") == 0 {
		r.ID = drawVM(t)
	} else {
		r.Match = []config.Selector{{Tags: map[string][]string{"app": {rapid.SampledFrom([]string{"a", "b", "c", "*"}).Draw(t, "app")}}}}
	}
	if r.Protect != config.ProtectOn {
		return r
	}
	r.Policy = rapid.SampledFrom([]string{"daily", "long"}).Draw(t, "policy")
	r.Resume = rapid.Bool().Draw(t, "resume")
	r.Spread = rapid.Bool().Draw(t, "spread")
	r.Elsewhere = rapid.SampledFrom([]string{"", "block", "accept"}).Draw(t, "ruleElsewhere")
	if rapid.Bool().Draw(t, "namesVault") {
		r.Vault = []string{rapid.SampledFrom(c.Vaults).Draw(t, "vault").Name}
	}
	r.Disks = rapid.SampledFrom([]*config.Disks{
		nil, {Kind: config.DisksAll}, {Kind: config.DisksOSOnly}, {Kind: config.DisksInclude, LUNs: []int{0, 1}}, {Kind: config.DisksExclude, LUNs: []int{2}},
	}).Draw(t, "disks")
	if rapid.Bool().Draw(t, "backup") {
		r.Backup = &config.Backup{IfOlderThan: 24 * time.Hour}
	}
	return r
}

func drawVM(t *rapid.T) string {
	return armid.VM(subscription, "app", fmt.Sprintf("vm%d", rapid.IntRange(0, 7).Draw(t, "vm")))
}

func drawObserved(t *rapid.T, c *config.Config) plan.Observed {
	var o plan.Observed
	for i := range 8 {
		id := armid.VM(subscription, "app", fmt.Sprintf("vm%d", i))
		switch rapid.IntRange(0, 9).Draw(t, "seen") {
		case 0:
			o.Missing = append(o.Missing, id)
			continue
		case 1:
			continue
		}
		o.VMs = append(o.VMs, plan.VM{
			ID: id, Name: fmt.Sprintf("vm%d", i), ResourceGroup: "app", Subscription: subscription,
			Location:      rapid.SampledFrom(locations()).Draw(t, "vmLocation"),
			Tags:          map[string]string{"app": rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "tag")},
			NeedsEnhanced: rapid.SampledFrom([]string{"", "", "", "an Ultra disk"}).Draw(t, "needsEnhanced"),
			Unsupported:   rapid.SampledFrom([]string{"", "", "", "", "scale set"}).Draw(t, "unsupported"),
		})
	}
	for _, v := range c.Vaults {
		if rapid.IntRange(0, 5).Draw(t, "vaultThere") > 0 {
			drawSeenVault(t, &o, v)
		}
	}
	outside := armid.Vault(subscription, "other", "outside")
	o.Vaults = append(o.Vaults, plan.Vault{ID: outside, Name: "outside", Location: "westeurope"})
	for range rapid.IntRange(0, 10).Draw(t, "items") {
		drawItem(t, &o)
	}
	if rapid.Bool().Draw(t, "protectable") {
		for _, l := range locations() {
			o.Protectable = append(o.Protectable, plan.Protectable{
				Subscription: subscription, Location: l, VMs: rapid.SliceOf(rapid.Custom(drawVM)).Draw(t, "offered"),
			})
		}
	}
	return o
}

func drawSeenVault(t *rapid.T, o *plan.Observed, v config.Vault) {
	seen := plan.Vault{ID: v.ID(), Name: v.Name, Location: v.Location, InFile: true, Settings: plan.VaultSettings{
		Redundancy:         rapid.SampledFrom([]string{"GeoRedundant", "LocallyRedundant"}).Draw(t, "seenRedundancy"),
		CrossRegionRestore: new(rapid.Bool().Draw(t, "seenCRR")),
		SoftDeleteDays:     new(rapid.SampledFrom([]int{14, 30}).Draw(t, "seenDays")),
		Immutability:       rapid.SampledFrom([]string{"Disabled", "Unlocked", "Locked"}).Draw(t, "seenImmutability"),
	}}
	if rapid.IntRange(0, 4).Draw(t, "guarded") == 0 {
		seen.ResourceGuards = []string{"/guards/mua"}
	}
	o.Vaults = append(o.Vaults, seen)
	for _, name := range []string{"daily", "long", "old"} {
		if rapid.IntRange(0, 3).Draw(t, "policyThere") > 0 {
			o.Policies = append(o.Policies, plan.Policy{ID: armid.Policy(v.ID(), name), Name: name, Vault: v.ID(), Spec: drawSpec(t)})
		}
	}
}

func drawSpec(t *rapid.T) plan.PolicySpec {
	return plan.PolicySpec{
		Tier: rapid.SampledFrom([]string{"Standard", "Enhanced"}).Draw(t, "seenTier"), TimeZone: "utc",
		Schedule:           plan.ScheduleSpec{Frequency: "Daily", At: "22:00"},
		InstantRestoreDays: rapid.IntRange(1, 5).Draw(t, "instant"),
		Retention: plan.RetentionSpec{
			Days:  rapid.SampledFrom([]int{30, 60, 365}).Draw(t, "seenRetention"),
			Weeks: rapid.SampledFrom([]*plan.KeepSpec{nil, {Keep: 12, Days: []string{"Sunday"}}}).Draw(t, "seenWeeks"),
		},
	}
}

func drawItem(t *rapid.T, o *plan.Observed) {
	v := rapid.SampledFrom(o.Vaults).Draw(t, "itemVault")
	vm := drawVM(t)
	registered := false // a VM is in one vault only; soft-deleted items may be in other vaults
	for _, it := range o.Items {
		if it.Vault == v.ID && it.VM == vm {
			return
		}
		registered = registered || it.VM == vm && !it.SoftDeleted
	}
	id, _ := armid.ParseVM(vm)
	it := plan.Item{
		ID: armid.ProtectedItem(v.ID, id), Vault: v.ID, VM: vm, Container: "iaasvmcontainerv2;app;" + id.Name(),
		State: rapid.SampledFrom([]string{
			"IRPending", "Protected", "Protected", "ProtectionError", "ProtectionStopped", "BackupsSuspended", "ProtectionPaused", "Odd",
		}).Draw(t, "state"),
		Disks: rapid.SampledFrom([]*plan.Disks{nil, {Include: true, LUNs: []int{1, 0}}, {LUNs: []int{}}}).Draw(t, "itemDisks"),
	}
	switch {
	case registered || rapid.IntRange(0, 5).Draw(t, "softDeleted") == 0:
		it.SoftDeleted, it.State, it.PurgeAt = true, plan.StateProtectionStopped, now.Add(100*time.Hour)
	case it.State != plan.StateProtectionStopped:
		it.PolicyName = rapid.SampledFrom([]string{"daily", "long", "old"}).Draw(t, "itemPolicy")
		it.PolicyID = armid.Policy(v.ID, it.PolicyName)
		if !slices.ContainsFunc(o.Policies, func(p plan.Policy) bool { return p.ID == it.PolicyID }) {
			o.Policies = append(o.Policies, plan.Policy{ID: it.PolicyID, Name: it.PolicyName, Vault: v.ID, Spec: drawSpec(t)})
		}
	}
	if rapid.Bool().Draw(t, "hasPoint") {
		it.LastRecoveryPoint = now.Add(-time.Duration(rapid.IntRange(1, 100).Draw(t, "age")) * time.Hour)
	}
	o.Items = append(o.Items, it)
	if rapid.IntRange(0, 5).Draw(t, "job") == 0 {
		o.Jobs = append(o.Jobs, plan.Job{
			ID: it.Vault + "/backupJobs/" + id.Name(), Vault: it.Vault, Container: it.Container,
			Operation: rapid.SampledFrom([]string{"Backup", "ConfigureBackup"}).Draw(t, "operation"),
			Status:    rapid.SampledFrom([]string{"InProgress", "Completed", "Failed"}).Draw(t, "status"),
			Start:     now.Add(-time.Duration(rapid.IntRange(1, 50).Draw(t, "started")) * time.Hour),
		})
	}
}

func drawGaps(t *rapid.T, w world) []plan.Gap {
	var gaps []plan.Gap
	kinds := []plan.GapKind{
		plan.GapVMs, plan.GapVM, plan.GapVault, plan.GapVaults, plan.GapPolicies, plan.GapItems, plan.GapJobs,
		plan.GapStatus, plan.GapProtectable, plan.GapVisibility, plan.GapGuards, plan.GapSubscription, plan.GapPoints,
	}
	for range rapid.IntRange(1, 3).Draw(t, "gaps") {
		gaps = append(gaps, plan.Gap{
			Kind: rapid.SampledFrom(kinds).Draw(t, "gap"), Subscription: subscription,
			Vault: rapid.SampledFrom(w.observed.Vaults).Draw(t, "gapVault").ID, Target: drawVM(t), Code: "AuthorizationFailed",
		})
	}
	return gaps
}

func make1(w world) plan.Plan { return plan.Make(w.config, w.observed, plan.Options{Now: now}) }

func TestEveryPlanIsWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if rapid.Bool().Draw(t, "withGaps") {
			w.observed.Gaps = drawGaps(t, w)
		}
		checkPlan(t, w.config, w.observed, make1(w))
	})
}

func TestAppliedPlanLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if rapid.IntRange(0, 3).Draw(t, "withGaps") == 0 {
			w.observed.Gaps = drawGaps(t, w)
		}
		checkConverges(t, w.config, w.observed, make1(w))
	})
}

func TestOrderOfReadsChangesNoByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if rapid.Bool().Draw(t, "withGaps") {
			w.observed.Gaps = drawGaps(t, w)
		}
		want := bytesOf(t, make1(w))
		shuffled := shuffle(w.observed, rapid.Int64().Draw(t, "seed"))
		if got := bytesOf(t, plan.Make(w.config, shuffled, plan.Options{Now: now})); got != want {
			t.Errorf("the order of the reads matters (-want +got):\n%s", cmp.Diff(want, got))
		}
	})
}

func TestLetterCaseOfIDsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		loud := w
		loud.observed = shuffle(w.observed, 1)
		for i := range loud.observed.Items {
			it := &loud.observed.Items[i]
			it.VM, it.Vault, it.ID, it.PolicyID = upper(it.VM), upper(it.Vault), upper(it.ID), upper(it.PolicyID)
			it.Container = upper(it.Container)
		}
		for i := range loud.observed.Policies {
			loud.observed.Policies[i].ID = upper(loud.observed.Policies[i].ID)
		}
		if got, want := make1(loud).Fingerprint, make1(w).Fingerprint; got != want {
			t.Errorf("upper-case ids give another plan:\n%s\n%s", render(make1(loud)), render(make1(w)))
		}
	})
}

func TestGapsNeverStopAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.observed.Gaps = drawGaps(t, w)
		for _, c := range make1(w).Changes {
			if c.Action == plan.Stop {
				t.Errorf("a plan over gaps stops %s", c.Target)
			}
		}
	})
}

// A gap hides resources; it must not make the plan contain a change that the plan without the gap does not.
func TestGapsOnlyTakeChangesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := map[string]bool{}
		for _, c := range make1(w).Changes {
			before[c.ID] = true
		}
		w.observed.Gaps = drawGaps(t, w)
		for _, c := range make1(w).Changes {
			// A VM may be routed elsewhere when another is blocked, and so refresh another vault.
			if c.Action != plan.Blocked && c.Action != plan.Refresh && !before[c.ID] {
				t.Errorf("with a gap there is a new change: %s", c.ID)
			}
		}
	})
}

func TestExclusionWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		vm := drawVM(t)
		w.config.Rules = slices.DeleteFunc(w.config.Rules, func(r config.Rule) bool { return r.ID != "" && armid.Same(r.ID, vm) })
		w.config.Rules = append(w.config.Rules, config.Rule{Name: "out", ID: vm, Protect: config.ProtectOff})
		for _, c := range make1(w).Changes {
			if armid.Same(c.Target, vm) {
				t.Errorf("an excluded VM has a change: %s", c.ID)
			}
		}
	})
}

// A plan that is refused stays refused when one more VM is to be stopped.
func TestGuardsAreMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := make1(w)
		kept := slices.IndexFunc(before.Unchanged, func(c plan.Change) bool {
			return c.Before != nil && plan.IsActive(c.Before.State) && c.Reason == plan.ReasonInSync
		})
		if kept < 0 {
			return // nothing that could be stopped
		}
		target := before.Unchanged[kept].Target
		for i := range w.config.Rules {
			if armid.Same(w.config.Rules[i].ID, target) {
				return // it has a rule of its own
			}
		}
		w.config.Rules = append(w.config.Rules, config.Rule{Name: "stop", ID: target, Protect: config.ProtectStopped})
		after := make1(w)
		if !slices.ContainsFunc(after.Changes, func(c plan.Change) bool { return c.Action == plan.Stop && armid.Same(c.Target, target) }) {
			return // a resource guard blocks it
		}
		for _, r := range before.Refusals {
			if !slices.ContainsFunc(after.Refusals, func(s plan.Refusal) bool { return s.Guard == r.Guard && s.Count >= r.Count }) {
				t.Errorf("%s no longer refuses after one more stop", r.Guard)
			}
		}
	})
}

func TestOnlyPlansAPartOfThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		all := map[string]plan.Change{}
		for _, c := range make1(w).Changes {
			all[c.ID] = c
		}
		only := plan.TargetFilter{Key: plan.FilterByRule, Value: "r0"}
		if rapid.Bool().Draw(t, "byVM") {
			only = plan.TargetFilter{Key: plan.FilterByVM, Value: "vm?"}
		}
		part := plan.Make(w.config, w.observed, plan.Options{Now: now, Filters: []plan.TargetFilter{only}})
		checkValid(t, part)
		for _, c := range part.Changes {
			was, there := all[c.ID]
			if !there {
				t.Errorf("--only adds %s", c.ID)
				continue
			}
			was.Needs, c.Needs = nil, nil // a refresh may have been for another VM
			if diff := cmp.Diff(was, c); diff != "" {
				t.Errorf("--only changes %s:\n%s", c.ID, diff)
			}
			if c.Reason == plan.ReasonUnmatchedStops {
				t.Errorf("--only stops an unmatched item: %s", c.Target)
			}
		}
	})
}

func bytesOf(t rapid.TB, p plan.Plan) string {
	t.Helper()
	b, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func upper(s string) string {
	out := []byte(s)
	for i, c := range out {
		if 'a' <= c && c <= 'z' {
			out[i] = c - 'a' + 'A'
		}
	}
	return string(out)
}

func shuffle(o plan.Observed, seed int64) plan.Observed {
	r := rand.New(rand.NewSource(seed))
	o.VMs, o.Vaults, o.Policies = shuffled(r, o.VMs), shuffled(r, o.Vaults), shuffled(r, o.Policies)
	o.Items, o.Jobs, o.Gaps = shuffled(r, o.Items), shuffled(r, o.Jobs), shuffled(r, o.Gaps)
	o.Missing, o.Protectable = shuffled(r, o.Missing), shuffled(r, o.Protectable)
	for i := range o.VMs {
		o.VMs[i].Tags = maps.Clone(o.VMs[i].Tags)
	}
	return o
}

func shuffled[T any](r *rand.Rand, in []T) []T {
	out := slices.Clone(in)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
