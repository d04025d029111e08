package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// vaultKey returns the key of the vault in the path.
func (rc *requestContext) vaultKey() string { return ids.Key(ids.VaultPart(rc.path)) }

// vault returns the vault in the path, or the not-found reply.
func (rc *requestContext) vault() (*state.Vault, *reply.Reply) {
	if v := rc.st.Vaults.Get(rc.vaultKey()); v != nil {
		return v, nil
	}
	if r := rc.groupNotFound(); r != nil {
		return nil, r
	}
	r := reply.ResourceNotFound(ids.VaultType, rc.params["vault"], rc.params["group"])
	return nil, &r
}

func (rc *requestContext) listVaults() reply.Reply {
	group := ids.Key(rc.params["group"])
	if group != "" {
		if r := rc.groupNotFound(); r != nil {
			return *r
		}
	}
	keep := func(v *state.Vault) bool { return group == "" || v.Group == group }
	return rc.list("vaults", each(rc.st.Vaults, ids.Key(rc.params["sub"]), keep, func(v *state.Vault) []byte { return rc.st.Read(v.Body) }))
}

func (rc *requestContext) getVault() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return reply.OK(rc.st.Read(v.Body))
}

// etag returns the etag of a vault's body; it changes with each write (docs/azure.md §33.43).
func etag(t time.Time) string {
	return fmt.Sprintf("W/\"datetime'%s'\"", url.QueryEscape(rawjson.Time(t)))
}

// putVault creates a vault, or writes all of one that exists (docs/azure.md §7.1-7.3).
func (rc *requestContext) putVault() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	if r := rc.notRegisteredReply("Microsoft.RecoveryServices"); r != nil {
		return *r
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	was := rc.st.Vaults.Get(rc.vaultKey())
	if was != nil {
		if r := rc.vaultBusyReply(was); r != nil {
			return *r
		}
	}
	body, refused := rc.newVault(was)
	if refused != nil {
		return *refused
	}
	if was == nil && rc.vaultsIn(ids.Region(rawjson.TextAt(body, "location"))) >= maxVaults {
		return rc.unverified("vault-count", "The subscription has reached its limit of %d vaults in the region.", maxVaults)
	}
	if rc.version < "2022-04-01" {
		// Older api-versions are synchronous (docs/azure.md §7.1, §33.11).
		v := rc.st.PutVault(rc.createdBody(body, "Succeeded"))
		rc.defaultPolicies(v, was)
		return reply.New(http.StatusCreated, rc.st.Read(v.Body))
	}
	step := "Provisioning"
	if was != nil {
		step = "Updating"
	}
	v := rc.st.PutVault(rc.provisioningBody(body, step))
	rc.defaultPolicies(v, was)
	op := rc.startVaultOp(state.ActVaultCreate, v, body)
	// 201 with Azure-AsyncOperation and no Location (docs/azure.md §33.11).
	r := rc.acceptedReply(op)
	r.Header.Del("Location")
	r.Status, r.Body = http.StatusCreated, rc.st.Read(v.Body)
	return r
}

// maxVaults is how many vaults a subscription may have in a region (docs/azure.md §13).
const maxVaults = 500

func (rc *requestContext) vaultsIn(location string) int {
	n := 0
	rc.st.Vaults.Group(ids.Key(rc.params["sub"]), 0, func(_ int, v *state.Vault) bool {
		if v.Region == location {
			n++
		}
		return true
	})
	return n
}

// provisioningBody returns a vault's body while its creation runs, without the parts that the service adds later.
func (rc *requestContext) provisioningBody(body json.RawMessage, state string) json.RawMessage {
	return rawjson.Edit(body, func(o *rawjson.Object) {
		o.SetBefore("properties", "etag", etag(rc.now))
		o.Set("etag", etag(rc.now))
		o.Put("properties", rawjson.Edit(o.Raw("properties"), func(p *rawjson.Object) {
			p.Set("provisioningState", state)
			if state == "Provisioning" {
				p.Del(serviceProperties()...)
			}
		}))
	})
}

func (rc *requestContext) createdBody(body json.RawMessage, state string) json.RawMessage {
	return finishedVault(body, rc.now, state)
}

func finishedVault(body json.RawMessage, at time.Time, state string) json.RawMessage {
	return rawjson.Edit(body, func(o *rawjson.Object) {
		o.Set("etag", etag(at))
		o.Put("properties", rawjson.Edit(o.Raw("properties"), func(p *rawjson.Object) { p.Set("provisioningState", state) }))
	})
}

func (rc *requestContext) startVaultOp(action string, v *state.Vault, request json.RawMessage) *state.Operation {
	number := "2047"
	if action == state.ActVaultDelete {
		number = "1023"
	}
	id := vaultOperationID(number, rc.guid("vault operation"))
	vaultPath := ids.VaultPart(rc.path)
	op := &state.Operation{
		ID: id, Action: action, Vault: v.Key, Target: v.Key, Version: rc.version, State: state.InProgress,
		StatusPath: vaultPath + "/operationStatus/" + id, ResultPath: vaultPath + "/operationResults/" + id,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration("vault", v.Key)), Request: request,
	}
	rc.startOperation(op)
	return op
}

