package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// longest returns the length of the chains that must neither overflow a stack nor take quadratic time.
func longest() int {
	if testing.Short() {
		return 5_000
	}
	return 100_000
}

// chain returns n changes, each of which needs the one before it.
func chain(n int) []plan.Change {
	changes := make([]plan.Change, n)
	for i := range changes {
		changes[i] = plan.Change{ID: fmt.Sprint(i), Action: plan.Protect, Target: fmt.Sprint("vm", i)}
		if i > 0 {
			changes[i].Needs = []string{changes[i-1].ID}
		}
	}
	return changes
}

func TestALongChainIsCarriedOutToItsEnd(t *testing.T) {
	n := longest()
	q := newWorkQueue(chain(n), newDurationEstimator(Options{}), 20)
	q.open()
	for i := range n {
		task := q.start(nil)
		if task == nil || task.ID != fmt.Sprint(i) {
			t.Fatalf("start %d gives %v", i, task)
		}
		if recorded := q.complete(task, Result{Outcome: Done}); len(recorded) != 1 {
			t.Fatalf("finish %d records %d results", i, len(recorded))
		}
	}
	if q.remaining != 0 || q.isStuck() {
		t.Errorf("%d left", q.remaining)
	}
}

func TestAFailureBlocksALongChain(t *testing.T) {
	n := longest()
	q := newWorkQueue(chain(n), newDurationEstimator(Options{}), 20)
	q.open()
	recorded := q.complete(q.start(nil), Result{ID: "0", Outcome: Failed})
	if len(recorded) != n || q.remaining != 0 {
		t.Fatalf("%d results, %d left", len(recorded), q.remaining)
	}
	for i, res := range recorded {
		if res.ID != fmt.Sprint(i) {
			t.Fatalf("result %d is of %s: a parent comes before its children", i, res.ID)
		}
	}
}

func TestNeedsOutOfPlanOrderDoNotMatterToTheQueue(t *testing.T) {
	changes := chain(5)
	slices.Reverse(changes)
	q := newWorkQueue(changes, newDurationEstimator(Options{}), 20)
	q.open()
	for i := range 5 {
		if task := q.start(nil); task == nil || task.ID != fmt.Sprint(i) || len(q.complete(task, Result{Outcome: Done})) != 1 {
			t.Fatalf("start %d gives %v", i, task)
		}
	}
}

// The invariants of a queue hold after every step of every order in which changes start and end.
func TestPropertiesOfTheQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var changes []plan.Change
		for i := range rapid.IntRange(0, 20).Draw(t, "changes") {
			c := plan.Change{
				ID: fmt.Sprint(i), Target: fmt.Sprint("x", i), Vault: rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "vault"),
				Action: rapid.SampledFrom([]plan.Action{plan.UpdatePolicy, plan.CreatePolicy, plan.UpdateVault, plan.Protect}).Draw(t, "action"),
			}
			for _, before := range changes {
				if rapid.IntRange(0, 4).Draw(t, "needs") == 0 {
					c.Needs = append(c.Needs, before.ID)
				}
			}
			changes = append(changes, c)
		}
		q := newWorkQueue(changes, newDurationEstimator(Options{}), 20)
		q.open()
		var running []*task
		results := map[string]Outcome{}
		for q.remaining > 0 {
			if q.isStuck() {
				t.Fatalf("%d are left, nothing runs and nothing is ready", q.remaining)
			}
			if rapid.Bool().Draw(t, "start") || len(running) == 0 {
				next := q.start(nil)
				if next == nil && len(running) == 0 {
					t.Fatalf("%d are left, nothing runs, and none can start", q.remaining)
				}
				if next == nil {
					continue
				}
				for _, other := range running {
					if next.lock.kind != "" && next.lock == other.lock {
						t.Fatalf("%s and %s hold the lock %v", next.ID, other.ID, next.lock)
					}
				}
				for _, id := range next.Needs {
					if results[id] != Done {
						t.Fatalf("%s starts, and %s is %q", next.ID, id, results[id])
					}
				}
				running = append(running, next)
			} else {
				i := rapid.IntRange(0, len(running)-1).Draw(t, "which")
				outcome := rapid.SampledFrom([]Outcome{Done, Done, Done, Failed, Interrupted}).Draw(t, "outcome")
				for _, res := range q.complete(running[i], newResult(running[i].Change, outcome, "")) {
					if results[res.ID] != "" {
						t.Fatalf("%s has two results", res.ID)
					}
					results[res.ID] = res.Outcome
				}
				running = slices.Delete(running, i, i+1)
			}
			if q.running != len(running) || q.remaining != len(changes)-len(results) {
				t.Fatalf("%d run, %d are left, counted %d and %d", len(running), len(changes)-len(results), q.running, q.remaining)
			}
		}
	})
}

