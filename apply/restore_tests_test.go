package apply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// runTest runs the restore test of one VM.
func runTest(t *testing.T, az *restorer) apply.Result {
	t.Helper()
	p := planOf(testOf("vm1"))
	rep, err := apply.Run(t.Context(), p, az, apply.Options{Observed: time.Now()})
	checkReport(t, p, rep, err)
	return rep.Results[0]
}

func stepsOf(r apply.Result) string {
	var words []string
	for _, s := range r.Steps {
		words = append(words, fmt.Sprintf("%s %s", s.Name, s.Outcome))
	}
	return strings.Join(words, ", ")
}

func leftDisks(r apply.Result) (why []string) {
	for _, l := range r.LeftBehind {
		if l.Kind == apply.LeftDisk {
			why = append(why, l.Why)
		}
	}
	return why
}

func repeat(n int, err error) []error { return slices.Repeat([]error{err}, n) }

// What fails for a while decides nothing; what does not fit decides the step, and the disks are removed all the same.
func TestARestoreTestGoesThroughItsSteps(t *testing.T) {
	busy := &apply.Error{Op: "reading", Status: 503, Message: "busy"}
	throttled := &apply.Error{Op: "deleting", Status: 429, Message: "too many"}
	forbidden := &apply.Error{Op: "listing", Status: 403, Code: "AuthorizationFailed", Message: "no right"}
	const allDone = "validate done, restore done, check done, clean-up done"
	const checkFailed = "validate done, restore done, check failed, clean-up done"
	for name, tt := range map[string]struct {
		change  func(az *restorer)
		outcome apply.Outcome
		steps   string
		message string
		left    int // disks
	}{
		"all goes well":                          {func(*restorer) {}, apply.Done, allDone, "2 disks, Linux", 0},
		"the verdict takes a while":              {func(az *restorer) { az.verdictAfter = 3 }, apply.Done, allDone, "2 disks, Linux", 0},
		"the disks are listed one by one":        {func(az *restorer) { az.diskLag = []time.Duration{time.Minute, 3 * time.Minute} }, apply.Done, allDone, "2 disks, Linux", 0},
		"the disks cannot be listed for a while": {func(az *restorer) { az.listErrs = repeat(3, busy) }, apply.Done, allDone, "2 disks, Linux", 0},
		"the disks may not be listed": {
			func(az *restorer) { az.listErrs = repeat(100, forbidden) }, apply.Failed, "validate done, restore done, check failed, clean-up not-started", "could not be listed: AuthorizationFailed: no right", 2,
		},
		"the deletion takes a while": {func(az *restorer) { az.gone = 3 * time.Minute }, apply.Done, allDone, "2 disks, Linux", 0},
		"the deletion never ends": {
			func(az *restorer) { az.gone = 24 * time.Hour }, apply.Done, "validate done, restore done, check done, clean-up failed", "left behind: 2 disks of 2: its deletion was asked for", 2,
		},
		"the deletion is throttled": {func(az *restorer) { az.deleteErrs = repeat(3, throttled) }, apply.Done, allDone, "2 disks, Linux", 0},
		"another system": {
			func(az *restorer) { az.point.OS = "Windows" }, apply.Failed, checkFailed, "the operating system is Linux, and that of the point Windows", 0,
		},
		"the point does not tell the system": {func(az *restorer) { az.point.OS = "" }, apply.Done, allDone, "not compared: the operating system", 0},
		"a disk without a size": {
			func(az *restorer) { az.change = func(d *plan.Disk) { d.SizeGB = 0 } }, apply.Failed, checkFailed, "has no size", 0,
		},
		"a data disk of 1 GB is smaller than its source": {
			func(az *restorer) {
				az.change = func(d *plan.Disk) {
					if d.OS == "" {
						d.SizeGB = 1
					}
				}
			}, apply.Failed, checkFailed, "a disk of 1 GB was made, and its source has 4 GB", 0,
		},
		"a data disk of 1 GB": {func(az *restorer) { az.sources[1].SizeGB = 1 }, apply.Done, allDone, "2 disks, Linux", 0},
		"two disks with a system": {
			func(az *restorer) { az.change = func(d *plan.Disk) { d.OS = "Linux" } }, apply.Failed, checkFailed, "2 of its disks hold an operating system", 0,
		},
		"more disks carry the name of the job": {
			func(az *restorer) { az.diskLag = make([]time.Duration, 3) }, apply.Failed, "validate done, restore done, check failed, clean-up failed",
			"3 disks carry the name of its job, and it made 2", 3,
		},
		"the answer to the request was lost": {
			func(az *restorer) { az.script["vm1"] = []string{"reset-after"} }, apply.Done, "validate done, restore done, check done, clean-up failed",
			"left behind: 2 disks of 2: the answer to the request was lost", 2,
		},
		"somebody attached the disks meanwhile": {
			func(az *restorer) {
				az.change = func(d *plan.Disk) {
					if len(az.asked) > 0 { // a DELETE was accepted, and somebody was faster
						d.Holders, d.State = []string{vmID("somebodys")}, "Attached"
					}
				}
				az.gone = 24 * time.Hour
			}, apply.Done, "validate done, restore done, check done, clean-up failed", "left behind: 2 disks of 2: it is attached to somebodys", 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				r := newRestorer(az)
				tt.change(r)
				res := runTest(t, r)
				if res.Outcome != tt.outcome || stepsOf(res) != tt.steps || !strings.Contains(res.Message, tt.message) {
					t.Errorf("%s: %s; %s", res.Outcome, stepsOf(res), res.Message)
				}
				if n := len(r.left()); n != tt.left {
					t.Errorf("%d disks are left, want %d: %+v", n, tt.left, res.LeftBehind)
				}
			})
		})
	}
}

