package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// findDisks records what each restore made: the disks that carry its job, by one read of the group after all of them.
func (a *app) findDisks(ctx context.Context, s *session, run *report.Run) {
	run.Restored = map[string]*report.Restored{}
	groups := map[armid.Key][]plan.Disk{}
	for i := range run.Results {
		r := &run.Results[i]
		j := slices.IndexFunc(run.Plan.Changes, func(c plan.Change) bool { return c.ID == r.ID && c.RestoreOrder != nil })
		if r.Job == "" || r.Outcome != apply.Done && r.Outcome != apply.AlreadyDone || j < 0 {
			continue
		}
		into := armid.Of(run.Plan.Changes[j].Into)
		if _, known := groups[into]; !known {
			disks, err := s.Disks(ctx, run.Plan.Changes[j].Into)
			if err != nil {
				a.log.Warn("the disks that were made could not be listed: " + oneLine(err.Error()))
				a.exitConditions[exitIncomplete] = true
			}
			groups[into] = disks
		}
		run.Restored[r.ID] = a.restored(ctx, s, r, groups[into])
	}
}

func (a *app) restored(ctx context.Context, s *session, r *apply.Result, disks []plan.Disk) *report.Restored {
	id := jobID(r)
	out := &report.Restored{Disks: []string{}, Seconds: int64(time.Duration(r.Took).Seconds())}
	if r.Took > 0 && r.Message == "" {
		r.Message = "Completed in " + report.FormatDuration(time.Duration(r.Took))
	}
	for _, d := range disks {
		if d.Job != "" && strings.EqualFold(d.Job, id[strings.LastIndexByte(id, '/')+1:]) {
			out.Disks = append(out.Disks, d.ID)
		}
	}
	job, err := s.RestoreJob(ctx, id)
	why := job.Unreadable
	if err != nil {
		why = err.Error()
	}
	if why != "" {
		a.log.Warn("what the restore of " + report.DisplayName(r.Target) + " left could not be read: " + oneLine(why))
		a.exitConditions[exitIncomplete] = true
		return out
	}
	out.Template = job.Template
	if !job.End.IsZero() {
		out.Seconds = int64(job.End.Sub(job.Start).Seconds())
	}
	if job.Blobs != "" {
		out.Leaves = job.Account + "/" + job.Blobs
	}
	return out
}
