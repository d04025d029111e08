package apply_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestAFailedJobIsAFailureWithItsOwnCodeAndText(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"job-fails"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
		if res.Code != "390026" || res.Message != "the job said no" || res.Job == "" {
			t.Errorf("result %+v", res)
		}
		wantOutcome(t, rep, "protect:vm2", apply.Done)
	})
}

func TestAJobThatFailedFailsTheChangeEvenIfTheItemLooksAsDesired(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := itemChange(plan.Modify, "vm1")
		az.script["vm1"] = []string{"job-fails"}
		az.duration = func(plan.Change, int) time.Duration { return 12 * time.Second }
		az.put(c) // the service shows the new policy before the job ends
		rep, _ := carryOut(t, az, planOf(c), apply.Options{})
		wantOutcome(t, rep, c.ID, apply.Failed)
	})
}

func TestAnItemThatLooksAsDesiredIsNotDoneWhileItsJobRuns(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := itemChange(plan.Modify, "vm1")
		az.put(c)
		az.duration = func(plan.Change, int) time.Duration { return time.Minute }
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(c), apply.Options{})
		wantOutcome(t, rep, c.ID, apply.Done)
		if time.Since(began) < time.Minute {
			t.Errorf("done after %v, while the job ran", time.Since(began))
		}
	})
}

func TestAFailureThatTheListsDoNotShowIsAskedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"op-fails"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
		if res.Code != "UserErrorGuestAgentStatusUnavailable" {
			t.Errorf("code %s", res.Code)
		}
	})
}

func TestAnOperationThatSucceededIsNotDoneBeforeItsEffectIsListed(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"invisible"}
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Done)
		if took := time.Since(began); took < 36*time.Second+2*time.Minute {
			t.Errorf("done after %v, before the item was listed", took)
		}
		if az.lists > 20 {
			t.Errorf("%d lists to wait for one item", az.lists)
		}
	})
}

func TestAnOperationThatNeverEndsIsUnconfirmedWithAWayToLook(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"hang"}
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2")),
			apply.Options{Limits: apply.Limits{ItemTimeout: 20 * time.Minute}})
		res := wantOutcome(t, rep, "protect:vm1", apply.Unconfirmed)
		wantContains(t, "the message", res.Message, "20m0s")
		wantContains(t, "the hint", res.Hint, vaultID("v1")+"/backupOperations/"+res.Operation)
		if res.Operation == "" {
			t.Error("the result does not name the operation")
		}
		if took := time.Since(began); took != 20*time.Minute {
			t.Errorf("it took %v", took)
		}
		wantOutcome(t, rep, "protect:vm2", apply.Done)
		if az.lists+az.polls > 60 {
			t.Errorf("%d lists and %d polls for one that hung", az.lists, az.polls)
		}
	})
}

// An operation of an item has a URL under its vault. For any other change, and where no operation is known, the hint
// names the resource written.
func TestWhereToLookForWhatIsUnconfirmed(t *testing.T) {
	item := itemChange(plan.Protect, "vm1")
	for name, c := range map[string]struct {
		change plan.Change
		word   string
		path   string
	}{
		"an item's operation":           {item, "hang", item.Vault + "/backupOperations/op-0"},
		"an item's write, not answered": {item, "late", item.Item},
		"a policy's operation":          {policyChange(plan.UpdatePolicy, "vm1"), "hang", armid.Policy(item.Vault, "vm1")},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				az.script["vm1"] = []string{c.word}
				if c.word == "late" {
					az.latency = time.Hour
				}
				rep, _ := carryOut(t, az, planOf(c.change), apply.Options{Limits: apply.Limits{ItemTimeout: time.Minute}})
				res := wantOutcome(t, rep, c.change.ID, apply.Unconfirmed)
				wantContains(t, "the hint", res.Hint, "--url '"+c.path+"?api-version=")
			})
		})
	}
}

func TestTheRunHasALimitToo(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"hang"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2")),
			apply.Options{Limits: apply.Limits{RunTimeout: 5 * time.Minute, Operations: 1}})
		res := wantOutcome(t, rep, "protect:vm1", apply.Unconfirmed)
		wantContains(t, "the message", res.Message, "the time limit of the run, 5m0s, is over")
		res = wantOutcome(t, rep, "protect:vm2", apply.NotStarted)
		wantContains(t, "the message", res.Message, "the time limit of the run, 5m0s, is over")
		if rep.Interrupted {
			t.Error("a run out of time is not an interrupted one")
		}
	})
}

func TestALateAnswerToAWriteIsUnconfirmed(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.latency = time.Hour
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{Limits: apply.Limits{ItemTimeout: time.Minute}})
		wantOutcome(t, rep, "protect:vm1", apply.Unconfirmed)
	})
}