// Each step has a deadline of its own, so that one that never ends keeps no other from its time.
func TestAStepOfARestoreTestThatNeverEndsIsCut(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		r := newRestorer(az)
		r.verdictAfter, r.diskLag[1], r.gone = 1_000_000, 24*time.Hour, 24*time.Hour
		res := runTest(t, r)
		if got, want := stepsOf(res), "validate timed-out, restore done, check failed, clean-up failed"; got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		for i, limit := range map[int]time.Duration{0: 5 * time.Minute, 2: 10 * time.Minute, 3: 10 * time.Minute} {
			s := res.Steps[i]
			// A step ends before its deadline where it would only pause until then, for a minute at most.
			if took := time.Duration(s.Seconds) * time.Second; took > limit || took < limit-time.Minute {
				t.Errorf("%s took %v of %v", s.Name, took, limit)
			}
		}
	})
}

// deafDisks never answers a list of disks once something was restored.
type deafDisks struct{ *restorer }

func (d deafDisks) Disks(ctx context.Context, group string) ([]plan.Disk, error) {
	d.mu.Lock()
	restored := len(d.ops) > 0
	d.mu.Unlock()
	if !restored {
		return d.restorer.Disks(ctx, group)
	}
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// A check that had all its time and saw nothing has failed; one that the run or its operator cut has not.
func TestACheckThatItsOwnLimitEndsFails(t *testing.T) {
	for name, tt := range map[string]struct {
		runTimeout time.Duration
		want       string
	}{
		"its own limit":   {time.Hour, "check failed"},
		"that of the run": {5 * time.Minute, "check timed-out"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				p := planOf(testOf("vm1"))
				o := apply.Options{Observed: time.Now()}
				o.Limits.RunTimeout = tt.runTimeout
				rep, err := apply.Run(t.Context(), p, deafDisks{newRestorer(az)}, o)
				checkReport(t, p, rep, err)
				if got := stepsOf(rep.Results[0]); !strings.Contains(got, tt.want) {
					t.Errorf("%s, want %s", got, tt.want)
				}
			})
		})
	}
}

func TestADeletionThatIsRefusedForAWhileIsAskedForAgainEverMoreSeldom(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		r := newRestorer(az)
		r.deleteErrs = repeat(6, &apply.Error{Op: "deleting", Status: 429, Message: "too many"})
		res := runTest(t, r)
		if res.Outcome != apply.Done || len(leftDisks(res)) > 0 {
			t.Fatalf("%s: %+v", res.Message, res.LeftBehind)
		}
		var gaps []time.Duration
		for i := range 6 {
			gaps = append(gaps, r.asked[i+1].Sub(r.asked[i])/time.Second)
		}
		if want := []time.Duration{5, 10, 20, 40, 60, 60}; !slices.Equal(gaps, want) {
			t.Errorf("it was asked again after %d seconds, want %d", gaps, want)
		}
	})
}

