package apply_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestOneThatTakesLongerIsAskedForSinglyBetweenTheMarks(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.duration = func(plan.Change, int) time.Duration { return 50 * time.Second }
		carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		if az.polls == 0 || az.lists > 3 {
			t.Errorf("%d polls and %d lists", az.polls, az.lists)
		}
	})
}

func TestAnOperationTheListsAreSilentOnIsAskedForFurtherAndFurtherApart(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.hideJobs = true
		az.script["vm1"] = []string{"hang"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Unconfirmed)
		if az.polls > 25 {
			t.Errorf("%d polls in half an hour", az.polls)
		}
	})
}

func TestFrequentLooksForOthersDoNotMakeItBeAskedMoreOften(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm0"] = []string{"hang-unlisted"}
		az.duration = func(_ plan.Change, n int) time.Duration { return time.Duration(35+5*n) * time.Second }
		var changes []plan.Change
		for i := range 100 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		rep, _ := carryOut(t, az, planOf(changes...), apply.Options{})
		wantOutcome(t, rep, "protect:vm0", apply.Unconfirmed)
		if az.polls > 60 {
			t.Errorf("%d polls and %d lists", az.polls, az.lists)
		}
	})
}

func TestAnOperationIsNotAskedSoonerThanItWants(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.retryAfter = time.Minute
		az.script["vm1"] = []string{"hang-unlisted"}
		carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		for i := 1; i < len(az.polled); i++ {
			if gap := az.polled[i].Sub(az.polled[i-1]); gap < time.Minute {
				t.Errorf("asked again after %v, and it had said 1m", gap)
			}
		}
	})
}

func TestListsThatShowNoJobsDoNotTurnIntoAPollPerVM(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.hideJobs, az.retryAfter = true, time.Second
		az.duration = func(plan.Change, int) time.Duration { return 5 * time.Second }
		var changes []plan.Change
		for i := range 100 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		carryOut(t, az, planOf(changes...), apply.Options{})
		if az.polls > 10 {
			t.Errorf("%d polls for 100 VMs", az.polls)
		}
	})
}

func TestAFailedJobFromBeforeTheWriteIsNotOurs(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := itemChange(plan.Protect, "vm1")
		az.mu.Lock()
		az.accept(c, "job-fails")
		az.hideJobs = true // ours is not listed, the old one is
		az.mu.Unlock()
		time.Sleep(2 * time.Minute)
		rep, _ := carryOut(t, az, planOf(c), apply.Options{})
		wantOutcome(t, rep, c.ID, apply.Done)
	})
}

func TestTheItemOfAChangeIsTheOneItNamesNotAnotherOfTheSameVM(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := itemChange(plan.Undelete, "vm1")
		az.put(itemChange(plan.Protect, "vm1"))
		active := az.items[armid.Of(c.Target)]
		deleted := *active
		active.ID += "-classic"
		deleted.State, deleted.SoftDeleted = plan.StateProtectionStopped, true
		az.items["the deleted one"] = &deleted
		rep, _ := carryOut(t, az, planOf(c), apply.Options{
			Observed: time.Now().Add(-time.Hour),
			Limits:   apply.Limits{ItemTimeout: time.Minute},
		})
		if az.started("undelete:vm1") != 1 {
			t.Errorf("it was not written, because another item of the VM is active: %+v", rep.Results)
		}
	})
}

func TestALostAnswerIsLookedForAtOnceThoughOthersHaveTime(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.duration = func(plan.Change, int) time.Duration { return 5 * time.Minute }
		az.script["vm0"] = []string{"reset-before"}
		var changes []plan.Change
		for i := range 40 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		_, rec := carryOut(t, az, planOf(changes...), apply.Options{})
		if n := len(rec.at(apply.EventWaiting, "protect:vm0")); n != 1 {
			t.Errorf("that the answer was lost was told %d times", n)
		}
		starts := rec.at(apply.EventStarted, "protect:vm0")
		if len(starts) != 2 || starts[1].Sub(starts[0]) > 32*time.Second {
			t.Errorf("writes at %v, want the second 30 s after the first", starts)
		}
	})
}

