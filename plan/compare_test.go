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
	if d := plan.Compare(approved, approved); !d.IsEmpty() {
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
	if d.IsEmpty() {
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
		if got, want := plan.Compare(a, b).IsEmpty(), a.Fingerprint == b.Fingerprint; got != want {
			t.Errorf("no difference is %t, equal fingerprints %t", got, want)
		}
	})
}
