package rules

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// DefaultVault returns a new vault's properties as recorded, with AlwaysON soft delete since 2025-11 (docs/azure.md
// §7.3; Era "2024": docs/azure.md §33.11). monitoringSettings contain only fields that a request has set (§7.2).
func DefaultVault(era string) rawjson.Object {
	softDelete := "AlwaysON"
	if era == "2024" {
		softDelete = "Enabled"
	}
	return rawjson.NewObject(
		"provisioningState", "Provisioning",
		"privateEndpointStateForBackup", "None",
		"privateEndpointStateForSiteRecovery", "None",
		"backupStorageVersion", "Unassigned",
		"securitySettings", rawjson.NewObject(
			"immutabilitySettings", nil,
			"softDeleteSettings", rawjson.NewObject("softDeleteRetentionPeriodInDays", 14, "softDeleteState", softDelete, "enhancedSecurityState", "Enabled"),
			"multiUserAuthorization", "Disabled"),
		"redundancySettings", rawjson.NewObject("standardTierStorageRedundancy", "GeoRedundant", "crossRegionRestore", "Disabled"),
		"secureScore", "None",
		"bcdrSecurityLevel", "Poor",
		"publicNetworkAccess", "Enabled",
		"restoreSettings", rawjson.NewObject("crossSubscriptionRestoreSettings", rawjson.NewObject("crossSubscriptionRestoreState", "Enabled")),
	)
}

// KeepIrreversible returns fresh properties with those of a vault that a PUT does not reset (docs/azure.md §7.3).
func KeepIrreversible(fresh, was []byte) json.RawMessage {
	return rawjson.Edit(fresh, func(p *rawjson.Object) {
		for _, name := range []string{"redundancySettings", "backupStorageVersion", "encryption"} {
			if raw := rawjson.RawAt(was, name); raw != nil {
				p.Put(name, slices.Clone(raw))
			}
		}
		if raw := rawjson.RawAt(was, "securitySettings"); raw != nil {
			p.Put("securitySettings", slices.Clone(raw))
		}
	})
}

// WithoutReadOnly drops the fields that a client may send back but only the service sets.
func WithoutReadOnly(props []byte) json.RawMessage {
	o := rawjson.Parse(props)
	o.Del("provisioningState", "backupStorageVersion", "secureScore", "bcdrSecurityLevel",
		"privateEndpointStateForBackup", "privateEndpointStateForSiteRecovery", "privateEndpointConnections")
	return o.Bytes()
}

// CheckVault applies the rules of docs/azure.md §7.2 and §7.3 to a change from old to props; sent holds the fields the
// client sent.
func (ck Checker) CheckVault(was *state.Vault, old, props []byte, sent rawjson.Object) *reply.Reply {
	for _, check := range []func(*state.Vault, []byte, []byte, rawjson.Object) *reply.Reply{
		ck.checkVaultWords, ck.checkRedundancy, ck.checkImmutability, ck.checkSoftDelete, ck.checkFinalSettings,
	} {
		if r := check(was, old, props, sent); r != nil {
			return r
		}
	}
	return nil
}

// checkVaultWords enforces: closed sets of words, and monitoring settings that are sent whole (docs/azure.md §7.2,
// §7.3).
func (ck Checker) checkVaultWords(_ *state.Vault, _, props []byte, sent rawjson.Object) *reply.Reply {
	words := []struct {
		allowed string
		path    []string
	}{
		{"Enabled Disabled", []string{"publicNetworkAccess"}},
		{"LocallyRedundant ZoneRedundant GeoRedundant", []string{"redundancySettings", "standardTierStorageRedundancy"}},
		{"Enabled Disabled", []string{"redundancySettings", "crossRegionRestore"}},
		{"Disabled Unlocked Locked", []string{"securitySettings", "immutabilitySettings", "state"}},
		{"Enabled Disabled AlwaysON", []string{"securitySettings", "softDeleteSettings", "softDeleteState"}},
		{"Enabled Disabled PermanentlyDisabled", []string{"restoreSettings", "crossSubscriptionRestoreSettings", "crossSubscriptionRestoreState"}},
	}
	for _, w := range words {
		value := rawjson.TextAt(sent.Bytes(), w.path...)
		if value != "" && !slices.ContainsFunc(strings.Fields(w.allowed), func(s string) bool { return strings.EqualFold(s, value) }) {
			r := ck.unverified("vault-input", "The value '%s' of %s is not valid.", value, strings.Join(w.path, "."))
			return &r
		}
	}
	if m := sent.Raw("monitoringSettings"); m != nil && string(m) != "null" {
		if rawjson.RawAt(props, "monitoringSettings", "azureMonitorAlertSettings") == nil || rawjson.RawAt(props, "monitoringSettings", "classicAlertSettings") == nil {
			r := ck.unverified("vault-input", "The monitoringSettings parameter is invalid.")
			return &r
		}
	}
	return nil
}

