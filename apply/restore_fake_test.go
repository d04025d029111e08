package apply_test

import (
	"context"
	"slices"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const testGroup = "/subscriptions/" + subscription + "/resourceGroups/rg-tests"

func diskID(group, name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.Compute/disks/" + name
}

// pointTime is the time of each recovery point.
var pointTime = time.Date(1999, 12, 31, 22, 0, 0, 0, time.UTC)

// restoreOf returns the restore of two disks of a VM.
func restoreOf(vm string) plan.Change {
	c := itemChange(plan.Restore, vm)
	c.After = nil
	c.RestoreOrder = &plan.RestoreOrder{
		Point: plan.PointRef{ID: c.Item + "/recoveryPoints/1", Time: pointTime, Tier: plan.TierInstant},
		Disks: []plan.PointDisk{{LUN: plan.OSDisk, Name: "os"}, {LUN: 0, Name: "data"}},
		Into:  testGroup, Staging: "/subscriptions/" + subscription + "/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st",
	}
	return c
}

// testOf returns the restore test of two disks of a VM.
func testOf(vm string) plan.Change {
	c := restoreOf(vm)
	c.ID, c.Action = string(plan.RestoreTest)+":"+vm, plan.RestoreTest
	c.Test = &plan.RestoreTestOrder{Name: "gold", Group: testGroup}
	return c
}

// restorer is a fake that restores, and a restore test by default succeeds over it.
type restorer struct {
	*fake
	group        plan.ResourceGroup
	diskLag      []time.Duration // by disk: how long after the job's end it is listed
	gone         time.Duration   // how long a deletion takes
	change       func(d *plan.Disk)
	verdictAfter int     // how many polls of the service's own check find it running
	listErrs     []error // of the first lists of disks after the restore, nil = none
	deleteErrs   []error // of the first deletions
	point        plan.RecoveryPoint
	sources      []plan.Disk // that were backed up

	deletedAt map[armid.Key]time.Time
	asked     []time.Time // for deletions
}

func newRestorer(az *fake) *restorer {
	az.duration = func(plan.Change, int) time.Duration { return 72 * time.Second }
	return &restorer{
		fake: az, group: plan.ResourceGroup{ID: testGroup, Tags: map[string]string{plan.TagTestsAllowed: plan.TestsAllowed}},
		diskLag: []time.Duration{0, 0}, deletedAt: map[armid.Key]time.Time{}, change: func(*plan.Disk) {},
		point: plan.RecoveryPoint{OS: "Linux"},
		sources: []plan.Disk{
			{ID: diskID("RG-App", "os"), OS: "Linux", Generation: "V2", SizeGB: 30},
			{ID: diskID("RG-App", "data"), SizeGB: 4},
		},
	}
}

// made returns the disks that the restores made and that are listed now.
func (r *restorer) made() []plan.Disk {
	var disks []plan.Disk
	for _, op := range r.ops {
		if !op.over || op.jobErr != nil {
			continue
		}
		for i, lag := range r.diskLag {
			source := r.sources[min(i, len(r.sources)-1)]
			source.ID = diskID("rg-tests", op.id+"-"+name(source.ID))
			if i >= len(r.sources) {
				source.ID += "-more"
			}
			source.Job, source.State, source.Created = op.id, "Unattached", op.end.Add(-time.Second)
			r.change(&source)
			if at, deleted := r.deletedAt[armid.Of(source.ID)]; !r.now().Before(op.end.Add(lag)) && (!deleted || r.now().Before(at)) {
				disks = append(disks, source)
			}
		}
	}
	return disks
}

func (r *restorer) Disks(context.Context, string) ([]plan.Disk, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.catchUp()
	if len(r.ops) > 0 && len(r.listErrs) > 0 {
		err := r.listErrs[0]
		if r.listErrs = r.listErrs[1:]; err != nil {
			return nil, err
		}
	}
	return r.made(), nil
}

func (r *restorer) Disk(_ context.Context, id string) (plan.Disk, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range slices.Concat(r.made(), r.sources) {
		if armid.Same(d.ID, id) {
			return d, true, nil
		}
	}
	return plan.Disk{}, false, nil
}

func (r *restorer) ResourceGroup(context.Context, string) (plan.ResourceGroup, bool, error) {
	return r.group, true, nil
}

func (r *restorer) RestoreJob(_ context.Context, id string) (plan.RestoreJob, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.catchUp()
	for _, j := range r.jobs {
		if armid.Same(j.ID, id) {
			return plan.RestoreJob{Job: *j, PointTime: pointTime, Group: "rg-tests", Account: "st", Restored: []string{"os", "data"}}, nil
		}
	}
	return plan.RestoreJob{}, &apply.Error{Op: "reading a job", Status: 404, Code: "ResourceNotFound", Message: "no such job"}
}

func (r *restorer) StartValidation(context.Context, plan.Change) (apply.Operation, error) {
	return apply.Operation{Status: "status/validation"}, nil
}

func (r *restorer) PollValidation(context.Context, apply.Operation) (apply.Validation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdictAfter--
	return apply.Validation{Done: r.verdictAfter < 0}, nil
}

func (r *restorer) RecoveryPoint(context.Context, string) (plan.RecoveryPoint, error) {
	return r.point, nil
}

func (r *restorer) DeleteDisk(ctx context.Context, id string, made plan.CleanUp) (string, error) {
	d, exists, _ := r.Disk(ctx, id)
	if !exists {
		return "", nil
	}
	if why := made.WhyKept(d); why != "" {
		return why, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, r.now())
	if len(r.deleteErrs) > 0 {
		err := r.deleteErrs[0]
		r.deleteErrs = r.deleteErrs[1:]
		return "", err
	}
	r.deletedAt[armid.Of(id)] = r.now().Add(r.gone)
	return "", nil
}

// left returns the disks that the restores made and that are still there.
func (r *restorer) left() []plan.Disk {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made()
}
