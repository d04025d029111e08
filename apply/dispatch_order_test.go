package apply_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

func TestLimitsAreNeverExceeded(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		var changes []plan.Change
		for i := range 120 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		for i := range 10 {
			changes = append(changes, itemChange(plan.Backup, fmt.Sprint("old", i)))
		}
		_, rec := carryOut(t, az, planOf(changes...), apply.Options{Limits: apply.Limits{Writes: 7, Polls: 2, Operations: 40}})
		told := 0
		for _, e := range rec.events {
			told = max(told, e.Running)
		}
		if told != 40 {
			t.Errorf("%d are told to be running at once, want exactly the limit 40", told)
		}
		if az.writingMost != 7 {
			t.Errorf("%d writes at once, want exactly the limit 7", az.writingMost)
		}
		if az.readingMost > 2 {
			t.Errorf("%d reads at once, limit 2", az.readingMost)
		}
		if az.runningMost != 40 {
			t.Errorf("%d operations at once, want exactly the limit 40", az.runningMost)
		}
	})
}

func TestParentsAreDoneBeforeChildrenStart(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		changes := []plan.Change{
			vaultChange(plan.CreateVault),
			policyChange(plan.CreatePolicy, "daily", "create-vault:v1"),
			itemChange(plan.Undelete, "vm1"),
			itemChange(plan.Resume, "vm1", "undelete:vm1", "create-policy:daily"),
			itemChange(plan.Backup, "vm1", "resume:vm1"),
		}
		rep, rec := carryOut(t, az, planOf(changes...), apply.Options{})
		if rep.Summary[apply.Done] != 5 {
			t.Errorf("summary %v", rep.Summary)
		}
		for _, c := range changes {
			for _, parent := range c.Needs {
				if begin, end := rec.at(apply.EventStarted, c.ID), rec.at(apply.EventFinished, parent); begin[0].Before(end[0]) {
					t.Errorf("%s started at %v, before %s ended at %v", c.ID, begin[0], parent, end[0])
				}
			}
		}
	})
}

func TestAFailedParentBlocksItsChildrenAndNothingElse(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["bad"] = []string{"fail"}
		rep, _ := carryOut(t, az, planOf(
			policyChange(plan.CreatePolicy, "bad"),
			itemChange(plan.Protect, "vm1", "create-policy:bad"),
			itemChange(plan.Backup, "vm1", "protect:vm1"),
			itemChange(plan.Protect, "vm2"),
		), apply.Options{})
		wantOutcome(t, rep, "create-policy:bad", apply.Failed)
		res := wantOutcome(t, rep, "protect:vm1", apply.Blocked)
		wantContains(t, "the message", res.Message, `it needs "create policy bad", which failed`)
		wantOutcome(t, rep, "backup:vm1", apply.Blocked)
		wantOutcome(t, rep, "protect:vm2", apply.Done)
		if az.started("protect:vm1") != 0 {
			t.Error("a blocked change was written")
		}
	})
}

func TestWhatThePlanBlocksIsReportedBlocked(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		blocked := itemChange(plan.Blocked, "vm1")
		blocked.Wanted, blocked.Because = plan.Protect, "another vault holds it"
		rep, _ := carryOut(t, az, planOf(blocked, itemChange(plan.Protect, "vm2", blocked.ID)), apply.Options{})
		res := wantOutcome(t, rep, blocked.ID, apply.Blocked)
		wantContains(t, "the message", res.Message, "another vault holds it")
		res = wantOutcome(t, rep, "protect:vm2", apply.Blocked)
		wantContains(t, "the message", res.Message, `it needs "protect RG-App/vm1", which is blocked`)
		if len(az.starts) != 0 {
			t.Errorf("writes %v", az.starts)
		}
	})
}