// The job that an interrupted run started is followed, and only its end says how the restore ended.
func TestARestoreThatAJobDoesAlreadyIsFollowedAndNotStarted(t *testing.T) {
	for name, tt := range map[string]struct {
		word    string
		outcome apply.Outcome
		message string
		hint    string
	}{
		"it completes": {"ok", apply.AlreadyDone, "restored by a job that was started before", ""},
		"it fails":     {"job-fails", apply.Failed, "the job said no", "another run starts it again"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				r := newRestorer(az)
				c := restoreOf("vm1")
				az.script["vm1"] = []string{tt.word}
				op, err := r.Start(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				c.Adopted = &plan.AdoptedJob{ID: c.Vault + "/backupJobs/" + op.ID, Started: time.Now(), Status: "InProgress"}
				p := planOf(c)
				rep, err := apply.Run(t.Context(), p, r, apply.Options{Observed: time.Now()})
				checkReport(t, p, rep, err)
				res := wantOutcome(t, rep, c.ID, tt.outcome)
				wantContains(t, "the message", res.Message, tt.message)
				if tt.hint == "" && res.Hint != "" || !strings.Contains(res.Hint, tt.hint) {
					t.Errorf("the hint is %q", res.Hint)
				}
				wantWrites(t, az, "restore:vm1", 1)
			})
		})
	}
}

func TestARestoreThatNoJobDoesIsStarted(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		r := newRestorer(az)
		p := planOf(restoreOf("vm1"))
		rep, err := apply.Run(t.Context(), p, r, apply.Options{Observed: time.Now()})
		checkReport(t, p, rep, err)
		wantOutcome(t, rep, "restore:vm1", apply.Done)
	})
}

// quietJobs does not tell which disks a restore made.
type quietJobs struct{ *restorer }

func (q quietJobs) RestoreJob(ctx context.Context, id string) (plan.RestoreJob, error) {
	j, err := q.restorer.RestoreJob(ctx, id)
	j.Restored = nil
	return j, err
}

// Neither the order nor the job says how many disks there are: the first that is listed is not all that was made.
func TestARestoreTestDoesNotTakeTheFirstDiskForAllOfThem(t *testing.T) {
	for name, tt := range map[string]struct {
		point   *plan.PointDisks
		message string
		left    int  // disks
		isTold  bool // that more may be listed later
	}{
		"the point tells which":    {&plan.PointDisks{Included: []plan.PointDisk{{LUN: plan.OSDisk}, {LUN: 0}}, Held: 2, Attached: 2}, "2 disks, Linux", 0, false},
		"the point tells how many": {&plan.PointDisks{Held: 2, Attached: 3}, "2 disks, Linux", 0, false},
		"nothing tells":            {nil, "how many disks it made", 1, true},
	} {
		inBubble(t, func(t *testing.T, az *fake) {
			r := newRestorer(az)
			r.diskLag[1], r.point.Disks = 3*time.Minute, tt.point
			c := testOf("vm1")
			c.Disks = nil
			rep, err := apply.Run(t.Context(), planOf(c), quietJobs{r}, apply.Options{Observed: time.Now()})
			checkReport(t, planOf(c), rep, err)
			time.Sleep(10 * time.Minute)
			res := rep.Results[0]
			isTold := slices.ContainsFunc(res.LeftBehind, func(l apply.LeftBehind) bool { return l.Kind == apply.LeftRestore })
			if n := len(r.left()); res.Outcome != apply.Done || !strings.Contains(res.Message, tt.message) || n != tt.left || isTold != tt.isTold {
				t.Errorf("%s: %s, %s; %d disks are left, told %t", name, res.Outcome, res.Message, n, isTold)
			}
		})
	}
}

// fewJobs says that a restore made one disk of the two that were ordered.
type fewJobs struct{ *restorer }

func (f fewJobs) RestoreJob(ctx context.Context, id string) (plan.RestoreJob, error) {
	j, err := f.restorer.RestoreJob(ctx, id)
	j.Restored = j.Restored[:min(1, len(j.Restored))]
	return j, err
}

// What the job made counts, not what it was to make: the disk that carries its name as well is somebody else's.
func TestARestoreTestDeletesNoMoreDisksThanItsJobMade(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		r := newRestorer(az)
		p := planOf(testOf("vm1"))
		rep, err := apply.Run(t.Context(), p, fewJobs{r}, apply.Options{Observed: time.Now()})
		checkReport(t, p, rep, err)
		res := rep.Results[0]
		if n := len(r.left()); res.Outcome != apply.Failed || !strings.Contains(res.Message, "2 disks carry the name of its job, and it made 1") || n != 2 {
			t.Errorf("%s, %s; %d disks are left", res.Outcome, res.Message, n)
		}
	})
}
