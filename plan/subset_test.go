package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// A run that was interrupted after any of its changes can continue with the saved plan, and reaches the same end.
func TestSavedPlanThatWasCutGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		saved := make1(w)
		cut := saved
		cut.Changes = saved.Changes[:rapid.IntRange(0, len(saved.Changes)).Draw(t, "cut")]
		w.observed = applied(w.observed, cut)
		for _, c := range saved.Changes {
			if c.Reason == plan.ReasonSuspendedItems {
				return // that takes a second run, see checkConverges
			}
		}
		rest := plan.Subset(saved, make1(w))
		for _, c := range rest.New {
			t.Errorf("new although nobody else did anything: %s\nsaved:\n%s", c.ID, render(saved))
		}
		for _, s := range rest.Stale {
			t.Errorf("stale although nobody else did anything: %s: %s\nsaved:\n%s", s.Change.ID, s.Why, render(saved))
		}
		done := map[string]bool{}
		for _, c := range rest.Done {
			done[c.ID] = true
		}
		for _, c := range saved.Changes {
			isCut := slices.ContainsFunc(cut.Changes, func(d plan.Change) bool { return d.ID == c.ID })
			if configures(c) && isCut != done[c.ID] {
				t.Errorf("%s was done is %t, and it is recognised as done is %t", c.ID, isCut, done[c.ID])
			}
		}
		checkValid(t, rest.Plan)
		left := plan.Make(w.config, applied(w.observed, rest.Plan), plan.Options{Now: now}).Actionable()
		if len(left) > 0 {
			t.Errorf("something is left to do: %v", ids(left))
		}
	})
}

// configures reports whether a change is one that the operator approves.
func configures(c plan.Change) bool {
	return !slices.Contains([]plan.Action{plan.Refresh, plan.Backup, plan.RestoreTest, plan.Blocked, plan.Unchanged, plan.Excluded}, c.Action)
}

func TestSavedPlanLeavesWhatIsNew(t *testing.T) {
	c, o := bigVault(1, 2)
	saved := plan.Make(c, o, plan.Options{Now: now})
	saved.Refusals = []plan.Refusal{{Guard: plan.GuardChanges, Flag: plan.FlagAllowManyChanges}}
	o.Items[0].State, o.Items[0].PolicyID = plan.StateProtectionStopped, ""
	o.Items = append(o.Items, itemIn("here", "vm00001", plan.StateProtected, "daily"))
	rest := plan.Subset(saved, plan.Make(c, o, plan.Options{Now: now}))
	if diff := cmp.Diff([]string{"protect vm00002"}, ids(rest.Plan.Changes)); diff != "" {
		t.Errorf("to do: %s", diff)
	}
	if diff := cmp.Diff([]string{"resume vm00000"}, ids(rest.New)); diff != "" {
		t.Errorf("new: %s", diff)
	}
	if diff := cmp.Diff([]string{"protect vm00001"}, ids(rest.Done)); diff != "" {
		t.Errorf("done: %s", diff)
	}
	if len(rest.Stale) > 0 {
		t.Errorf("stale: %+v", rest.Stale)
	}
	apply := rest.Plan
	if apply.Summary[plan.Protect] != 1 || len(apply.Summary) != 1 || apply.Fingerprint == saved.Fingerprint {
		t.Errorf("summary %v, fingerprint %s", apply.Summary, apply.Fingerprint)
	}
	if len(apply.Refusals) != 1 {
		t.Error("what the saved plan was refused for is forgotten")
	}
	if apply.Forecast.Requests["writes"] != 1 {
		t.Errorf("forecast %+v", apply.Forecast)
	}
}

// A change whose target differs from the approved one is not carried out, nor is any change that needs it.

