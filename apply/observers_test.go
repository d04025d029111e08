package apply_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// pairs are n machines, each of which is protected and then backed up.
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

// checkOrder holds what an observer may rely on: a change starts after the results of all it needs were told, each
// result is told once, and the counts never go back.
func checkOrder(t failer, p plan.Plan, rec *recorder) {
	t.Helper()
	needs, over := map[string][]string{}, map[string]bool{}
	for _, c := range p.Changes {
		needs[c.ID] = c.Needs
	}
	done, last := 0, time.Time{}
	for _, e := range rec.events {
		if e.Done < done || e.Time.Before(last) {
			t.Errorf("%s of %q goes back: %d done after %d, at %v after %v", e.Kind, e.Change, e.Done, done, e.Time, last)
		}
		done, last = e.Done, e.Time
		switch e.Kind {
		case apply.EventStarted:
			for _, id := range needs[e.Change] {
				if !over[id] {
					t.Errorf("%s is told to start before the end of %s is told", e.Change, id)
				}
			}
		case apply.EventFinished:
			if over[e.Change] {
				t.Errorf("the end of %s is told twice", e.Change)
			}
			over[e.Change] = true
		default:
		}
	}
}
