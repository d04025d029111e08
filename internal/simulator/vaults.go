package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const vaultType = "Microsoft.RecoveryServices/vaults"

// vaultKey is the key of the vault the path lies in.
func (c *call) vaultKey() string { return key(vaultPart(c.path)) }

// vault is the vault the path lies in, or the answer that there is none.
func (c *call) vault() (*vault, *reply) {
	if v := c.st.vaults.get(c.vaultKey()); v != nil {
		return v, nil
	}
	if r := c.noGroup(); r != nil {
		return nil, r
	}
	r := resourceNotFound(vaultType, c.params["vault"], c.params["group"])
	return nil, &r
}

func (c *call) listVaults() reply {
	group := key(c.params["group"])
	if group != "" {
		if r := c.noGroup(); r != nil {
			return *r
		}
	}
	keep := func(v *vault) bool { return group == "" || v.group == group }
	return c.list("vaults", each(c.st.vaults, key(c.params["sub"]), keep, func(v *vault) []byte { return c.st.read(v.body) }))
}

func (c *call) getVault() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	return ok(c.st.read(v.body))
}

// etag is what a vault's body carries; it changes with each write (docs/azure.md §33.43).
func etag(t time.Time) string {
	return fmt.Sprintf("W/\"datetime'%s'\"", url.QueryEscape(stamp(t)))
}

// putVault creates a vault, or writes all of one that exists (docs/azure.md §7.1-7.3).
func (c *call) putVault() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	if r := c.notRegistered("Microsoft.RecoveryServices"); r != nil {
		return *r
	}
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	was := c.st.vaults.get(c.vaultKey())
	if was != nil {
		if r := c.vaultBusy(was); r != nil {
			return *r
		}
	}
	body, refused := c.newVault(was)
	if refused != nil {
		return *refused
	}
	if was == nil && c.vaultsIn(region(text(body, "location"))) >= maxVaults {
		return c.unverified("vault-count", "The subscription has reached its limit of %d vaults in the region.", maxVaults)
	}
	if c.version < "2022-04-01" {
		// Older api-versions are synchronous (docs/azure.md §7.1, §33.11).
		v := c.st.putVault(c.created(body, "Succeeded"))
		c.defaultPolicies(v, was)
		return answer(http.StatusCreated, c.st.read(v.body))
	}
	state := "Provisioning"
	if was != nil {
		state = "Updating"
	}
	v := c.st.putVault(c.provisioning(body, state))
	c.defaultPolicies(v, was)
	op := c.startVaultOp(actVaultCreate, v, body)
	// 201 with Azure-AsyncOperation and no Location (docs/azure.md §33.11).
	r := c.accepted(op)
	r.header.Del("Location")
	r.status, r.body = http.StatusCreated, c.st.read(v.body)
	return r
}

// maxVaults is how many vaults a subscription has in a region (docs/azure.md §13).
const maxVaults = 500

func (c *call) vaultsIn(location string) int {
	n := 0
	c.st.vaults.group(key(c.params["sub"]), 0, func(_ int, v *vault) bool {
		if v.region == location {
			n++
		}
		return true
	})
	return n
}

// provisioning is a vault's body while its creation runs: the parts that the service fills in come later.
func (c *call) provisioning(body json.RawMessage, state string) json.RawMessage {
	return edit(body, func(o *object) {
		o.setBefore("properties", "etag", etag(c.now))
		o.set("etag", etag(c.now))
		o.put("properties", edit(o.raw("properties"), func(p *object) {
			p.set("provisioningState", state)
			if state == "Provisioning" {
				p.del(filledIn()...)
			}
		}))
	})
}

func (c *call) created(body json.RawMessage, state string) json.RawMessage {
	return finishedVault(body, c.now, state)
}

func finishedVault(body json.RawMessage, at time.Time, state string) json.RawMessage {
	return edit(body, func(o *object) {
		o.set("etag", etag(at))
		o.put("properties", edit(o.raw("properties"), func(p *object) { p.set("provisioningState", state) }))
	})
}

func (c *call) startVaultOp(action string, v *vault, request json.RawMessage) *operation {
	number := "2047"
	if action == actVaultDelete {
		number = "1023"
	}
	id := vaultOperationID(number, c.guid("vault operation"))
	vaultPath := vaultPart(c.path)
	op := &operation{
		ID: id, Action: action, Vault: v.key, Target: v.key, Version: c.version, State: inProgress,
		StatusPath: vaultPath + "/operationStatus/" + id, ResultPath: vaultPath + "/operationResults/" + id,
		Started: c.now, Ends: c.now.Add(c.s.lasts("vault", v.key)), Request: request,
	}
	c.begin(op)
	return op
}

// patchVault changes what it is sent: 202 with both headers, or 200 when nothing but the identity changes
// (docs/azure.md §7.1, §33.12).
func (c *call) patchVault() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	if r := c.vaultBusy(v); r != nil {
		return *r
	}
	patch := parse(c.body)
	body, refused := c.patchedVault(v, patch)
	if refused != nil {
		return *refused
	}
	if len(patch) == 1 && patch.has("identity") {
		return ok(c.st.read(c.st.putVault(c.created(body, "Succeeded")).body))
	}
	c.st.putVault(edit(c.st.read(v.body), func(p *object) { p.set("provisioningState", "Updating") }, "properties"))
	return c.accepted(c.startVaultOp(actVaultUpdate, v, body))
}

