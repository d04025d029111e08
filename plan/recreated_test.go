package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// A VM that was made anew under the same name has the id, the item and the jobs of the one before it. What was restored of
// that one proves nothing of it.
func TestARestoreOfAnEarlierVMProvesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		created, point, restored time.Duration // ago; 0 = not known, for the job none
		want                     TestState
		tested                   []string
	}{
		"restored since":                         {10 * day, 8 * time.Hour, 5 * day, TestProven, nil},
		"its creation is not known":              {0, 8 * time.Hour, 5 * day, TestProven, nil},
		"restored before it was created":         {3 * day, 8 * time.Hour, 5 * day, TestDue, []string{"web"}},
		"restored since, of a point before":      {5*day + 4*time.Hour, 8 * time.Hour, 5 * day, TestDue, []string{"web"}},
		"created in the second of the point":     {5*day + 8*time.Hour - 900*time.Millisecond, 8 * time.Hour, 5 * day, TestProven, nil},
		"never restored, and no point of its":    {time.Hour, 8 * time.Hour, 0, TestWaiting, nil},
		"restored before, and no point of its":   {time.Hour, 8 * time.Hour, 5 * day, TestWaiting, nil},
		"never restored, created a while before": {9 * time.Hour, 8 * time.Hour, 0, TestDue, []string{"web"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(config.Sample{}, "web")
			if tt.created > 0 {
				w.o.VMs[0].TimeCreated = restoreNow.Add(-tt.created)
			}
			if tt.restored > 0 {
				w.restored("web", tt.restored, "rg-tests")
			}
			vm := w.assess(t)["web"]
			if isProven := vm.Proven != nil; vm.State != tt.want || isProven != (tt.want == TestProven) {
				t.Errorf("it is %s, want %s; a proof: %t", vm.State, tt.want, isProven)
			}
			got, blocked := tested(w.plan(t, Options{}))
			if d := cmp.Diff(tt.tested, got); d != "" || len(blocked) > 0 {
				t.Errorf("tested (-want +got), blocked %v:\n%s", blocked, d)
			}
		})
	}
}

// A restore of a point that proves nothing would be repeated by every run.
func TestTheOldestPointOfATestIsOneOfTheVMItself(t *testing.T) {
	w := newTestWorld(config.Sample{}, "web")
	w.config.RestoreTests[0].Point = config.PointOldest
	it := w.o.Items[0]
	earlier, own := pointAged(9*day, snapshotAndVault), pointAged(2*day, snapshotAndVault)
	earlier.ID, own.ID = it.ID+"/recoveryPoints/earlier", it.ID+"/recoveryPoints/own"
	w.points[armid.Of(it.ID)] = append(w.points[armid.Of(it.ID)], earlier, own)
	for created, want := range map[time.Duration]string{0: "earlier", 3 * day: "own", 10 * day: "earlier"} {
		if w.o.VMs[0].TimeCreated = (time.Time{}); created > 0 {
			w.o.VMs[0].TimeCreated = restoreNow.Add(-created)
		}
		p := w.plan(t, Options{})
		if len(p.Changes) != 1 || p.Changes[0].RestoreOrder == nil || lastName(p.Changes[0].Point.ID) != want {
			t.Errorf("created %s ago: %+v, want the point %s", created, p.Changes, want)
		}
	}
	w.o.VMs[0].TimeCreated = restoreNow.Add(-9 * time.Hour)
	w.points[armid.Of(it.ID)] = []RecoveryPoint{earlier}
	if p := w.plan(t, Options{}); len(p.Changes) != 1 || p.Changes[0].Action != Blocked || !strings.Contains(p.Changes[0].Because, "of an earlier VM") {
		t.Errorf("without a point of its own: %+v", p.Changes)
	}
}

func TestABackupOfAnEarlierVMIsNoneOfThisOne(t *testing.T) {
	for name, tt := range map[string]struct {
		created time.Duration // ago; 0 = not known
		job     time.Duration // when its last backup started, ago; 0 = none is listed
		want    bool
	}{
		"its creation is not known":              {0, 0, false},
		"created before its last point":          {9 * time.Hour, 0, false},
		"created after it":                       {time.Hour, 0, true},
		"created after it, and backed up since":  {time.Hour, time.Minute, false},
		"created after it and after that backup": {time.Hour, 2 * time.Hour, true},
	} {
		w := newTestWorld(config.Sample{}, "web")
		w.config.RestoreTests = nil
		w.config.Rules[0].Backup = &config.Backup{IfOlderThan: day}
		if tt.created > 0 {
			w.o.VMs[0].TimeCreated = restoreNow.Add(-tt.created)
		}
		if tt.job > 0 {
			start := restoreNow.Add(-tt.job)
			w.o.Jobs = []Job{{ID: restoreVault + "/backupJobs/1", Vault: restoreVault, Container: w.o.Items[0].Container, Operation: jobBackup, Status: jobCompleted, Start: start, End: start}}
		}
		p := w.plan(t, Options{})
		if got := p.Summary[Backup] == 1; got != tt.want || got && p.Changes[0].Reason != ReasonNoPoint {
			t.Errorf("%s: %+v", name, p.Changes)
		}
	}
}

// Whoever restores a VM that was made anew under the same name is told of which of the two the point is, and how to get the
// other.
func TestARestoreSaysWhichOfTwoVMsOfANameItsPointIsOf(t *testing.T) {
	const earlier = "the point is of an earlier VM of the same name: the one that exists was created at "
	for name, tt := range map[string]struct {
		created time.Duration // ago; 0 = not known
		before  time.Duration // ago; 0 = any time
		point   time.Duration
		note    string
	}{
		"its creation is not known":          {0, 0, 8 * time.Hour, ""},
		"made before all points":             {101 * day, 0, 8 * time.Hour, ""},
		"made anew, and not backed up since": {time.Hour, 0, 8 * time.Hour, earlier + "2026-11-20T05:00:00Z"},
		"made anew, and backed up since":     {9 * time.Hour, 0, 8 * time.Hour, "the point is of the VM that was created at 2026-11-19T21:00:00Z; the last one of an earlier VM of the same name is of 2026-11-17T06:00:00Z: --before 2026-11-19T21:00:00Z restores that one"},
		"the earlier one, as the note says":  {9 * time.Hour, 9 * time.Hour, 3 * day, earlier + "2026-11-19T21:00:00Z"},
	} {
		o, f, r := restorable()
		o.VMs = []VM{{ID: strings.ToUpper(restoreVM)}}
		if tt.created > 0 {
			o.VMs[0].TimeCreated = restoreNow.Add(-tt.created)
		}
		if tt.before > 0 {
			r.Before = restoreNow.Add(-tt.before)
		}
		c := only(t, MakeRestores(o, f, r, restoreNow))
		if got := strings.Join(c.Notes, "; "); c.RestoreOrder == nil || !c.Point.Time.Equal(restoreNow.Add(-tt.point)) || got != tt.note {
			t.Errorf("%s: %+v\n%q, want\n%q", name, c.RestoreOrder, got, tt.note)
		}
	}
}
