package simtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// An apply with restore tests that was killed at any request, before or after its effect, and is run again, at once or later,
// restores each machine once in all. What the killed run left is in the plans that follow, an audit claims proofs of completed
// jobs alone, and a clean-up leaves the group as it was.
func TestRestoreTestsKilledAtAnyRequestAreFinishedByTheNextRun(t *testing.T) {
	const machines = 2
	step := 1
	if testing.Short() {
		step = 9
	}
	last, left, running := -1, 0, 0
	for n := 0; last < 0; n += step {
		for _, answered := range []bool{false, true} {
			pause := time.Second
			if (n%2 == 0) == answered {
				pause = 3 * time.Hour
			}
			synctest.Test(t, func(t *testing.T) {
				r := newRehearsal(t, machines, simulator.Options{})
				path := newMainPath(t, fmt.Sprintf(`
version: 1
subscriptions: [%s]
vaults: [{name: rsv, resourceGroup: rg-backup, location: westeurope}]
policies: [{name: daily, vaults: [rsv]}]
vms: [{name: all, match: {names: [vm*]}, policy: daily}]
restoreTests:
  - {name: monthly, match: {names: [vm*]}, every: 30d, sample: 100%%, into: {resourceGroup: rg-tests, storageAccounts: [st]}}
`, subscriptionID(1)), r.wire)
				path.approve = func(w *run) time.Time {
					if err := w.client.PermitCleanUp(r.group); err != nil {
						t.Fatal(err)
					}
					return time.Time{}
				}
				before, from := len(r.groupDisks()), len(r.effects)
				ctx, kill := context.WithCancel(t.Context())
				defer kill()
				r.wire.begin(n, answered, kill)
				_, _ = path.apply(ctx, t, apply.Options{})
				when := fmt.Sprintf("killed at request %d (answered: %t), again after %s", n, answered, pause)
				if !r.wire.isCut {
					when, last = "not killed", n
				}
				r.wire.begin(-1, true, nil)
				time.Sleep(pause)

				again, err := path.apply(t.Context(), t, apply.Options{})
				if err != nil || !again.plan.Complete {
					t.Fatalf("%s: %v, gaps %+v", when, err, again.plan.Gaps)
				}
				running += again.plan.RestoreTests[0].Running
				for _, res := range again.report.Results {
					if res.Outcome != apply.Done || len(res.Made.Disks) != 3 || len(res.LeftBehind) > 1 { // the template in the staging account
						t.Errorf("%s: %s is %s: %s; made %v, left %+v", when, res.ID, res.Outcome, res.Message, res.Made, res.LeftBehind)
					}
				}
				time.Sleep(3 * time.Hour) // what the killed run started ends

				states := r.jobStates()
				if len(states) != machines {
					t.Errorf("%s: %d restores of %d machines", when, len(states), machines)
				}
				for id, job := range r.removed(from) {
					if states[job] != "Completed" {
						t.Errorf("%s: %s was deleted, of job %q, which is %q", when, id, job, states[job])
					}
				}
				// What is left is told, and all is proven.
				now, err := path.plan(t.Context(), t)
				if err != nil || !now.plan.Complete || now.plan.Summary[plan.RestoreTest] > 0 {
					t.Errorf("%s: %v, gaps %+v, %v", when, err, now.plan.Gaps, now.plan.Summary)
				}
				told := map[armid.Key]bool{}
				for _, d := range now.plan.LeftBehind {
					told[armid.Of(d.ID)] = true
				}
				for id, job := range r.groupDisks() {
					if _, ofVault := states[job]; ofVault && !told[id] {
						t.Errorf("%s: %s of job %s is there, and no plan tells", when, id, job)
					}
				}
				a := audit.Assess(path.config, now.found, audit.Options{Now: now.client.Now()})
				for _, vm := range a.VMs {
					if vm.RestoreProven == nil || states[lastSegmentOf(vm.RestoreProven.Job)] != "Completed" {
						t.Errorf("%s: the proof of %s is %+v", when, vm.ID, vm.RestoreProven)
					}
				}
				isTold := slices.ContainsFunc(a.Findings, func(f audit.Finding) bool { return f.Code == "BKP404" })
				if isTold != (len(told) > 0) {
					t.Errorf("%s: %d disks are left, findings %+v", when, len(told), a.Findings)
				}
				left += len(told)
				if shown, kept := r.cleanUp(t); len(shown) != len(told) || len(kept) > 0 || len(r.groupDisks()) != before {
					t.Errorf("%s: the clean-up showed %d of %d disks and left %+v: %d disks, %d before", when, len(shown), len(told), kept, len(r.groupDisks()), before)
				}
			})
		}
	}
	if last < 50 || left < 3*10/step || running == 0 {
		t.Errorf("only %d requests; %d disks were left, %d restores ran when it was run again", last, left, running)
	}
}
