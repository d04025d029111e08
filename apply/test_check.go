package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// check compares what the restore made with what the order and the recovery point say.
func (t *testRun) check(ctx context.Context) (Outcome, string) {
	id := t.ex.task.Vault + "/backupJobs/" + bareJob(t.ex.jobID())
	job, err := retryRead(ctx, func() (plan.RestoreJob, error) { return t.backend.RestoreJob(ctx, id) })
	if ctx.Err() != nil {
		return stopped(context.Cause(ctx))
	}
	switch {
	case err != nil:
		return Failed, "its job could not be read: " + describeErr(err)
	case job.Unreadable != "":
		return Failed, "its job was not understood: " + job.Unreadable
	case !job.IsProof():
		return Failed, "its job is " + job.Status + " and proves nothing"
	case job.PointTime.Sub(t.order.Point.Time).Abs() >= time.Second: // jobs give whole seconds
		return Failed, "its job restored another point, of " + job.PointTime.UTC().Format(time.RFC3339)
	case job.Group != "" && !strings.EqualFold(job.Group, lastOf(t.order.Into)):
		return Failed, "its job restored into another group, " + job.Group
	}
	t.job = job
	t.made.Template = job.Template
	if !job.Start.IsZero() && !job.End.IsZero() {
		t.made.Seconds = int64(job.End.Sub(job.Start).Seconds())
	}
	t.want = max(len(t.order.Disks), len(job.Restored))
	if held := t.point.Disks; t.want == 0 && t.order.Select == nil && held != nil { // all disks of the point
		t.want = max(len(held.Included), held.Held)
	}
	if message := t.awaitDisks(ctx, t.want); message != "" {
		return cutCheck(context.Cause(ctx), message)
	}
	return t.compareDisks(ctx)
}

// cutCheck returns how a check ended that found something wrong. It failed where its own time is over; where anything else ended
// it, it had not seen all yet, and nothing is wrong that is known.
func cutCheck(cause error, message string) (Outcome, string) {
	if cause == nil {
		return Failed, message
	}
	if e, isLimit := errors.AsType[*limitError](cause); isLimit && e.what == limitOfStep(StepCheck) {
		return Failed, message
	}
	outcome, why := stopped(cause)
	return outcome, message + ": " + why
}

// awaitDisks lists the group, with growing pauses, until as many disks as expected carry the job's name in their tag. It
// returns "", or what is wrong where they do not within the time of the step. The tag alone identifies a disk, never its
// name.
func (t *testRun) awaitDisks(ctx context.Context, want int) string {
	job, made := bareJob(t.job.ID), cmp.Or(len(t.job.Restored), want)
	for pause := 5 * time.Second; ; pause = min(pause*2, time.Minute) {
		disks, err := t.backend.Disks(ctx, t.order.Into)
		if err == nil {
			t.found = slices.DeleteFunc(disks, func(d plan.Disk) bool { return d.Job != job })
			t.isClean = made == 0 || len(t.found) <= made
			t.made.Disks = nil
			for _, d := range t.found {
				t.made.Disks = append(t.made.Disks, d.ID)
			}
		}
		n := len(t.found)
		switch {
		case err != nil && ctx.Err() == nil && !isTransient(err):
			return "its disks could not be listed: " + describeErr(err)
		case err == nil && !t.isClean:
			return fmt.Sprintf("%d disks carry the name of its job, and it made %d: somebody else tagged disks with it", n, made)
		case err == nil && n > 0 && n >= want:
			return ""
		}
		if ctx.Err() == nil && !endsWithin(ctx, pause) && sleep(ctx, pause) == nil {
			continue
		}
		switch {
		case err != nil:
			return "its disks could not be listed: " + describeErr(err)
		case n == 0:
			return fmt.Sprintf("no disk with the tag %s: %s is listed in %s", plan.TagRestoreJob, job, lastOf(t.order.Into))
		}
		return fmt.Sprintf("%d of %d disks are listed", n, want)
	}
}

// compareDisks compares the disks with the recovery point and, as far as they still exist, with the disks that were
// backed up.
func (t *testRun) compareDisks(ctx context.Context) (Outcome, string) {
	var system []plan.Disk
	var data []int
	for _, d := range t.found {
		switch {
		case d.Unreadable != "":
			return Failed, lastOf(d.ID) + " was not understood: " + d.Unreadable
		case d.SizeGB == 0:
			return Failed, lastOf(d.ID) + " has no size"
		case d.OS != "":
			system = append(system, d)
		default:
			data = append(data, d.SizeGB)
		}
	}
	if len(system) != 1 {
		return Failed, fmt.Sprintf("%d of its disks hold an operating system", len(system))
	}
	words := []string{countDisks(len(t.found)), system[0].OS}
	var missing []string
	if t.point.OS == "" {
		missing = append(missing, "the operating system")
	} else if !strings.EqualFold(t.point.OS, system[0].OS) {
		return Failed, fmt.Sprintf("the operating system is %s, and that of the point %s", system[0].OS, t.point.OS)
	}
	source, sizes, isComplete := t.sources(ctx)
	switch {
	case source.ID == "":
		missing = append(missing, "the generation and size of the OS disk")
	case source.Generation != "" && !strings.EqualFold(source.Generation, system[0].Generation):
		return Failed, fmt.Sprintf("the OS disk is of generation %s, and its source of %s", system[0].Generation, source.Generation)
	case system[0].SizeGB < source.SizeGB:
		return Failed, describeSmaller(system[0].SizeGB, source.SizeGB)
	}
	slices.Sort(data)
	slices.Sort(sizes)
	switch {
	case len(data) == 0:
	case !isComplete || len(sizes) != len(data):
		missing = append(missing, "the sizes of the data disks")
	default:
		for i := range data {
			if data[i] < sizes[i] {
				return Failed, describeSmaller(data[i], sizes[i])
			}
		}
	}
	if t.want == 0 {
		missing = append(missing, "how many disks it made")
	}
	if len(missing) > 0 {
		words = append(words, "not compared: "+strings.Join(missing, ", "))
	}
	return Done, strings.Join(words, ", ")
}

func describeSmaller(restored, source int) string {
	return fmt.Sprintf("a disk of %d GB was made, and its source has %d GB now: it was made smaller, or the source has grown since the point", restored, source)
}

// sources reads the disks that were backed up, by the names that the job lists. It returns the OS disk, which has no id
// where it is not known, and the sizes of the data disks in GB; isComplete reports whether all of them could be read.
func (t *testRun) sources(ctx context.Context) (system plan.Disk, sizes []int, isComplete bool) {
	group, _, found := strings.Cut(strings.ToLower(t.ex.task.Target), "/providers/")
	isComplete = found && len(t.job.Restored) > 0
	for _, name := range t.job.Restored {
		d, exists, err := t.backend.Disk(ctx, t.ex.task.Target[:len(group)]+"/providers/Microsoft.Compute/disks/"+name)
		switch {
		case err != nil || !exists || d.Unreadable != "" || d.SizeGB == 0:
			isComplete = false
		case d.OS != "":
			system = d
		default:
			sizes = append(sizes, d.SizeGB)
		}
	}
	return system, sizes, isComplete
}

func countDisks(n int) string {
	if n == 1 {
		return "1 disk"
	}
	return fmt.Sprintf("%d disks", n)
}

func lastOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
