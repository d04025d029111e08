package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// restoreBody requests the disks of a recovery point as new managed disks (docs/azure.md §19, §33.46).
type restoreBody struct {
	Properties restoreProperties `json:"properties"`
}

type restoreProperties struct {
	Type            string           `json:"objectType"`
	Point           string           `json:"recoveryPointId"`
	Kind            string           `json:"recoveryType"`
	Source          string           `json:"sourceResourceId"`
	Group           string           `json:"targetResourceGroupId"`
	Account         string           `json:"storageAccountId"`
	Region          string           `json:"region"`
	NewCloudService bool             `json:"createNewCloudService"`
	OriginalAccount bool             `json:"originalStorageAccountOption"`
	LUNs            *[]int           `json:"restoreDiskLunList,omitempty"` // none = all disks; the OS disk is always included
	Network         *networkSettings `json:"targetDiskNetworkAccessSettings,omitempty"`
	Guards          []string         `json:"resourceGuardOperationRequests,omitempty"`
}

type networkSettings struct {
	Option string `json:"targetDiskNetworkAccessOption"`
}

// restoreWrite returns the write that restores disks as new ones. It needs no read before it, because it changes
// nothing that exists.
func (c *Client) restoreWrite(ch plan.Change) (write, error) {
	p, err := restorePropertiesOf(ch)
	if err != nil {
		return write{}, err
	}
	return write{arm.Request{
		Op: fmt.Sprintf("restoring disks of %q", armid.DisplayName(ch.Target)), Method: http.MethodPost, URL: c.arm.URL(ch.Point.ID+"/restore", apiBackup),
	}, fixedBody(ch, restoreBody{p})}, nil
}

// restorePropertiesOf returns the request of a change that restores.
func restorePropertiesOf(ch plan.Change) (restoreProperties, error) {
	id, _, err := itemOf(ch)
	if err != nil {
		return restoreProperties{}, fmt.Errorf("starting %q: %w", ch.ID, err)
	}
	o := ch.RestoreOrder
	switch {
	case o == nil || !wire.IsPointOf(o.Point.ID, id):
		return restoreProperties{}, errMissingField(ch, "recovery point of the item")
	case o.Into == "" || o.Staging == "" || o.Region == "":
		return restoreProperties{}, errMissingField(ch, "group, storage account and region")
	}
	p := restoreProperties{
		Type: "IaasVMRestoreRequest", Point: o.Point.Name, Kind: "RestoreDisks", Source: ch.Target, Group: o.Into, Account: o.Staging, Region: o.Region,
		Guards: guardRequestIDs(ch),
	}
	if o.Select != nil {
		luns := []int(o.Select)
		p.LUNs = &luns
	}
	if o.PrivateAccess {
		p.Network = &networkSettings{"SameAsOnSourceDisks"}
	}
	return p, nil
}

// followRestore returns p with the progress of a restore's job: the operation only reports that the restore was
// accepted (docs/azure.md §33.47). Where the answer to the write was lost, a Restore job of the item since then shows
// that it arrived.
func (c *Client) followRestore(ctx context.Context, op apply.Operation, p apply.Progress) (apply.Progress, error) {
	if p.JobID != "" {
		op.JobID = p.JobID
		return c.awaitJob(ctx, op, p)
	}
	job, found, err := c.restoreSince(ctx, op)
	if err != nil {
		return apply.Progress{}, err
	}
	if !found {
		p.Done = false
		return p, nil
	}
	op.JobID, p.IsJobInferred = operationID(job.ID), true
	return jobProgress(op, job, p)
}

// acceptSlack is how much earlier than its write a job may seem to start: the service's machines do not share one
// clock.
const acceptSlack = 5 * time.Second

// restoreSince returns the Restore job of an operation's item that began at its write or later. A job that was not
// understood and may be that one is an error: it proves neither that the write arrived nor that it did not.
func (c *Client) restoreSince(ctx context.Context, op apply.Operation) (plan.Job, bool, error) {
	container, err := containerOf(op)
	if err != nil {
		return plan.Job{}, false, err
	}
	jobs, err := c.listRestoreJobs(ctx, op.Vault, op.Accepted.Add(-jobWindowSlack), nil, container)
	if err != nil {
		return plan.Job{}, false, err
	}
	unclear := ""
	for _, j := range jobs {
		isOfItem := strings.EqualFold(j.Container, container)
		switch {
		case !isOfItem && j.Container != "", !j.Start.IsZero() && j.Start.Before(op.Accepted.Add(-acceptSlack)):
		case !isOfItem, j.Start.IsZero(), j.ID == "":
			unclear = j.Unreadable
		default:
			read, err := c.RestoreJob(ctx, j.ID)
			if err != nil || canBeOrderedBy(read, op.Restore) {
				return j.Job, err == nil, err
			}
		}
	}
	if unclear != "" {
		return plan.Job{}, false, arm.NewReadError(pollOpName(op), op.Vault+"/backupJobs", plan.CodeNotUnderstood, errors.New(unclear))
	}
	return plan.Job{}, false, nil
}

// containerOf returns the name of the container that a restore's jobs carry: that of the item whose point was ordered. A VM
// that was moved to another resource group keeps its item, whose name has the old group.
func containerOf(op apply.Operation) (string, error) {
	vm, err := armid.ParseVM(op.Target)
	if err != nil {
		return "", err
	}
	item := armid.ProtectedItem(op.Vault, vm)
	if op.Restore != nil && op.Restore.Point.ID != "" {
		points, _ := armid.CutName(op.Restore.Point.ID)
		item, _ = armid.CutName(points)
	}
	_, container, _ := strings.Cut(itemName(item), ";")
	return container, nil
}

// canBeOrderedBy reports whether nothing in a Restore job's property bag contradicts the order: another client may
// restore the same VM. What the bag does not give contradicts nothing, because a job that was missed is started again.
func canBeOrderedBy(j plan.RestoreJob, o *plan.RestoreOrder) bool {
	differs := func(given, ordered string) bool { return given != "" && !strings.EqualFold(given, ordered) }
	switch {
	case o == nil:
		return true
	case differs(j.Group, itemName(o.Into)) || differs(j.Account, itemName(o.Staging)):
		return false
	}
	return j.PointTime.IsZero() || j.PointTime.Sub(o.Point.Time).Abs() < time.Second // bags give whole seconds
}