// A refresh serves the VMs that are protected after it; when none of them is carried out, it is left out too.
func TestSavedPlanRefreshesOnlyForWhatItProtects(t *testing.T) {
	c, o := bigVault(0, 1)
	saved := plan.Make(c, o, plan.Options{Now: now})
	o.Protectable = []plan.Protectable{{Subscription: subscription, Location: "westeurope"}}
	next := plan.Make(c, o, plan.Options{Now: now})
	if rest := plan.Subset(saved, next); len(rest.Plan.Changes) != 2 || len(rest.New) != 0 {
		t.Errorf("to do %v, new %v", ids(rest.Plan.Changes), ids(rest.New))
	}
	if rest := plan.Subset(plan.Plan{}, next); len(rest.Plan.Changes) != 0 || len(rest.New) != 1 {
		t.Errorf("nothing was approved: to do %v, new %v", ids(rest.Plan.Changes), ids(rest.New))
	}
}

const savedConfig = `version: 1
subscriptions: [11111111-1111-1111-1111-111111111111]
vaults:
  - {name: here, resourceGroup: rg-backup, location: westeurope, manage: true, softDeleteDays: 30}
  - {name: next, resourceGroup: rg-backup, location: westeurope, manage: true, immutability: Locked}
policies:
  - name: daily
    vaults: [here]
    manage: true
    tier: Enhanced
    timeZone: UTC
    schedule: {daily: {at: "22:00"}}
    retention: {days: 60}
  - {name: long}
vms:
  - {name: modify, match: {names: [modify]}, policy: long, vault: here}
  - {name: protect, match: {names: [protect]}, policy: long, vault: here}
  - {name: under, match: {names: [under]}, policy: daily, vault: here}
  - {name: stop, match: {names: [stop]}, protect: stopped}
  - {name: undelete, match: {names: [undelete]}, policy: long, vault: here, resume: true}
  - {name: due, match: {names: [due]}, policy: long, vault: here, backup: {ifOlderThan: 24h}}
`

func savedWorld() plan.Observed {
	spec := func(days int) plan.PolicySpec {
		return plan.PolicySpec{
			Tier: plan.TierEnhanced, TimeZone: "UTC", Schedule: plan.ScheduleSpec{Frequency: plan.FrequencyDaily, At: "22:00"},
			InstantRestoreDays: 2, Retention: plan.RetentionSpec{Days: days},
		}
	}
	o := plan.Observed{
		Vaults: []plan.Vault{
			{ID: vaultID("here"), Name: "here", Location: "westeurope", InFile: true, Settings: plan.VaultSettings{SoftDeleteDays: new(14)}},
			{ID: vaultID("next"), Name: "next", Location: "westeurope", InFile: true, Settings: plan.VaultSettings{Immutability: "Disabled"}},
		},
		Policies: []plan.Policy{
			{ID: policyID("here", "daily"), Name: "daily", Vault: vaultID("here"), Spec: spec(30)},
			{ID: policyID("here", "long"), Name: "long", Vault: vaultID("here"), Spec: spec(90)},
		},
		Items: []plan.Item{
			itemIn("here", "modify", plan.StateProtected, "daily"), itemIn("here", "stop", plan.StateProtected, "daily"),
			itemIn("here", "undelete", plan.StateProtectionStopped, ""), itemIn("here", "due", plan.StateProtected, "long"),
		},
	}
	o.Items[2].SoftDeleted, o.Items[2].PurgeAt = true, now.AddDate(0, 0, 5)
	o.Items[3].LastRecoveryPoint = now.AddDate(0, 0, -3)
	for _, name := range []string{"modify", "protect", "under", "stop", "undelete", "due"} {
		o.VMs = append(o.VMs, plan.VM{
			ID: vmID(name), Name: name, ResourceGroup: "app", Subscription: subscription, Location: "westeurope",
		})
	}
	return o
}

func item(o *plan.Observed, name string) *plan.Item {
	i := slices.IndexFunc(o.Items, func(it plan.Item) bool { return armid.Same(it.VM, vmID(name)) })
	if i < 0 {
		o.Items = append(o.Items, itemIn("here", name, plan.StateProtected, "long"))
		i = len(o.Items) - 1
	}
	return &o.Items[i]
}

func classStopped(it *plan.Item) *plan.Item {
	it.State, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, "", ""
	return it
}

