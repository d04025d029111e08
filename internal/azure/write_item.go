package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// itemBody is a PUT of a protected item (docs/azure.md §4, §6).
type itemBody struct {
	Properties itemProperties `json:"properties"`
}

type itemProperties struct {
	Type     string          `json:"protectedItemType"`
	SourceID string          `json:"sourceResourceId"`
	PolicyID *string         `json:"policyId,omitempty"` // "" is a value: no policy
	State    string          `json:"protectionState,omitempty"`
	Revive   bool            `json:"isRehydrate,omitempty"`
	Extended *map[string]any `json:"extendedProperties,omitempty"`
	Guards   []string        `json:"resourceGuardOperationRequests,omitempty"`
}

func (c *Client) buildItemWrite(ch plan.Change) (write, error) {
	id, vm, err := itemOf(ch)
	if err != nil {
		return write{}, fmt.Errorf("starting %q: %w", ch.ID, err)
	}
	if ch.Action != plan.Stop && ch.Action != plan.Undelete && ch.After.Policy == "" {
		return write{}, errMissingField(ch, "policy")
	}
	r := arm.Request{Op: fmt.Sprintf("%s %q", opName(ch.Action), vm.Name()), Method: http.MethodPut, URL: c.arm.URL(id, apiBackup)}
	return write{r, func(ctx context.Context, held time.Duration) (preparedWrite, error) {
		return c.prepareItem(ctx, r.Op, id, ch, held)
	}}, nil
}

// buildItemBody returns the PUT of an item. others are its extended properties beside the disk filter, which go back with
// the filter.
func buildItemBody(ch plan.Change, others map[string]json.RawMessage) itemBody {
	p := itemProperties{Type: "Microsoft.Compute/virtualMachines", SourceID: ch.Target, Guards: guardRequestIDs(ch)}
	filter := diskFilterOf(ch)
	switch ch.Action {
	case plan.Stop:
		p.PolicyID, p.State = new(string), plan.StateProtectionStopped
	case plan.Undelete:
		p.PolicyID, p.State, p.Revive = new(string), plan.StateProtectionStopped, true
	default:
		p.PolicyID = &ch.After.Policy
	}
	// Omit the filter for a new item without one; send it on every update, where nil resets it: whether an omitted one
	// survives is unknown (docs/azure.md §6). So it is of the other properties, where backup ends or comes back, too.
	if filter != nil || ch.Action == plan.Modify || ch.Action == plan.Resume || ch.Action != plan.Protect && len(others) > 0 {
		extended := wire.ExtendedProperties(others, filter)
		p.Extended = &extended
	}
	return itemBody{p}
}

// diskFilterOf returns the disk filter that a PUT carries: the wanted one, or, where backup ends or comes back, the
// current one.
func diskFilterOf(ch plan.Change) *plan.Disks {
	ends := ch.Action == plan.Stop || ch.Action == plan.Undelete
	if ends && ch.After.Disks == nil && ch.Before != nil {
		return ch.Before.Disks
	}
	return ch.After.Disks
}

func opName(a plan.Action) string {
	switch a {
	case plan.Protect:
		return "protecting"
	case plan.Modify:
		return "modifying the protection of"
	case plan.Resume:
		return "resuming the protection of"
	case plan.Stop:
		return "stopping the protection of"
	case plan.Undelete:
		return "undeleting"
	default:
		return string(a)
	}
}

// storeExtendedProperties keeps the properties of an item beside its disk filter that this program does not know, as its
// vault last listed them: a PUT that carries the filter replaces them all. Those that another client removed are forgotten.
func (c *Client) storeExtendedProperties(item string, unknown map[string]json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(unknown) > 0:
		c.extended[armid.Of(item)] = unknown
	case len(c.extended) > 0: // most estates have none, and no id is folded for them
		delete(c.extended, armid.Of(item))
	}
}

// listedExtendedProperties returns what [Client.storeExtendedProperties] keeps of an item.
func (c *Client) listedExtendedProperties(item string) map[string]json.RawMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.extended[armid.Of(item)]
}
