package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// buildPolicyWrite returns the PUT of a policy: the whole document, and there is no If-Match (docs/azure.md §8.1).
func (c *Client) buildPolicyWrite(ch plan.Change) (write, error) {
	if ch.After.Spec == nil {
		return write{}, errMissingField(ch, "schedule")
	}
	id, err := armid.Parse(ch.Target)
	if err != nil {
		return write{}, fmt.Errorf("starting %q: %w", ch.ID, err)
	}
	r := arm.Request{
		Op: fmt.Sprintf("writing policy %q in %q", id.Name(), vaultName(ch.Vault)), Method: http.MethodPut,
		URL: c.arm.URL(ch.Target, apiBackup),
	}
	return write{r, func(ctx context.Context, _ time.Duration) (preparedWrite, error) {
		return c.preparePolicy(ctx, r.Op, ch)
	}}, nil
}

// parsePolicy returns a policy as it was read: its meaning, and every property in raw form. A policy of another
// workload, or one with parts unknown to this program, is Unreadable.
func parsePolicy(op string, body []byte) (plan.Policy, map[string]json.RawMessage, error) {
	var p wire.Policy
	var w struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(body, &p) != nil || json.Unmarshal(body, &w) != nil {
		return plan.Policy{}, nil, &apply.Error{Op: op, Code: "MalformedAnswer", Message: "the answer is not a policy"}
	}
	policy, err := p.ToPlan(armid.VaultOf(p.ID.Text()))
	if err != nil {
		policy.Unreadable = err.Error()
	}
	if policy.Unreadable == "" && !p.IsCounted() {
		policy.Items = plan.ItemsNotKnown
	}
	return policy, w.Properties, nil
}