func TestABudgetThatIsUsedUpIsWaitedForNotOverdrawn(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.readsPerHour = 3
		az.duration = func(_ plan.Change, n int) time.Duration { return time.Duration(30+10*n) * time.Second }
		var changes []plan.Change
		for i := range 40 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		began := time.Now()
		time.AfterFunc(59*time.Minute, func() {
			az.mu.Lock()
			defer az.mu.Unlock()
			for kind, n := range az.spent {
				if n > 3 {
					t.Errorf("%d reads of %s in the first hour, budget 3", n, kind)
				}
			}
			az.readsPerHour = 1000
		})
		rep, _ := carryOut(t, az, planOf(changes...), apply.Options{Budget: az, Limits: apply.Limits{ItemTimeout: 2 * time.Hour}})
		if rep.Summary[apply.Done] != 40 {
			t.Errorf("summary %v after %v", rep.Summary, time.Since(began))
		}
		if az.budgetAsked > 5000 {
			t.Errorf("the budget was looked up %d times", az.budgetAsked)
		}
	})
}

func TestWhileThingsHappenThereIsNoHeartbeat(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.duration = func(_ plan.Change, n int) time.Duration { return time.Duration(20*n) * time.Second }
		var changes []plan.Change
		for i := range 10 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		_, rec := carryOut(t, az, planOf(changes...), apply.Options{})
		for i, e := range rec.events {
			if e.Kind == apply.EventHeartbeat && e.Time.Sub(rec.events[i-1].Time) < 30*time.Second {
				t.Errorf("a heartbeat %v after something was said", e.Time.Sub(rec.events[i-1].Time))
			}
		}
	})
}

func TestOnesThatAreDueDoNotWaitLongForOthersThatAreStillBeingWritten(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.latency, az.pageSize = 2*time.Second, 5
		for i := range 200 { // a big vault, whose lists are expensive
			az.put(itemChange(plan.Protect, fmt.Sprint("old", i)))
		}
		var changes []plan.Change
		for i := range 40 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		began := time.Now()
		_, rec := carryOut(t, az, planOf(changes...), apply.Options{Limits: apply.Limits{Writes: 1}, Observed: began.Add(-time.Hour)})
		// All wait for the same snapshot before they write, so any of them may be the first.
		i := slices.IndexFunc(rec.events, func(e apply.Event) bool { return e.Kind == apply.EventStarted })
		first := rec.events[i].Change
		if took := rec.at(apply.EventFinished, first)[0].Sub(began); took > 90*time.Second {
			t.Errorf("%s, written first, was done after %v", first, took)
		}
	})
}

func TestAWriteThatNeverArrivesIsGivenUpAfterAFewTries(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		for range 20 {
			az.script["vm1"] = append(az.script["vm1"], "reset-before")
		}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Failed)
		wantWrites(t, az, "protect:vm1", 4)
	})
}

func TestAConflictIsWaitedOutAsLongAsAJobRunsThere(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.duration = func(plan.Change, int) time.Duration { return 3 * time.Minute }
		az.mu.Lock()
		az.accept(itemChange(plan.Modify, "vm1"), "ok") // another client, which leaves the item unchanged
		other := az.jobs[0]
		az.mu.Unlock()
		az.script["vm1"] = []string{"conflict"}
		rep, rec := carryOut(t, az, planOf(itemChange(plan.Stop, "vm1")), apply.Options{})
		wantOutcome(t, rep, "stop:vm1", apply.Done)
		if starts := rec.at(apply.EventStarted, "stop:vm1"); len(starts) != 2 || starts[1].Before(other.End) {
			t.Errorf("writes at %v, want two, the second after %v", starts, other.End)
		}
	})
}

// One odd header does not keep an operation from being asked for again.
func TestAnOperationThatWantsToBeLeftAloneForHoursIsAskedForAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.hideJobs, az.retryAfter = true, 10*24*time.Hour
		az.script["vm1"] = []string{"op-fails"}
		az.duration = func(plan.Change, int) time.Duration { return 3 * time.Minute }
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
		if res.Code != "UserErrorGuestAgentStatusUnavailable" {
			t.Errorf("%+v", res)
		}
	})
}

// linkless answers writes without the links to their operations.
type linkless struct{ *fake }

func (l linkless) Start(ctx context.Context, c plan.Change) (apply.Operation, error) {
	op, err := l.fake.Start(ctx, c)
	op.ID, op.Status = "", ""
	return op, err
}

// A restore that was accepted without a link is found by its job, as one whose answer was lost.
func TestARestoreThatWasAcceptedWithoutALinkIsFoundByItsJob(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.duration = func(plan.Change, int) time.Duration { return 72 * time.Second }
		c := restoreOf("vm1")
		rep, _ := apply.Run(t.Context(), planOf(c), linkless{az}, apply.Options{})
		res := wantOutcome(t, rep, c.ID, apply.Done)
		if took := res.Finished.Sub(*res.Started); res.Job == "" || took > 5*time.Minute {
			t.Errorf("after %v: %+v", took, res)
		}
	})
}
