package simtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// cleanUp does what `restore-test --clean-up` does after the operator said yes, as a new process. Its reads must work.
func (r *rehearsal) cleanUp(t *testing.T) (shown []plan.LeftDisk, left []apply.LeftBehind) {
	t.Helper()
	r.connect(t)
	ctx := t.Context()
	disks, err := r.client.Disks(ctx, r.group)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := r.client.RestoreJobsNamed(ctx, r.plan.Changes[0].Vault, plan.TaggedJobs(disks))
	if err != nil {
		t.Fatal(err)
	}
	shown = plan.LeftDisks(r.group, disks, jobs)
	return shown, apply.CleanUp(ctx, r.client, r.group, shown)
}

// removed returns the disks that this program deleted, as they were then.
func (r *rehearsal) removed(from int) map[armid.Key]string {
	jobs := map[armid.Key]string{}
	for _, e := range r.effects[from:] {
		if e.Section == "disks" && e.After == nil && !e.Cause.IsConcurrentClient {
			jobs[idOf(e.Before)] = tagOf(e.Before)
		}
	}
	return jobs
}

// checkKept checks that nothing but disks is gone, and that no DELETE went to anything but a disk of the tests' group.
func (r *rehearsal) checkKept(t *testing.T, when string) {
	t.Helper()
	now := r.inventory()
	for section, ids := range r.before {
		if section != "disks" && !slices.Equal(ids, now[section]) {
			t.Errorf("%s: %s changed: %v to %v", when, section, ids, now[section])
		}
	}
	for _, id := range r.before["disks"] {
		if !slices.Contains(now["disks"], id) {
			t.Errorf("%s: %s is gone, which was there before", when, id)
		}
	}
	asked := map[string]int{}
	for _, s := range r.wire.requests(-1) {
		switch {
		case s.method == http.MethodDelete && !strings.HasPrefix(s.path, strings.ToLower(r.group)+"/providers/microsoft.compute/disks/"):
			t.Errorf("%s: DELETE %s", when, s.path)
		case s.method == http.MethodPost && strings.HasSuffix(s.path, "/restore") && s.number > 0:
			if asked[s.path]++; asked[s.path] > 1 {
				t.Errorf("%s: %s was sent %d times", when, s.path, asked[s.path])
			}
		}
	}
}

// A run of restore tests that was killed at any request, before or after its effect, leaves what a clean-up finds and
// removes: all disks of its restores, and no other. Each restore was asked for once.
func TestRestoreTestsKilledAtAnyRequestAreCleanedUp(t *testing.T) {
	const vms = 2
	last := -1
	restores, cleaned := 0, 0
	step := 1
	if testing.Short() {
		step = 7
	}
	for n := 0; last < 0; n += step {
		for _, answered := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				r := newRehearsal(t, vms, simulator.Options{})
				ctx, kill := context.WithCancel(t.Context())
				defer kill()
				r.connect(t)
				r.wire.begin(n, answered, kill)
				from := len(r.effects)
				rep, _ := apply.Run(ctx, r.plan, r.client, apply.Options{
					Limits: apply.Limits{Restores: vms, RunTimeout: 24 * time.Hour}, Budget: r.client, Now: r.client.Now,
				})
				when := "not killed"
				if r.wire.isCut {
					when = fmt.Sprintf("killed at request %d (answered: %t)", n, answered)
				} else {
					last = n
				}
				time.Sleep(3 * time.Hour) // what runs ends
				r.wire.begin(-1, true, nil)
				shown, left := r.cleanUp(t)
				r.checkKept(t, when)
				states := r.jobStates()
				for id, job := range r.removed(from) {
					if states[job] != "Completed" {
						t.Errorf("%s: %s was deleted, of job %q, which is %q", when, id, job, states[job])
					}
				}
				if now := r.disks(t); len(now) != 2 || len(left) > 0 { // those that were there before
					t.Errorf("%s: left %+v, %d disks", when, left, len(now))
				}
				cleaned, restores = cleaned+len(shown), restores+len(states)
				for _, res := range rep.Results {
					if res.Outcome == apply.Done && (states[res.Job] != "Completed" || len(res.Made.Disks) != 3) {
						t.Errorf("%s: a proof of job %q, which is %q, with %v", when, res.Job, states[res.Job], res.Made.Disks)
					}
				}
			})
		}
	}
	if last < 40 || restores < last/step || cleaned < 3*10/step {
		t.Errorf("only %d requests, %d restores, %d disks cleaned up", last, restores, cleaned)
	}
}
