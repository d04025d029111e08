package apply_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// eventful returns a run in which times matter: of jobs that are ours or not, of budgets, of lists that are too old.
func eventful(t *testing.T, ahead time.Duration) (apply.Report, []apply.Event, time.Duration) {
	t.Helper()
	var rep apply.Report
	rec := &recorder{t: t}
	began := time.Now()
	az := newFake()
	az.ahead, az.began, az.readsPerHour = ahead, az.now(), 60
	changes := append(pairs(4), policyChange(plan.UpdatePolicy, "daily"), itemChange(plan.Modify, "m", "update-policy:daily"), itemChange(plan.Stop, "s"))
	for i, words := range [][]string{{"reset-after"}, {"conflict"}, {"job-fails"}, {"429"}} {
		az.script[fmt.Sprint("vm", i)] = words
	}
	az.seed(planOf(changes...))
	rep, _ = apply.Run(t.Context(), planOf(changes...), az, apply.Options{
		Observed: az.now().Add(-time.Hour), Now: az.now, Budget: az, Observer: rec.observe, Seed: 1,
		Limits: apply.Limits{Writes: 1, ItemTimeout: 10 * time.Minute},
	})
	return rep, rec.events, time.Since(began)
}

func TestARunGoesByTheServicesClockHoweverWrongTheMachinesIs(t *testing.T) {
	var want []string
	var wantTook time.Duration
	for _, ahead := range []time.Duration{0, -900 * 24 * time.Hour, -3 * 24 * time.Hour, -6 * time.Minute, 6 * time.Minute, 400 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			rep, events, took := eventful(t, ahead)
			var got []string
			for _, res := range rep.Results {
				got = append(got, fmt.Sprint(res.ID, " ", res.Outcome, " ", res.Code, " ", res.Message))
			}
			for _, e := range events {
				if wrong := e.Time.Sub(time.Now().Add(ahead)); wrong > 0 || wrong < -took {
					t.Fatalf("with a service %v ahead, %s is at %v", ahead, e.Kind, e.Time)
				}
			}
			if d := rep.Finished.Sub(rep.Started); d != took {
				t.Errorf("with a service %v ahead the run took %v, and says %v", ahead, took, d)
			}
			if ahead == 0 {
				want, wantTook = got, took
				if rep.Summary[apply.Done] != 9 || rep.Summary[apply.Failed] != 1 {
					t.Errorf("the run itself: %v", rep.Summary)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("with a service %v ahead the results differ (-want +got):\n%s", ahead, diff)
			}
			if (took - wantTook).Abs() > time.Second { // simultaneous events have no fixed order
				t.Errorf("with a service %v ahead the run took %v, want %v", ahead, took, wantTook)
			}
		})
	}
}

func TestAWaitIsTooLongOnlyWhereItIsKnownToEndAfterTheTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for d, want := range map[time.Duration]bool{time.Minute - 1: false, time.Minute: false, time.Minute + 1: true} {
			if got := apply.EndsWithin(limited, d); got != want {
				t.Errorf("a minute is left to wait %v: too long %v, want %v", d, got, want)
			}
		}
		if apply.EndsWithin(t.Context(), 1000*time.Hour) {
			t.Error("too long for a run without a limit")
		}
	})
}
