package simulator

import (
	"net/http"
	"strings"
)

// The endpoints that configured vaults before the vault itself did (docs/azure.md §7.4). They can be read; current
// vaults refuse writes to them.

func (rc *requestContext) getVaultConfig() reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return ok(rc.vaultConfig(v))
}

func (rc *requestContext) vaultConfig(v *vault) []byte {
	settings := rawAt(rc.st.read(v.body), "properties", "securitySettings", "softDeleteSettings")
	state := firstNonEmpty(textAt(settings, "softDeleteState"), "Enabled")
	days := number(settings, "softDeleteRetentionPeriodInDays")
	if days == 0 {
		days = 14
	}
	return newObject("id", v.id+"/backupconfig/vaultconfig", "name", "vaultconfig", "type", vaultType+"/backupconfig",
		"properties", newObject("enhancedSecurityState", firstNonEmpty(textAt(settings, "enhancedSecurityState"), "Enabled"),
			"softDeleteFeatureState", state, "softDeleteRetentionPeriodInDays", days,
			"isSoftDeleteFeatureStateEditable", rc.s.set.Era == "2024")).bytes()
}

func (rc *requestContext) writeVaultConfig() reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	if err := checkObject(rc.body); err != nil {
		return invalidContent(err)
	}
	if rc.s.set.Era != "2024" {
		return errorReply(http.StatusBadRequest, "BMSUserErrorSoftDeleteUseVaultApi",
			"Soft delete settings of this vault are changed through the vault's own API.")
	}
	sent := parse(rc.body).object("properties")
	v = rc.st.putVault(edit(rc.st.read(v.body), func(s *object) {
		for _, m := range sent {
			s.put(strings.Replace(m.key, "softDeleteFeatureState", "softDeleteState", 1), m.value)
		}
	}, "properties", "securitySettings", "softDeleteSettings"))
	return ok(rc.vaultConfig(v))
}

func (rc *requestContext) getStorageConfig() reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	redundancy := rawAt(rc.st.read(v.body), "properties", "redundancySettings")
	kind := firstNonEmpty(textAt(redundancy, "standardTierStorageRedundancy"), "GeoRedundant")
	state := "Unlocked"
	if rc.st.items.count(v.key) > 0 {
		state = "Locked"
	}
	return ok(newObject("id", v.id+"/backupstorageconfig/vaultstorageconfig", "name", "vaultstorageconfig",
		"type", vaultType+"/backupstorageconfig", "properties", newObject("storageModelType", kind, "storageType", kind,
			"storageTypeState", state, "crossRegionRestoreFlag", textAt(redundancy, "crossRegionRestore") == "Enabled",
			"dedupState", "Disabled", "xcoolState", "Disabled")).bytes())
}

func (rc *requestContext) writeStorageConfig() reply {
	if _, none := rc.vault(); none != nil {
		return *none
	}
	return errorReply(http.StatusBadRequest, "BMSUserErrorRedundancySettingsUseVaultApi",
		"Redundancy settings of this vault are changed through the vault's own API.")
}

func (rc *requestContext) getEncryptionConfig() reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return ok(newObject("id", v.id+"/backupEncryptionConfigs/backupResourceEncryptionConfig", "name", "backupResourceEncryptionConfig",
		"type", vaultType+"/backupEncryptionConfigs", "properties", newObject("useSystemAssignedIdentity", true,
			"encryptionAtRestType", "MicrosoftManaged", "lastUpdateStatus", "NotEnabled", "infrastructureEncryptionState", "Disabled")).bytes())
}

// getReplicationSettings returns the replication settings, which Terraform reads of every vault although they concern
// Site Recovery only.
func (rc *requestContext) getReplicationSettings() reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return ok(newObject("id", v.id+"/replicationVaultSettings/default", "name", "default", "type", vaultType+"/replicationVaultSettings",
		"properties", newObject("migrationSolutionId", nil, "vmwareToAzureProviderType", nil)).bytes())
}
