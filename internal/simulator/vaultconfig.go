package simulator

import (
	"net/http"
	"strings"
)

// The endpoints that configured vaults before the vault itself did (docs/azure.md §7.4). They can be read; on a
// vault of today they refuse to be written.

func (c *call) getVaultConfig() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	return ok(c.vaultConfig(v))
}

func (c *call) vaultConfig(v *vault) []byte {
	settings := get(c.st.read(v.body), "properties", "securitySettings", "softDeleteSettings")
	state := first(text(settings, "softDeleteState"), "Enabled")
	days := number(settings, "softDeleteRetentionPeriodInDays")
	if days == 0 {
		days = 14
	}
	return obj("id", v.id+"/backupconfig/vaultconfig", "name", "vaultconfig", "type", vaultType+"/backupconfig",
		"properties", obj("enhancedSecurityState", first(text(settings, "enhancedSecurityState"), "Enabled"),
			"softDeleteFeatureState", state, "softDeleteRetentionPeriodInDays", days,
			"isSoftDeleteFeatureStateEditable", c.s.set.Era == "2024")).bytes()
}

func (c *call) writeVaultConfig() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	if c.s.set.Era != "2024" {
		return fail(http.StatusBadRequest, "BMSUserErrorSoftDeleteUseVaultApi",
			"Soft delete settings of this vault are changed through the vault's own API.")
	}
	sent := parse(c.body).sub("properties")
	v = c.st.putVault(edit(c.st.read(v.body), func(s *object) {
		for _, m := range sent {
			s.put(strings.Replace(m.key, "softDeleteFeatureState", "softDeleteState", 1), m.value)
		}
	}, "properties", "securitySettings", "softDeleteSettings"))
	return ok(c.vaultConfig(v))
}

func (c *call) getStorageConfig() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	redundancy := get(c.st.read(v.body), "properties", "redundancySettings")
	kind := first(text(redundancy, "standardTierStorageRedundancy"), "GeoRedundant")
	state := "Unlocked"
	if c.st.items.count(v.key) > 0 {
		state = "Locked"
	}
	return ok(obj("id", v.id+"/backupstorageconfig/vaultstorageconfig", "name", "vaultstorageconfig",
		"type", vaultType+"/backupstorageconfig", "properties", obj("storageModelType", kind, "storageType", kind,
			"storageTypeState", state, "crossRegionRestoreFlag", text(redundancy, "crossRegionRestore") == "Enabled",
			"dedupState", "Disabled", "xcoolState", "Disabled")).bytes())
}

func (c *call) writeStorageConfig() reply {
	if _, none := c.vault(); none != nil {
		return *none
	}
	return fail(http.StatusBadRequest, "BMSUserErrorRedundancySettingsUseVaultApi",
		"Redundancy settings of this vault are changed through the vault's own API.")
}

func (c *call) getEncryptionConfig() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	return ok(obj("id", v.id+"/backupEncryptionConfigs/backupResourceEncryptionConfig", "name", "backupResourceEncryptionConfig",
		"type", vaultType+"/backupEncryptionConfigs", "properties", obj("useSystemAssignedIdentity", true,
			"encryptionAtRestType", "MicrosoftManaged", "lastUpdateStatus", "NotEnabled", "infrastructureEncryptionState", "Disabled")).bytes())
}

// getReplicationSettings answers what Terraform reads of a vault although it concerns Site Recovery only.
func (c *call) getReplicationSettings() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	return ok(obj("id", v.id+"/replicationVaultSettings/default", "name", "default", "type", vaultType+"/replicationVaultSettings",
		"properties", obj("migrationSolutionId", nil, "vmwareToAzureProviderType", nil)).bytes())
}
