package apply_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

func TestTheEventsOfAChangeComeInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"429"}
		_, rec := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		var got []apply.EventKind
		for _, e := range rec.events {
			got = append(got, e.Kind)
		}
		want := []apply.EventKind{
			apply.EventRunStarted, apply.EventStarted, apply.EventThrottled, apply.EventStarted, apply.EventAccepted,
			apply.EventHeartbeat, apply.EventSwept, apply.EventFinished, apply.EventRunDone,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		last := rec.events[len(rec.events)-1]
		if last.Done != 1 || last.Running != 0 || last.Total != 1 {
			t.Errorf("the last event counts %d done, %d running of %d", last.Done, last.Running, last.Total)
		}
	})
}

func TestAnEndIsReportedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.duration = func(_ plan.Change, n int) time.Duration { return time.Duration(10+70*n) * time.Second }
		o := apply.Options{Observed: time.Now(), Observer: func(e apply.Event) {
			if late := time.Since(e.Time); late != 0 {
				t.Errorf("%s of %s was told %v late", e.Kind, e.Change, late)
			}
		}}
		p := planOf(policyChange(plan.UpdatePolicy, "a"), itemChange(plan.Protect, "vm1"))
		az.seed(p)
		rep, err := apply.Run(t.Context(), p, az, o)
		checkReport(t, p, rep, err)
	})
}

func TestSilenceIsBrokenByAHeartbeat(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"hang"}
		_, rec := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		for i := 1; i < len(rec.events); i++ {
			if gap := rec.events[i].Time.Sub(rec.events[i-1].Time); gap > 30*time.Second {
				t.Errorf("nothing was said for %v", gap)
			}
		}
	})
}

func TestTheJournalHasOneLineAnEvent(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		var out bytes.Buffer
		journal := apply.NewEventLog(&out)
		n := 0
		_, err := apply.Run(t.Context(), planOf(itemChange(plan.Protect, "vm1")), az, apply.Options{Observed: time.Now(), Observer: func(e apply.Event) {
			journal(e)
			n++
		}})
		if err != nil {
			t.Fatal(err)
		}
		ids := 0
		lines := bufio.NewScanner(&out)
		for i := 0; lines.Scan(); i++ {
			var e apply.Event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Fatalf("line %d: %v", i, err)
			}
			if e.RequestID != "" {
				ids++
			}
			n--
		}
		if n != 0 {
			t.Errorf("%d events more than lines", n)
		}
		if ids == 0 {
			t.Error("no line has a request id")
		}
	})
}

type brokenWriter struct{ writes int }

func (w *brokenWriter) Write([]byte) (int, error) {
	w.writes++
	return 0, errors.New("the disk is full")
}

func TestAJournalThatCannotBeWrittenDoesNotStopTheRun(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		w := &brokenWriter{}
		rep, err := apply.Run(t.Context(), planOf(itemChange(plan.Protect, "vm1")), az, apply.Options{Observed: time.Now(), Observer: apply.NewEventLog(w)})
		if err != nil || rep.Summary[apply.Done] != 1 || w.writes == 0 {
			t.Errorf("summary %v, error %v, %d writes", rep.Summary, err, w.writes)
		}
	})
}
