package apply_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

func protects(vaults, each int) []plan.Change {
	var changes []plan.Change
	for i := range vaults * each {
		changes = append(changes, itemChangeIn(fmt.Sprint("v", i/each), plan.Protect, fmt.Sprint("vm", i)))
	}
	return changes
}

func TestWhereReadsArePlentyNoOperationWaitsForAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.readsPerHour = 1100
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(protects(2, 600)...), apply.Options{Budget: az})
		if rep.Summary[apply.Done] != 1200 || az.runningMost < 1200 {
			t.Errorf("%v, and at most %d in flight", rep.Summary, az.runningMost)
		}
		if took := time.Since(began); took > 40*time.Second {
			t.Errorf("it took %v, want one wave of 36 s", took)
		}
	})
}

func TestALimitOnOperationsIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		rep, _ := carryOut(t, az, planOf(protects(1, 40)...), apply.Options{Limits: apply.Limits{Operations: 7}})
		if rep.Summary[apply.Done] != 40 || az.runningMost > 7 {
			t.Errorf("%v, and at most %d in flight", rep.Summary, az.runningMost)
		}
	})
}

// An hour's reads confirm a few of six vaults. The changes of the other vaults start only when there are reads again:
// started at once they would be in flight until their time limit, without a confirmation.
func TestNothingIsBegunThatReadsCannotConfirmInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.readsPerHour = 4
		time.AfterFunc(time.Hour, func() {
			az.mu.Lock()
			defer az.mu.Unlock()
			az.readsPerHour += 1000
			az.began = az.began.Add(time.Hour)
		})
		rep, rec := carryOut(t, az, planOf(protects(6, 20)...), apply.Options{Budget: az})
		if rep.Summary[apply.Done] != 120 {
			t.Errorf("%v", rep.Summary)
		}
		first := 0
		for _, at := range rec.at(apply.EventStarted, "") {
			if time.Since(at) > 10*time.Minute {
				first++
			}
		}
		if first == 0 {
			t.Error("nothing was begun in the first hour, and it has reads for some")
		}
	})
}

// A change that no list confirms does not wait for reads.
func TestScarceReadsHoldUpNoPolicy(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.readsPerHour = 1
		time.AfterFunc(time.Hour, func() {
			az.mu.Lock()
			defer az.mu.Unlock()
			az.readsPerHour += 1000
			az.began = az.began.Add(time.Hour)
		})
		changes := protects(3, 20)
		other := policyChange(plan.UpdatePolicy, "p1")
		began := time.Now()
		rep, rec := carryOut(t, az, planOf(append(changes, other)...), apply.Options{Budget: az})
		if rep.Summary[apply.Done] != 61 {
			t.Errorf("%v", rep.Summary)
		}
		if took := rec.at(apply.EventFinished, other.ID)[0].Sub(began); took > time.Minute {
			t.Errorf("a policy, which no list confirms, was done after %v", took)
		}
	})
}
