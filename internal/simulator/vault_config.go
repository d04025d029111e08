package simulator

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// The endpoints that configured vaults before the vault itself did (docs/azure.md §7.4). They can be read; current
// vaults refuse writes to them.

func (rc *requestContext) getVaultConfig() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return reply.OK(rc.vaultConfig(v))
}

func (rc *requestContext) vaultConfig(v *state.Vault) []byte {
	settings := rawjson.RawAt(rc.st.Read(v.Body), "properties", "securitySettings", "softDeleteSettings")
	state := cmp.Or(rawjson.TextAt(settings, "softDeleteState"), "Enabled")
	days := rawjson.Number(settings, "softDeleteRetentionPeriodInDays")
	if days == 0 {
		days = 14
	}
	return rawjson.NewObject("id", v.ID+"/backupconfig/vaultconfig", "name", "vaultconfig", "type", ids.VaultType+"/backupconfig",
		"properties", rawjson.NewObject("enhancedSecurityState", cmp.Or(rawjson.TextAt(settings, "enhancedSecurityState"), "Enabled"),
			"softDeleteFeatureState", state, "softDeleteRetentionPeriodInDays", days,
			"isSoftDeleteFeatureStateEditable", rc.s.set.Era == "2024")).Bytes()
}

func (rc *requestContext) writeVaultConfig() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	if rc.s.set.Era != "2024" {
		return reply.Error(http.StatusBadRequest, "BMSUserErrorSoftDeleteUseVaultApi",
			"Soft delete settings of this vault are changed through the vault's own API.")
	}
	sent := rawjson.Parse(rc.body).Object("properties")
	v = rc.st.PutVault(rawjson.Edit(rc.st.Read(v.Body), func(s *rawjson.Object) {
		for _, m := range sent {
			s.Put(strings.Replace(m.Key, "softDeleteFeatureState", "softDeleteState", 1), m.Value)
		}
	}, "properties", "securitySettings", "softDeleteSettings"))
	return reply.OK(rc.vaultConfig(v))
}

func (rc *requestContext) getStorageConfig() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	redundancy := rawjson.RawAt(rc.st.Read(v.Body), "properties", "redundancySettings")
	kind := cmp.Or(rawjson.TextAt(redundancy, "standardTierStorageRedundancy"), "GeoRedundant")
	state := "Unlocked"
	if rc.st.Items.Count(v.Key) > 0 {
		state = "Locked"
	}
	return reply.OK(rawjson.NewObject("id", v.ID+"/backupstorageconfig/vaultstorageconfig", "name", "vaultstorageconfig",
		"type", ids.VaultType+"/backupstorageconfig", "properties", rawjson.NewObject("storageModelType", kind, "storageType", kind,
			"storageTypeState", state, "crossRegionRestoreFlag", rawjson.TextAt(redundancy, "crossRegionRestore") == "Enabled",
			"dedupState", "Disabled", "xcoolState", "Disabled")).Bytes())
}

func (rc *requestContext) writeStorageConfig() reply.Reply {
	if _, none := rc.vault(); none != nil {
		return *none
	}
	return reply.Error(http.StatusBadRequest, "BMSUserErrorRedundancySettingsUseVaultApi",
		"Redundancy settings of this vault are changed through the vault's own API.")
}

func (rc *requestContext) getEncryptionConfig() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return reply.OK(rawjson.NewObject("id", v.ID+"/backupEncryptionConfigs/backupResourceEncryptionConfig", "name", "backupResourceEncryptionConfig",
		"type", ids.VaultType+"/backupEncryptionConfigs", "properties", rawjson.NewObject("useSystemAssignedIdentity", true,
			"encryptionAtRestType", "MicrosoftManaged", "lastUpdateStatus", "NotEnabled", "infrastructureEncryptionState", "Disabled")).Bytes())
}

// getReplicationSettings returns the replication settings, which Terraform reads of every vault although they concern
// Site Recovery only.
func (rc *requestContext) getReplicationSettings() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return reply.OK(rawjson.NewObject("id", v.ID+"/replicationVaultSettings/default", "name", "default", "type", ids.VaultType+"/replicationVaultSettings",
		"properties", rawjson.NewObject("migrationSolutionId", nil, "vmwareToAzureProviderType", nil)).Bytes())
}
