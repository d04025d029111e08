package apply_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// randomPlan draws a DAG: every change may need earlier ones.
func randomPlan(rt *rapid.T) plan.Plan {
	var changes []plan.Change
	for i := range rapid.IntRange(1, 25).Draw(rt, "changes") {
		var needs []string
		for _, c := range changes {
			if rapid.IntRange(0, 6).Draw(rt, "needs") == 0 {
				needs = append(needs, c.ID)
			}
		}
		vault := rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(rt, "vault")
		name := fmt.Sprint("x", i)
		switch rapid.IntRange(0, 7).Draw(rt, "kind") {
		case 0:
			changes = append(changes, policyChange(plan.UpdatePolicy, name, needs...))
		case 1:
			c := itemChangeIn(vault, plan.Blocked, name, needs...)
			c.Because = "it is blocked"
			changes = append(changes, c)
		case 2:
			changes = append(changes, itemChangeIn(vault, plan.Backup, name, needs...))
		case 3:
			changes = append(changes, itemChangeIn(vault, plan.Stop, name, needs...))
		default:
			changes = append(changes, itemChangeIn(vault, plan.Protect, name, needs...))
		}
	}
	return plan.Plan{Changes: changes}
}

// randomWorld draws the faults and durations of the service.
func randomWorld(rt *rapid.T, p plan.Plan) func(*fake) {
	words := []string{
		"ok", "ok", "ok", "fail", "403", "429", "conflict", "500", "reset-before", "reset-after", "hang",
		"invisible", "op-fails", "job-fails", "unknown-container",
	}
	script := map[string][]string{}
	for _, c := range p.Changes {
		n := rapid.IntRange(0, 3).Draw(rt, "words")
		script[name(c.Target)] = rapid.SliceOfN(rapid.SampledFrom(words), n, n).Draw(rt, "script")
	}
	seconds := rapid.SliceOfN(rapid.IntRange(1, 400), 8, 8).Draw(rt, "durations")
	retryAfter := time.Duration(rapid.SampledFrom([]int{0, 1, 60}).Draw(rt, "Retry-After")) * time.Second
	hideJobs := rapid.Bool().Draw(rt, "hide jobs")
	return func(az *fake) {
		az.script, az.retryAfter, az.hideJobs = script, retryAfter, hideJobs
		az.duration = func(_ plan.Change, n int) time.Duration { return time.Duration(seconds[n%8]) * time.Second }
	}
}

// randomPauses returns a function that pauses its caller at random, for a random time up to a limit: an observer, or
// any goroutine at a lock. Most runs have no pauses.
func randomPauses(rt *rapid.T) func(limit time.Duration) {
	seed := rapid.Uint64Range(0, 1<<20).Draw(rt, "pauses")
	if seed%2 == 0 {
		return func(time.Duration) {}
	}
	var n atomic.Uint64
	return func(limit time.Duration) {
		if r := rand.New(rand.NewPCG(seed, n.Add(1))); r.IntN(4) == 0 {
			time.Sleep(time.Duration(r.Int64N(int64(limit))))
		}
	}
}

func TestPropertiesOfARun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlan(rt)
		limits := apply.Limits{
			Writes:     rapid.IntRange(1, 4).Draw(rt, "writes"),
			Polls:      rapid.IntRange(1, 3).Draw(rt, "polls"),
			Operations: rapid.IntRange(1, 10).Draw(rt, "operations"),
		}
		interruptAfter := rapid.SampledFrom([]time.Duration{0, 0, time.Second, time.Minute}).Draw(rt, "interrupt")
		world := randomWorld(rt, p)
		pauses := randomPauses(rt)
		synctest.Test(t, func(t *testing.T) {
			az := newFake()
			world(az)
			var interrupt chan struct{}
			if interruptAfter > 0 {
				interrupt = make(chan struct{})
				time.AfterFunc(interruptAfter, func() { close(interrupt) })
			}
			rec := &recorder{t: rt}
			began := time.Now()
			az.seed(p)
			rep, err := apply.Run(t.Context(), p, az, apply.WithYield(apply.Options{
				Limits: limits, Observed: began, Interrupt: interrupt, Grace: time.Minute,
				Observer: func(e apply.Event) {
					pauses(10 * time.Second)
					rec.observe(e)
				},
			}, func() { pauses(time.Millisecond) }))
			checkReport(rt, p, rep, err)
			checkProperties(rt, p, rep, rec, az, limits)
			checkOrder(rt, p, rec)
			if time.Since(began) > 6*time.Hour {
				rt.Errorf("the run took %v", time.Since(began))
			}
		})
	})
}

