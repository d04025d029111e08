package simtest

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// A file with restore tests converges: nightly applies prove every machine it covers, a sample a night, again before the
// proof is older than the file allows by more than a night, and leave nothing in the group.
func TestNightlyAppliesKeepEveryMachineProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const machines, sample, days, nights = 7, 2, 30, 70
		r := newRehearsal(t, machines, simulator.Options{})
		path := newMainPath(t, fmt.Sprintf(`
version: 1
subscriptions: [%s]
vaults: [{name: rsv, resourceGroup: rg-backup, location: westeurope}]
policies: [{name: daily, vaults: [rsv]}]
vms: [{name: all, match: {names: [vm*]}, policy: daily}]
restoreTests:
  - {name: monthly, match: {names: [vm*]}, every: %dd, sample: %d, into: {resourceGroup: rg-tests, storageAccounts: [st]}}
`, subscriptionID(1), days, sample), r.wire)
		path.approve = func(w *run) time.Time {
			if err := w.client.PermitCleanUp(r.group); err != nil {
				t.Fatal(err)
			}
			return time.Time{}
		}
		before := len(r.disks(t))
		tested := 0
		for night := range nights {
			w, err := path.apply(t.Context(), t, apply.Options{})
			if err != nil || !w.plan.Complete {
				t.Fatalf("night %d: %v, gaps %+v", night, err, w.plan.Gaps)
			}
			n := w.plan.Summary[plan.RestoreTest]
			for _, res := range w.report.Results {
				if res.Outcome != apply.Done || len(res.LeftBehind) > 1 { // the template in the staging account
					t.Errorf("night %d: %s is %s: %s; left %+v", night, res.ID, res.Outcome, res.Message, res.LeftBehind)
				}
			}
			if n > sample || len(r.disks(t)) != before {
				t.Errorf("night %d: %d tests, %d disks in the group, %d before", night, n, len(r.disks(t)), before)
			}
			tested += n
			if night >= (machines-1)/sample {
				checkProven(t, path, night, machines, (days+1)*24*time.Hour)
			}
			time.Sleep(24 * time.Hour)
		}
		if rounds := 1 + (nights-1)/days; tested > machines*(rounds+1) || tested < machines*rounds {
			t.Errorf("%d restores in %d nights for %d machines, one in %d days each", tested, nights, machines, days)
		}
	})
}

// checkProven checks that an audit calls every machine proven, no longer ago than oldest, and finds nothing about tests.
func checkProven(t *testing.T, path *mainPath, night, machines int, oldest time.Duration) {
	t.Helper()
	w, err := path.plan(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	a := audit.Assess(path.config, w.found, audit.Options{Now: w.client.Now()})
	proven := 0
	for _, vm := range a.VMs {
		if p := vm.RestoreProven; p != nil && w.client.Now().Sub(p.Time) <= oldest {
			proven++
		}
	}
	bad := slices.ContainsFunc(a.Findings, func(f audit.Finding) bool {
		return slices.Contains([]string{"BKP401", "BKP403", "BKP404"}, f.Code) // failed, never proven, disks left
	})
	if proven != machines || bad {
		t.Errorf("night %d: %d of %d machines proven, findings %+v", night, proven, machines, a.Findings)
	}
}
