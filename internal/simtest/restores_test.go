package simtest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// restoring is a vault with some VMs that have one recovery point each, a group and an account, and a plan that restores
// all of them.
type restoring struct {
	sim    *simulator.Server
	client *azure.Client
	plan   plan.Plan
	into   string
	vms    []string
	before time.Time
}

// midnight returns the time of the points of these tests.
func midnight() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// protectedItem returns the body of a VM's protected item, and its id.
func protectedItem(vault, vm string) (body, id string) {
	parsed, _ := armid.ParseVM(vm)
	id = armid.ProtectedItem(vault, parsed)
	return fmt.Sprintf(`{"id":%q,"name":"x","properties":{"friendlyName":%q,"protectionState":"Protected","backupManagementType":"AzureIaasVM","workloadType":"VM",`+
		`"sourceResourceId":%q,"virtualMachineId":%q,"policyId":%q,"policyName":"daily","lastBackupStatus":"Completed","lastRecoveryPoint":"2000-01-01T00:00:00Z"}}`,
		id, parsed.Name(), vm, vm, armid.Policy(vault, "daily")), id
}

// instantPoint returns the body of a recovery point that can be restored now.
func instantPoint(item, name string, at time.Time) string {
	return fmt.Sprintf(`{"id":"%s/recoveryPoints/%s","name":%q,"properties":{"objectType":"IaasVMRecoveryPoint","recoveryPointType":"AppConsistent",`+
		`"recoveryPointTime":%q,"recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"}],"isManagedVirtualMachine":true,"osType":"Linux"}}`,
		item, name, name, at.Format(time.RFC3339))
}

func newRestoring(t *testing.T, vms int, faults ...simulator.Fault) *restoring {
	t.Helper()
	return newRestoringWith(t, vms, simulator.Settings{Faults: faults, Quota: "150"})
}

// newRestoringWith restores the points of midnight. Where there was an attack at a time, each VM has another point after
// it, and the restores take none that is later.
func newRestoringWith(t *testing.T, vms int, settings simulator.Settings, attack ...time.Time) *restoring {
	t.Helper()
	sub := subscriptionID(1)
	vault, into := armid.Vault(sub, "rg-backup", "rsv"), "/subscriptions/"+sub+"/resourceGroups/rg-restored"
	account := "/subscriptions/" + sub + "/resourceGroups/rg-st/providers/Microsoft.Storage/storageAccounts/st"
	var e estate
	e.addVault(vault, "westeurope")
	e.addPolicy(vault, "daily", 30)
	r := &restoring{into: into}
	var points, items []string
	for i := range vms {
		vm := armid.VM(sub, "rg-app", fmt.Sprintf("vm%d", i))
		e.addVM(vm, "westeurope", nil)
		item, id := protectedItem(vault, vm)
		items, points = append(items, item), append(points, instantPoint(id, "7", midnight()))
		for _, at := range attack {
			r.before = at
			points = append(points, instantPoint(id, "8", at.Add(time.Hour)))
		}
		r.vms = append(r.vms, vm)
	}
	file := fmt.Sprintf(`{"format_version":"1","taken":"2000-01-01T06:00:00Z","subscriptions":[%q],"resourceGroups":[{"id":%q,"name":"rg-restored","location":"westeurope"}],`+
		`"storageAccounts":[{"id":%q,"location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"}}],`+
		`"virtualMachines":[%s],"vaults":[%s],"policies":[%s],"protectedItems":[%s],"recoveryPoints":[%s]}`,
		sub, into, account, strings.Join(e.vms, ","), strings.Join(e.vaults, ","), strings.Join(e.policies, ","), strings.Join(items, ","), strings.Join(points, ","))
	read, err := simulator.Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if r.sim, err = simulator.New(read, simulator.Options{Settings: settings}); err != nil {
		t.Fatal(err)
	}
	if err := r.read(context.Background(), r.sim.Transport()); err != nil {
		t.Fatal(err)
	}
	if r.plan.Summary[plan.Restore] != vms || !r.plan.Complete {
		t.Fatalf("%+v", r.plan)
	}
	return r
}

