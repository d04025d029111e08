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
	"github.com/azbackup/azbackup/plan"
)

// laid is a write over what is there now.
type laid struct {
	body any
	// after is what is wanted: as the change says, but for what stays as it was found.
	after *plan.State
	found found
}

// found is how what was read right before a write stands to it.
type found int

const (
	asApproved found = iota
	asWanted         // there is nothing left to write
	onItsWay         // as wanted, and the service is still at work on it
)

// heldBack is how long quotas may hold back the write of an item that was not read right before it: the list of its
// vault, by which the engine lets it go, gets older by so much.
const heldBack = 30 * time.Second

// readBefore reads one document that a write is laid over; false = it proves not to be there. What cannot be read is
// not written.
func (c *Client) readBefore(ctx context.Context, op, url string, v any) (raw []byte, there bool, err error) {
	raw, err = c.get(ctx, op, url, quota.Confirm, v)
	if err == nil {
		return raw, true, nil
	}
	e, ok := errors.AsType[*apply.Error](err)
	if !ok {
		return nil, false, err
	}
	if absent(e) || e.Status == http.StatusNotFound && strings.HasPrefix(e.Code, "BMSUserError") && strings.HasSuffix(e.Code, "NotFound") {
		return nil, false, nil
	}
	unwritten := *e
	unwritten.Unknown = false // whatever became of the read, nothing was written
	unwritten.Message = "it was not written, because it could not be read right before: " + e.Message
	return nil, false, &unwritten
}

// layPolicy reads a policy right before its PUT, which is the whole document (docs/azure.md §8.1): what the change does
// not touch goes back as it is now.
func (c *Client) layPolicy(ctx context.Context, op string, ch plan.Change) (laid, error) {
	var raw json.RawMessage
	body, there, err := c.readBefore(ctx, op, c.url(ch.Target, apiBackup), &raw)
	if err != nil {
		return laid{}, err
	}
	var now *plan.Policy
	properties := map[string]json.RawMessage{}
	if there {
		p, props, err := understood(op, body)
		if err != nil {
			return laid{}, err
		}
		now, properties = &p, props
	}
	condition, spec := plan.CheckPolicy(ch, now)
	after := *ch.After
	after.Spec = &spec
	switch {
	case condition.AsWanted:
		return laid{after: &after, found: asWanted}, nil
	case len(condition.Drifts) > 0:
		return laid{}, apply.ChangedMeanwhile(op, condition.Drifts)
	}
	var is plan.PolicySpec
	if now != nil {
		is = now.Spec
	}
	if err := layOver(properties, is, spec, c.Now()); err != nil {
		return laid{}, &apply.Error{Op: op, Message: err.Error(), Err: err}
	}
	return laid{body: map[string]any{"properties": properties}, after: &after}, nil
}

// layVault reads a vault right before its PUT or PATCH.
func (c *Client) layVault(ctx context.Context, op string, ch plan.Change) (laid, error) {
	var w wireVault
	_, there, err := c.readBefore(ctx, op, c.url(ch.Target, apiVault), &w)
	if err != nil {
		return laid{}, err
	}
	v, odd := w.vault(ch.Target, true)
	var now *plan.VaultSettings
	if there {
		if odd != "" {
			return laid{}, &apply.Error{Op: op, Code: plan.CodeNotUnderstood, Message: "it was not written, because what is there is not understood: " + odd}
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
	case condition.AsWanted && !settled:
		return laid{after: &after, found: onItsWay}, nil
	case condition.AsWanted:
		return laid{after: &after, found: asWanted}, nil
	case len(condition.Drifts) > 0 && !settled:
		// Somebody is at work on it, perhaps this very change before its answer was lost: the end of that decides.
		return laid{}, &apply.Error{Op: op, Status: http.StatusConflict, Message: "the vault is " + state}
	case len(condition.Drifts) > 0:
		return laid{}, apply.ChangedMeanwhile(op, condition.Drifts)
	}
	send := settings
	send.Tags = tags
	if ch.Action == plan.CreateVault {
		return laid{body: newVault(send), after: &after}, nil
	}
	return laid{body: vaultSettings(send, w), after: &after}, nil
}

// layItem spells the PUT of an item. Where the change has a risk, brings an item back, or was held back by quotas, the item
// is read right before; else the engine compared it by a list.
func (c *Client) layItem(ctx context.Context, op, id string, ch plan.Change, held time.Duration) (laid, error) {
	if ch.Action == plan.Undelete || ch.Action == plan.Resume || isRisky(ch) || held > heldBack {
		now, err := c.itemNow(ctx, op, id, ch.Vault)
		if err != nil {
			return laid{}, err
		}
		condition := plan.CheckItem(ch, now)
		if len(condition.Drifts) > 0 {
			return laid{}, apply.ChangedMeanwhile(op, condition.Drifts)
		}
		if now != nil {
			ch, _ = plan.WithDisksKept(ch, *now)
		}
		if condition.AsWanted {
			return laid{after: ch.After, found: asWanted}, nil
		}
	}
	drifts, err := c.keptOtherwise(ctx, op, ch)
	if err != nil {
		return laid{}, err
	}
	if len(drifts) > 0 {
		return laid{}, apply.ChangedMeanwhile(op, drifts)
	}
	return laid{body: c.bodyOfItem(id, ch), after: ch.After}, nil
}

func isRisky(ch plan.Change) bool { return ch.Risk != "" && ch.Risk != plan.RiskNone }

// itemNow reads one item; nil = the vault has no such item.
func (c *Client) itemNow(ctx context.Context, op, id, vault string) (*plan.Item, error) {
	var w wireItem
	_, there, err := c.readBefore(ctx, op, c.url(id, apiBackup), &w)
	if err != nil || !there {
		return nil, err
	}
	it, err := w.item(vault, c.Now())
	if err == nil && it.Unreadable != "" {
		err = errors.New(it.Unreadable)
	}
	if err != nil {
		return nil, &apply.Error{Op: op, Code: plan.CodeNotUnderstood, Message: fmt.Sprintf("it was not written, because it is not understood: %v", err), Err: err}
	}
	c.keepUnknown(it.ID, unknownOf(w.Properties.ExtendedProperties))
	return &it, nil
}