func TestWhatIsLeftWhenNothingCanRunIsAnInternalError(t *testing.T) {
	p := plan.Plan{Changes: append(chain(2), plan.Change{ID: "a", Action: plan.Protect, Needs: []string{"b"}}, plan.Change{ID: "b", Action: plan.Protect, Needs: []string{"a"}})}
	r := newRun(p, nil, Options{Limits: Limits{}.withDefaults()}) // plan.Validate would reject it
	ctx, stop := r.start(t.Context())
	defer stop()
	r.dispatcher.open()
	for task := r.dispatcher.next(ctx, noLimit); task != nil; task = r.dispatcher.next(ctx, noLimit) {
		r.recordResult(task, newResult(task.Change, Done, ""))
	}
	err := r.recordRemaining(nil)
	internal, ok := errors.AsType[*InternalError](err)
	if !ok || !slices.Equal(internal.Changes, []string{"a", "b"}) || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("the error is %v", err)
	}
	for i, want := range []Outcome{Done, Done, NotStarted, NotStarted} {
		if got := r.dispatcher.results()[i]; got.Outcome != want {
			t.Errorf("change %d is %s, want %s", i, got.Outcome, want)
		}
	}
}

func TestNextWaitsWhileSomethingRuns(t *testing.T) {
	s := newDispatcher(chain(2), newDurationEstimator(Options{}), Options{})
	s.open()
	first := s.next(t.Context(), noLimit)
	got := make(chan *task)
	go func() { got <- s.next(t.Context(), noLimit) }()
	select {
	case second := <-got:
		t.Fatalf("next gives %v while the parent runs", second)
	case <-time.After(10 * time.Millisecond):
	}
	s.complete(first, newResult(first.Change, Done, ""))
	if second := <-got; second == nil || second.ID != "1" {
		t.Errorf("next gives %v", second)
	}
}

// noLimit admits every change at once.
func noLimit(*task, map[armid.Key]*vaultInFlight) time.Duration { return 0 }

// Restore tests wait for everything else, whatever became of it, and are bounded among themselves.
func TestRestoreTestsStartAfterEverythingElse(t *testing.T) {
	var changes []plan.Change
	for i := range 4 {
		changes = append(changes, plan.Change{ID: fmt.Sprint("test", i), Target: fmt.Sprint("t", i), Vault: "v", Action: plan.RestoreTest})
	}
	changes = append(changes, plan.Change{ID: "a", Target: "a", Vault: "v", Action: plan.Protect},
		plan.Change{ID: "b", Target: "b", Vault: "v", Action: plan.Backup, Needs: []string{"a"}})
	q := newWorkQueue(changes, newDurationEstimator(Options{}), 2)
	q.open()
	first := q.start(nil)
	if first == nil || first.ID != "a" || q.start(nil) != nil {
		t.Fatalf("started %v, and something beside it", first)
	}
	q.complete(first, newResult(first.Change, Failed, "")) // b is blocked by it
	one, two := q.start(nil), q.start(nil)
	if one == nil || two == nil || q.start(nil) != nil {
		t.Fatalf("started %v and %v, and perhaps a third", one, two)
	}
	q.complete(one, newResult(one.Change, Done, ""))
	if q.start(nil) == nil {
		t.Error("none starts when one has ended")
	}
}
