package azure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

// This file has the reads of restores. Their errors are *[apply.Error], [*arm.SignInError], or the context's cause. A
// failed read proves no absence; fields that were not understood are in the Unreadable of the result.

// RecoveryPoints lists the recovery points of an item, newest first: the service guarantees no order (docs/azure.md
// §11). Points without a time come last.
func (c *Client) RecoveryPoints(ctx context.Context, item string) ([]plan.RecoveryPoint, error) {
	return c.recoveryPoints(ctx, item, nil)
}

func (c *Client) recoveryPoints(ctx context.Context, item string, rec *recorder) ([]plan.RecoveryPoint, error) {
	op := "listing recovery points of " + wire.Quote(itemName(item))
	found, err := listAll[wire.RecoveryPoint](ctx, c, op, c.arm.URL(item+"/recoveryPoints", apiBackup), quota.Other, rec.tee("recoveryPoints"))
	if err != nil {
		return nil, err
	}
	now := c.Now()
	points := make([]plan.RecoveryPoint, 0, len(found))
	for _, w := range found {
		points = append(points, w.ToPlan(item, now))
	}
	slices.SortStableFunc(points, func(a, b plan.RecoveryPoint) int { return b.Time.Compare(a.Time) })
	return points, nil
}

// RecoveryPoint reads one recovery point, which includes its disks (docs/azure.md §33.45), by its resource id.
func (c *Client) RecoveryPoint(ctx context.Context, id string) (plan.RecoveryPoint, error) {
	return c.recoveryPoint(ctx, id, nil)
}

func (c *Client) recoveryPoint(ctx context.Context, id string, rec *recorder) (plan.RecoveryPoint, error) {
	var w wire.RecoveryPoint
	raw, err := c.getDocument(ctx, "reading recovery point "+wire.Quote(operationID(id)), c.arm.URL(id, apiBackup), quota.Other, &w)
	if err != nil {
		return plan.RecoveryPoint{}, err
	}
	rec.add("recoveryPoints", raw)
	head, _ := armid.CutName(id)
	item, _ := armid.CutName(head)
	return w.ToPlan(item, c.Now()), nil
}

// itemName returns the display name of an item.
func itemName(id string) string {
	_, name := armid.CutName(id)
	return name
}

// longestRestore is how far back jobs are listed that still run: the disks of a large VM may take days.
const longestRestore = 30 * 24 * time.Hour

