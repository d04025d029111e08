package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/deadline"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// The codes of restores whose job completed though something is missing.
const (
	codeOtherDisks     = "OtherDisks"
	codeDisksNotListed = "DisksNotListed"
)

// restoredVM is a restore that completed, with the job and the disks that it made.
type restoredVM struct {
	result *apply.Result
	order  *plan.RestoreOrder
	job    plan.RestoreJob // without an id: not read
	disks  []plan.Disk
	// isListed reports whether its group was listed: only then are disks that are not among them missing.
	isListed bool
}

// findRestored records what each restore made. It reads the job of each restore once, and lists the groups until all
// disks are there, which may take some minutes after the end of a job (docs/azure.md §25.1). In an interrupted run it
// lists the groups once, and reads jobs for no longer than grace.
func (a *app) findRestored(ctx context.Context, s *session, run *report.Run, grace time.Duration) {
	orders := map[string]*plan.RestoreOrder{}
	for _, c := range run.Plan.Changes {
		orders[c.ID] = c.RestoreOrder
	}
	var vms []*restoredVM
	for i := range run.Results {
		r := &run.Results[i]
		if order := orders[r.ID]; order != nil && r.Job != "" && (r.Outcome == apply.Done || r.Outcome == apply.AlreadyDone) {
			vms = append(vms, &restoredVM{result: r, order: order})
		}
	}
	a.readRestoreJobs(ctx, s, vms, grace)
	a.awaitDisks(ctx, s, vms, !a.interrupts.isInterrupted())
	run.Restored = map[string]*report.Restored{}
	for _, vm := range vms {
		run.Restored[vm.result.ID] = vm.conclude(s.Now())
	}
	run.Summary = map[apply.Outcome]int{}
	for _, r := range run.Results {
		run.Summary[r.Outcome]++
	}
}

// maxJobReads is how long the reads of jobs may take. The time for which their hourly budget holds them back is not
// counted: hundreds of jobs may take hours.
const maxJobReads = 10 * time.Minute

var errJobReads = errors.New("reading jobs took more than " + report.FormatDuration(maxJobReads))

// readRestoreJobs reads the job of each restore, because lists do not show where the template is. A Ctrl-C ends the
// reads, and the report has what is known by then.
func (a *app) readRestoreJobs(ctx context.Context, s *session, vms []*restoredVM, grace time.Duration) {
	if a.interrupts.isInterrupted() {
		ctx, cancel := context.WithTimeoutCause(ctx, grace, errInterrupted)
		defer cancel()
		a.readJobsOf(ctx, s, vms)
		return
	}
	s.waits.advise("each job says where the template of its machine is; Ctrl-C ends the reading, and the report has what is known then")
	defer s.waits.advise("")
	warn := func() { a.log.Warn("interrupted: the report has what is known") }
	a.interrupts.drain(warn, func(asked <-chan struct{}) {
		ctx, leave := context.WithCancelCause(ctx)
		defer leave(nil)
		ctx, cancel := deadline.WithTimeout(ctx, a.Now, maxJobReads, errJobReads)
		defer cancel()
		go func() {
			defer crash.ExitOnPanic()
			select {
			case <-asked:
				leave(errInterrupted)
			case <-ctx.Done():
			}
		}()
		a.readJobsOf(ctx, s, vms)
	})
}

func (a *app) readJobsOf(ctx context.Context, s *session, vms []*restoredVM) {
	var g errgroup.Group
	g.SetLimit(8)
	why := make([]string, len(vms))
	reads := map[string]int{}
	for _, vm := range vms {
		reads[armid.VaultOf(jobID(vm.result))]++
	}
	for vault, n := range reads {
		defer s.ExpectJobs(vault, n)()
	}
	for i, vm := range vms {
		g.Go(func() error {
			defer crash.ExitOnPanic()
			job, err := s.RestoreJob(ctx, jobID(vm.result))
			switch {
			case err != nil:
				why[i] = err.Error()
			case job.Unreadable != "":
				why[i] = job.Unreadable
			default:
				vm.job = job
			}
			return nil
		})
	}
	_ = g.Wait() // no read returns an error
	unread, first := 0, ""
	for i, vm := range vms {
		if why[i] != "" {
			unread++
			if first == "" {
				first = report.DisplayName(vm.result.Target) + ": " + oneLine(why[i])
			}
		}
	}
	if unread > 0 {
		a.log.Warn("what "+report.FormatCount(unread, "restore")+" left could not be read: "+first, hintKey, "its job says where the template is: azbackup points VM names it")
		a.exitConditions[exitIncomplete] = true
	}
}

// diskPollInterval is the longest pause between two lists of the groups while disks are missing, diskReportInterval the
// shortest interval between two lines about that.
const (
	diskPollInterval   = 15 * time.Second
	diskReportInterval = time.Minute
)

