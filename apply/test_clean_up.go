package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// cleanUp deletes the disks that the restore made and nothing else. What stays is in t.left, with the reason.
func (t *testRun) cleanUp(ctx context.Context) (Outcome, string) {
	switch {
	case len(t.found) == 0:
		return NotStarted, "no disk is known that the test made"
	case !t.isOurs:
		return t.keepAll("the answer to the request was lost: the job may be another client's")
	case !t.isClean:
		return t.keepAll("more disks carry the name of its job than it made: which of them are the test's is not known")
	}
	if err := t.readGroup(ctx); err != nil {
		if ctx.Err() != nil {
			return t.keepAll(errText(context.Cause(ctx)))
		}
		return t.keepAll("it was not deleted: " + describeErr(err))
	}
	made := plan.CleanUp{Group: t.ex.task.Test.Group, Job: bareJob(t.job.ID), Start: t.job.Start, End: t.job.End, Existing: t.existing}
	var asked []plan.Disk
	kept := 0
	for _, d := range t.found {
		if why := t.deleteDisk(ctx, d, made); why != "" {
			t.keep(d, why)
			kept++
			continue
		}
		asked = append(asked, d)
	}
	for _, d := range asked {
		if why := t.awaitDeleted(ctx, d); why != "" {
			t.keep(d, why)
			kept++
		}
	}
	if kept > 0 {
		return Failed, fmt.Sprintf("left behind: %s of %d", countDisks(kept), len(t.found))
	}
	return Done, countDisks(len(t.found)) + " deleted"
}

func (t *testRun) keep(d plan.Disk, why string) {
	t.left = append(t.left, LeftBehind{Kind: LeftDisk, ID: d.ID, Why: why})
}

func (t *testRun) keepAll(why string) (Outcome, string) {
	for _, d := range t.found {
		t.keep(d, why)
	}
	return Failed, fmt.Sprintf("left behind: %s: %s", countDisks(len(t.found)), why)
}

// deleteDisk asks for the deletion of a disk, and returns why it stays. It asks again where the service refused for a
// while, or did not answer and the disk is still there.
func (t *testRun) deleteDisk(ctx context.Context, d plan.Disk, made plan.CleanUp) (why string) {
	for pause := 5 * time.Second; ; pause = min(pause*2, time.Minute) {
		if ctx.Err() != nil {
			return "it was not deleted: " + errText(context.Cause(ctx))
		}
		kept, err := t.backend.DeleteDisk(ctx, d.ID, made)
		if err == nil {
			return kept
		}
		e, ok := errors.AsType[*Error](err)
		again := ok && (e.Unknown || e.Status == statusTooManyRequests) // the disk is read before the next DELETE
		if again && !endsWithin(ctx, max(pause, e.RetryAfter)) && sleep(ctx, max(pause, e.RetryAfter)) == nil {
			continue
		}
		return "it could not be deleted: " + describeErr(err)
	}
}

// awaitDeleted waits until a disk whose deletion was asked for is gone, and returns why it is not.
func (t *testRun) awaitDeleted(ctx context.Context, d plan.Disk) (why string) {
	for pause := 2 * time.Second; ; pause = min(pause*2, time.Minute) {
		now, exists, err := t.backend.Disk(ctx, d.ID)
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
