package apply_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble runs f in virtual time with a fake that takes no wall time.
func inBubble(t *testing.T, f func(t *testing.T, az *fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newFake()) })
}

// failer holds the methods of *testing.T and *rapid.T used here.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// recorder records the events of a run and fails the test when two of them come at once.
type recorder struct {
	t      failer
	inside atomic.Bool
	events []apply.Event
}

func (r *recorder) observe(e apply.Event) {
	if !r.inside.CompareAndSwap(false, true) {
		r.t.Errorf("two events at once")
	}
	r.events = append(r.events, e)
	r.inside.Store(false)
}

// at returns the times of the events of a kind for a change ("" = any).
func (r *recorder) at(kind apply.EventKind, change string) []time.Time {
	var times []time.Time
	for _, e := range r.events {
		if e.Kind == kind && (change == "" || e.Change == change) {
			times = append(times, e.Time)
		}
	}
	return times
}

// carryOut executes a plan whose vaults were listed a moment ago.
func carryOut(t *testing.T, az *fake, p plan.Plan, o apply.Options) (apply.Report, *recorder) {
	t.Helper()
	rec := &recorder{t: t}
	o.Observer = rec.observe
	if o.Observed.IsZero() {
		o.Observed = time.Now()
	}
	az.seed(p)
	rep, err := apply.Run(t.Context(), p, az, o)
	checkReport(t, p, rep, err)
	return rep, rec
}

// checkReport checks the invariants of every report.
func checkReport(t failer, p plan.Plan, rep apply.Report, err error) {
	t.Helper()
	if len(rep.Results) != len(p.Changes) {
		t.Errorf("%d results for %d changes", len(rep.Results), len(p.Changes))
		return
	}
	bad, sum := 0, 0
	for i, res := range rep.Results {
		if res.ID != p.Changes[i].ID {
			t.Errorf("result %d is of %q, want %q", i, res.ID, p.Changes[i].ID)
		}
		switch res.Outcome {
		case apply.Done, apply.AlreadyDone:
		case apply.Failed, apply.TimedOut, apply.Unconfirmed, apply.Blocked, apply.NotStarted, apply.Interrupted:
			bad++
			if res.Message == "" {
				t.Errorf("%s is %s and does not say why", res.ID, res.Outcome)
			}
		default:
			t.Errorf("%s has outcome %q", res.ID, res.Outcome)
		}
		if res.Outcome == apply.Unconfirmed && !strings.Contains(res.Hint, "az rest") {
			t.Errorf("%s is unconfirmed without a way to look: %q", res.ID, res.Hint)
		}
	}
	for _, n := range rep.Summary {
		sum += n
	}
	if sum != len(p.Changes) {
		t.Errorf("the summary counts %d of %d changes", sum, len(p.Changes))
	}
	if (err != nil) != (bad > 0) {
		t.Errorf("%d changes are not done, and the error is %v", bad, err)
	}
}

// wantOutcome checks how one change ended, and returns its result.
func wantOutcome(t *testing.T, rep apply.Report, id string, want apply.Outcome) apply.Result {
	t.Helper()
	for _, res := range rep.Results {
		if res.ID == id {
			if res.Outcome != want {
				t.Errorf("%s ended as %s (%s %s), want %s", id, res.Outcome, res.Code, res.Message, want)
			}
			return res
		}
	}
	t.Errorf("no result for %s", id)
	return apply.Result{}
}

// wantWrites checks how often a change was sent.
func wantWrites(t *testing.T, az *fake, change string, want int) {
	t.Helper()
	if n := az.started(change); n != want {
		t.Errorf("%s was sent %d times, want %d", change, n, want)
	}
}

func wantContains(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("%s is %q, want it to contain %q", what, got, want)
	}
}

// near reports whether d is at least want, and at most a twentieth longer.
func near(d, want time.Duration) bool { return d >= want && d <= want+want/20 }