// patchVault changes the fields sent: 202 with both headers, or 200 when nothing but the identity changes
// (docs/azure.md §7.1, §33.12).
func (rc *requestContext) patchVault() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	if r := rc.vaultBusyReply(v); r != nil {
		return *r
	}
	patch := rawjson.Parse(rc.body)
	if r := rc.rules().CheckVaultGuards(v, patch.Object("properties")); r != nil {
		return *r
	}
	body, refused := rc.patchedVault(v, patch)
	if refused != nil {
		return *refused
	}
	if len(patch) == 1 && patch.Has("identity") {
		return reply.OK(rc.st.Read(rc.st.PutVault(rc.createdBody(body, "Succeeded")).Body))
	}
	rc.st.PutVault(rawjson.Edit(rc.st.Read(v.Body), func(p *rawjson.Object) { p.Set("provisioningState", "Updating") }, "properties"))
	return rc.acceptedReply(rc.startVaultOp(state.ActVaultUpdate, v, body))
}

// deleteVault returns 200 up to 2023 and 202 since (docs/azure.md §7.1, §33.13, §33.14).
func (rc *requestContext) deleteVault() reply.Reply {
	v := rc.st.Vaults.Get(rc.vaultKey())
	if v == nil {
		return reply.Reply{Status: http.StatusNoContent}
	}
	if r := rc.vaultBusyReply(v); r != nil {
		return *r
	}
	if r := rc.vaultInUseReply(v); r != nil {
		return *r
	}
	if rc.version < "2024-01-01" {
		rc.s.dropVault(v.Key)
		return reply.Reply{Status: http.StatusOK}
	}
	return rc.acceptedReply(rc.startVaultOp(state.ActVaultDelete, v, nil))
}

func (rc *requestContext) vaultBusyReply(v *state.Vault) *reply.Reply {
	if rc.st.OperationOn(v.Key) == nil {
		return nil
	}
	r := rc.unverified("vault-conflict", "Another operation is in progress on the vault '%s'. Please retry after some time.", v.Name)
	return &r
}

func (rc *requestContext) vaultInUseReply(v *state.Vault) *reply.Reply {
	deleted := false
	var names []string
	rc.st.Items.Group(v.Key, 0, func(_ int, it *state.Item) bool {
		if it.IsDeleted {
			deleted = true
		} else {
			names = append(names, it.Friendly)
		}
		return true
	})
	if len(names) > 0 {
		r := rc.unverified("vault-not-empty", "Recovery Services vault cannot be deleted as there are backup items in it: %v", names)
		return &r
	}
	if deleted {
		r := rc.unverified("vault-soft-deleted", "Recovery Services vault cannot be deleted as there are backup items in soft deleted state in it.")
		return &r
	}
	return nil
}

func (s *Server) dropVault(vaultKey string) {
	var keys []string
	s.st.Policies.Group(vaultKey, 0, func(_ int, p *state.Policy) bool { keys = append(keys, p.Key); return true })
	for _, k := range keys {
		s.st.Remove("policies", k)
	}
	s.st.Remove("vaults", vaultKey)
}

func (s *Server) finishVault(op *state.Operation, at time.Time) {
	switch {
	case op.Action == state.ActVaultDelete:
		s.scheduleFollowUp(op, state.ActVanish, "vaultLinger", at)
	case s.st.Vaults.Get(op.Target) == nil:
	case op.Action == state.ActVaultCreate && s.set.Durations["vaultSettle"].Max > 0:
		s.st.PutVault(rawjson.Edit(finishedVault(op.Request, at, "Succeeded"), func(p *rawjson.Object) { p.Del(serviceProperties()...) }, "properties"))
		s.scheduleFollowUp(op, state.ActSettle, "vaultSettle", at)
	default:
		s.st.PutVault(finishedVault(op.Request, at, "Succeeded"))
	}
}

// serviceProperties returns the properties of a vault that the service adds after its creation.
func serviceProperties() []string { return []string{"securitySettings", "backupStorageVersion"} }

// scheduleFollowUp schedules a delayed effect on the vault after its operation has Succeeded: a deleted vault can
// still be read, a new one is not yet complete (docs/azure.md §7.1, §33.13).
func (s *Server) scheduleFollowUp(op *state.Operation, action, span string, at time.Time) {
	ends := at.Add(s.sampleDuration(span, op.Target))
	next := &state.Operation{
		ID: action + "|" + op.ID, Action: action, Vault: op.Vault, Target: op.Target, Started: at, Ends: ends,
		State: state.InProgress, Request: op.Request,
	}
	if !ends.After(at) {
		s.applyFollowUp(next)
		return
	}
	s.st.Start(next)
}