// Changes of another client after a plan was saved are not overwritten: each change that they touch is stale, with the
// reason, or is recognised as done.
func TestSavedPlanAgainstWhatOthersDid(t *testing.T) {
	c := loadConfig(t, []byte(savedConfig))
	approved := plan.Make(c, savedWorld(), plan.Options{Now: now})
	want := []string{
		"update-vault here", "update-vault next", "update-vault next", "update-policy daily", "modify modify", "protect protect", "stop stop",
		"undelete undelete", "resume undelete", "protect under", "backup due",
	}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(ids(approved.Changes))); !cmp.Equal(want, got) {
		t.Fatalf("the plan is not the one that this test is about: %s", cmp.Diff(want, got))
	}
	const behindTheVault = "update-policy daily: it needs update-vault of here, which is not as approved\n" +
		"protect protect: it needs update-vault of here, which is not as approved\n" +
		"protect under: it needs update-policy of daily, which is not as approved\n" +
		"modify modify: it needs update-vault of here, which is not as approved\n" +
		"resume undelete: it needs update-vault of here, which is not as approved"
	for _, tt := range []struct {
		name  string
		did   func(*plan.Observed)
		stale string // target and reason
		done  []string
		new   []string
	}{
		{name: "nothing", did: func(*plan.Observed) {}},
		{
			name: "a longer retention", did: func(o *plan.Observed) { o.Policies[0].Spec.Retention.Days = 90 },
			stale: "update-policy daily: retention.days was 30, is now 90 (wanted 60); it got a risk that was not approved: reduces-retention\n" +
				"protect under: it needs update-policy of daily, which is not as approved\n" +
				"modify modify: policy daily was schedule daily at 22:00, instantRestoreDays 2, retention.days 30, then schedule daily at 22:00, " +
				"instantRestoreDays 2, retention.days 60, and is now schedule daily at 22:00, instantRestoreDays 2, retention.days 90",
		},
		{name: "the same retention", did: func(o *plan.Observed) { o.Policies[0].Spec.Retention.Days = 60 }, done: []string{"update-policy daily"}},
		{
			name: "another schedule", did: func(o *plan.Observed) { o.Policies[0].Spec.Schedule.At = "23:00" },
			stale: "update-policy daily: schedule was not in the approved plan, and would now go from daily at 23:00 to daily at 22:00\n" +
				"protect under: it needs update-policy of daily, which is not as approved\n" +
				"modify modify: policy daily was schedule daily at 22:00, instantRestoreDays 2, retention.days 30, then schedule daily at 22:00, " +
				"instantRestoreDays 2, retention.days 60, and is now schedule daily at 23:00, instantRestoreDays 2, retention.days 30",
		},
		{
			name: "the policy is gone", did: func(o *plan.Observed) { o.Policies = o.Policies[1:] },
			stale: "update-policy daily: now it would be create-policy: the file manages this policy and the vault does not have it\n" +
				"protect under: it needs create-policy of daily, which is not as approved\n" +
				"modify modify: what policy daily keeps is not known any more; it got a risk that was not approved: reduces-retention",
			new: []string{"create-policy daily"},
		},
		{
			name: "a shorter retention of the policy to go to", did: func(o *plan.Observed) { o.Policies[1].Spec.Retention.Days = 7 },
			stale: "modify modify: policy long was schedule daily at 22:00, instantRestoreDays 2, retention.days 90, " +
				"and is now schedule daily at 22:00, instantRestoreDays 2, retention.days 7; it got a risk that was not approved: reduces-retention\n" +
				"resume undelete: policy long was schedule daily at 22:00, instantRestoreDays 2, retention.days 90, " +
				"and is now schedule daily at 22:00, instantRestoreDays 2, retention.days 7",
		},
		{
			name: "another policy of the item", did: func(o *plan.Observed) {
				o.Policies = append(o.Policies, plan.Policy{ID: policyID("here", "mine"), Name: "mine", Vault: vaultID("here"), Spec: o.Policies[1].Spec})
				item(o, "modify").PolicyID, item(o, "modify").PolicyName = policyID("here", "mine"), "mine"
			},
			stale: "modify modify: the machine was backed up by daily, and is now backed up by mine",
		},
		{name: "the policy that was wanted", did: func(o *plan.Observed) { item(o, "modify").PolicyID = policyID("here", "long") }, done: []string{"modify modify"}},
		{
			name: "stopped", did: func(o *plan.Observed) { classStopped(item(o, "modify")) },
			stale: "modify modify: the machine was backed up by daily, and is now ProtectionStopped", new: []string{"resume modify"},
		},
		{
			name: "deleted", did: func(o *plan.Observed) {
				classStopped(item(o, "modify")).SoftDeleted = true
			},
			stale: "modify modify: the machine was backed up by daily, and is now soft-deleted", new: []string{"undelete modify", "resume modify"},
		},
		{
			name: "the machine is gone", did: func(o *plan.Observed) { o.VMs = o.VMs[1:]; o.Items = o.Items[1:] },
			stale: "modify modify: it is not planned any more: the machine is not there, or was not read",
		},
		{name: "stopped as wanted", did: func(o *plan.Observed) { classStopped(item(o, "stop")) }, done: []string{"stop stop"}},
		{
			name: "deleted what was to be stopped", did: func(o *plan.Observed) {
				classStopped(item(o, "stop")).SoftDeleted = true
			},
			stale: "stop stop: the machine was backed up by daily, and is now soft-deleted", new: []string{"undelete stop"},
		},
		{name: "protected as wanted", did: func(o *plan.Observed) { item(o, "protect") }, done: []string{"protect protect"}},
		{
			name: "protected by another policy", did: func(o *plan.Observed) { item(o, "protect").PolicyID = policyID("here", "daily") },
			stale: "protect protect: the machine was without an item, and is now backed up by daily", new: []string{"modify protect"},
		},
		{
			name: "protected in another vault", did: func(o *plan.Observed) {
				o.Items = append(o.Items, itemIn("next", "protect", plan.StateProtected, "long"))
			},
			// It is blocked, and reported as such.
		},
		{
			name: "disks of which the file says nothing", did: func(o *plan.Observed) {
				item(o, "protect").Disks, item(o, "modify").Disks = &plan.Disks{LUNs: []int{1}}, &plan.Disks{LUNs: []int{2}}
			},
			done: []string{"protect protect"},
		},
		{name: "undeleted", did: func(o *plan.Observed) { item(o, "undelete").SoftDeleted = false }, done: []string{"undelete undelete"}},
		{
			name: "undeleted and resumed", did: func(o *plan.Observed) {
				it := item(o, "undelete")
				it.SoftDeleted, it.State, it.PolicyID = false, plan.StateProtected, policyID("here", "long")
			},
			done: []string{"undelete undelete", "resume undelete"},
		},
		{
			name: "purged", did: func(o *plan.Observed) {
				o.Items = slices.DeleteFunc(o.Items, func(it plan.Item) bool { return armid.Same(it.VM, vmID("undelete")) })
			},
			stale: "undelete undelete: it is not planned any more: the VM has no backup\nresume undelete: it is not planned any more: the VM has no backup",
			new:   []string{"protect undelete"},
		},
		{
			name: "another soft delete", did: func(o *plan.Observed) { o.Vaults[0].Settings.SoftDeleteDays = new(20) },
			stale: "update-vault here: softDeleteDays was 14, is now 20 (wanted 30)\n" + behindTheVault,
		},
		{name: "the soft delete that was wanted", did: func(o *plan.Observed) { o.Vaults[0].Settings.SoftDeleteDays = new(30) }, done: []string{"update-vault here"}},
		{
			name: "a longer soft delete", did: func(o *plan.Observed) { o.Vaults[0].Settings.SoftDeleteDays = new(60) },
			stale: "update-vault here: softDeleteDays was 14, is now 60 (wanted 30); it got a risk that was not approved: weakens-security\n" + behindTheVault,
		},
		{name: "unlocked", did: func(o *plan.Observed) { o.Vaults[1].Settings.Immutability = "Unlocked" }, done: []string{"update-vault next"}},
		{name: "locked", did: func(o *plan.Observed) { o.Vaults[1].Settings.Immutability = "Locked" }, done: []string{"update-vault next", "update-vault next"}},
		{name: "a backup was made", did: func(o *plan.Observed) { item(o, "due").LastRecoveryPoint = now }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := savedWorld()
			tt.did(&o)
			next := plan.Make(c, o, plan.Options{Now: now})
			rest := plan.Subset(approved, next)
			var stale []string
			for _, s := range rest.Stale {
				stale = append(stale, string(s.Change.Action)+" "+lastPart(s.Change.Target)+": "+s.Why)
			}
			if diff := cmp.Diff(tt.stale, strings.Join(stale, "\n")); diff != "" {
				t.Errorf("stale: %s", diff)
			}
			if diff := cmp.Diff(tt.done, ids(rest.Done)); diff != "" {
				t.Errorf("done: %s", diff)
			}
			if diff := cmp.Diff(tt.new, ids(rest.New)); diff != "" {
				t.Errorf("new: %s", diff)
			}
			todo := ids(rest.Plan.Changes)
			for _, c := range approved.Changes {
				one := string(c.Action) + " " + lastPart(c.Target)
				left := slices.ContainsFunc(rest.Stale, func(s plan.Stale) bool { return s.Change.ID == c.ID }) ||
					slices.ContainsFunc(rest.Done, func(d plan.Change) bool { return d.ID == c.ID })
				blocked := slices.Contains(todo, "blocked "+lastPart(c.Target))
				if there := slices.ContainsFunc(rest.Plan.Changes, func(p plan.Change) bool { return p.ID == c.ID }); there == (left || blocked) && configures(c) {
					t.Errorf("%s is to be done is %t, and it is done or stale is %t; all to do: %v", one, there, left, todo)
				}
			}
		})
	}
}