// checkRedundancy enforces: both fields are sent, only before the first protection, cross-region restore only with
// GeoRedundant and never off again (docs/azure.md §7.3).
func (ck Checker) checkRedundancy(was *state.Vault, old, props []byte, sent rawjson.Object) *reply.Reply {
	asked := sent.Object("redundancySettings")
	if len(asked) == 0 {
		return nil
	}
	if asked.Text("standardTierStorageRedundancy") == "" || asked.Text("crossRegionRestore") == "" {
		r := ck.unverified("vault-input", "redundancySettings parameter is invalid.")
		return &r
	}
	before := rawjson.TextAt(old, "redundancySettings", "standardTierStorageRedundancy")
	after := rawjson.TextAt(props, "redundancySettings", "standardTierStorageRedundancy")
	crossBefore := rawjson.TextAt(old, "redundancySettings", "crossRegionRestore")
	crossAfter := rawjson.TextAt(props, "redundancySettings", "crossRegionRestore")
	switch {
	case was != nil && before != after && ck.State.Items.Count(was.Key) > 0:
		r := ck.unverified("redundancy-in-use", "Storage redundancy cannot be changed once items are protected in the vault.")
		return &r
	case crossAfter == "Enabled" && after != "GeoRedundant":
		r := ck.unverified("vault-input", "Cross region restore needs GeoRedundant storage.")
		return &r
	case was != nil && crossBefore == "Enabled" && crossAfter != "Enabled":
		r := ck.unverified("vault-input", "Cross region restore cannot be disabled.")
		return &r
	}
	return nil
}

// checkImmutability enforces: Disabled <-> Unlocked -> Locked for good, never created Locked; null is Disabled
// (docs/azure.md §7.3).
func (ck Checker) checkImmutability(was *state.Vault, old, props []byte, _ rawjson.Object) *reply.Reply {
	before := cmp.Or(rawjson.TextAt(old, "securitySettings", "immutabilitySettings", "state"), "Disabled")
	after := cmp.Or(rawjson.TextAt(props, "securitySettings", "immutabilitySettings", "state"), "Disabled")
	wrong := before != after && (before == "Locked" || after == "Locked" && (was == nil || before != "Unlocked"))
	if !wrong {
		return nil
	}
	r := ck.unverified("immutability-direction", "The immutability state of the vault cannot be changed from %s to %s.", before, after)
	return &r
}

// checkSoftDelete enforces: AlwaysON stays, 14 to 180 days (docs/azure.md §6, §7.3).
func (ck Checker) checkSoftDelete(_ *state.Vault, old, props []byte, sent rawjson.Object) *reply.Reply {
	path := []string{"securitySettings", "softDeleteSettings"}
	asked := rawjson.RawAt(sent.Bytes(), path...)
	if asked == nil {
		return nil
	}
	state := rawjson.RawAt(props, append(path, "softDeleteState")...)
	if strings.EqualFold(rawjson.TextAt(old, append(path, "softDeleteState")...), "AlwaysON") && !strings.EqualFold(rawjson.Unquote(state), "AlwaysON") {
		r := ck.unverified("vault-input", "Soft delete cannot be disabled once it is AlwaysON.")
		return &r
	}
	days := rawjson.Number(props, append(path, "softDeleteRetentionPeriodInDays")...)
	if days != 0 && (days < 14 || days > 180) {
		r := ck.unverified("vault-input", "The soft delete retention of %d days is not between 14 and 180.", days)
		return &r
	}
	return nil
}

// checkFinalSettings enforces: PermanentlyDisabled is final, customer-managed encryption cannot be turned off
// (docs/azure.md §7.3).
func (ck Checker) checkFinalSettings(_ *state.Vault, old, props []byte, _ rawjson.Object) *reply.Reply {
	path := []string{"restoreSettings", "crossSubscriptionRestoreSettings", "crossSubscriptionRestoreState"}
	if rawjson.TextAt(old, path...) == "PermanentlyDisabled" && rawjson.TextAt(props, path...) != "PermanentlyDisabled" {
		r := ck.unverified("vault-input", "Cross subscription restore is permanently disabled.")
		return &r
	}
	if rawjson.TextAt(old, "encryption", "keyVaultProperties", "keyUri") != "" && rawjson.TextAt(props, "encryption", "keyVaultProperties", "keyUri") == "" {
		r := ck.unverified("vault-input", "Encryption with a customer-managed key cannot be turned off.")
		return &r
	}
	return nil
}

// IsImmutable reports whether destructive operations on the vault's items are denied (docs/azure.md §6).
func IsImmutable(st *state.State, v *state.Vault) bool {
	state := rawjson.TextAt(st.Read(v.Body), "properties", "securitySettings", "immutabilitySettings", "state")
	return state == "Unlocked" || state == "Locked"
}

// SoftDeleteDays returns the soft-delete retention in days; 0 when items are deleted at once (Era "2024" only).
func SoftDeleteDays(st *state.State, v *state.Vault) int {
	settings := rawjson.RawAt(st.Read(v.Body), "properties", "securitySettings", "softDeleteSettings")
	if strings.EqualFold(rawjson.TextAt(settings, "softDeleteState"), "Disabled") {
		return 0
	}
	if days := rawjson.Number(settings, "softDeleteRetentionPeriodInDays"); days > 0 {
		return days
	}
	return 14
}
