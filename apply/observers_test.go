package apply_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// pairs returns the changes of n machines, each of which is protected and then backed up.
func pairs(n int) []plan.Change {
	var changes []plan.Change
	for i := range n {
		vm := fmt.Sprint("vm", i)
		changes = append(changes, itemChange(plan.Protect, vm), itemChange(plan.Backup, vm, "protect:"+vm))
	}
	return changes
}

func TestASlowObserverDoesNotEndTheRunEarly(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		p := planOf(pairs(3)...)
		rec := &recorder{t: t}
		rep, err := apply.Run(t.Context(), p, az, apply.Options{Observed: time.Now(), Observer: func(e apply.Event) {
			time.Sleep(time.Second)
			rec.observe(e)
		}})
		checkReport(t, p, rep, err)
		if n := rep.Summary[apply.Done]; n != len(p.Changes) {
			t.Errorf("%d of %d changes are done: %v", n, len(p.Changes), err)
		}
		checkOrder(t, p, rec)
	})
}

// checkOrder checks what an observer may rely on: a change's started event comes after the results of all it needs,
// each result is reported once, nothing starts after an interrupt, and the counts never decrease.
func checkOrder(t failer, p plan.Plan, rec *recorder) {
	t.Helper()
	needs, hasEnded := map[string][]string{}, map[string]bool{}
	for _, c := range p.Changes {
		needs[c.ID] = c.Needs
	}
	done, last, interrupted := 0, time.Time{}, false
	for _, e := range rec.events {
		if e.Done < done || e.Time.Before(last) {
			t.Errorf("%s of %q goes back: %d done after %d, at %v after %v", e.Kind, e.Change, e.Done, done, e.Time, last)
		}
		done, last = e.Done, e.Time
		switch e.Kind {
		case apply.EventInterrupt:
			interrupted = true
		case apply.EventStarted:
			if interrupted {
				t.Errorf("%s is told to start after the interrupt", e.Change)
			}
			for _, id := range needs[e.Change] {
				if !hasEnded[id] {
					t.Errorf("%s is told to start before the end of %s is told", e.Change, id)
				}
			}
		case apply.EventFinished:
			if hasEnded[e.Change] {
				t.Errorf("the end of %s is told twice", e.Change)
			}
			hasEnded[e.Change] = true
		default:
		}
	}
}

func TestASlowObserverDoesNotMakeAWriteUnconfirmedThatWasNeverSent(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		p := planOf(itemChange(plan.Protect, "vm1"))
		rep, err := apply.Run(t.Context(), p, az, apply.Options{
			Observed: time.Now(), Limits: apply.Limits{ItemTimeout: time.Minute},
			Observer: func(e apply.Event) {
				if e.Kind == apply.EventStarted {
					time.Sleep(2 * time.Minute)
				}
			},
		})
		checkReport(t, p, rep, err)
		wantOutcome(t, rep, "protect:vm1", apply.TimedOut)
		if az.started("protect:vm1") != 0 {
			t.Error("it was written when its time was up")
		}
	})
}

// stubborn is a service that does not return from the first write at its time limit.
type stubborn struct{ *fake }

func (s stubborn) Start(ctx context.Context, c plan.Change) (apply.Operation, error) {
	if c.ID == "protect:vm1" {
		time.Sleep(90 * time.Second)
	}
	return s.fake.Start(ctx, c)
}

func TestAChangeWhoseTimeIsUpLeavesTheQueueForAWriteAndWasNotAsked(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		p := planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2"))
		rep, err := apply.Run(t.Context(), p, stubborn{az}, apply.Options{
			Observed: time.Now(), Limits: apply.Limits{Writes: 1, ItemTimeout: time.Minute},
		})
		checkReport(t, p, rep, err)
		wantOutcome(t, rep, "protect:vm1", apply.Unconfirmed)
		wantOutcome(t, rep, "protect:vm2", apply.TimedOut)
	})
}

func TestWhoWaitsForARefreshThatWasLeftRefreshesItself(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"], az.script["vm2"] = []string{"unknown-container"}, []string{"unknown-container"}
		refreshes := 0
		az.duration = func(c plan.Change, _ int) time.Duration {
			switch c.Action {
			case plan.UpdatePolicy:
				return 2 * time.Minute
			case plan.Refresh:
				if refreshes++; refreshes == 1 {
					return time.Hour // longer than the time limit of the change that started it
				}
			default:
			}
			return 36 * time.Second
		}
		rep, _ := carryOut(t, az, planOf(
			itemChange(plan.Protect, "vm1"), policyChange(plan.UpdatePolicy, "p"), itemChange(plan.Protect, "vm2", "update-policy:p"),
		), apply.Options{Limits: apply.Limits{ItemTimeout: 5 * time.Minute}})
		res := wantOutcome(t, rep, "protect:vm1", apply.TimedOut)
		wantContains(t, "the message", res.Message, "5m0s")
		wantOutcome(t, rep, "protect:vm2", apply.Done)
		if refreshes != 2 {
			t.Errorf("%d refreshes, want 2", refreshes)
		}
	})
}
