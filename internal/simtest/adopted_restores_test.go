package simtest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
)

// A run of restores that was killed at any request and runs again has asked for each restore once: it follows the jobs
// that run, and does not repeat those that have ended.
func TestRestoresThatWereKilledAnywhereAreAskedForOnce(t *testing.T) {
	const vms = 3
	last := -1
	for n := 0; last < 0; n++ {
		for _, answered := range []bool{false, true} {
			for _, pause := range []time.Duration{time.Second, 20 * time.Minute} {
				synctest.Test(t, func(t *testing.T) {
					r := newRestoring(t, vms)
					ctx, kill := context.WithCancel(context.Background())
					w := &wire{inner: r.sim.Transport()}
					w.begin(n, answered, kill)
					if r.read(ctx, w) == nil {
						_, _ = apply.Run(ctx, r.plan, r.client, apply.Options{Limits: apply.Limits{Operations: 2, ItemTimeout: 8 * time.Hour}, Budget: r.client, Now: r.client.Now})
					}
					if kill(); !w.isCut {
						last = n // the run ended before that request
					}
					time.Sleep(pause)
					if err := r.read(context.Background(), r.sim.Transport()); err != nil {
						t.Fatal(err)
					}
					rep := r.run(t, 2)
					jobs, disks := r.made(t)
					if good := rep.Summary[apply.Done] + rep.Summary[apply.AlreadyDone]; good != vms || len(jobs) != vms || len(disks) != vms {
						t.Errorf("killed at request %d (answered: %t), again after %s: %v, %d jobs, disks %v: %+v", n, answered, pause, rep.Summary, len(jobs), disks, rep.Results)
					}
					for _, res := range rep.Results {
						if disks[res.Job] != 3 {
							t.Errorf("killed at request %d: job %q of %s made %d disks, want 3", n, res.Job, res.Target, disks[res.Job])
						}
					}
				})
			}
		}
	}
	if last < 15 { // discovery and points, three restores, and the sweeps that follow them
		t.Errorf("only %d requests", last)
	}
}

// Two operators who restore the same at the same time get one restore: the second, whose plan did not know, follows it.
func TestARestoreThatAnotherRunHasStartedIsFollowed(t *testing.T) {
	for name, tt := range map[string]struct {
		outcome apply.Outcome
		jobs    int
	}{
		"it completes":               {apply.AlreadyDone, 1},
		"it restores somewhere else": {apply.Done, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRestoring(t, 1)
			observed := r.client.Now()
			first := r.plan.Changes[0]
			if tt.jobs == 2 {
				order := *first.RestoreOrder
				order.Point.Time = order.Point.Time.Add(time.Hour) // what is compared; the service goes by the id
				r.plan.Changes[0].RestoreOrder = &order
			}
			if _, err := r.client.Start(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute) // the operator thinks before he says yes
			rep, _ := apply.Run(t.Context(), r.plan, r.client, apply.Options{
				Limits: apply.Limits{Operations: 2, ItemTimeout: 8 * time.Hour}, Budget: r.client, Now: r.client.Now, Observed: observed,
			})
			jobs, _ := r.made(t)
			if rep.Results[0].Outcome != tt.outcome || len(jobs) != tt.jobs || rep.Results[0].Job == "" {
				t.Errorf("%s: %d jobs, %+v", name, len(jobs), rep.Results[0])
			}
		})
	}
}
