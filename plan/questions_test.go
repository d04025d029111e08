package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// cut returns a vault whose items all have points, and whose policy is to keep 30 days instead of 60.
func cut(items int) (*config.Config, plan.Observed) {
	c, o := bigVault(items, 0)
	c.Policies[0] = config.Policy{
		Name: "daily", Manage: true, Vaults: []string{"here"}, Tier: "Enhanced", TimeZone: "UTC",
		Schedule: &config.Schedule{Daily: &config.Daily{At: "22:00"}}, Retention: &config.Retention{Days: new(30)},
	}
	o.Vaults[0].ResourceGuards = []string{}
	o.Policies[0].Spec = plan.PolicySpec{
		Tier: "Enhanced", TimeZone: "UTC", InstantRestoreDays: 2, Retention: plan.RetentionSpec{Days: 60},
		Schedule: plan.ScheduleSpec{Frequency: plan.FrequencyDaily, At: "22:00"},
	}
	for i := range o.Items {
		o.Items[i].LastRecoveryPoint = now
	}
	return c, o
}

// cutTwice returns a vault whose item moves from a policy that is cut to another that keeps less.
func cutTwice() (*config.Config, plan.Observed) {
	c, o := cut(1)
	c.Policies = append(c.Policies, config.Policy{Name: "short"})
	c.Rules[0].Policy = "short"
	o.Policies = append(o.Policies, plan.Policy{
		ID: policyID("here", "short"), Name: "short", Vault: vaultID("here"),
		Spec: plan.PolicySpec{Tier: "Enhanced", InstantRestoreDays: 2, Retention: plan.RetentionSpec{Days: 7}},
	})
	return c, o
}

func daysAgo(days ...int) []time.Time {
	var out []time.Time
	for _, d := range days {
		out = append(out, now.AddDate(0, 0, -d))
	}
	return out
}

func retentionRefusal(t testing.TB, p plan.Plan) string {
	t.Helper()
	for _, r := range p.Refusals {
		if r.Guard == plan.GuardRetention {
			return r.Message
		}
	}
	t.Fatalf("not refused: %+v", p.Refusals)
	return ""
}

func TestACutIsRefusedWithWhatItCosts(t *testing.T) {
	c, o := cut(3)
	_, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
	want := []string{o.Items[0].ID, o.Items[1].ID, o.Items[2].ID}
	if diff := cmp.Diff(plan.Questions{Points: want}, w); diff != "" {
		t.Fatal(diff)
	}
	o.Points = []plan.Points{
		{Item: strings.ToUpper(o.Items[0].ID), Times: daysAgo(0, 20, 40, 50)},
		{Item: o.Items[1].ID, Times: daysAgo(0, 10)},
		{Item: o.Items[2].ID}, // the list lacks the item's last recovery point
	}
	p, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
	if !w.IsEmpty() {
		t.Errorf("still wanted: %v", w)
	}
	words := "up to 2 recovery points of 2 items (oldest 2026-10-05), 2 of them older than all that is kept; those of 1 item were not read"
	if got := retentionRefusal(t, p); got != "1 change after which recovery points that exist may be pruned earlier: "+words {
		t.Error(got)
	}
	if !slices.Contains(p.Changes[0].Notes, "recovery points that may be pruned earlier: "+words) {
		t.Errorf("notes %q", p.Changes[0].Notes)
	}
}

func TestAPointThatTwoChangesLetGoOfCountsOnce(t *testing.T) {
	c, o := cutTwice()
	o.Points = []plan.Points{{Item: o.Items[0].ID, Times: daysAgo(0, 20, 40)}}
	p := plan.Make(c, o, plan.Options{Now: now})
	if got := retentionRefusal(t, p); !strings.Contains(got, "2 changes") || !strings.Contains(got, "up to 2 recovery points of 1 item ") {
		t.Error(got)
	}
}

