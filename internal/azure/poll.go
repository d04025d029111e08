package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// Poll implements [apply.Backend]: it reads the status of an operation once and, where that has ended, its job or the
// vault or policy that it wrote.
func (c *Client) Poll(ctx context.Context, op apply.Operation) (apply.Progress, error) {
	ctx = arm.ForChange(ctx, op.Change)
	p, err := c.pollURLs(ctx, op)
	if isUnpollable(err) && (isVaultWrite(op.Action) || isPolicyWrite(op.Action)) {
		// The operation's status has expired or is out of reach: its effect can still be read.
		p, err = apply.Progress{Done: true, RequestID: op.RequestID}, nil
	}
	switch {
	case err != nil || !p.Done:
		return p, err
	case op.JobID != "":
		return c.awaitJob(ctx, op, p)
	case op.Action == plan.Restore || op.Action == plan.RestoreTest:
		return c.followRestore(ctx, op, p)
	case isVaultWrite(op.Action):
		return c.verifyVault(ctx, op, p)
	case isPolicyWrite(op.Action):
		return c.verifyPolicy(ctx, op, p)
	}
	return p, nil
}

// isUnpollable reports whether another poll of an operation is useless: its URL is outside the endpoint, or the service
// refuses the read or does not know the operation.
func isUnpollable(err error) bool {
	if _, refused := errors.AsType[*arm.RefusedError](err); refused {
		return true
	}
	e, ok := errors.AsType[*apply.Error](err)
	if !ok || e.Ended {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

func isVaultWrite(a plan.Action) bool { return a == plan.CreateVault || a == plan.UpdateVault }

func isPolicyWrite(a plan.Action) bool { return a == plan.CreatePolicy || a == plan.UpdatePolicy }

// pollURLs follows the URLs of an operation. Azure-AsyncOperation is preferred (docs/azure.md §12), except for a
// refresh, where it has an undocumented api-version and Location is as informative (§1).
func (c *Client) pollURLs(ctx context.Context, op apply.Operation) (apply.Progress, error) {
	switch {
	case op.Result != "" && (op.Status == "" || op.Action == plan.Refresh):
		return c.getResult(ctx, op)
	case op.Status != "":
		return c.getStatus(ctx, op)
	}
	return apply.Progress{Done: true, RequestID: op.RequestID}, nil // the write was answered with its effect
}

// operationStatus is the body of an operation's status (docs/azure.md §4, §8.1).
type operationStatus struct {
	Status string            `json:"status"`
	Error  *operationFailure `json:"error"`

	Properties struct {
		JobID  string   `json:"jobId"`
		JobIDs []string `json:"jobIds"`
		// FailedJobs are the items that a policy's change could not reach, as an object by name: the operation can be
		// Succeeded all the same.
		FailedJobs json.RawMessage `json:"failedJobsError"`
	} `json:"properties"`
}

type operationFailure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (c *Client) getStatus(ctx context.Context, op apply.Operation) (apply.Progress, error) {
	var w operationStatus
	a, err := c.arm.Do(ctx, arm.Request{
		Op: pollOpName(op), Method: http.MethodGet, URL: op.Status, Class: quota.Confirm, Decode: arm.DecodeDocument(into(&w)),
		AcceptedStatuses: []int{http.StatusAccepted, http.StatusNoContent},
	})
	if err != nil {
		return apply.Progress{}, err
	}
	p := apply.Progress{
		JobID: w.Properties.JobID, RequestID: a.RequestID(), RetryAfter: a.RetryAfter(), Message: w.Status,
	}
	if p.JobID == "" && len(w.Properties.JobIDs) == 1 {
		p.JobID = w.Properties.JobIDs[0]
	}
	if a.Status == http.StatusNoContent { // no word will follow: what can be read back decides
		p.Done = isVaultWrite(op.Action) || isPolicyWrite(op.Action)
		return p, nil
	}
	switch strings.ToLower(w.Status) {
	case "succeeded":
		p.Done = true
		return p, failedJobs(op, w, p.RequestID)
	case "failed", "canceled", "cancelled":
		return p, operationError(op, w, p.RequestID)
	}
	return p, nil // in progress, or an unknown word: the deadline decides
}

func operationError(op apply.Operation, w operationStatus, requestID string) error {
	e := &apply.Error{Op: pollOpName(op), Status: http.StatusOK, Code: "Operation" + w.Status, RequestID: requestID, Ended: true}
	e.Message = "the operation ended " + strings.ToLower(w.Status)
	if w.Error != nil {
		e.Code, e.Message = cmp.Or(w.Error.Code, e.Code), cmp.Or(w.Error.Message, e.Message)
	}
	return e
}

// failedJobs returns the error of a policy's operation that reached only some of its items, or that names them in a form
// that is not understood.
func failedJobs(op apply.Operation, w operationStatus, requestID string) error {
	e := &apply.Error{Op: pollOpName(op), Status: http.StatusOK, Code: "FailedJobs", RequestID: requestID, Ended: true}
	raw := w.Properties.FailedJobs
	var byName map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &byName) != nil {
		e.Message = "the policy was written, and which of its items did not take it is not understood: failedJobsError is " + wire.Printable(string(raw))
		return e
	}
	if len(byName) == 0 {
		return nil
	}
	name := sortedKeys(byName)[0]
	var text string
	if json.Unmarshal(byName[name], &text) != nil {
		text = string(byName[name])
	}
	e.Message = fmt.Sprintf("the policy was written, but %d of its items did not take it; %s: %s", len(byName), name, text)
	return e
}

// getResult polls Location: 202 until it has ended. Headers of the last answer mean nothing (docs/azure.md §33.5).
func (c *Client) getResult(ctx context.Context, op apply.Operation) (apply.Progress, error) {
	a, err := c.arm.Do(ctx, arm.Request{
		Op: pollOpName(op), Method: http.MethodGet, URL: op.Result, Class: quota.Confirm,
		AcceptedStatuses: []int{http.StatusCreated, http.StatusAccepted, http.StatusNoContent},
	})
	if err != nil {
		return apply.Progress{}, err
	}
	p := apply.Progress{Done: a.Status != http.StatusAccepted, RequestID: a.RequestID()}
	if !p.Done {
		p.RetryAfter = a.RetryAfter()
	}
	return p, nil
}

func pollOpName(op apply.Operation) string {
	return "following " + string(op.Action) + " " + operationID(cmp.Or(op.Status, op.Result))
}

// verifyVault reads a vault back, and returns p as done where it is provisioned and as the change wants it. A vault
// that does not exist yet may appear later (docs/azure.md §12, eventual consistency).
func (c *Client) verifyVault(ctx context.Context, op apply.Operation, p apply.Progress) (apply.Progress, error) {
	what := fmt.Sprintf("reading vault %q back", vaultName(op.Target))
	p.Done = false
	var w wire.Vault
	_, err := c.getDocument(ctx, what, c.arm.URL(op.Target, apiVault), quota.Confirm, &w)
	switch {
	case is404(err):
		p.Message = "the vault is not to be seen yet"
		return p, nil
	case err != nil:
		return p, err
	}
	got, odd := w.ToPlan(op.Target, true)
	switch state := got.ProvisioningState; strings.ToLower(state) {
	case "succeeded", "":
	case "failed":
		return p, &apply.Error{Op: what, Status: http.StatusOK, Code: "ProvisioningFailed", Ended: true, Message: "the vault's provisioningState is Failed"}
	default:
		p.Message = "the vault is " + strings.ToLower(state)
		return p, nil
	}
	if odd != "" {
		p.Message = "what was read back of the vault was not understood: " + odd
		return p, nil
	}
	got.Settings.Location = got.Location
	if op.After == nil || op.After.Vault == nil {
		p.Done = true
		return p, nil
	}
	return verifiedProgress(p, plan.DiffVault(got.Settings, *op.After.Vault)), nil
}

// verifyPolicy reads a policy back, and returns p as done where it is as the change wants it.
func (c *Client) verifyPolicy(ctx context.Context, op apply.Operation, p apply.Progress) (apply.Progress, error) {
	id, err := armid.Parse(op.Target)
	if err != nil {
		return p, err
	}
	what := fmt.Sprintf("reading policy %q back", id.Name())
	p.Done = false
	var raw json.RawMessage
	body, err := c.getDocument(ctx, what, c.arm.URL(op.Target, apiBackup), quota.Confirm, &raw)
	if is404(err) {
		p.Message = "the policy is not to be seen yet"
		return p, nil
	}
	if err != nil {
		return p, err
	}
	policy, _, err := parsePolicy(what, body)
	got := policy.Spec
	switch {
	case err != nil:
		return p, err
	case policy.Unreadable != "":
		return p, &apply.Error{Op: what, Code: "UnknownPolicyKind", Message: policy.Unreadable}
	case op.After == nil || op.After.Spec == nil:
		p.Done = true
		return p, nil
	}
	return verifiedProgress(p, plan.DiffSpec(got, wire.FillUnset(got, *op.After.Spec))), nil
}

// verifiedProgress returns p as done if nothing differs from the write, else with the first difference in its message.
func verifiedProgress(p apply.Progress, differs []plan.Field) apply.Progress {
	if len(differs) == 0 {
		p.Done, p.Message = true, ""
		return p
	}
	p.Message = fmt.Sprintf("%s is still %q", differs[0].Path, differs[0].Before)
	return p
}

// awaitJob reads the job of an operation, and returns p with the job's progress: an operation can succeed while its job
// fails (docs/azure.md §4), and that of a backup succeeds as soon as its job exists (§5).
func (c *Client) awaitJob(ctx context.Context, op apply.Operation, p apply.Progress) (apply.Progress, error) {
	id := op.JobID
	if !strings.Contains(id, "/") {
		id = op.Vault + "/backupJobs/" + id
	}
	j, err := c.Job(ctx, id)
	if err != nil {
		return apply.Progress{}, err
	}
	return jobProgress(op, j.Job, p)
}

// jobProgress returns p with the progress of the operation's job, and the error of a job that has failed.
func jobProgress(op apply.Operation, j plan.Job, p apply.Progress) (apply.Progress, error) {
	p.JobID, p.Message = op.JobID, j.Status
	p.Done = !j.IsRunning()
	if !p.Done {
		p.RetryAfter = 0
	}
	if j.HasFailed() {
		return p, jobError(op, j, p.RequestID)
	}
	return p, nil
}

// jobError returns the error of a failed job, with its own code and text.
func jobError(op apply.Operation, j plan.Job, requestID string) error {
	e := &apply.Error{
		Op: pollOpName(op), Status: http.StatusOK, Code: "Job" + j.Status, RequestID: requestID, Ended: true,
		Message: fmt.Sprintf("the job ended %s and does not say why", strings.ToLower(j.Status)),
	}
	if len(j.Errors) > 0 {
		first := j.Errors[0]
		if first.Code != 0 {
			e.Code = strconv.Itoa(first.Code)
		}
		e.Message = cmp.Or(first.Message, first.Title, e.Message)
	}
	return e
}