// RestoreJobs lists the Restore jobs of a vault that began at from or later, or that still run, newest first, and reads
// each with its property bag, at a request per job; a job that cannot be read is Unreadable. containers, where given, are
// the names of the containers whose jobs are returned.
func (c *Client) RestoreJobs(ctx context.Context, vault string, from time.Time, containers ...string) ([]plan.RestoreJob, error) {
	earliest := c.Now().Add(-longestRestore)
	if from.Before(earliest) {
		earliest = from
	}
	jobs, err := c.listRestoreJobs(ctx, vault, earliest, nil, containers...)
	if err != nil {
		return nil, err
	}
	jobs = slices.DeleteFunc(jobs, func(j plan.RestoreJob) bool {
		return !j.Start.IsZero() && j.Start.Before(from) && (j.Unreadable != "" || !j.IsRunning())
	})
	defer c.ExpectJobs(vault, len(jobs))()
	g, both := errgroup.WithContext(ctx)
	g.SetLimit(maxConcurrentReads)
	for i, j := range jobs {
		if j.Unreadable != "" {
			continue
		}
		g.Go(func() error {
			defer crash.ExitOnPanic()
			read, err := c.RestoreJob(both, j.ID)
			if both.Err() != nil {
				return context.Cause(both)
			}
			if err != nil {
				jobs[i].Unreadable = "it could not be read: " + err.Error()
				return nil
			}
			jobs[i], jobs[i].Vault = read, vault
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return jobs, nil
}

// RestoreJobsNamed reads the Restore jobs of a vault with these names, with their property bags. It leaves out a name
// that no job of the vault has. It sends no request for a name that is no GUID, because all names of jobs are
// (docs/azure.md §33.47) and these come from tags.
func (c *Client) RestoreJobsNamed(ctx context.Context, vault string, names []string) ([]plan.RestoreJob, error) {
	found := make([]*plan.RestoreJob, len(names))
	defer c.ExpectJobs(vault, len(names))()
	g, all := errgroup.WithContext(ctx)
	g.SetLimit(maxConcurrentReads)
	for i, name := range names {
		if uuid.Validate(name) != nil || len(name) != 36 {
			continue
		}
		g.Go(func() error {
			defer crash.ExitOnPanic()
			j, err := c.RestoreJob(all, vault+"/backupJobs/"+name)
			if is404(err) {
				return nil
			}
			if err == nil {
				found[i] = &j
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var jobs []plan.RestoreJob
	for _, j := range found {
		if j != nil {
			jobs = append(jobs, *j)
		}
	}
	return jobs, nil
}

// listRestoreJobs is [Client.RestoreJobs] without the property bags: one list. It returns jobs that were not understood
// whatever their container.
func (c *Client) listRestoreJobs(ctx context.Context, vault string, from time.Time, rec *recorder, containers ...string) ([]plan.RestoreJob, error) {
	filter := jobWindowFilter(from, c.Now().Add(jobWindowSlack)) + " and operation eq '" + plan.JobRestore + "' and " + filterVMs
	u := c.arm.URL(vault+"/backupJobs", apiBackup, "$filter", filter)
	found, err := listAll[wire.Job](ctx, c, fmt.Sprintf("listing restore jobs of %q", vaultName(vault)), u, quota.Other, rec.tee("jobs"))
	if err != nil {
		return nil, err
	}
	var jobs []plan.RestoreJob
	now := c.Now()
	listed := map[armid.Key]bool{} // a job that starts meanwhile moves others to the next page: one is then in two pages
	for _, w := range found {
		j, odd := w.ToPlan(vault, now)
		if j.ID != "" && listed[armid.Of(j.ID)] {
			continue
		}
		listed[armid.Of(j.ID)] = true
		wanted := len(containers) == 0 || slices.ContainsFunc(containers, func(name string) bool { return strings.EqualFold(name, j.Container) })
		if wanted || odd != "" {
			jobs = append(jobs, plan.RestoreJob{Job: j, Unreadable: odd})
		}
	}
	slices.SortStableFunc(jobs, func(a, b plan.RestoreJob) int { return b.Start.Compare(a.Start) })
	return jobs, nil
}

// RestoreJob reads one Restore job, by its resource id.
func (c *Client) RestoreJob(ctx context.Context, id string) (plan.RestoreJob, error) {
	return c.restoreJob(ctx, id, nil)
}

func (c *Client) restoreJob(ctx context.Context, id string, rec *recorder) (plan.RestoreJob, error) {
	var w wire.Job
	raw, err := c.getDocument(ctx, "reading job "+wire.Quote(operationID(id)), c.arm.URL(id, apiBackup), quota.Other, &w)
	if err != nil {
		return plan.RestoreJob{}, err
	}
	rec.add("jobs", raw)
	return w.ToRestoreJob(armid.VaultOf(id), c.Now()), nil
}

// Disks lists the managed disks of a resource group, by its id. An entry that names no disk of the group is an error:
// left out, it would look like an absence.
func (c *Client) Disks(ctx context.Context, group string) ([]plan.Disk, error) {
	return c.disks(ctx, group, nil)
}

func (c *Client) disks(ctx context.Context, group string, rec *recorder) ([]plan.Disk, error) {
	op := "listing disks of resource group " + wire.Quote(itemName(group))
	u := c.arm.URL(group+"/providers/Microsoft.Compute/disks", apiDisks)
	found, err := listAll[wire.Disk](ctx, c, op, u, quota.Other, rec.tee("disks"))
	if err != nil {
		return nil, err
	}
	now := c.Now()
	disks := make([]plan.Disk, 0, len(found))
	seen := map[armid.Key]bool{}
	for _, w := range found {
		d, ok := w.ToPlan(group, now)
		if !ok {
			return nil, namelessRow(op, u, "disk", w.ID)
		}
		if !seen[armid.Of(d.ID)] {
			seen[armid.Of(d.ID)] = true
			disks = append(disks, d)
		}
	}
	return disks, nil
}

// Disk reads one managed disk by its id; false = it does not exist.
func (c *Client) Disk(ctx context.Context, id string) (plan.Disk, bool, error) {
	op := "reading disk " + wire.Quote(itemName(id))
	var w wire.Disk
	exists, err := c.getIfExists(ctx, op, c.arm.URL(id, apiDisks), &w, "disks", nil)
	if err != nil || !exists {
		return plan.Disk{}, false, err
	}
	d, ok := w.ToPlan(groupOf(id), c.Now())
	if !ok || !armid.Same(d.ID, id) {
		return plan.Disk{}, false, arm.NewReadError(op, id, "MalformedAnswer", errors.New("the answer is not this disk"))
	}
	return d, true, nil
}

// ResourceGroup reads a resource group, with its tags, by its id; false = it does not exist.
func (c *Client) ResourceGroup(ctx context.Context, id string) (plan.ResourceGroup, bool, error) {
	return c.resourceGroup(ctx, id, nil)
}

func (c *Client) resourceGroup(ctx context.Context, id string, rec *recorder) (plan.ResourceGroup, bool, error) {
	var w wire.ResourceGroup
	exists, err := c.getIfExists(ctx, "reading resource group "+wire.Quote(itemName(id)), c.arm.URL(id, apiGroups), &w, "resourceGroups", rec)
	if err != nil || !exists {
		return plan.ResourceGroup{}, false, err
	}
	return w.ToPlan(id), true, nil
}

// StorageAccount reads a storage account by its id; false = it does not exist.
func (c *Client) StorageAccount(ctx context.Context, id string) (plan.StorageAccount, bool, error) {
	return c.storageAccount(ctx, id, nil)
}

func (c *Client) storageAccount(ctx context.Context, id string, rec *recorder) (plan.StorageAccount, bool, error) {
	var w wire.StorageAccount
	exists, err := c.getIfExists(ctx, "reading storage account "+wire.Quote(itemName(id)), c.arm.URL(id, apiStorage), &w, "storageAccounts", rec)
	if err != nil || !exists {
		return plan.StorageAccount{}, false, err
	}
	return w.ToPlan(id), true, nil
}

// StorageAccounts lists the storage accounts of a subscription. An entry that names none is an error, as in
// [Client.Disks].
func (c *Client) StorageAccounts(ctx context.Context, subscription string) ([]plan.StorageAccount, error) {
	return c.storageAccounts(ctx, subscription, nil)
}

func (c *Client) storageAccounts(ctx context.Context, subscription string, rec *recorder) ([]plan.StorageAccount, error) {
	u := c.arm.URL("/subscriptions/"+subscription+"/providers/Microsoft.Storage/storageAccounts", apiStorage)
	op := "listing storage accounts of subscription " + subscription
	found, err := listAll[wire.StorageAccount](ctx, c, op, u, quota.Other, rec.tee("storageAccounts"))
	if err != nil {
		return nil, err
	}
	accounts := make([]plan.StorageAccount, 0, len(found))
	for _, w := range found {
		id := w.ID.Text()
		if _, err := armid.Parse(id); err != nil {
			return nil, namelessRow(op, u, "storage account", w.ID)
		}
		accounts = append(accounts, w.ToPlan(id))
	}
	return accounts, nil
}

// namelessRow returns the error for a list with an entry whose id does not name what is listed.
func namelessRow(op, u, what string, id wire.Field) error {
	why := fmt.Errorf("the id of a %s is %s", what, id.Printable())
	return arm.NewReadError(op, u, "MalformedAnswer", why)
}

// getIfExists reads one document into v, and records it in a section of the estate; false = it does not exist.
func (c *Client) getIfExists(ctx context.Context, op, u string, v any, section string, rec *recorder) (bool, error) {
	raw, err := c.getDocument(ctx, op, u, quota.Other, v)
	if isAbsenceProven(err) {
		return false, nil
	}
	if err == nil {
		rec.add(section, raw)
	}
	return err == nil, err
}

// groupOf returns the id of a resource's resource group.
func groupOf(id string) string {
	head, _ := armid.CutName(id)
	head, _ = armid.CutName(head)
	head, _ = armid.CutName(head)
	head, _ = armid.CutName(head)
	return head
}