func TestPointsThatACutLetsGoOfAreNamed(t *testing.T) {
	c, o := cut(2)
	opt := plan.Options{Now: now}
	ages := daysAgo(0, 20, 40, 50)
	named := func(prunedEarlier func(string, time.Time) bool, item string) (out []time.Time) {
		for _, taken := range ages {
			if prunedEarlier(item, taken) {
				out = append(out, taken)
			}
		}
		return out
	}
	if diff := cmp.Diff(ages[2:], named(plan.PointsPrunedEarlier(c, o, opt), strings.ToUpper(o.Items[0].ID))); diff != "" {
		t.Error(diff)
	}
	if got := named(plan.PointsPrunedEarlier(c, o, opt), "/another/item"); got != nil {
		t.Errorf("of another item %v", got)
	}
	if got := named(plan.PointsPrunedEarlier(&config.Config{}, o, opt), o.Items[0].ID); got != nil {
		t.Errorf("without a file %v", got)
	}
	c.Policies[0].Retention.Days = new(90)
	if got := named(plan.PointsPrunedEarlier(c, o, opt), o.Items[0].ID); got != nil {
		t.Errorf("of a longer retention %v", got)
	}
}

func TestNoMorePointsAreWantedThanABudgetBears(t *testing.T) {
	c, o := cut(plan.MaxPointReads + 7)
	_, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
	if len(w.Points) != plan.MaxPointReads {
		t.Fatalf("%d wanted", len(w.Points))
	}
	for _, id := range w.Points {
		o.Points = append(o.Points, plan.Points{Item: id, Times: daysAgo(0, 45)})
	}
	p, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
	if !w.IsEmpty() {
		t.Errorf("asked again for %d", len(w.Points))
	}
	if got := retentionRefusal(t, p); !strings.Contains(got, "up to 50 recovery points of 50 items") || !strings.HasSuffix(got, "those of 7 items were not read") {
		t.Error(got)
	}
}

func TestFewerInstantDaysPruneNothing(t *testing.T) {
	c, o := cut(1)
	c.Policies[0].Retention.Days, c.Policies[0].InstantRestoreDays = new(60), new(2)
	o.Policies[0].Spec.InstantRestoreDays = 5
	p, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
	if !w.IsEmpty() {
		t.Errorf("wanted %v", w)
	}
	if got := retentionRefusal(t, p); !strings.Contains(got, "instant restore; none is pruned") {
		t.Error(got)
	}
}

func TestPointsOfWhatIsAllowedAreNotWanted(t *testing.T) {
	c, o := cut(1)
	c.Policies[0] = config.Policy{Name: "daily"}
	o.Items[0].State = plan.StateProtectionStopped
	if _, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now}); len(w.Points) != 1 {
		t.Errorf("a resume wants %v", w)
	}
	c.Rules[0].Resume = true
	if p, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now}); !w.IsEmpty() || len(p.Refusals) != 0 {
		t.Errorf("an allowed resume wants %v, %v", w, p.Refusals)
	}
}

func TestGuardsAreWantedWhereAStopOrACutIsPlanned(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*config.Config, *plan.Observed)
		want   bool
	}{
		{"cut", func(*config.Config, *plan.Observed) {}, true},
		{"longer", func(c *config.Config, _ *plan.Observed) { c.Policies[0].Retention.Days = new(90) }, false},
		{"cut of a policy without items", func(_ *config.Config, o *plan.Observed) { o.Items, o.VMs = nil, nil }, true},
		{"stop", func(c *config.Config, _ *plan.Observed) {
			c.Policies[0], c.Rules[0].Protect = config.Policy{Name: "daily"}, config.ProtectStopped
		}, true},
		{"guards that were read", func(_ *config.Config, o *plan.Observed) { o.Vaults[0].ResourceGuards = []string{"/x/mua"} }, false},
		{"guards that could not be read", func(_ *config.Config, o *plan.Observed) {
			o.Gaps = []plan.Gap{{Kind: plan.GapGuards, Vault: vaultID("here")}}
		}, false},
	} {
		c, o := cut(2)
		o.Vaults[0].ResourceGuards = nil
		tt.change(c, &o)
		_, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
		var want []string
		if tt.want {
			want = []string{vaultID("here")}
		}
		if diff := cmp.Diff(want, w.Guards); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// Points only inform: the changes of a plan, and what the operator approves, are the same with and without them.
func TestPointsDecideNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := make1(w)
		for _, it := range w.observed.Items {
			if rapid.Bool().Draw(t, "points") {
				w.observed.Points = append(w.observed.Points, plan.Points{Item: it.ID, Times: daysAgo(0, 9, 40, 999)})
			}
		}
		after := make1(w)
		if before.Fingerprint != after.Fingerprint || before.Complete != after.Complete || len(before.Refusals) != len(after.Refusals) {
			t.Error("the points show in the plan")
		}
		for _, p := range []*plan.Plan{&before, &after} {
			for i := range p.Changes {
				p.Changes[i].Notes = nil
			}
		}
		if diff := cmp.Diff(before.Changes, after.Changes); diff != "" {
			t.Error(diff)
		}
	})
}

