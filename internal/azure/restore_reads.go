package azure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

// What restores read. Errors are those of [Client.Discover]'s reads: *apply.Error, or the context's cause. A read that
// failed is no absence; what came and was not understood stands in the Unreadable of what was read.

// RecoveryPoints lists the recovery points of an item, newest first: the service promises no order (docs/azure.md §11).
// Points that name no time come last.
func (c *Client) RecoveryPoints(ctx context.Context, item string) ([]plan.RecoveryPoint, error) {
	op := "listing recovery points of " + shown(itemName(item), true)
	found, err := list[wirePoint](ctx, c, op, c.url(item+"/recoveryPoints", apiBackup), quota.Other, nil)
	if err != nil {
		return nil, err
	}
	now := c.Now()
	points := make([]plan.RecoveryPoint, 0, len(found))
	for _, w := range found {
		points = append(points, w.point(item, now))
	}
	slices.SortStableFunc(points, func(a, b plan.RecoveryPoint) int { return b.Time.Compare(a.Time) })
	return points, nil
}

// RecoveryPoint reads one recovery point, which tells of its disks (docs/azure.md §33.45), by its resource id.
func (c *Client) RecoveryPoint(ctx context.Context, id string) (plan.RecoveryPoint, error) {
	var w wirePoint
	if _, err := c.get(ctx, "reading recovery point "+shown(operationID(id), true), c.url(id, apiBackup), quota.Other, &w); err != nil {
		return plan.RecoveryPoint{}, err
	}
	head, _ := cutLast(id)
	item, _ := cutLast(head)
	return w.point(item, c.Now()), nil
}

// itemName is an item for people.
func itemName(id string) string {
	_, name := cutLast(id)
	return name
}

// RestoreJobs lists the Restore jobs of a vault that began at from or later, newest first, each with its property bag,
// which costs a request a job. containers, where there are any, are the names of the containers whose jobs are wanted.
func (c *Client) RestoreJobs(ctx context.Context, vault string, from time.Time, containers ...string) ([]plan.RestoreJob, error) {
	filter := jobWindow(from, c.Now().Add(jobSlack)) + " and operation eq '" + plan.JobRestore + "' and " + filterVMs
	u := c.url(vault+"/backupJobs", apiBackup, "$filter", filter)
	found, err := list[wireJob](ctx, c, fmt.Sprintf("listing restore jobs of %q", vaultName(vault)), u, quota.Other, nil)
	if err != nil {
		return nil, err
	}
	var jobs []plan.RestoreJob
	now := c.Now()
	for _, w := range found {
		j, odd := w.job(vault, now)
		wanted := len(containers) == 0 || slices.ContainsFunc(containers, func(name string) bool { return strings.EqualFold(name, j.Container) })
		if wanted || odd != "" {
			jobs = append(jobs, plan.RestoreJob{Job: j, Unreadable: odd})
		}
	}
	g, both := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i, j := range jobs {
		if j.Unreadable != "" {
			continue
		}
		g.Go(func() error {
			defer crash.ExitOnPanic()
			var w wireJob
			_, err := c.get(both, "reading job "+shown(operationID(j.ID), true), c.url(j.ID, apiBackup), quota.Other, &w)
			if both.Err() != nil {
				return context.Cause(both)
			}
			if err != nil {
				jobs[i].Unreadable = "it could not be read: " + err.Error()
				return nil
			}
			jobs[i] = w.restore(vault, c.Now())
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(jobs, func(a, b plan.RestoreJob) int { return b.Start.Compare(a.Start) })
	return jobs, nil
}

// RestoreJob reads one Restore job, by its resource id.
func (c *Client) RestoreJob(ctx context.Context, id string) (plan.RestoreJob, error) {
	var w wireJob
	if _, err := c.get(ctx, "reading job "+shown(operationID(id), true), c.url(id, apiBackup), quota.Other, &w); err != nil {
		return plan.RestoreJob{}, err
	}
	return w.restore(armid.VaultOf(id), c.Now()), nil
}

// Disks lists the managed disks of a resource group, by its id. An entry that names none of the group fails the list:
// left out, it would be an absence.
func (c *Client) Disks(ctx context.Context, group string) ([]plan.Disk, error) {
	op := "listing disks of resource group " + shown(itemName(group), true)
	u := c.url(group+"/providers/Microsoft.Compute/disks", apiDisks)
	found, err := list[wireManagedDisk](ctx, c, op, u, quota.Other, nil)
	if err != nil {
		return nil, err
	}
	now := c.Now()
	disks := make([]plan.Disk, 0, len(found))
	seen := map[armid.Key]bool{}
	for _, w := range found {
		d, ok := w.disk(group, now)
		if !ok {
			why := fmt.Errorf("the id of a disk is %s", shown(strings.TrimPrefix(string(w.ID), notText), w.ID.isText()))
			return nil, brokenRead(op, u, "MalformedAnswer", why)
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
	op := "reading disk " + shown(itemName(id), true)
	var w wireManagedDisk
	exists, err := c.getIfThere(ctx, op, c.url(id, apiDisks), &w)
	if err != nil || !exists {
		return plan.Disk{}, false, err
	}
	d, ok := w.disk(groupOf(id), c.Now())
	if !ok || !armid.Same(d.ID, id) {
		return plan.Disk{}, false, brokenRead(op, id, "MalformedAnswer", errors.New("the answer is not this disk"))
	}
	return d, true, nil
}

// ResourceGroup reads a resource group, with its tags, by its id; false = it does not exist.
func (c *Client) ResourceGroup(ctx context.Context, id string) (plan.ResourceGroup, bool, error) {
	var w wireGroup
	exists, err := c.getIfThere(ctx, "reading resource group "+shown(itemName(id), true), c.url(id, apiGroups), &w)
	if err != nil || !exists {
		return plan.ResourceGroup{}, false, err
	}
	return w.group(id), true, nil
}

// StorageAccount reads a storage account by its id; false = it does not exist.
func (c *Client) StorageAccount(ctx context.Context, id string) (plan.StorageAccount, bool, error) {
	var w wireAccount
	exists, err := c.getIfThere(ctx, "reading storage account "+shown(itemName(id), true), c.url(id, apiStorage), &w)
	if err != nil || !exists {
		return plan.StorageAccount{}, false, err
	}
	return w.account(id), true, nil
}

// StorageAccounts lists the storage accounts of a subscription.
func (c *Client) StorageAccounts(ctx context.Context, subscription string) ([]plan.StorageAccount, error) {
	u := c.url("/subscriptions/"+subscription+"/providers/Microsoft.Storage/storageAccounts", apiStorage)
	found, err := list[wireAccount](ctx, c, "listing storage accounts of subscription "+subscription, u, quota.Other, nil)
	if err != nil {
		return nil, err
	}
	accounts := make([]plan.StorageAccount, 0, len(found))
	for _, w := range found {
		accounts = append(accounts, w.account(w.ID.loose()))
	}
	return accounts, nil
}

func (c *Client) getIfThere(ctx context.Context, op, u string, v any) (bool, error) {
	_, err := c.get(ctx, op, u, quota.Other, v)
	if absent(err) {
		return false, nil
	}
	return err == nil, err
}

// groupOf is the id of the resource group in which a resource lies.
func groupOf(id string) string {
	head, _ := cutLast(id)
	head, _ = cutLast(head)
	head, _ = cutLast(head)
	head, _ = cutLast(head)
	return head
}
