package azure

import (
	"context"
	"slices"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

// filterRunning selects the jobs in progress, whenever they started.
const filterRunning = "status eq 'InProgress' and " + filterVMs

// recordRunningJobs records the jobs of a vault that are in progress: snapshots show each of them until it is over.
func (c *Client) recordRunningJobs(vault string, jobs []plan.Job) {
	var ids []string
	for _, j := range jobs {
		if j.IsRunning() {
			ids = append(ids, j.ID)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runningJobs[armid.Of(vault)] = ids
}

// jobWindowStart returns the beginning of the window in which snapshots list jobs.
func (c *Client) jobWindowStart() time.Time { return c.ServiceTime(c.started).Add(-jobWindowSlack) }

// fetchRecentJobs lists the jobs of a vault since shortly before this run, and older ones that were in progress when
// they were last read: still in progress, or how they ended.
func (c *Client) fetchRecentJobs(ctx context.Context, vault string) ([]plan.Job, error) {
	c.mu.Lock()
	known := c.runningJobs[armid.Of(vault)]
	c.mu.Unlock()
	window := jobWindowFilter(c.jobWindowStart(), c.Now().Add(jobWindowSlack))
	jobs, _, err := c.fetchJobs(ctx, vault, window+" and "+filterVMs, quota.Confirm, nil)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 {
		if jobs, err = c.appendKnownJobs(ctx, vault, jobs, known); err != nil {
			return nil, err
		}
	}
	c.recordRunningJobs(vault, jobs)
	return jobs, nil
}

// appendKnownJobs appends to the listed jobs those that were in progress before and are missing among them. It asks for
// all jobs in progress by one list, and for what that does not have one by one: the pages of that list shift while
// jobs end, so a job that still runs may be on none of them. Only its own document proves that a job is over.
func (c *Client) appendKnownJobs(ctx context.Context, vault string, jobs []plan.Job, known []string) ([]plan.Job, error) {
	listed := make(map[armid.Key]bool, len(jobs))
	for _, j := range jobs {
		listed[armid.Of(j.ID)] = true
	}
	missing := func() []string {
		return slices.DeleteFunc(slices.Clone(known), func(id string) bool { return listed[armid.Of(id)] })
	}
	if len(missing()) == 0 {
		return jobs, nil
	}
	running, _, err := c.fetchJobs(ctx, vault, filterRunning, quota.Confirm, nil)
	if err != nil {
		return nil, err
	}
	for _, j := range running {
		if !listed[armid.Of(j.ID)] {
			listed[armid.Of(j.ID)] = true
			jobs = append(jobs, j)
		}
	}
	for _, id := range missing() {
		j, err := c.Job(ctx, id)
		switch {
		case err == nil:
			jobs = append(jobs, j.Job)
		case !isAbsenceProven(err):
			return nil, err
		}
	}
	return jobs, nil
}
