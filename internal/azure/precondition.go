package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// preparedWrite is a write merged with the current state.
type preparedWrite struct {
	body any
	// after is the wanted state: the change's, with the fields it leaves alone as they were read.
	after *plan.State
	found priorState
}

// priorState compares the state read right before a write with the wanted one.
type priorState int

const (
	stateAsApproved priorState = iota
	stateAsWanted              // nothing is left to write
	stateInProgress            // as wanted, and the service is still working on it
)

// maxQuotaDelay is how long quotas may delay the write of an item that is not read right before it: the list of its
// vault, by which the engine compared the item, gets older by as much.
const maxQuotaDelay = 30 * time.Second

// readCurrent reads the document that a write is merged with; false = it is proven not to exist. After any other failure
// nothing may be written, and the error says so.
func (c *Client) readCurrent(ctx context.Context, op, url string, v any) (raw []byte, there bool, err error) {
	raw, err = c.getDocument(ctx, op, url, quota.Confirm, v)
	if err == nil {
		return raw, true, nil
	}
	e, ok := errors.AsType[*apply.Error](err)
	if !ok {
		return nil, false, err
	}
	if isAbsenceProven(e) || e.Status == http.StatusNotFound && strings.HasPrefix(e.Code, "BMSUserError") && strings.HasSuffix(e.Code, "NotFound") {
		return nil, false, nil
	}
	unwritten := *e
	unwritten.Unknown = false // whatever the read's outcome, nothing was written
	unwritten.Message = "it was not written, because it could not be read right before: " + e.Message
	return nil, false, &unwritten
}

// preparePolicy reads a policy right before its PUT, which is the whole document (docs/azure.md §8.1): the properties
// that the change does not touch are sent back as read.
func (c *Client) preparePolicy(ctx context.Context, op string, ch plan.Change) (preparedWrite, error) {
	var raw json.RawMessage
	body, there, err := c.readCurrent(ctx, op, c.arm.URL(ch.Target, apiBackup), &raw)
	if err != nil {
		return preparedWrite{}, err
	}
	var now *plan.Policy
	properties := map[string]json.RawMessage{}
	if there {
		p, props, err := parsePolicy(op, body)
		if err != nil {
			return preparedWrite{}, err
		}
		now, properties = &p, props
	}
	condition, spec := plan.CheckPolicy(ch, now)
	after := *ch.After
	after.Spec = &spec
	switch {
	case condition.IsConverged:
		return preparedWrite{after: &after, found: stateAsWanted}, nil
	case len(condition.Drifts) > 0:
		return preparedWrite{}, apply.ChangedMeanwhile(op, condition.Drifts)
	}
	var is plan.PolicySpec
	if now != nil {
		is = now.Spec
	}
	if err := wire.MergePolicy(properties, is, spec, c.Now()); err != nil {
		return preparedWrite{}, &apply.Error{Op: op, Message: err.Error(), Err: err}
	}
	delete(properties, guardRequestsKey) // a request is named for the write that needs it, never sent back as read
	whole := map[string]any{}
	for k, v := range properties {
		whole[k] = v
	}
	if ids := guardRequestIDs(ch); len(ids) > 0 {
		whole[guardRequestsKey] = ids
	}
	return preparedWrite{body: map[string]any{"properties": whole}, after: &after}, nil
}

// prepareVault reads a vault right before its PUT or PATCH, and compares it with the approved state.
func (c *Client) prepareVault(ctx context.Context, op string, ch plan.Change) (preparedWrite, error) {
	var w wire.Vault
	_, there, err := c.readCurrent(ctx, op, c.arm.URL(ch.Target, apiVault), &w)
	if err != nil {
		return preparedWrite{}, err
	}
	v, odd := w.ToPlan(ch.Target, true)
	var now *plan.VaultSettings
	if there {
		if odd != "" {
			return preparedWrite{}, &apply.Error{Op: op, Code: plan.CodeNotUnderstood, Message: "it was not written, because what is there is not understood: " + odd}
		}
		v.Settings.Location = v.Location
		now = &v.Settings
	}
	condition, settings, tags := plan.CheckVault(ch, now)
	after := *ch.After
	after.Vault = &settings
	state := strings.ToLower(v.ProvisioningState)
	settled := state == "" || state == "succeeded" || state == "failed"
	switch {
	case condition.IsConverged && !settled:
		return preparedWrite{after: &after, found: stateInProgress}, nil
	case condition.IsConverged:
		return preparedWrite{after: &after, found: stateAsWanted}, nil
	case len(condition.Drifts) > 0 && !settled:
		// Another operation is running on it, perhaps this very change before its answer was lost: its end decides.
		return preparedWrite{}, &apply.Error{Op: op, Status: http.StatusConflict, Message: "the vault is " + state}
	case len(condition.Drifts) > 0:
		return preparedWrite{}, apply.ChangedMeanwhile(op, condition.Drifts)
	}
	send := settings
	send.Tags = tags
	if ch.Action == plan.CreateVault {
		return preparedWrite{body: wire.NewVaultBody(send), after: &after}, nil
	}
	b := wire.NewVaultPatch(send, w)
	b.NameGuardRequests(guardRequestIDs(ch))
	return preparedWrite{body: b, after: &after}, nil
}

// prepareItem returns the PUT of an item. It reads and compares the item right before where the change has a risk, is
// an undelete or a resume, or was held back for more than [maxQuotaDelay]; else the comparison by the vault's list,
// which the engine made, is enough. The policies may be older, so they are read first: their reads count as held back.
func (c *Client) prepareItem(ctx context.Context, op, id string, ch plan.Change, held time.Duration) (preparedWrite, error) {
	began := c.Now()
	drifts, err := c.checkPolicyDrift(ctx, op, ch)
	if err != nil {
		return preparedWrite{}, err
	}
	held += c.Now().Sub(began)
	others := c.listedExtendedProperties(id)
	if ch.Action == plan.Undelete || ch.Action == plan.Resume || isRisky(ch) || held > maxQuotaDelay {
		var now *plan.Item
		now, others, err = c.fetchItem(ctx, op, id, ch.Vault)
		if err != nil {
			return preparedWrite{}, err
		}
		condition := plan.CheckItem(ch, now)
		if now != nil {
			ch, _ = plan.WithDisksKept(ch, *now)
		}
		if condition.IsConverged {
			return preparedWrite{after: ch.After, found: stateAsWanted}, nil
		}
		drifts = append(condition.Drifts, drifts...)
	}
	if len(drifts) > 0 {
		return preparedWrite{}, apply.ChangedMeanwhile(op, drifts)
	}
	return preparedWrite{body: buildItemBody(ch, others), after: ch.After}, nil
}

func isRisky(ch plan.Change) bool { return ch.Risk != "" && ch.Risk != plan.RiskNone }

// fetchItem reads one item, with its extended properties beside the disk filter; nil = the vault has no such item.
func (c *Client) fetchItem(ctx context.Context, op, id, vault string) (*plan.Item, map[string]json.RawMessage, error) {
	var w wire.Item
	_, there, err := c.readCurrent(ctx, op, c.arm.URL(id, apiBackup), &w)
	if err != nil || !there {
		return nil, nil, err
	}
	it, err := w.ToPlan(vault, c.Now())
	if err == nil && it.Unreadable != "" {
		err = errors.New(it.Unreadable)
	}
	if err != nil {
		return nil, nil, &apply.Error{Op: op, Code: plan.CodeNotUnderstood, Message: fmt.Sprintf("it was not written, because it is not understood: %v", err), Err: err}
	}
	return &it, w.OtherExtendedProperties(), nil
}
