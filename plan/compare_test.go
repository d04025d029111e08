package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

func ids(changes []plan.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, string(c.Action)+" "+lastPart(c.Target))
	}
	return out
}

func lastPart(id string) string {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i] == '/' {
			return id[i+1:]
		}
	}
	return id
}

func TestCompareShowsWhatMoved(t *testing.T) {
	c, o := bigVault(2, 2)
	approved := plan.Make(c, o, plan.Options{Now: now})
	if d := plan.Compare(approved, approved); !d.Empty() {
		t.Errorf("a plan differs from itself: %+v", d)
	}
	o.Items[0].State, o.Items[0].PolicyID = plan.StateProtectionStopped, ""            // new: resume
	o.Items = append(o.Items, itemIn("here", "vm00002", plan.StateProtected, "daily")) // gone
	c.Rules[0].Disks = &config.Disks{Kind: config.DisksOSOnly}                         // changed, and more
	d := plan.Compare(approved, plan.Make(c, o, plan.Options{Now: now}))
	if diff := cmp.Diff([]string{"protect vm00002"}, ids(d.Gone)); diff != "" {
		t.Errorf("gone: %s", diff)
	}
	if diff := cmp.Diff([]string{"modify vm00001", "modify vm00002", "resume vm00000"}, ids(d.New)); diff != "" {
		t.Errorf("new: %s", diff)
	}
	if len(d.Changed) != 1 || d.Changed[0].Now.After.Disks == nil || d.Changed[0].Approved.After.Disks != nil {
		t.Errorf("changed: %+v", d.Changed)
	}
	if d.Empty() {
		t.Error("the difference says that it is empty")
	}
}

func TestCompareIsEmptyExactlyWhenFingerprintsAreEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		a := make1(w)
		if rapid.Bool().Draw(t, "moved") {
			w.observed.Items = slices.Clone(w.observed.Items)
			drawItem(t, &w.observed)
		}
		b := make1(w)
		if got, want := plan.Compare(a, b).Empty(), a.Fingerprint == b.Fingerprint; got != want {
			t.Errorf("no difference is %t, equal fingerprints %t", got, want)
		}
	})
}

// A run that was cut after any of its changes can go on with the saved plan, and reaches the same end.
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
		apply, left := plan.Subset(saved, make1(w))
		for _, c := range left {
			if c.Action != plan.Backup { // a protected VM without a point may be due by now
				t.Errorf("left although it was approved: %s\nsaved:\n%s", c.ID, render(saved))
			}
		}
		checkValid(t, apply)
		rest := plan.Make(w.config, applied(w.observed, apply), plan.Options{Now: now}).Actionable()
		if len(rest) > 0 {
			t.Errorf("something is left to do: %v", ids(rest))
		}
	})
}

func TestSavedPlanLeavesWhatIsNew(t *testing.T) {
	c, o := bigVault(1, 2)
	saved := plan.Make(c, o, plan.Options{Now: now})
	saved.Refusals = []plan.Refusal{{Guard: plan.GuardChanges, Flag: plan.FlagAllowManyChanges}}
	o.Items[0].State, o.Items[0].PolicyID = plan.StateProtectionStopped, ""
	o.Items = append(o.Items, itemIn("here", "vm00001", plan.StateProtected, "daily"))
	apply, left := plan.Subset(saved, plan.Make(c, o, plan.Options{Now: now}))
	if diff := cmp.Diff([]string{"protect vm00002"}, ids(apply.Changes)); diff != "" {
		t.Errorf("apply: %s", diff)
	}
	if diff := cmp.Diff([]string{"resume vm00000"}, ids(left)); diff != "" {
		t.Errorf("left: %s", diff)
	}
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

// What has become something else since it was approved is left, and so is what needs it.
func TestSavedPlanLeavesWhatChanged(t *testing.T) {
	c := loadConfig(t, []byte(explainConfig))
	_, o := explainWorld(t)
	saved := plan.Make(c, o, plan.Options{Now: now})
	c.Policies[0].Retention.Days = new(60)
	apply, left := plan.Subset(saved, plan.Make(c, o, plan.Options{Now: now}))
	if diff := cmp.Diff([]string{"update-vault here", "blocked gone"}, ids(apply.Changes)); diff != "" {
		t.Errorf("apply: %s", diff)
	}
	if diff := cmp.Diff([]string{"create-policy daily", "protect web1", "modify web2"}, ids(left)); diff != "" {
		t.Errorf("left: %s", diff)
	}
}

// A refresh helps the VMs that are protected after it; when all of them are left, it is too.
func TestSavedPlanRefreshesOnlyForWhatItProtects(t *testing.T) {
	c, o := bigVault(0, 1)
	saved := plan.Make(c, o, plan.Options{Now: now})
	o.Protectable = []plan.Protectable{{Subscription: subscription, Location: "westeurope"}}
	next := plan.Make(c, o, plan.Options{Now: now})
	if apply, left := plan.Subset(saved, next); len(apply.Changes) != 2 || len(left) != 0 {
		t.Errorf("apply %v, left %v", ids(apply.Changes), ids(left))
	}
	if apply, left := plan.Subset(plan.Plan{}, next); len(apply.Changes) != 0 || len(left) != 1 {
		t.Errorf("nothing was approved: apply %v, left %v", ids(apply.Changes), ids(left))
	}
}
