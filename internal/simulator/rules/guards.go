package rules

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// The operations that a guard covers, by the service's words for them (docs/azure.md §20).
const (
	guardsWord         = "Microsoft.RecoveryServices/vaults"
	guardsItems        = guardsWord + "/backupFabrics/protectionContainers/protectedItems"
	guardsItemWrite    = guardsItems + "/write"
	guardsItemStop     = guardsItems + "/write#stopProtectionWithRetainData"
	guardsItemSuspend  = guardsItems + "/write#suspendBackupsWithRetainData"
	GuardedRestore     = guardsItems + "/recoveryPoints/restore/action"
	GuardedPolicyWrite = guardsWord + "/backupPolicies/write"
	guardsSoftDelete   = guardsWord + "/backupconfig/write"
	guardsImmutability = guardsWord + "/write#reduceImmutabilityState"
)

// checkGuard enforces: a critical operation of an item names the guard's request (docs/azure.md §6, §20). Which changes
// of an item are critical is UNVERIFIED; here every change of one that exists is.
func (ck Checker) checkGuard(p *ItemPut) *reply.Reply {
	operation := guardsItemWrite
	switch p.Action {
	case state.ActProtect:
		return nil
	case state.ActStop:
		operation = guardsItemStop
	case state.ActSuspend:
		operation = guardsItemSuspend
	}
	return ck.CheckGuards(p.Vault, operation, p.Sent, p.Action == state.ActUndelete)
}

// CheckGuards enforces: where a guard of the vault covers an operation, the body names the request that the proxy lists
// for it; the caller has a right on that request; and a guard of another tenant gets a token of it. A proxy that lists no
// operation covers every operation, unless isLenient is set, and accepts any guard request.
func (ck Checker) CheckGuards(v *state.Vault, operation string, sent rawjson.Object, isLenient bool) *reply.Reply {
	var refused *reply.Reply
	ck.State.Proxies.Group(v.Key, 0, func(_ int, l *state.OpaqueResource) bool {
		proxy := rawjson.Parse(ck.State.Read(l.Body)).Object("properties")
		guard := proxy.Text("resourceGuardResourceId")
		listed := rawjson.Elements(proxy.Raw("resourceGuardOperationDetails"))
		if len(listed) == 0 {
			if !isLenient && !NamesGuardRequest(sent) {
				refused = ck.GuardRequired(guard)
			}
			return refused == nil
		}
		for _, raw := range listed {
			row := rawjson.Parse(raw)
			if !strings.EqualFold(row.Text("vaultCriticalOperation"), operation) {
				continue
			}
			if refused = ck.checkGuardRequest(guard, row.Text("defaultResourceRequest"), sent); refused != nil {
				return false
			}
		}
		return true
	})
	return refused
}

// checkGuardRequest judges one request of a guard: the backup service wants it named, ARM tests the caller's right on it
// (docs/azure.md §26).
func (ck Checker) checkGuardRequest(guard, request string, sent rawjson.Object) *reply.Reply {
	isNamed := slices.ContainsFunc(rawjson.Elements(sent.Raw("resourceGuardOperationRequests")), func(raw json.RawMessage) bool {
		return strings.EqualFold(rawjson.Unquote(raw), request)
	})
	if !isNamed {
		return ck.GuardRequired(guard)
	}
	set := ck.Settings.Guards[ids.Key(guard)]
	if set.Tenant != "" && !strings.EqualFold(set.Tenant, ck.State.Tenant) && !ck.hasTokenOf(set.Tenant) {
		r := ck.unverified("guard-tenant", "The linked resource '%s' is in tenant '%s', of which the request has no token.", request, set.Tenant)
		return &r
	}
	if set.Denied {
		r := ck.unverified("guard-denied", "The client has permission to perform the action on the scope of the request, but not on the linked scope '%s'.", request)
		return &r
	}
	return nil
}

// hasTokenOf reports whether the request carries a token of a tenant beside its own. A text that is no JWT is taken for
// one: a client without a simulated Microsoft Entra has no other.
func (ck Checker) hasTokenOf(tenant string) bool {
	for entry := range strings.SplitSeq(ck.Auxiliary, ",") {
		token, ok := strings.CutPrefix(strings.TrimSpace(entry), "Bearer ")
		if !ok || token == "" {
			continue
		}
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			return true
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
		if err == nil && strings.EqualFold(rawjson.TextAt(payload, "tid"), tenant) {
			return true
		}
	}
	return false
}

// NamesGuardRequest reports whether a request names a resource guard's request.
func NamesGuardRequest(sent rawjson.Object) bool {
	return len(rawjson.Elements(sent.Raw("resourceGuardOperationRequests"))) > 0
}

// GuardRequired returns the refusal of a request that does not name the request of a guard.
func (ck Checker) GuardRequired(guard string) *reply.Reply {
	r := ck.unverified("guard-required", "The operation is protected by the resource guard '%s'. Please give its operation request.", guard)
	return &r
}

// CheckVaultGuards judges the settings of a vault that a guard may cover: soft delete and immutability. Here a guard
// covers any change of them; which changes it covers in Azure is UNVERIFIED.
func (ck Checker) CheckVaultGuards(v *state.Vault, sent rawjson.Object) *reply.Reply {
	security := sent.Object("securitySettings")
	if security.Has("softDeleteSettings") {
		if r := ck.CheckGuards(v, guardsSoftDelete, sent, true); r != nil {
			return r
		}
	}
	if security.Has("immutabilitySettings") {
		return ck.CheckGuards(v, guardsImmutability, sent, true)
	}
	return nil
}
