package azure

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

// filterRunning selects the jobs in progress, whenever they started.
const filterRunning = "status eq 'InProgress' and " + filterVMs

// recordOldJobs records whether a vault has jobs in progress that started before the job window of snapshots: they are
// then listed by a second request, as long as there are any.
func (c *Client) recordOldJobs(vault string, running []plan.Job) {
	old := false
	for _, j := range running {
		old = old || j.Start.Before(c.jobWindowStart())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old {
		c.oldJobs[armid.Of(vault)] = true
	} else {
		delete(c.oldJobs, armid.Of(vault))
	}
}

// jobWindowStart returns the beginning of the window in which snapshots list jobs.
func (c *Client) jobWindowStart() time.Time { return c.ServiceTime(c.started).Add(-jobWindowSlack) }

// fetchRecentJobs lists the jobs of a vault since shortly before this run, and older ones still in progress.
func (c *Client) fetchRecentJobs(ctx context.Context, vault string) ([]plan.Job, error) {
	window := jobWindowFilter(c.jobWindowStart(), c.Now().Add(jobWindowSlack))
	jobs, _, err := c.fetchJobs(ctx, vault, window+" and "+filterVMs, quota.Confirm, nil)
	c.mu.Lock()
	old := c.oldJobs[armid.Of(vault)]
	c.mu.Unlock()
	if err != nil || !old {
		return jobs, err
	}
	running, _, err := c.fetchJobs(ctx, vault, filterRunning, quota.Confirm, nil)
	if err != nil {
		return nil, err
	}
	c.recordOldJobs(vault, running)
	listed := make(map[armid.Key]bool, len(jobs))
	for _, j := range jobs {
		listed[armid.Of(j.ID)] = true
	}
	for _, j := range running {
		if !listed[armid.Of(j.ID)] {
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}
