package azure

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

const (
	// jobWindowSlack extends a job window: clocks differ, and an interrupted run may have started jobs.
	jobWindowSlack = time.Hour
	// maxJobDetails is the highest number of failed jobs whose errors one list of a vault reads.
	maxJobDetails = 20
)

// List implements [apply.Backend]: it returns the items of a vault, and its jobs since shortly before this run or in
// progress.
func (c *Client) List(ctx context.Context, vault string) (apply.Snapshot, error) {
	s := apply.Snapshot{At: c.Now()}
	var pages atomic.Int32
	g, both := errgroup.WithContext(arm.WithPageCounter(ctx, &pages))
	g.Go(func() error {
		defer crash.ExitOnPanic()
		found, err := c.fetchItems(both, vault, quota.Confirm, nil)
		if err == nil && found.nameless != nil {
			err = &apply.Error{Op: fmt.Sprintf("listing items of %q", vaultName(vault)), Code: "MalformedAnswer", Message: found.nameless.Error()}
		}
		s.Items = found.items
		return err
	})
	g.Go(func() (err error) {
		defer crash.ExitOnPanic()
		s.Jobs, err = c.fetchRecentJobs(both, vault)
		return err
	})
	if err := g.Wait(); err != nil {
		if ctx.Err() != nil {
			return apply.Snapshot{}, context.Cause(ctx)
		}
		return apply.Snapshot{}, err
	}
	s.Requests = int(pages.Load())
	c.fetchJobErrors(ctx, s.Jobs)
	return s, nil
}

// ListJobs implements [apply.Backend].
func (c *Client) ListJobs(ctx context.Context, vault string) (apply.Snapshot, error) {
	s := apply.Snapshot{At: c.Now()}
	var pages atomic.Int32
	jobs, err := c.fetchRecentJobs(arm.WithPageCounter(ctx, &pages), vault)
	if err != nil {
		return apply.Snapshot{}, err
	}
	s.Jobs, s.Requests = jobs, int(pages.Load())
	c.fetchJobErrors(ctx, s.Jobs)
	return s, nil
}

// fetchJobErrors reads the errors of failed jobs, which lists leave out (docs/azure.md §11). They do not change, so
// each job is read once; one that cannot be read stays failed without a reason.
func (c *Client) fetchJobErrors(ctx context.Context, jobs []plan.Job) {
	asked := 0
	for i := range jobs {
		j := &jobs[i]
		if j.IsRunning() || !strings.EqualFold(j.Status, "Failed") || len(j.Errors) > 0 || j.Start.Before(c.jobWindowStart()) {
			continue
		}
		c.mu.Lock()
		known, ok := c.failures[armid.Of(j.ID)]
		c.mu.Unlock()
		if !ok && asked < maxJobDetails {
			asked++
			full, err := c.Job(ctx, j.ID)
			if err != nil {
				continue
			}
			known = full.Errors
			c.mu.Lock()
			c.failures[armid.Of(j.ID)] = known
			c.mu.Unlock()
		}
		j.Errors = known
	}
}

// IsJobRunning implements [apply.Backend].
func (c *Client) IsJobRunning(ctx context.Context, id string) (bool, error) {
	j, err := c.Job(ctx, id)
	if err != nil {
		if isAbsenceProven(err) {
			err = nil
		}
		return false, err
	}
	return j.IsRunning(), nil
}

// JobDetail is a job with the properties that only its own document has.
type JobDetail struct {
	plan.Job
	Tasks []JobTask
	// Size is the "Backup Size" of a finished backup, as the service spells it; "" = absent.
	Size string
}

// JobTask is a step of a job, with its status as read.
type JobTask struct{ Name, Status string }

// Job reads one job, by its resource id. Errors are *[apply.Error], or the context's cause.
func (c *Client) Job(ctx context.Context, id string) (JobDetail, error) {
	var w wire.Job
	if _, err := c.getDocument(ctx, "reading job "+operationID(id), c.arm.URL(id, apiBackup), quota.Confirm, &w); err != nil {
		return JobDetail{}, err
	}
	j, _ := w.ToPlan(armid.VaultOf(id), time.Time{}) // it was requested by its id
	d := JobDetail{Job: j, Size: w.Properties.ExtendedInfo.Bag["Backup Size"].Text()}
	for _, t := range w.Properties.ExtendedInfo.Tasks {
		d.Tasks = append(d.Tasks, JobTask{Name: t.ID, Status: t.Status})
	}
	return d, nil
}