// checkProperties checks the invariants of every run, whatever its faults.
func checkProperties(t failer, p plan.Plan, rep apply.Report, rec *recorder, az *fake, limits apply.Limits) {
	t.Helper()
	if az.writingMost > limits.Writes || az.readingMost > limits.Polls {
		t.Errorf("%d writes and %d reads at once, limits %+v", az.writingMost, az.readingMost, limits)
	}
	results := map[string]apply.Result{}
	for _, res := range rep.Results {
		results[res.ID] = res
	}
	for _, c := range p.Changes {
		checkConsequence(t, c, results)
		if n := len(rec.at(apply.EventFinished, c.ID)); n != 1 {
			t.Errorf("%s finished %d times", c.ID, n)
		}
		starts := rec.at(apply.EventStarted, c.ID)
		if len(starts) > 0 && results[c.ID].Outcome == apply.Blocked {
			t.Errorf("%s is blocked, and was written", c.ID)
		}
		for _, parent := range c.Needs {
			if len(starts) > 0 && starts[0].Before(rec.at(apply.EventFinished, parent)[0]) {
				t.Errorf("%s started before %s ended", c.ID, parent)
			}
		}
		checkNeverTwice(t, c, results[c.ID], az)
	}
}

// checkConsequence checks the outcome of a change whose needs are not done: blocked after a failed one, not started
// after an unfinished one.
func checkConsequence(t failer, c plan.Change, results map[string]apply.Result) {
	t.Helper()
	wrong, unfinished := 0, 0
	for _, id := range c.Needs {
		switch results[id].Outcome {
		case apply.Done, apply.AlreadyDone:
		case apply.NotStarted, apply.Interrupted:
			unfinished++
		default:
			wrong++
		}
	}
	got := results[c.ID].Outcome
	switch {
	case c.Action == plan.Blocked, wrong > 0 && unfinished == 0:
		if got != apply.Blocked {
			t.Errorf("%s is %s, and should be blocked", c.ID, got)
		}
	case wrong > 0:
		if got != apply.Blocked && got != apply.NotStarted {
			t.Errorf("%s is %s, and should be blocked or not started", c.ID, got)
		}
	case unfinished > 0:
		if got != apply.NotStarted {
			t.Errorf("%s is %s, and should not be started", c.ID, got)
		}
	case got == apply.Blocked:
		t.Errorf("%s is blocked, and all it needs is done", c.ID)
	}
}

// checkNeverTwice checks that one change has at most one operation of its own, and that done means done.
func checkNeverTwice(t failer, c plan.Change, res apply.Result, az *fake) {
	t.Helper()
	ops := 0
	for _, op := range az.ops {
		if op.change.ID == c.ID {
			ops++
		}
	}
	if ops > 1 && !az.hideJobs && c.Item != "" { // writing a policy twice is harmless
		t.Errorf("%s has %d operations", c.ID, ops)
	}
	if res.Outcome != apply.Done || c.Item == "" || c.Action == plan.Backup {
		return
	}
	it := az.items[armid.Of(c.Target)]
	if it == nil || !plan.IsConverged(c, *it) {
		t.Errorf("%s is done, and its item is %+v", c.ID, it)
	}
}