func TestAfterAnInterruptNothingStartsAndWhatRunsIsFollowed(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm2"] = []string{"hang"}
		az.script["vm3"] = []string{"conflict", "conflict", "conflict", "conflict"}
		var changes []plan.Change
		for i := range 50 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		interrupt := make(chan struct{})
		time.AfterFunc(15*time.Second, func() { close(interrupt) })
		began := time.Now()
		rep, rec := carryOut(t, az, planOf(changes...), apply.Options{
			Limits: apply.Limits{Operations: 10}, Interrupt: interrupt, Grace: 2 * time.Minute,
		})
		wantOutcome(t, rep, "protect:vm0", apply.Done)
		res := wantOutcome(t, rep, "protect:vm2", apply.Interrupted)
		wantContains(t, "the message", res.Message, "the grace period is over")
		wantContains(t, "the hint", res.Hint, "az rest")
		wantOutcome(t, rep, "protect:vm3", apply.NotStarted)
		wantOutcome(t, rep, "protect:vm49", apply.NotStarted)
		if !rep.Interrupted {
			t.Error("the report does not say that the run was interrupted")
		}
		if took := time.Since(began); took != 15*time.Second+2*time.Minute {
			t.Errorf("it took %v", took)
		}
		for _, e := range rec.events {
			if e.Kind == apply.EventStarted && e.Time.Sub(began) > 15*time.Second {
				t.Errorf("%s was started after the interrupt", e.Change)
			}
		}
	})
}

func TestWhenAllThatRunsIsOverAnInterruptedRunEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		interrupt := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(interrupt) })
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Backup, "vm1", "protect:vm1")),
			apply.Options{Interrupt: interrupt, Grace: time.Hour})
		wantOutcome(t, rep, "protect:vm1", apply.Done)
		wantOutcome(t, rep, "backup:vm1", apply.NotStarted)
		if took := time.Since(began); !near(took, 36*time.Second) {
			t.Errorf("it took %v", took)
		}
	})
}

func TestWhatWaitedForSomethingUnfinishedWasNotStarted(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["hangs"], az.script["fails"] = []string{"hang"}, []string{"fail"}
		interrupt := make(chan struct{})
		time.AfterFunc(10*time.Second, func() { close(interrupt) })
		rep, _ := carryOut(t, az, planOf(
			itemChange(plan.Protect, "fails"), itemChange(plan.Backup, "fails", "protect:fails"),
			policyChange(plan.UpdatePolicy, "hangs"), policyChange(plan.UpdatePolicy, "later"),
			itemChange(plan.Protect, "b", "update-policy:hangs"), itemChange(plan.Backup, "b", "protect:b"),
			itemChange(plan.Protect, "c", "update-policy:later"),
		), apply.Options{Interrupt: interrupt, Grace: time.Minute})
		wantOutcome(t, rep, "backup:fails", apply.Blocked)
		wantOutcome(t, rep, "update-policy:hangs", apply.Interrupted)
		res := wantOutcome(t, rep, "protect:b", apply.NotStarted)
		wantContains(t, "the message", res.Message, `it needs "update policy hangs", which was interrupted`)
		res = wantOutcome(t, rep, "backup:b", apply.NotStarted)
		wantContains(t, "the message", res.Message, `it needs "protect RG-App/b", which was not started`)
		wantOutcome(t, rep, "update-policy:later", apply.NotStarted)
		wantOutcome(t, rep, "protect:c", apply.NotStarted)
	})
}

func TestACancelledContextLeavesAtOnceWithWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		az := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		p := planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2"), itemChange(plan.Protect, "vm3"))
		began := time.Now()
		rep, err := apply.Run(ctx, p, az, apply.Options{Observed: began, Grace: time.Hour, Limits: apply.Limits{Operations: 2}})
		checkReport(t, p, rep, err)
		res := wantOutcome(t, rep, "protect:vm1", apply.Interrupted)
		if res.Operation == "" {
			t.Error("the result does not name the operation")
		}
		wantOutcome(t, rep, "protect:vm3", apply.NotStarted)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestListsThatCannotBeReadLeaveTheOperationUnconfirmedNotDone(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.listFails = func(int) error {
			return &apply.Error{Op: "listing", Status: 403, Code: "LinkedAuthorizationFailed", Message: "no right to list"}
		}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.Unconfirmed)
		wantContains(t, "the message", res.Message, "cannot be listed")
	})
}

func TestASweepThatFailsIsRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.listFails = func(n int) error {
			if n < 3 {
				return &apply.Error{Op: "listing", Status: 504, Code: "GatewayTimeout", Message: "scripted"}
			}
			return nil
		}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Done)
	})
}

func TestWithoutALookNothingStaleIsWritten(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.listFails = func(int) error {
			return &apply.Error{Op: "listing", Status: 403, Code: "LinkedAuthorizationFailed", Message: "no right to list"}
		}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{Observed: time.Now().Add(-time.Hour)})
		wantOutcome(t, rep, "protect:vm1", apply.Failed)
		if len(az.starts) != 0 {
			t.Errorf("writes %v", az.starts)
		}
	})
}
