package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// newVault makes the body of a vault that is PUT; was is the vault that stood there, or nil.
func (c *call) newVault(was *vault) (json.RawMessage, *reply) {
	sent := parse(c.body)
	if sent.text("location") == "" {
		r := gateway(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
		return nil, &r
	}
	if was != nil && region(sent.text("location")) != was.region {
		r := gateway(http.StatusConflict, "InvalidResourceLocation",
			"The resource '%s' already exists in location '%s'.", was.name, was.region)
		return nil, &r
	}
	o := obj("location", sent.text("location"), "name", c.params["vault"], "etag", etag(c.now))
	if tags := sent.raw("tags"); tags != nil {
		o.put("tags", tags)
	}
	if identity := sent.raw("identity"); identity != nil {
		o.put("identity", identity)
	}
	o.set("properties", defaultVault(c.s.set.Era))
	o.set("id", vaultPart(c.path))
	o.set("type", vaultType)
	sku := sent.raw("sku")
	if text(sku, "name") == "" {
		r := c.unverified("vault-input", "The sku of the vault is required.")
		return nil, &r
	}
	o.put("sku", sku)
	if was != nil {
		// What was made once stays (docs/azure.md §7.3): PUT resets to defaults only what may change.
		o.put("properties", keepIrreversible(o.raw("properties"), get(c.st.read(was.body), "properties")))
	}
	old := get(o.bytes(), "properties")
	props := merge(old, withoutReadOnly(sent.raw("properties")))
	if r := c.checkVault(was, old, props, sent.sub("properties")); r != nil {
		return nil, r
	}
	o.put("properties", props)
	return o.bytes(), nil
}

// defaultVault are a new vault's properties as recorded, with AlwaysON soft delete since 2025-11
// (docs/azure.md §7.3; Era "2024": docs/azure.md §33.11). Of monitoringSettings it tells only what a request once set (§7.2).
func defaultVault(era string) object {
	softDelete := "AlwaysON"
	if era == "2024" {
		softDelete = "Enabled"
	}
	return obj(
		"provisioningState", "Provisioning",
		"privateEndpointStateForBackup", "None",
		"privateEndpointStateForSiteRecovery", "None",
		"backupStorageVersion", "Unassigned",
		"securitySettings", obj(
			"immutabilitySettings", nil,
			"softDeleteSettings", obj("softDeleteRetentionPeriodInDays", 14, "softDeleteState", softDelete, "enhancedSecurityState", "Enabled"),
			"multiUserAuthorization", "Disabled"),
		"redundancySettings", obj("standardTierStorageRedundancy", "GeoRedundant", "crossRegionRestore", "Disabled"),
		"secureScore", "None",
		"bcdrSecurityLevel", "Poor",
		"publicNetworkAccess", "Enabled",
		"restoreSettings", obj("crossSubscriptionRestoreSettings", obj("crossSubscriptionRestoreState", "Enabled")),
	)
}

func keepIrreversible(fresh, was []byte) json.RawMessage {
	return edit(fresh, func(p *object) {
		for _, name := range []string{"redundancySettings", "backupStorageVersion", "encryption"} {
			if raw := get(was, name); raw != nil {
				p.put(name, slices.Clone(raw))
			}
		}
		if raw := get(was, "securitySettings"); raw != nil {
			p.put("securitySettings", slices.Clone(raw))
		}
	})
}

// withoutReadOnly drops what a client may send back and the service decides.
func withoutReadOnly(props []byte) json.RawMessage {
	o := parse(props)
	o.del("provisioningState", "backupStorageVersion", "secureScore", "bcdrSecurityLevel",
		"privateEndpointStateForBackup", "privateEndpointStateForSiteRecovery", "privateEndpointConnections")
	return o.bytes()
}

// patchedVault is the vault's body with patch in it. Tags are replaced as a whole, as ARM does with PATCH.
func (c *call) patchedVault(v *vault, patch object) (json.RawMessage, *reply) {
	body := c.st.read(v.body)
	old := get(body, "properties")
	props := merge(old, withoutReadOnly(patch.raw("properties")))
	if r := c.checkVault(v, old, props, patch.sub("properties")); r != nil {
		return nil, r
	}
	return edit(body, func(o *object) {
		for _, name := range []string{"tags", "identity", "sku"} {
			if raw := patch.raw(name); raw != nil {
				o.put(name, raw)
			}
		}
		o.put("properties", props)
	}), nil
}

// checkVault holds the rules of docs/azure.md §7.2 and §7.3 for going from old to props; sent is what the client named.
func (c *call) checkVault(was *vault, old, props []byte, sent object) *reply {
	for _, check := range []func(*vault, []byte, []byte, object) *reply{
		c.checkVaultWords, c.checkRedundancy, c.checkImmutability, c.checkSoftDelete, c.checkFinalSettings,
	} {
		if r := check(was, old, props, sent); r != nil {
			return r
		}
	}
	return nil
}

// checkVaultWords: closed sets of words, and monitoring settings that are sent whole (docs/azure.md §7.2, §7.3).
func (c *call) checkVaultWords(_ *vault, _, props []byte, sent object) *reply {
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
		value := text(sent.bytes(), w.path...)
		if value != "" && !slices.ContainsFunc(strings.Fields(w.allowed), func(s string) bool { return strings.EqualFold(s, value) }) {
			r := c.unverified("vault-input", "The value '%s' of %s is not valid.", value, strings.Join(w.path, "."))
			return &r
		}
	}
	if m := sent.raw("monitoringSettings"); m != nil && string(m) != "null" {
		if get(props, "monitoringSettings", "azureMonitorAlertSettings") == nil || get(props, "monitoringSettings", "classicAlertSettings") == nil {
			r := c.unverified("vault-input", "The monitoringSettings parameter is invalid.")
			return &r
		}
	}
	return nil
}

