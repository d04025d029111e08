package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// cleanUp deletes the disks that the restore made and nothing else. It adds what stays to t.left, with the reason.
func (t *testRun) cleanUp(ctx context.Context) (Outcome, string) {
	if late := max(t.want, 1) - len(t.found); late > 0 {
		t.reportLate(bareJob(t.ex.jobID()), countDisks(late)+" or more of it were not listed")
	}
	if t.want == 0 && len(t.found) > 0 {
		t.reportLate(bareJob(t.ex.jobID()), "how many disks it made is not known, and more may be listed")
	}
	why := ""
	switch {
	case len(t.found) == 0:
		return NotStarted, "no disk is known that the test made"
	case !t.isOurs:
		why = "the answer to the request was lost: the job may be another client's"
	case !t.isClean:
		why = "more disks carry the name of its job than it made: which of them are the test's is not known"
	}
	made := plan.CleanUp{Group: t.ex.task.Test.Group, Job: bareJob(t.job.ID), Start: t.job.Start, End: t.job.End, Existing: t.existing}
	disks := make([]plan.LeftDisk, len(t.found))
	for i, d := range t.found {
		disks[i] = plan.LeftDisk{Disk: d, Job: t.job, Made: made, WhyKept: why}
	}
	left := CleanUp(ctx, t.backend, made.Group, disks)
	t.left = append(t.left, left...)
	if len(left) > 0 {
		return Failed, fmt.Sprintf("left behind: %s of %d: %s", countDisks(len(left)), len(disks), left[0].Why)
	}
	return Done, countDisks(len(disks)) + " deleted"
}

// CleanUp deletes disks of restore tests in one resource group (its id), and returns those that it did not delete, with the
// reasons. It deletes none where the group does not carry the tag that allows tests. b reads each disk right before its
// DELETE. CleanUp waits until each disk is gone, for as long as ctx allows.
func CleanUp(ctx context.Context, b TestBackend, group string, disks []plan.LeftDisk) []LeftBehind {
	var left []LeftBehind
	keep := func(d plan.LeftDisk, why string) {
		left = append(left, LeftBehind{Kind: LeftDisk, ID: d.Disk.ID, Why: why})
	}
	notNow := ""
	if err := checkTestGroup(ctx, b, group); err != nil {
		notNow = "it was not deleted: " + describeErr(firstErr(context.Cause(ctx), err))
	}
	var asked []plan.LeftDisk
	for _, d := range disks {
		why := cmp.Or(d.WhyKept, notNow)
		if why == "" {
			why = deleteDisk(ctx, b, d)
		}
		if why != "" {
			keep(d, why)
			continue
		}
		asked = append(asked, d)
	}
	for _, d := range asked {
		if why := awaitDeleted(ctx, b, d.Disk); why != "" {
			keep(d, why)
		}
	}
	return left
}

// deleteDisk requests the deletion of a disk, and returns "" or why the disk stays. It repeats the request after a 429, and
// after a lost answer where the disk still exists. The backend waits as long as a 429 demands, as for any quota.
func deleteDisk(ctx context.Context, b TestBackend, d plan.LeftDisk) (why string) {
	for pause := 5 * time.Second; ; pause = min(pause*2, time.Minute) {
		if ctx.Err() != nil {
			return "it was not deleted: " + errText(context.Cause(ctx))
		}
		kept, err := b.DeleteDisk(ctx, d.Disk.ID, d.Made)
		if err == nil {
			return kept
		}
		e, ok := errors.AsType[*Error](err)
		again := ok && (e.Unknown || e.Status == statusTooManyRequests) // the disk is read before the next DELETE
		if again && !endsWithin(ctx, pause) && sleep(ctx, pause) == nil {
			continue
		}
		return "it could not be deleted: " + describeErr(err)
	}
}

// awaitDeleted waits until a disk whose deletion was requested is gone, and returns "" or why it is not.
func awaitDeleted(ctx context.Context, b TestBackend, d plan.Disk) (why string) {
	for pause := 2 * time.Second; ; pause = min(pause*2, time.Minute) {
		now, exists, err := b.Disk(ctx, d.ID)
		switch {
		case err == nil && !exists:
			return ""
		case err == nil && len(now.Holders) > 0:
			return "it is attached to " + lastOf(now.Holders[0])
		case err != nil && ctx.Err() == nil && !isTransient(err):
			return "whether it was deleted could not be read: " + describeErr(err)
		}
		if ctx.Err() == nil && !endsWithin(ctx, pause) && sleep(ctx, pause) == nil {
			continue
		}
		if err != nil {
			return "whether it was deleted could not be read: " + describeErr(err)
		}
		return "its deletion was asked for, and it is still there"
	}
}
