package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// restoreCheckBody is the body of the service's check of a restore, which has no effect (docs/azure.md §19, never
// recorded).
type restoreCheckBody struct {
	Point      string `json:"id"`
	Properties struct {
		Type    string            `json:"objectType"`
		Restore restoreProperties `json:"restoreRequest"`
	} `json:"properties"`
}

// StartValidation implements [apply.RestoreTester].
func (c *Client) StartValidation(ctx context.Context, ch plan.Change) (apply.Operation, error) {
	ctx = arm.ForChange(ctx, ch.ID)
	p, err := restorePropertiesOf(ch)
	if err != nil {
		return apply.Operation{}, err
	}
	b := restoreCheckBody{Point: ch.Point.ID}
	b.Properties.Type, b.Properties.Restore = "ValidateIaasVMRestoreOperationRequest", p
	u := c.arm.URL(ch.Vault+"/backupTriggerValidateOperation", apiBackup)
	a, err := c.arm.Do(ctx, arm.Request{
		Op: fmt.Sprintf("checking the restore of %q", armid.DisplayName(ch.Target)), Method: http.MethodPost,
		URL: u, Class: quota.Write, Body: b,
		AcceptedStatuses: []int{http.StatusAccepted},
	})
	if err != nil {
		return apply.Operation{}, err
	}
	return c.operationOf(ch, u, a), nil
}

// PollValidation implements [apply.RestoreTester].
func (c *Client) PollValidation(ctx context.Context, op apply.Operation) (apply.Validation, error) {
	ctx = arm.ForChange(ctx, op.Change)
	what := "following the check of a restore " + wire.Quote(op.ID)
	if op.Status == "" {
		return apply.Validation{}, &apply.Error{Op: what, Code: plan.CodeNotUnderstood, Message: "the answer does not say where its result is to be found", Ended: true}
	}
	var w struct {
		operationStatus
		Properties struct {
			Response json.RawMessage `json:"validateOperationResponse"`
		} `json:"properties"`
	}
	a, err := c.arm.Do(ctx, arm.Request{
		Op: what, Method: http.MethodGet, URL: op.Status, Class: quota.Confirm, Decode: arm.DecodeDocument(into(&w)),
		AcceptedStatuses: []int{http.StatusAccepted},
	})
	if err != nil {
		return apply.Validation{}, err
	}
	v := apply.Validation{RetryAfter: a.RetryAfter()}
	switch strings.ToLower(w.Status) {
	case "succeeded": // it was checked; whether it would work the rows tell (docs/azure.md §25.4)
		v.Done = true
	case "failed", "canceled", "cancelled":
		return v, operationError(op, w.operationStatus, a.RequestID())
	}
	if v.Findings, err = parseFindings(w.Properties.Response); err != nil {
		return apply.Validation{}, &apply.Error{Op: what, Code: plan.CodeNotUnderstood, Message: "its result was not understood: " + err.Error(), Ended: true}
	}
	return v, nil
}

// parseFindings reads the rows of a check: none, null and an empty list all mean that nothing was found (docs/azure.md
// §25.4).
func parseFindings(response json.RawMessage) ([]apply.Finding, error) {
	if len(response) == 0 {
		return nil, nil
	}
	var r struct {
		Rows []struct {
			Code            string   `json:"code"`
			Message         string   `json:"message"`
			Recommendations []string `json:"recommendations"`
		} `json:"validationResults"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return nil, err
	}
	var found []apply.Finding
	for _, row := range r.Rows {
		found = append(found, apply.Finding{Code: row.Code, Message: row.Message, Recommendations: row.Recommendations})
	}
	return found, nil
}
