package apply_test

import (
	"slices"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// The ages are those of docs/azure.md §1, §4, §6 and §7.1.
func TestAnOperationIsLookedAtWhenThoseOfItsKindWereRecordedToEnd(t *testing.T) {
	for _, c := range []struct {
		change plan.Change
		ages   []time.Duration // in seconds
	}{
		{itemChange(plan.Protect, "x"), []time.Duration{36, 71, 324}},
		{itemChange(plan.Modify, "x"), []time.Duration{12, 31}},
		{itemChange(plan.Resume, "x"), []time.Duration{12, 31}},
		{itemChange(plan.Stop, "x"), []time.Duration{12, 14}},
		{itemChange(plan.Undelete, "x"), []time.Duration{12, 14}},
		{itemChange(plan.Backup, "x"), []time.Duration{2, 13}},
		{policyChange(plan.CreatePolicy, "x"), []time.Duration{1, 12}},
		{policyChange(plan.UpdatePolicy, "x"), []time.Duration{12, 31}},
		{vaultChange(plan.Refresh), []time.Duration{12, 75}},
		{vaultChange(plan.CreateVault), []time.Duration{10, 60}},
		{vaultChange(plan.UpdateVault), []time.Duration{10, 60}},
	} {
		t.Run(string(c.change.Action), func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				az.latency, az.hideJobs = 0, true // a backup is done once its job is listed
				az.script["x"], az.script["v1"] = []string{"hang"}, []string{"hang"}
				_, rec := carryOut(t, az, planOf(c.change), apply.Options{Limits: apply.Limits{ItemTimeout: 10 * time.Minute}})
				var ages []time.Duration
				for _, at := range slices.Concat(rec.at(apply.EventSwept, ""), az.polled) {
					ages = append(ages, at.Sub(az.accepted[0]))
				}
				slices.Sort(ages)
				if ages[0] != c.ages[0]*time.Second {
					t.Errorf("first looked at after %v, want %ds", ages[0], c.ages[0])
				}
				for _, age := range c.ages {
					if !slices.Contains(ages, age*time.Second) {
						t.Errorf("looked at after %v, want also after %ds", ages, age)
					}
				}
			})
		})
	}
}

func TestAPollBetweenTheRecordedAgesMayBeSharedFromHalfItsGapOn(t *testing.T) {
	for age, want := range map[time.Duration][2]time.Duration{ // due, shareable from
		400 * time.Second: {500 * time.Second, 450 * time.Second},
		time.Hour:         {62 * time.Minute, 61 * time.Minute},
	} {
		if due, shareable := apply.NextPoll(plan.Protect, age); due != want[0] || shareable != want[1] {
			t.Errorf("at %v it is polled again at %v, shared from %v, want %v", age, due, shareable, want)
		}
	}
}

// The end of a change that no list shows is noticed at most a quarter of its age too late, wherever it falls between the
// recorded ages.
func TestTheEndOfAPolicysChangeIsNoticedSoon(t *testing.T) {
	for _, takes := range []time.Duration{13 * time.Second, 16 * time.Second, 22 * time.Second, 45 * time.Second} {
		inBubble(t, func(t *testing.T, az *fake) {
			az.latency = 0
			az.duration = func(plan.Change, int) time.Duration { return takes }
			rep, _ := carryOut(t, az, planOf(policyChange(plan.UpdatePolicy, "daily")), apply.Options{})
			wantOutcome(t, rep, "update-policy:daily", apply.Done)
			if noticed := az.polled[len(az.polled)-1].Sub(az.accepted[0]); noticed > takes*5/4 {
				t.Errorf("it ended after %v, noticed after %v", takes, noticed)
			}
		})
	}
}