// awaitDisks lists the groups until each restore has its disks, or until [plan.DisksListedAfter] has passed since its job
// ended. Without wait it lists them once.
func (a *app) awaitDisks(ctx context.Context, s *session, vms []*restoredVM, wait bool) {
	pause := time.Second
	var reported time.Time
	for {
		if !a.listDisks(ctx, s, vms) || !wait {
			return
		}
		late := 0
		for _, vm := range vms {
			if len(vm.disks) < vm.expected() && s.Now().Sub(vm.ended()) < plan.DisksListedAfter {
				late++
			}
		}
		if late == 0 {
			return
		}
		if now := a.Now(); now.Sub(reported) >= diskReportInterval {
			reported = now
			a.log.Info("the disks of "+report.FormatCount(late, "restore")+" are not listed yet: looking again, until "+
				report.FormatDuration(plan.DisksListedAfter)+" after the job", "late", late)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			pause = min(2*pause, diskPollInterval)
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// listDisks lists each group once, and assigns the disks to the jobs that they name; false = a group could not be listed.
func (a *app) listDisks(ctx context.Context, s *session, vms []*restoredVM) bool {
	byJob := map[string][]plan.Disk{}
	seen, unread := map[armid.Key]bool{}, map[armid.Key]bool{}
	for _, vm := range vms {
		if seen[armid.Of(vm.order.Into)] {
			continue
		}
		seen[armid.Of(vm.order.Into)] = true
		disks, err := s.Disks(ctx, vm.order.Into)
		if err != nil {
			a.log.Warn("the disks that were made could not be listed: " + oneLine(err.Error()))
			a.exitConditions[exitIncomplete] = true
			unread[armid.Of(vm.order.Into)] = true
			continue
		}
		for _, d := range disks {
			if d.Job != "" {
				byJob[strings.ToLower(d.Job)] = append(byJob[strings.ToLower(d.Job)], d)
			}
		}
	}
	for _, vm := range vms {
		if unread[armid.Of(vm.order.Into)] {
			continue
		}
		id := jobID(vm.result)
		vm.isListed = true
		vm.disks = byJob[strings.ToLower(id[strings.LastIndexByte(id, '/')+1:])]
	}
	return len(unread) == 0
}

// expected returns the number of disks that the restore made, by its job or else by its order; at least 1.
func (vm *restoredVM) expected() int {
	if vm.job.Restored != nil {
		return len(vm.job.Restored)
	}
	return max(1, len(vm.order.Disks))
}

// ended returns when the job ended; zero = not known.
func (vm *restoredVM) ended() time.Time {
	switch {
	case !vm.job.End.IsZero():
		return vm.job.End
	case vm.result.Finished != nil:
		return *vm.result.Finished
	}
	return time.Time{}
}

// conclude returns what was found, and corrects the result where something is missing.
func (vm *restoredVM) conclude(now time.Time) *report.Restored {
	r, j := vm.result, vm.job
	took := time.Duration(r.Took)
	if !j.End.IsZero() && !j.Start.IsZero() {
		took = j.End.Sub(j.Start)
	}
	out := &report.Restored{Template: j.Template, Seconds: int64(took.Seconds()), Disks: []string{}}
	for _, d := range vm.disks {
		if out.Disks = append(out.Disks, d.ID); d.OS != "" {
			out.OSDisk = d.ID
		}
	}
	if j.Blobs != "" {
		out.Leaves = j.Account + "/" + j.Blobs
	}
	switch {
	case j.ID != "" && !vm.order.IsRestoredBy(j) && r.Outcome == apply.Done: // by the job of this very order
		r.Outcome, r.Code = apply.Failed, codeOtherDisks
		r.Message = "the job restored other disks than were ordered: " + strings.Join(j.Restored, ", ")
		r.Hint = "the point may not hold the others: name what it holds with --disks; the same command would restore the same disks once more"
	case j.ID != "" && !vm.order.IsRestoredBy(j):
		r.Outcome, r.Code = apply.Failed, codeOtherDisks
		r.Message = "the job that was running restored other disks: " + strings.Join(j.Restored, ", ")
		r.Hint = "run again: what is missing is restored then"
	case vm.isListed && len(vm.disks) < vm.expected() && now.Sub(vm.ended()) >= plan.DisksListedAfter:
		isAdopted := r.Outcome == apply.AlreadyDone
		r.Outcome, r.Code = apply.Unconfirmed, codeDisksNotListed
		r.Message = fmt.Sprintf("the job completed, and of its %s %d are listed", report.FormatCount(vm.expected(), "disk"), len(vm.disks))
		r.Hint = "look in the resource group for disks with the tag " + plan.TagRestoreJob + " = " + r.Job
		if isAdopted && len(vm.disks) > 0 { // a job of which one disk is there is adopted by every run
			r.Hint += "; if the others were deleted or moved, --again restores all of them once more"
		}
	case took > 0 && r.Message == "":
		r.Message = "Completed in " + report.FormatDuration(took)
	}
	if isGood := r.Outcome == apply.Done || r.Outcome == apply.AlreadyDone; isGood && j.HasWarnings() {
		r.Message = strings.TrimPrefix(r.Message+"; its job is "+describeWarnings(j), "; ")
		r.Hint = "look whether the disks are good: a job with warnings proves nothing, and the same command restores once more"
	}
	return out
}

// describeWarnings returns the status of a job that has warnings, with the first of them.
func describeWarnings(j plan.RestoreJob) string {
	if len(j.Errors) == 0 {
		return j.Status
	}
	return j.Status + ": " + cmp.Or(j.Errors[0].Message, j.Errors[0].Title)
}