// deleteVault answers 200 up to 2023 and 202 since (docs/azure.md §7.1, §33.13, §33.14).
func (c *call) deleteVault() reply {
	v := c.st.vaults.get(c.vaultKey())
	if v == nil {
		return reply{status: http.StatusNoContent}
	}
	if r := c.vaultBusy(v); r != nil {
		return *r
	}
	if r := c.vaultInUse(v); r != nil {
		return *r
	}
	if c.version < "2024-01-01" {
		c.s.dropVault(v.key)
		return reply{status: http.StatusOK}
	}
	return c.accepted(c.startVaultOp(actVaultDelete, v, nil))
}

func (c *call) vaultBusy(v *vault) *reply {
	if c.st.busy(v.key) == nil {
		return nil
	}
	r := c.unverified("vault-conflict", "Another operation is in progress on the vault '%s'. Please retry after some time.", v.name)
	return &r
}

func (c *call) vaultInUse(v *vault) *reply {
	deleted := false
	var names []string
	c.st.items.group(v.key, 0, func(_ int, it *item) bool {
		if it.deleted {
			deleted = true
		} else {
			names = append(names, it.friendly)
		}
		return true
	})
	if len(names) > 0 {
		r := c.unverified("vault-not-empty", "Recovery Services vault cannot be deleted as there are backup items in it: %v", names)
		return &r
	}
	if deleted {
		r := c.unverified("vault-soft-deleted", "Recovery Services vault cannot be deleted as there are backup items in soft deleted state in it.")
		return &r
	}
	return nil
}

func (s *Server) dropVault(vaultKey string) {
	var keys []string
	s.st.policies.group(vaultKey, 0, func(_ int, p *policy) bool { keys = append(keys, p.key); return true })
	for _, k := range keys {
		s.st.remove("policies", k)
	}
	s.st.remove("vaults", vaultKey)
}

func (s *Server) finishVault(op *operation, at time.Time) {
	switch {
	case op.Action == actVaultDelete:
		s.soon(op, actVanish, "vaultLinger", at)
	case s.st.vaults.get(op.Target) == nil:
	case op.Action == actVaultCreate && s.set.Durations["vaultSettle"].Max > 0:
		s.st.putVault(edit(finishedVault(op.Request, at, "Succeeded"), func(p *object) { p.del(filledIn()...) }, "properties"))
		s.soon(op, actSettle, "vaultSettle", at)
	default:
		s.st.putVault(finishedVault(op.Request, at, "Succeeded"))
	}
}

// filledIn are the properties of a vault that the service adds after it was made.
func filledIn() []string { return []string{"securitySettings", "backupStorageVersion"} }

// soon lets something happen to the vault a while after its operation said Succeeded: a deleted vault can still be
// read, a new one is not yet complete (docs/azure.md §7.1, §33.13).
func (s *Server) soon(op *operation, action, span string, at time.Time) {
	ends := at.Add(s.lasts(span, op.Target))
	next := &operation{
		ID: action + "|" + op.ID, Action: action, Vault: op.Vault, Target: op.Target, Started: at, Ends: ends,
		State: inProgress, Request: op.Request,
	}
	if !ends.After(at) {
		s.settle(next)
		return
	}
	s.st.start(next)
}

// settle ends what soon began.
func (s *Server) settle(op *operation) {
	v := s.st.vaults.get(op.Target)
	switch {
	case v == nil:
	case op.Action == actVanish:
		s.dropVault(op.Target)
	default:
		s.st.putVault(edit(s.st.read(v.body), func(p *object) {
			for _, name := range filledIn() {
				if raw := get(op.Request, "properties", name); raw != nil {
					p.put(name, raw)
				}
			}
		}, "properties"))
	}
}

// vaultStatus answers operationStatus: no times, an id that is a path, 404 once a deleted vault is gone
// (docs/azure.md §7.1).
func (c *call) vaultStatus() reply {
	if _, none := c.vault(); none != nil {
		return *none
	}
	op := c.operation()
	// Creation with a user-assigned identity cannot be followed (docs/azure.md §7.3).
	if op == nil || op.Action == actVaultCreate && strings.Contains(text(op.Request, "identity", "type"), "UserAssigned") {
		return c.noOperation()
	}
	body := obj("id", vaultPart(c.path)+"/operationStatus/"+op.ID, "name", op.ID, "status", op.State)
	if op.State == failed {
		body.set("error", obj("code", op.Code, "message", op.Message))
	}
	if !op.running() {
		return ok(body.bytes())
	}
	r := c.accepted(op)
	r.status, r.body = http.StatusOK, body.bytes()
	return r
}

func (c *call) vaultResult() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	op := c.operation()
	switch {
	case op == nil:
		return c.noOperation()
	case op.running():
		return c.accepted(op)
	case op.State == failed:
		return fail(http.StatusBadRequest, op.Code, "%s", op.Message)
	}
	return ok(c.st.read(v.body))
}

// invalidContent is ARM's answer to a body that is not JSON.
func invalidContent(err error) reply {
	return gateway(http.StatusBadRequest, "InvalidRequestContent",
		"The request content was invalid and could not be deserialized: '%s'.", err)
}
