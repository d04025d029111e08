package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/report"
)

// The pause between two polls of a job grows from minJobPollInterval to maxJobPollInterval. The longest pause is longer
// where many jobs are followed, by once for every jobsPerPoll of them: reads of jobs have an hourly budget that the
// whole subscription shares (docs/azure.md §12).
const (
	minJobPollInterval = time.Second
	maxJobPollInterval = 30 * time.Second
	jobsPerPoll        = 5
)

// errWaitTimeout is the cause of a wait that --timeout ended.
var errWaitTimeout = errors.New("the wait for the job ended first")

// awaitBackups follows the jobs of the started backups, and records their ends in the results.
func (a *app) awaitBackups(ctx context.Context, s *session, timeout time.Duration, run *report.Run) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errWaitTimeout)
	defer cancel()
	var jobs []*apply.Result
	for i := range run.Results {
		r := &run.Results[i]
		if r.Job != "" && (r.Outcome == apply.Done || r.Outcome == apply.AlreadyDone) {
			jobs = append(jobs, r)
		}
	}
	slowest := maxJobPollInterval * time.Duration(1+len(jobs)/jobsPerPoll)
	var all sync.WaitGroup
	name := namerOf(run.Plan)
	for _, r := range jobs {
		all.Go(func() {
			defer crash.ExitOnPanic()
			a.awaitBackup(ctx, s, slowest, name(r.Target), r)
		})
	}
	all.Wait()
	run.Summary = map[apply.Outcome]int{}
	for _, r := range run.Results {
		run.Summary[r.Outcome]++
	}
}

// awaitBackup follows one job and records its end in r.
func (a *app) awaitBackup(ctx context.Context, s *session, slowest time.Duration, name string, r *apply.Result) {
	id := jobID(r)
	said := ""
	for pause := minJobPollInterval; ; pause = min(2*pause, slowest) {
		job, err := s.Job(ctx, id)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Debug("reading the job of " + name + ": " + oneLine(err.Error()))
		case err == nil && !job.IsRunning():
			recordBackupEnd(r, job, s.Now())
			return
		case err == nil:
			if now := describeTasks(job); now != said {
				said = now
				a.log.Info(string(r.Action)+" of "+name+": "+now, "target", r.Target, "job", id)
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			recordBackupUnfinished(r, context.Cause(ctx), err)
			return
		}
	}
}

// jobID returns the resource id of a result's job. The result itself may hold the name alone.
func jobID(r *apply.Result) string {
	if strings.HasPrefix(r.Job, "/") {
		return r.Job
	}
	return r.Vault + "/backupJobs/" + r.Job
}

// describeTasks returns the status of a running job and of its tasks.
func describeTasks(job azure.JobDetail) string {
	words := []string{job.Status}
	for _, t := range job.Tasks {
		words = append(words, t.Name+" "+t.Status)
	}
	return oneLine(strings.Join(words, ", "))
}

// recordBackupEnd records the end of a job in its result. The codes of jobs are integers, and are shown as they are.
func recordBackupEnd(r *apply.Result, job azure.JobDetail, finished time.Time) {
	r.Finished, r.Code, r.Hint = &finished, "", ""
	took := ""
	if !job.Start.IsZero() && !job.End.IsZero() {
		took = " in " + report.FormatDuration(job.End.Sub(job.Start))
	}
	r.Message = strings.TrimSpace(job.Status + took + " " + job.Size)
	switch job.Status {
	case "Completed", "CompletedWithWarnings":
		r.Outcome = apply.Done
	default:
		r.Outcome = apply.Failed
	}
	if len(job.Errors) > 0 {
		e := job.Errors[0]
		r.Code = strconv.Itoa(e.Code)
		r.Message = strings.Join(append([]string{r.Message}, nonEmpty(e.Title, e.Message)...), ": ")
		r.Hint = strings.Join(e.Recommendations, " ")
	}
}

// recordBackupUnfinished records that the wait ended before the job.
func recordBackupUnfinished(r *apply.Result, cause, last error) {
	r.Outcome = apply.Unconfirmed
	if errors.Is(cause, errInterrupted) {
		r.Outcome = apply.Interrupted
	}
	r.Message = cause.Error()
	if last != nil && !errors.Is(last, cause) {
		r.Message = fmt.Sprintf("%s; last trouble: %s", r.Message, oneLine(last.Error()))
	}
}

func nonEmpty(words ...string) []string {
	var kept []string
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}