// Guards are requested once, whatever they block.
func TestGuardsAreWantedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for i := range w.observed.Vaults {
			w.observed.Vaults[i].ResourceGuards = nil
		}
		_, first := plan.MakeWithQuestions(w.config, w.observed, plan.Options{Now: now})
		for i := range w.observed.Vaults {
			v := &w.observed.Vaults[i]
			if slices.Contains(first.Guards, v.ID) {
				v.ResourceGuards = []string{}
				if rapid.Bool().Draw(t, "guarded") {
					v.ResourceGuards = []string{"/x/mua"}
				}
			}
		}
		if _, second := plan.MakeWithQuestions(w.config, w.observed, plan.Options{Now: now}); len(second.Guards) != 0 {
			t.Errorf("wanted again: %v", second.Guards)
		}
	})
}

// A plan that was made in rounds, which share what they can, is the one that is made at once of all that was read.
func TestRoundsDoNotShowInAPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for i := range w.observed.Vaults {
			w.observed.Vaults[i].ResourceGuards = nil
		}
		rounds := 0
		got, read, err := plan.MakeAsking(w.config, w.observed, plan.Options{Now: now}, func(o plan.Observed, q plan.Questions) (plan.Observed, error) {
			rounds++
			o.Vaults = slices.Clone(o.Vaults)
			for i := range o.Vaults {
				if v := &o.Vaults[i]; slices.Contains(q.Guards, v.ID) {
					v.ResourceGuards = []string{}
				}
			}
			for _, item := range q.Points {
				o.Points = append(o.Points, plan.Points{Item: item})
			}
			if rapid.Bool().Draw(t, "found missing") {
				o.Missing = append(slices.Clone(o.Missing), drawVM(t))
			}
			return o, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(plan.Make(w.config, read, plan.Options{Now: now}), got); d != "" {
			t.Errorf("after %d rounds: %s", rounds, d)
		}
	})
}

func TestAStoppedItemKeepsItsPointsWhateverItsPolicy(t *testing.T) {
	c, o := cut(2)
	c.Rules[0].Protect = config.ProtectOff
	o.Items[0].State = plan.StateProtectionStopped
	_, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
	if diff := cmp.Diff([]string{o.Items[1].ID}, w.Points); diff != "" {
		t.Error(diff)
	}
}

// Recovery points only show the cost of a cut, but a failure to read them is a gap like any other: the identity's view
// may be incomplete, so backups must not be stopped.
func TestAPlanOverUnreadPointsStopsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.observed.Gaps = []plan.Gap{{Kind: plan.GapPoints, Subscription: subscription, Target: drawVM(t), Code: "AuthorizationFailed"}}
		p := make1(w)
		if p.Complete || p.Summary[plan.Stop] > 0 {
			t.Errorf("complete %t, %d stops", p.Complete, p.Summary[plan.Stop])
		}
	})
}

func TestAPlanAsksABoundedNumberOfTimes(t *testing.T) {
	c, o := cut(1)
	rounds := 0
	p, read, err := plan.MakeAsking(c, o, plan.Options{Now: now}, func(o plan.Observed, w plan.Questions) (plan.Observed, error) {
		if w.IsEmpty() {
			t.Error("asked for nothing")
		}
		rounds++
		return o, nil // the requested points cannot be read
	})
	if err != nil || rounds != plan.MaxRounds || len(p.Changes) == 0 || len(read.Items) != 1 {
		t.Errorf("asked %d times, want %d: %d changes, %d items, error %v", rounds, plan.MaxRounds, len(p.Changes), len(read.Items), err)
	}
	broken := errors.New("broken")
	if _, _, err := plan.MakeAsking(c, o, plan.Options{Now: now}, func(plan.Observed, plan.Questions) (plan.Observed, error) {
		return plan.Observed{}, broken
	}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestAnItemIsAskedForOnceThoughTwoChangesLetGoOfItsPoints(t *testing.T) {
	c, o := cutTwice()
	_, w := plan.MakeWithQuestions(c, o, plan.Options{Now: now})
	if len(w.Points) != 1 {
		t.Errorf("asked for %v", w.Points)
	}
}