func TestAnInvalidPlanIsNotBegun(t *testing.T) {
	for name, changes := range map[string][]plan.Change{
		"a circle":       {itemChange(plan.Protect, "vm1", "protect:vm2"), itemChange(plan.Protect, "vm2", "protect:vm1")},
		"itself":         {itemChange(plan.Protect, "vm1", "protect:vm1")},
		"not there":      {itemChange(plan.Protect, "vm1", "protect:vm3"), itemChange(plan.Backup, "vm1", "protect:vm1")},
		"one id twice":   {itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm1")},
		"racing changes": {itemChange(plan.Protect, "vm1"), itemChange(plan.Backup, "vm1")},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				p := planOf(append(changes, itemChange(plan.Protect, "other"))...)
				rec := &recorder{t: t}
				rep, err := apply.Run(t.Context(), p, az, apply.Options{Observed: time.Now(), Observer: rec.observe})
				checkReport(t, p, rep, err)
				internal, ok := errors.AsType[*apply.InternalError](err)
				if !ok || len(internal.Changes) != len(p.Changes) || !strings.Contains(err.Error(), `"protect:vm1"`) {
					t.Errorf("the error is %v", err)
				}
				for _, res := range rep.Results {
					if res.Outcome != apply.NotStarted || !strings.Contains(res.Message, "please report") {
						t.Errorf("result %+v", res)
					}
				}
				if len(az.starts) != 0 {
					t.Errorf("writes %v", az.starts)
				}
				if n := len(rec.at(apply.EventFinished, "")); n != len(p.Changes) {
					t.Errorf("%d of %d ends are told", n, len(p.Changes))
				}
			})
		})
	}
}

func TestPolicyWritesOfOneVaultGoOneByOne(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		_, rec := carryOut(t, az, planOf(
			policyChange(plan.UpdatePolicy, "a"), policyChange(plan.UpdatePolicy, "b"), policyChange(plan.UpdatePolicy, "c"),
			itemChange(plan.Modify, "vm1"),
		), apply.Options{})
		var last time.Time
		for _, id := range []string{"update-policy:a", "update-policy:b", "update-policy:c"} {
			if begin := rec.at(apply.EventStarted, id)[0]; begin.Before(last) {
				t.Errorf("%s started at %v, before the one before it ended at %v", id, begin, last)
			}
			last = rec.at(apply.EventFinished, id)[0]
		}
		if rec.at(apply.EventStarted, "modify:vm1")[0].After(rec.at(apply.EventFinished, "update-policy:a")[0]) {
			t.Error("an item waited for a policy it does not need")
		}
	})
}

func TestTheLongestCriticalPathGoesFirstThenVaultByVaultWithSubscriptionsInTurn(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		other := func(vm string) plan.Change {
			c := itemChangeIn("v3", plan.Modify, vm)
			c.Vault = "/subscriptions/22222222-2222-2222-2222-222222222222" + c.Vault[len("/subscriptions/")+36:]
			c.Item = "/subscriptions/22222222-2222-2222-2222-222222222222" + c.Item[len("/subscriptions/")+36:]
			return c
		}
		carryOut(t, az, planOf(
			itemChangeIn("v1", plan.Modify, "a1"), itemChangeIn("v2", plan.Modify, "b1"),
			itemChangeIn("v1", plan.Modify, "a2"), itemChangeIn("v2", plan.Modify, "b2"),
			other("c1"), other("c2"),
			itemChangeIn("v1", plan.Undelete, "d"), itemChangeIn("v1", plan.Resume, "d", "undelete:d"),
			itemChangeIn("v1", plan.Protect, "e"), itemChangeIn("v1", plan.Protect, "f"),
		), apply.Options{Limits: apply.Limits{Writes: 1}})
		// protect takes 36 s, undelete with resume 24 s, modify 12 s.
		want := []string{
			"protect:e", "protect:f", "undelete:d",
			"modify:a1", "modify:c1", "modify:a2", "modify:c2", "modify:b1", "modify:b2", "resume:d",
		}
		if diff := cmp.Diff(want, az.starts); diff != "" {
			t.Errorf("order of writes (-want +got):\n%s", diff)
		}
	})
}

func TestErrorsAreGatheredInPlanOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"], az.script["vm3"] = []string{"fail"}, []string{"fail"}
		az.script["vm2"] = []string{"hang"}
		rep, err := apply.Run(t.Context(), planOf(
			itemChange(plan.Protect, "vm1"), itemChange(plan.Stop, "vm2"), itemChange(plan.Protect, "vm3"), itemChange(plan.Protect, "vm4"),
		), az, apply.Options{Observed: time.Now()})
		wrapped, ok := err.(interface{ WrappedErrors() []error })
		if !ok {
			t.Fatalf("the error is %T", err)
		}
		var got []string
		for _, e := range wrapped.WrappedErrors() {
			if ce, ok := errors.AsType[*apply.ChangeError](e); ok {
				got = append(got, ce.Result.ID)
			}
		}
		if want := []string{"protect:vm1", "stop:vm2", "protect:vm3"}; !slices.Equal(got, want) {
			t.Errorf("errors of %v, want %v", got, want)
		}
		wantOutcome(t, rep, "protect:vm4", apply.Done)
	})
}