// applyFollowUp applies the effect that scheduleFollowUp scheduled.
func (s *Server) applyFollowUp(op *state.Operation) {
	v := s.st.Vaults.Get(op.Target)
	switch {
	case v == nil:
	case op.Action == state.ActVanish:
		s.dropVault(op.Target)
	default:
		s.st.PutVault(rawjson.Edit(s.st.Read(v.Body), func(p *rawjson.Object) {
			for _, name := range serviceProperties() {
				if raw := rawjson.RawAt(op.Request, "properties", name); raw != nil {
					p.Put(name, raw)
				}
			}
		}, "properties"))
	}
}

// vaultStatus handles operationStatus: no times, an id that is a path, 404 once a deleted vault is gone (docs/azure.md
// §7.1).
func (rc *requestContext) vaultStatus() reply.Reply {
	if _, none := rc.vault(); none != nil {
		return *none
	}
	op := rc.operation()
	// Creation with a user-assigned identity cannot be followed (docs/azure.md §7.3).
	if op == nil || op.Action == state.ActVaultCreate && strings.Contains(rawjson.TextAt(op.Request, "identity", "type"), "UserAssigned") {
		return rc.operationNotFound()
	}
	body := rawjson.NewObject("id", ids.VaultPart(rc.path)+"/operationStatus/"+op.ID, "name", op.ID, "status", op.State)
	if op.State == state.Failed {
		body.Set("error", rawjson.NewObject("code", op.Code, "message", op.Message))
	}
	if !op.IsRunning() {
		return reply.OK(body.Bytes())
	}
	r := rc.acceptedReply(op)
	r.Status, r.Body = http.StatusOK, body.Bytes()
	return r
}

func (rc *requestContext) vaultResult() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	op := rc.operation()
	switch {
	case op == nil:
		return rc.operationNotFound()
	case op.IsRunning():
		return rc.acceptedReply(op)
	case op.State == state.Failed:
		return reply.Error(http.StatusBadRequest, op.Code, "%s", op.Message)
	}
	return reply.OK(rc.st.Read(v.Body))
}

// invalidContent returns ARM's reply to a body that is not JSON.
func invalidContent(err error) reply.Reply {
	return reply.ARMError(http.StatusBadRequest, "InvalidRequestContent",
		"The request content was invalid and could not be deserialized: '%s'.", err)
}

// newVault returns the body of a vault for a PUT; was is the previous vault, or nil.
func (rc *requestContext) newVault(was *state.Vault) (json.RawMessage, *reply.Reply) {
	sent := rawjson.Parse(rc.body)
	if sent.Text("location") == "" {
		r := reply.ARMError(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
		return nil, &r
	}
	if was != nil && ids.Region(sent.Text("location")) != was.Region {
		r := reply.ARMError(http.StatusConflict, "InvalidResourceLocation",
			"The resource '%s' already exists in location '%s'.", was.Name, was.Region)
		return nil, &r
	}
	o := rawjson.NewObject("location", sent.Text("location"), "name", rc.params["vault"], "etag", etag(rc.now))
	if tags := sent.Raw("tags"); tags != nil {
		o.Put("tags", tags)
	}
	if identity := sent.Raw("identity"); identity != nil {
		o.Put("identity", identity)
	}
	o.Set("properties", rules.DefaultVault(rc.s.set.Era))
	o.Set("id", ids.VaultPart(rc.path))
	o.Set("type", ids.VaultType)
	sku := sent.Raw("sku")
	if rawjson.TextAt(sku, "name") == "" {
		r := rc.unverified("vault-input", "The sku of the vault is required.")
		return nil, &r
	}
	o.Put("sku", sku)
	if was != nil {
		// Irreversible properties stay (docs/azure.md §7.3): PUT resets only the others to defaults.
		o.Put("properties", rules.KeepIrreversible(o.Raw("properties"), rawjson.RawAt(rc.st.Read(was.Body), "properties")))
	}
	old := rawjson.RawAt(o.Bytes(), "properties")
	props := rawjson.Merge(old, rules.WithoutReadOnly(sent.Raw("properties")))
	if r := rc.rules().CheckVault(was, old, props, sent.Object("properties")); r != nil {
		return nil, r
	}
	o.Put("properties", props)
	return o.Bytes(), nil
}

// patchedVault returns the vault's body with patch in it. Tags are replaced as a whole, as ARM does with PATCH.
func (rc *requestContext) patchedVault(v *state.Vault, patch rawjson.Object) (json.RawMessage, *reply.Reply) {
	body := rc.st.Read(v.Body)
	old := rawjson.RawAt(body, "properties")
	props := rawjson.Merge(old, rules.WithoutReadOnly(patch.Raw("properties")))
	if r := rc.rules().CheckVault(v, old, props, patch.Object("properties")); r != nil {
		return nil, r
	}
	return rawjson.Edit(body, func(o *rawjson.Object) {
		for _, name := range []string{"tags", "identity", "sku"} {
			if raw := patch.Raw(name); raw != nil {
				o.Put(name, raw)
			}
		}
		o.Put("properties", props)
	}), nil
}
