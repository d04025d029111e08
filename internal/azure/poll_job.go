package azure

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// awaitJob makes an operation wait for its job, and take its result: an operation can succeed while its job fails
// (docs/azure.md §4), and that of a backup succeeds as soon as its job exists (§5).
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