// checkRedundancy: both fields are sent, only before the first protection, cross-region restore only with
// GeoRedundant and never off again (docs/azure.md §7.3).
func (c *call) checkRedundancy(was *vault, old, props []byte, sent object) *reply {
	asked := sent.sub("redundancySettings")
	if len(asked) == 0 {
		return nil
	}
	if asked.text("standardTierStorageRedundancy") == "" || asked.text("crossRegionRestore") == "" {
		r := c.unverified("vault-input", "redundancySettings parameter is invalid.")
		return &r
	}
	before := text(old, "redundancySettings", "standardTierStorageRedundancy")
	after := text(props, "redundancySettings", "standardTierStorageRedundancy")
	crossBefore := text(old, "redundancySettings", "crossRegionRestore")
	crossAfter := text(props, "redundancySettings", "crossRegionRestore")
	switch {
	case was != nil && before != after && c.st.items.count(was.key) > 0:
		r := c.unverified("redundancy-in-use", "Storage redundancy cannot be changed once items are protected in the vault.")
		return &r
	case crossAfter == "Enabled" && after != "GeoRedundant":
		r := c.unverified("vault-input", "Cross region restore needs GeoRedundant storage.")
		return &r
	case was != nil && crossBefore == "Enabled" && crossAfter != "Enabled":
		r := c.unverified("vault-input", "Cross region restore cannot be disabled.")
		return &r
	}
	return nil
}

// checkImmutability: Disabled <-> Unlocked -> Locked for good, never created Locked; null is Disabled
// (docs/azure.md §7.3).
func (c *call) checkImmutability(was *vault, old, props []byte, _ object) *reply {
	before := first(text(old, "securitySettings", "immutabilitySettings", "state"), "Disabled")
	after := first(text(props, "securitySettings", "immutabilitySettings", "state"), "Disabled")
	wrong := before != after && (before == "Locked" || after == "Locked" && (was == nil || before != "Unlocked"))
	if !wrong {
		return nil
	}
	r := c.unverified("immutability-direction", "The immutability state of the vault cannot be changed from %s to %s.", before, after)
	return &r
}

// checkSoftDelete: AlwaysON stays, 14 to 180 days (docs/azure.md §6, §7.3).
func (c *call) checkSoftDelete(_ *vault, old, props []byte, sent object) *reply {
	path := []string{"securitySettings", "softDeleteSettings"}
	asked := get(sent.bytes(), path...)
	if asked == nil {
		return nil
	}
	state := get(props, append(path, "softDeleteState")...)
	if strings.EqualFold(text(old, append(path, "softDeleteState")...), "AlwaysON") && !strings.EqualFold(unquote(state), "AlwaysON") {
		r := c.unverified("vault-input", "Soft delete cannot be disabled once it is AlwaysON.")
		return &r
	}
	days := number(props, append(path, "softDeleteRetentionPeriodInDays")...)
	if days != 0 && (days < 14 || days > 180) {
		r := c.unverified("vault-input", "The soft delete retention of %d days is not between 14 and 180.", days)
		return &r
	}
	return nil
}

// checkFinalSettings: PermanentlyDisabled is final, customer-managed encryption cannot be turned off
// (docs/azure.md §7.3).
func (c *call) checkFinalSettings(_ *vault, old, props []byte, _ object) *reply {
	path := []string{"restoreSettings", "crossSubscriptionRestoreSettings", "crossSubscriptionRestoreState"}
	if text(old, path...) == "PermanentlyDisabled" && text(props, path...) != "PermanentlyDisabled" {
		r := c.unverified("vault-input", "Cross subscription restore is permanently disabled.")
		return &r
	}
	if text(old, "encryption", "keyVaultProperties", "keyUri") != "" && text(props, "encryption", "keyVaultProperties", "keyUri") == "" {
		r := c.unverified("vault-input", "Encryption with a customer-managed key cannot be turned off.")
		return &r
	}
	return nil
}

// number is the integer at path, or 0.
func number(raw []byte, path ...string) int {
	n := 0
	_ = json.Unmarshal(get(raw, path...), &n)
	return n
}

// immutable says whether destructive operations on the vault's items are denied (docs/azure.md §6).
func (st *state) immutable(v *vault) bool {
	state := text(st.read(v.body), "properties", "securitySettings", "immutabilitySettings", "state")
	return state == "Unlocked" || state == "Locked"
}

// softDelete is how many days a deleted item is kept; 0 when it is gone at once (Era "2024" only).
func (st *state) softDeleteDays(v *vault) int {
	settings := get(st.read(v.body), "properties", "securitySettings", "softDeleteSettings")
	if strings.EqualFold(text(settings, "softDeleteState"), "Disabled") {
		return 0
	}
	if days := number(settings, "softDeleteRetentionPeriodInDays"); days > 0 {
		return days
	}
	return 14
}