// read connects anew and plans the restores of all VMs.
func (r *restoring) read(ctx context.Context, transport http.RoundTripper) (err error) {
	if r.client, err = azure.New(azure.CommandRestore, arm.Options{
		Endpoint: "http://127.0.0.1", AccessToken: "token", Transport: transport, Version: "test", Now: time.Now,
	}); err != nil {
		return err
	}
	sub := armid.SubscriptionOf(r.into)
	o, err := r.client.Discover(ctx, plan.Scope{Subscriptions: []string{sub}, AllVaults: true})
	if err != nil {
		return err
	}
	all, err := r.client.Points(ctx, o.Items, r.client.Now().Add(-plan.AdoptionReach))
	if err != nil {
		return err
	}
	facts := plan.RestoreFacts{Items: all.Items, Jobs: all.Restores, Gaps: all.Gaps}
	if err := r.client.RestoreTargets(ctx, []string{sub}, "rg-restored", []string{"st"}, &facts); err != nil {
		return err
	}
	r.plan = plan.MakeRestores(o, facts, plan.RestoreRequest{VMs: r.vms, Before: r.before, Into: "rg-restored", Staging: []string{"st"}, MaxRestores: len(r.vms)}, r.client.Now())
	return plan.Validate(r.plan)
}

func (r *restoring) run(t *testing.T, inFlight int) apply.Report {
	t.Helper()
	rep, err := apply.Run(context.Background(), r.plan, r.client, apply.Options{
		Limits: apply.Limits{Operations: inFlight, ItemTimeout: 8 * time.Hour, RunTimeout: 24 * time.Hour}, Budget: r.client, Now: r.client.Now,
	})
	if err != nil && len(rep.Results) == 0 {
		t.Fatal(err)
	}
	return rep
}

// jobs returns the jobs of the vault, read by one list.
func (r *restoring) jobs(t *testing.T) []plan.Job {
	t.Helper()
	s, err := r.client.ListJobs(context.Background(), r.plan.Changes[0].Vault)
	if err != nil {
		t.Fatal(err)
	}
	return s.Jobs
}

// made returns the Restore jobs of the vault, and the disks by the jobs that created them.
func (r *restoring) made(t *testing.T) (jobs []plan.RestoreJob, disks map[string]int) {
	t.Helper()
	jobs, err := r.client.RestoreJobs(context.Background(), r.plan.Changes[0].Vault, r.client.Now().Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.client.Disks(context.Background(), r.into)
	if err != nil {
		t.Fatal(err)
	}
	disks = map[string]int{}
	for _, d := range all {
		disks[d.Job]++
	}
	return jobs, disks
}

func TestRestoresAreDoneWhenTheirDisksAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoring(t, 5)
		rep := r.run(t, 20)
		jobs, disks := r.made(t)
		if rep.Summary[apply.Done] != 5 || len(jobs) != 5 || len(disks) != 5 {
			t.Errorf("%v, %d jobs, disks %v", rep.Summary, len(jobs), disks)
		}
		for _, res := range rep.Results {
			if disks[res.Job] != 3 {
				t.Errorf("job %s of %s made %d disks, want 3", res.Job, res.Target, disks[res.Job])
			}
		}
	})
}

func TestNoMoreRestoresRunThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoring(t, 4)
		r.run(t, 1)
		jobs, _ := r.made(t)
		for _, a := range jobs {
			for _, b := range jobs {
				if a.ID != b.ID && a.Start.Before(b.End) && b.Start.Before(a.End) {
					t.Errorf("%s to %s and %s to %s run at once", a.Start, a.End, b.Start, b.End)
				}
			}
		}
		if len(jobs) != 4 {
			t.Errorf("%d jobs", len(jobs))
		}
	})
}