// What comes instead of an approved change is of its kind: only then was it approved that the target changes.
func TestWhatIsBlockedNowIsReportedOnlyInPlaceOfAChangeOfItsKind(t *testing.T) {
	blocked := func(wanted plan.Action) plan.Change {
		return plan.Change{ID: "blocked-" + string(wanted) + ":x", Action: plan.Blocked, Wanted: wanted, Target: vmID("x"), Vault: vaultID("here")}
	}
	approved := func(a plan.Action) plan.Change {
		return plan.Change{ID: string(a) + ":x", Action: a, Target: vmID("x"), Vault: vaultID("here")}
	}
	for _, tt := range []struct {
		saved, now plan.Action
		stays      bool
	}{
		{plan.Protect, plan.Protect, true},
		{plan.Stop, plan.Modify, true},
		{plan.Backup, plan.Backup, true},
		{plan.Protect, plan.Backup, false},
		{plan.Backup, plan.Protect, false},
		{plan.Refresh, plan.Protect, false},
	} {
		rest := plan.Subset(plan.Plan{Changes: []plan.Change{approved(tt.saved)}}, plan.Plan{Changes: []plan.Change{blocked(tt.now)}})
		if stays := len(rest.Plan.Changes) == 1; stays != tt.stays {
			t.Errorf("%s was approved, %s is blocked: it stays is %t", tt.saved, tt.now, stays)
		}
	}
}

// What is left of a saved plan costs what a plan of it would: in vaults as full as they are, within the same limits.
func TestTheForecastOfARemainderIsOfItsOwnChanges(t *testing.T) {
	c, o := bigVault(3*plan.ItemsPerPage, 3)
	for _, c.Settings.Limits.Operations = range []config.Operations{config.OperationsAuto, 1} {
		saved := plan.Make(c, o, plan.Options{Now: now})
		rest := plan.Subset(saved, saved)
		if diff := cmp.Diff(saved.Forecast, rest.Plan.Forecast); diff != "" {
			t.Errorf("of all of it, operations %d: %s", c.Settings.Limits.Operations, diff)
		}
	}
}
