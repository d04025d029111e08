package azure

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

var (
	_ apply.Backend     = (*Client)(nil)
	_ apply.TestBackend = (*Client)(nil)
)

// Start implements [apply.Backend]: it waits for the write's quotas, reads the document that the write is merged with,
// compares it with the approved state, and sends the write. The read comes last, so that the race window, between the
// read and the write, is as short as one answer.
func (c *Client) Start(ctx context.Context, ch plan.Change) (apply.Operation, error) {
	ctx = arm.ForChange(ctx, ch.ID)
	if ch.After == nil {
		ch.After = &plan.State{}
	}
	w, err := c.buildWrite(ch)
	if err != nil {
		return apply.Operation{}, err
	}
	permit, over, err := c.reserveWrite(ctx, w)
	if err != nil {
		return apply.Operation{}, &apply.UnsentError{Err: err}
	}
	defer permit.Release()
	ch.After = over.after
	switch over.found {
	case stateAsWanted:
		op := c.operationOf(ch, w.URL, &arm.Answer{})
		op.Already = true
		return op, nil
	case stateInProgress:
		return c.operationOf(ch, w.URL, &arm.Answer{}), nil
	case stateAsApproved:
	}
	r := w.Request
	r.Class, r.Permit, r.Body = quota.Write, permit, over.body
	r.AcceptedStatuses = []int{http.StatusCreated, http.StatusAccepted, http.StatusNoContent}
	a, err := c.arm.Do(ctx, r)
	if err != nil {
		return apply.Operation{}, guardError(ch, err)
	}
	return c.operationOf(ch, w.URL, a), nil
}

// reserveWrite reserves quota for the write and then prepares it. It does both again where a 429 has revoked the
// reservation meanwhile.
func (c *Client) reserveWrite(ctx context.Context, w write) (*quota.Permit, preparedWrite, error) {
	began := c.Now()
	for {
		permit, err := c.arm.Quotas().Reserve(ctx, w.Method, w.URL)
		if err != nil {
			return nil, preparedWrite{}, err
		}
		over, err := w.prepare(ctx, c.Now().Sub(began))
		if err == nil && permit.IsValid() {
			return permit, over, nil
		}
		permit.Release()
		if err != nil {
			return nil, preparedWrite{}, err
		}
	}
}

// operationOf returns the operation of an accepted write to url, with the URLs to poll (docs/azure.md §12, §16.2). A link that
// is none counts as absent: what was written is read back then.
func (c *Client) operationOf(ch plan.Change, url string, a *arm.Answer) apply.Operation {
	link := func(header string) string {
		u, err := arm.ResolveLink(url, a.Header.Get(header))
		if err != nil {
			return ""
		}
		return u
	}
	op := apply.Operation{
		Change: ch.ID, Vault: ch.Vault, Action: ch.Action, Target: ch.Target, After: ch.After, Restore: ch.RestoreOrder,
		Status: link("Azure-AsyncOperation"), Result: link("Location"),
		Accepted: c.answerTime(a.Header), RequestID: a.RequestID(), RetryAfter: a.RetryAfter(),
	}
	op.ID = operationID(cmp.Or(op.Status, op.Result))
	return op
}

// maxDateError is how far the Date of an answer may be from the service's time.
const maxDateError = 5 * time.Minute

// answerTime returns when the service answered, by the service's clock, which dates its jobs too. A Date that is far off is
// that of one front end or proxy: by it jobs from before the write would count as the write's own.
func (c *Client) answerTime(h http.Header) time.Time {
	now := c.Now()
	if at, err := http.ParseTime(h.Get("Date")); err == nil && at.Sub(now).Abs() <= maxDateError {
		return at
	}
	return now
}

// operationID returns the last segment of an operation's URL. No other part of a signed URL may be shown.
func operationID(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	path := strings.TrimRight(u.Path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// write is the one write of a change. prepare builds its body, merged with the current state where that matters; held
// is how long the write waited for its quotas.
type write struct {
	arm.Request
	prepare func(ctx context.Context, held time.Duration) (preparedWrite, error)
}

// buildWrite returns the write of a change.
func (c *Client) buildWrite(ch plan.Change) (write, error) {
	switch ch.Action {
	case plan.CreateVault, plan.UpdateVault:
		return c.buildVaultWrite(ch)
	case plan.CreatePolicy, plan.UpdatePolicy:
		return c.buildPolicyWrite(ch)
	case plan.Refresh:
		return write{arm.Request{
			Op: fmt.Sprintf("refreshing the containers of %q", vaultName(ch.Vault)), Method: http.MethodPost,
			URL: c.arm.URL(ch.Vault+"/backupFabrics/Azure/refreshContainers", apiBackup, "$filter", filterVMs),
		}, fixedBody(ch, nil)}, nil
	case plan.Protect, plan.Modify, plan.Resume, plan.Stop, plan.Undelete:
		return c.buildItemWrite(ch)
	case plan.Backup:
		return c.buildBackupWrite(ch)
	case plan.Restore, plan.RestoreTest:
		return c.restoreWrite(ch)
	default:
		return write{}, fmt.Errorf("starting %q: %q is nothing that can be sent", ch.ID, ch.Action)
	}
}

// fixedBody prepares a body that is merged with nothing.
func fixedBody(ch plan.Change, body any) func(context.Context, time.Duration) (preparedWrite, error) {
	return func(context.Context, time.Duration) (preparedWrite, error) {
		return preparedWrite{body: body, after: ch.After}, nil
	}
}

// errMissingField returns the error for a change that lacks a required field.
func errMissingField(ch plan.Change, what string) error {
	return fmt.Errorf("starting %q: the change does not say which %s", ch.ID, what)
}

// itemOf returns the item that a change writes to, which must be in the change's vault.
func itemOf(ch plan.Change) (id string, vm armid.ID, err error) {
	if vm, err = armid.ParseVM(ch.Target); err != nil {
		return "", vm, err
	}
	id = ch.Item
	if id == "" {
		id = armid.ProtectedItem(ch.Vault, vm)
	}
	if !armid.Same(armid.VaultOf(id), ch.Vault) {
		return "", vm, fmt.Errorf("the item %q does not lie in the vault %q", id, ch.Vault)
	}
	return id, vm, nil
}

type backupBody struct {
	Properties struct {
		Type   string `json:"objectType"`
		Expiry string `json:"recoveryPointExpiryTimeInUTC,omitempty"`
	} `json:"properties"`
}

// buildBackupWrite returns the write of an on-demand backup (docs/azure.md §5); without a retention Azure keeps the
// point for 30 days.
func (c *Client) buildBackupWrite(ch plan.Change) (write, error) {
	id, vm, err := itemOf(ch)
	if err != nil {
		return write{}, fmt.Errorf("starting %q: %w", ch.ID, err)
	}
	var b backupBody
	b.Properties.Type = "IaasVMBackupRequest"
	if ch.After.Retain > 0 {
		b.Properties.Expiry = c.Now().Add(time.Duration(ch.After.Retain)).Format(time.RFC3339)
	}
	return write{arm.Request{
		Op: fmt.Sprintf("backing up %q", vm.Name()), Method: http.MethodPost, URL: c.arm.URL(id+"/backup", apiBackup),
	}, fixedBody(ch, b)}, nil
}