// A restore whose reply was lost is not started twice: the disks of the first would remain. Like any other it is done
// when they are there.
func TestARestoreWhoseAnswerWasLostIsStartedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoring(t, 2, simulator.Fault{Name: "lost", Kind: "item.restore", Reset: "after"})
		rep := r.run(t, 20)
		jobs, disks := r.made(t)
		if rep.Summary[apply.Done] != 2 || len(jobs) != 2 {
			t.Errorf("%v, %d jobs: %+v", rep.Summary, len(jobs), rep.Results)
		}
		for _, res := range rep.Results {
			if disks[res.Job] != 3 {
				t.Errorf("%d disks, want 3: %+v", disks[res.Job], res)
			}
			for _, j := range jobs {
				if strings.HasSuffix(j.ID, "/"+res.Job) && res.Finished.Before(j.End) {
					t.Errorf("finished before its job, at %s: %+v", j.End, res)
				}
			}
		}
	})
}

// An answer that names no operation leaves the job to follow, which is found as after a lost answer.
func TestARestoreWhoseAnswerNamesNoOperationIsDoneWithItsJob(t *testing.T) {
	for _, status := range []int{http.StatusAccepted, http.StatusOK} {
		synctest.Test(t, func(t *testing.T) {
			r := newRestoring(t, 2, simulator.Fault{Name: "bare", Kind: "item.restore", Status: status, Body: " ", AfterEffect: true})
			rep := r.run(t, 20)
			if jobs, disks := r.made(t); rep.Summary[apply.Done] != 2 || len(jobs) != 2 || len(disks) != 2 {
				t.Errorf("%d: %v, %d jobs: %+v", status, rep.Summary, len(jobs), rep.Results)
			}
		})
	}
}

func TestARestoreWhoseAnswerWasLostFailsWithItsJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoring(t, 1, simulator.Fault{Name: "full", Kind: "item.restore", Reset: "after", Operation: "lies", Code: "UserErrorNoRoom", Message: "there is no room"})
		rep := r.run(t, 20)
		if res := rep.Results[0]; res.Outcome != apply.Failed || !strings.Contains(res.Message, "there is no room") {
			t.Errorf("%+v", res)
		}
	})
}

func TestARestoreThatNeverArrivedIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoring(t, 1, simulator.Fault{Name: "lost", Kind: "item.restore", Reset: "before"})
		rep := r.run(t, 20)
		if jobs, disks := r.made(t); rep.Summary[apply.Done] != 1 || len(jobs) != 1 || len(disks) != 1 {
			t.Errorf("%v, %d jobs: %+v", rep.Summary, len(jobs), rep.Results)
		}
	})
}

func TestARestoreWhoseJobFailsFailsWithItsWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoring(t, 1, simulator.Fault{Name: "full", Kind: "item.restore", Operation: "lies", Code: "UserErrorNoRoom", Message: "there is no room"})
		rep := r.run(t, 20)
		if res := rep.Results[0]; res.Outcome != apply.Failed || !strings.Contains(res.Message, "there is no room") {
			t.Errorf("%+v", res)
		}
	})
}

// A restore that exceeds its timeout is reported neither as done nor as failed.
func TestARestoreThatOutlivesItsTimeIsReportedWithItsOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoringWith(t, 1, simulator.Settings{Durations: map[string]simulator.Range{"restoreFromSnapshot": simulator.Fixed(9 * time.Hour)}})
		rep := r.run(t, 20)
		res := rep.Results[0]
		if res.Outcome != apply.Unconfirmed || res.Operation == "" || res.Job == "" {
			t.Errorf("%+v", res)
		}
		// Its operation says Succeeded as soon as the job exists.
		if want := r.plan.Changes[0].Vault + "/backupJobs/" + res.Job + "?"; !strings.Contains(res.Hint, want) {
			t.Errorf("the hint %q does not show the job", res.Hint)
		}
	})
}

// What a restore is done by is its job, whatever becomes of the operation that started it.
func TestARestoreWhoseOperationHangsIsDoneWithItsJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRestoring(t, 1, simulator.Fault{Name: "slow", Kind: "item.restore", Operation: "hangs"})
		if rep := r.run(t, 20); rep.Summary[apply.Done] != 1 {
			t.Errorf("%+v", rep.Results)
		}
	})
}
