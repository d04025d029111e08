package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

func TestTheForecastOfARemainderCountsTheSlotsOfRestores(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a", "b", "c")
	w.config.Settings.Limits.Restores = 1
	o, f, r := restorable()
	second := f.Items[0]
	second.Item.ID, second.Item.VM = "/second", armid.VM(restoreSub, "rg-app", "web2")
	f.Items = append(f.Items, second)
	r.VMs, r.InFlight = append(r.VMs, second.Item.VM), 1
	for name, saved := range map[string]Plan{"tests": w.plan(t, Options{}), "restores": MakeRestores(o, f, r, restoreNow)} {
		if len(saved.Changes) < 2 {
			t.Fatalf("%s: %+v", name, saved.Changes)
		}
		if d := cmp.Diff(saved.Forecast, Subset(saved, saved).Plan.Forecast); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Until the jobs are read, nobody knows which VMs are due, and each of them is counted as unknown.
func TestBeforeTheJobsAreReadTheStateOfEachVMIsUnknown(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a", "b")
	p := Make(w.config, w.o, Options{Now: restoreNow})
	if s := p.RestoreTests[0]; s.VMs != 2 || s.Unknown != 2 {
		t.Errorf("%+v", s)
	}
}

func TestTheOldestPointsAreAskedForWhereTheTestRestoresThem(t *testing.T) {
	for point, want := range map[string]bool{config.PointOldest: true, config.PointLatest: false} {
		w := newTestWorld(config.Sample{}, "a")
		w.config.RestoreTests[0].Point = point
		w.plan(t, Options{})
		i := slices.IndexFunc(w.asked, func(q TestQuestion) bool { return q.Kind == AskPoints })
		if i < 0 || w.asked[i].Oldest != want {
			t.Errorf("%s: asked %+v", point, w.asked)
		}
	}
}

// A test comes after the last change of its VM. A change that is blocked is never done, and nothing waits for it.
func TestARestoreTestFollowsTheLastChangeOfItsVM(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *testWorld)
		needs  string
	}{
		"nothing is changed": {func(*testWorld) {}, ""},
		"another policy": {func(w *testWorld) {
			w.o.Items[0].PolicyID = armid.Policy(restoreVault, "old")
			w.o.Policies = append(w.o.Policies, Policy{ID: w.o.Items[0].PolicyID, Name: "old", Vault: restoreVault, Spec: PolicySpec{Tier: TierEnhanced}})
		}, "modify"},
		"a backup after another policy": {func(w *testWorld) {
			w.o.Items[0].PolicyID = armid.Policy(restoreVault, "old")
			w.config.Rules[0].Backup = &config.Backup{IfOlderThan: time.Hour}
		}, "backup"},
		"a change that is blocked": {func(w *testWorld) {
			w.config.Rules[0].Policy = "none"
			w.config.Policies = append(w.config.Policies, config.Policy{Name: "none"})
		}, ""},
	} {
		w := newTestWorld(config.Sample{}, "a")
		tt.change(w)
		p := w.plan(t, Options{})
		i := slices.IndexFunc(p.Changes, func(c Change) bool { return c.Action == RestoreTest })
		if i < 0 {
			t.Errorf("%s: %+v", name, p.Changes)
			continue
		}
		var needs []string
		for _, c := range p.Changes[:i] {
			if slices.Contains(p.Changes[i].Needs, c.ID) {
				needs = append(needs, string(c.Action))
			}
		}
		if got := strings.Join(needs, " "); got != tt.needs || len(needs) != len(p.Changes[i].Needs) {
			t.Errorf("%s: it needs %q (%v), want %q", name, got, p.Changes[i].Needs, tt.needs)
		}
		if name == "a change that is blocked" && p.Summary[Blocked] != 1 {
			t.Errorf("nothing is blocked: %+v", p.Changes)
		}
	}
}

func TestExplainShowsWhetherTheFileHasRestoreTests(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a", "b")
	for name, tests := range map[string][]config.RestoreTest{"one": w.config.RestoreTests, "none": nil} {
		w.config.RestoreTests = tests
		e, err := Explain(w.config, observedFor(t, w), "a", Options{Now: restoreNow})
		if err != nil || e.HasTests != (len(tests) > 0) {
			t.Errorf("%s: %+v, %v", name, e.HasTests, err)
		}
	}
}
