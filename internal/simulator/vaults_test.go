package simulator

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

const newVaultPath = "/subscriptions/" + testSub + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/fresh"

const newVaultBody = `{"location":"westeurope","sku":{"name":"Standard"},"tags":{"a":"1"},"properties":{"publicNetworkAccess":"Enabled"}}`

func TestNewVaultIsA201WithoutLocationThenSucceedsWithThreePolicies(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		a := c.do("PUT", newVaultPath, newVaultBody, 201)
		if a.header.Get("Location") != "" || !strings.Contains(a.header.Get("Azure-AsyncOperation"), "/operationStatus/MjA0Nzs") {
			t.Errorf("headers %v", a.header)
		}
		if rawjson.TextAt(a.body, "properties", "provisioningState") != "Provisioning" || rawjson.RawAt(a.body, "properties", "securitySettings") != nil {
			t.Errorf("body %s", a.body)
		}
		status := c.get(a.header.Get("Azure-AsyncOperation"))
		if rawjson.TextAt(status.body, "status") != "InProgress" || rawjson.RawAt(status.body, "startTime") != nil || status.header.Get("Location") == "" {
			t.Errorf("status %s %v", status.body, status.header)
		}
		c.follow(a)
		v := c.get(newVaultPath)
		if rawjson.TextAt(v.body, "properties", "provisioningState") != "Succeeded" || rawjson.TextAt(v.body, "properties", "securitySettings", "softDeleteSettings", "softDeleteState") != "AlwaysON" {
			t.Errorf("vault %s", v.body)
		}
		if string(rawjson.RawAt(v.body, "properties", "securitySettings", "immutabilitySettings")) != "null" {
			t.Errorf("immutabilitySettings %s, want null", rawjson.RawAt(v.body, "properties", "securitySettings", "immutabilitySettings"))
		}
		if rawjson.TextAt(v.body, "etag") == rawjson.TextAt(a.body, "etag") {
			t.Error("the etag did not change")
		}
		var names []string
		for _, p := range values(c.get(newVaultPath + "/backupPolicies")) {
			names = append(names, rawjson.TextAt(p, "name"))
		}
		if got := strings.Join(names, " "); got != "HourlyLogBackup DefaultPolicy EnhancedPolicy" {
			t.Errorf("policies %s", got)
		}
	})
}

// docs/azure.md §7.2.
func TestVaultTellsOfMonitoringOnlyWhatARequestOnceSaid(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", newVaultPath, newVaultBody, 201)
	if v := c.get(newVaultPath); rawjson.RawAt(v.body, "properties", "monitoringSettings") != nil {
		t.Errorf("a vault that was made without them: %s", v.body)
	}
	const settings = `{"azureMonitorAlertSettings":{"alertsForAllJobFailures":"Disabled"},"classicAlertSettings":{"alertsForCriticalOperations":"Disabled"}}`
	c.do("PATCH", newVaultPath, `{"properties":{"monitoringSettings":`+settings+`}}`, 202)
	c.do("PATCH", newVaultPath, `{"tags":{"a":"2"}}`, 202)
	equalJSON(t, rawjson.RawAt(c.get(newVaultPath).body, "properties", "monitoringSettings"), []byte(settings))
}

func TestVaultMadeWithAUserAssignedIdentityCannotBeFollowed(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	a := c.do("PUT", newVaultPath, strings.Replace(newVaultBody, `"tags"`, `"identity":{"type":"UserAssigned"},"tags"`, 1), 201)
	c.do("GET", a.header.Get("Azure-AsyncOperation"), "", 404)
	c.get(newVaultPath)
}

func TestRegionTakesFiveHundredVaults(t *testing.T) {
	var vaults []string
	for i := range 500 {
		vaults = append(vaults, `{"location":"westeurope","id":"`+testVault[:len(testVault)-1]+"x"+strconv.Itoa(i)+`","properties":{}}`)
	}
	c := serve(t, estate(t, `"vaults":[`+strings.Join(vaults, ",")+`]`), Options{})
	if a := c.do("PUT", newVaultPath, newVaultBody, 400); a.code() != "VaultQuotaExceeded" {
		t.Errorf("%s", a.body)
	}
	c.do("PUT", newVaultPath, strings.Replace(newVaultBody, "westeurope", "northeurope", 1), 201)
}

func TestOldAPIVersionsMakeVaultsSynchronously(t *testing.T) {
	c := serve(t, estate(t), Options{})
	a := c.do("PUT", newVaultPath+"?api-version=2021-03-01", newVaultBody, 201)
	if a.header.Get("Azure-AsyncOperation") != "" || rawjson.TextAt(a.body, "properties", "provisioningState") != "Succeeded" {
		t.Errorf("%v %s", a.header, a.body)
	}
	c.do("DELETE", newVaultPath+"?api-version=2021-03-01", "", 200)
	c.do("GET", newVaultPath, "", 404)
}

func TestVaultPatchIsAsynchronousAndKeepsWhatItDoesNotName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		a := c.do("PATCH", testVault, `{"tags":{"owner":"x"},"properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked"}}}}`, 202)
		if len(a.body) != 0 || a.header.Get("Location") == "" {
			t.Errorf("%v %s", a.header, a.body)
		}
		if b := c.do("PATCH", testVault, `{"tags":{}}`, 409); b.code() != "RSVaultUpdateErrorConflictingOperationInProgress" {
			t.Errorf("second update: %s", b.body)
		}
		c.follow(a)
		v := c.get(testVault)
		if rawjson.TextAt(v.body, "properties", "securitySettings", "immutabilitySettings", "state") != "Unlocked" ||
			rawjson.TextAt(v.body, "properties", "securitySettings", "softDeleteSettings", "softDeleteState") != "AlwaysON" || rawjson.TextAt(v.body, "tags", "owner") != "x" {
			t.Errorf("vault %s", v.body)
		}
		c.do("PATCH", testVault, `{"identity":{"type":"SystemAssigned"}}`, 200)
	})
}

func TestVaultRulesRefuse(t *testing.T) {
	patch := func(p string) string { return `{"properties":` + p + `}` }
	for name, tc := range map[string]struct{ first, then, code string }{
		"redundancy with one field":         {"", patch(`{"redundancySettings":{"standardTierStorageRedundancy":"LocallyRedundant"}}`), "InvalidRestApiParameter"},
		"cross-region without geo":          {"", patch(`{"redundancySettings":{"standardTierStorageRedundancy":"LocallyRedundant","crossRegionRestore":"Enabled"}}`), "InvalidRestApiParameter"},
		"cross-region off again":            {patch(`{"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Enabled"}}`), patch(`{"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Disabled"}}`), "InvalidRestApiParameter"},
		"locked without unlocked before":    {"", patch(`{"securitySettings":{"immutabilitySettings":{"state":"Locked"}}}`), "UserErrorUnsupportedVaultImmutabilityStateChange"},
		"soft delete off":                   {"", patch(`{"securitySettings":{"softDeleteSettings":{"softDeleteState":"Disabled"}}}`), "InvalidRestApiParameter"},
		"soft delete days":                  {"", patch(`{"securitySettings":{"softDeleteSettings":{"softDeleteRetentionPeriodInDays":7}}}`), "InvalidRestApiParameter"},
		"an unknown word":                   {"", patch(`{"publicNetworkAccess":"Maybe"}`), "InvalidRestApiParameter"},
		"half the monitoring settings":      {"", patch(`{"monitoringSettings":{"classicAlertSettings":{}}}`), "InvalidRestApiParameter"},
		"restore across subscriptions back": {patch(`{"restoreSettings":{"crossSubscriptionRestoreSettings":{"crossSubscriptionRestoreState":"PermanentlyDisabled"}}}`), patch(`{"restoreSettings":{"crossSubscriptionRestoreSettings":{"crossSubscriptionRestoreState":"Enabled"}}}`), "InvalidRestApiParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, estate(t), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0)}}})
			if tc.first != "" {
				c.do("PATCH", testVault, tc.first, 202)
			}
			if a := c.do("PATCH", testVault, tc.then, 400); a.code() != tc.code {
				t.Errorf("%s", a.body)
			}
		})
	}
}

func TestImmutabilityIsLockedForGood(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0)}}})
	for _, state := range []string{"Unlocked", "Disabled", "Unlocked", "Locked"} {
		c.do("PATCH", testVault, `{"properties":{"securitySettings":{"immutabilitySettings":{"state":"`+state+`"}}}}`, 202)
	}
	c.do("PATCH", testVault, `{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked"}}}}`, 400)
}

func TestRedundancyStaysOnceAnItemIsProtected(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0)}}})
	local := `{"properties":{"redundancySettings":{"standardTierStorageRedundancy":"LocallyRedundant","crossRegionRestore":"Disabled"}}}`
	c.do("PATCH", testVault, local, 202)
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("PATCH", testVault, strings.Replace(local, "Locally", "Geo", 1), 400)
}

func TestVaultWithItemsIsNotDeletedAndAnEmptyOneEndsIn404(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		c.protect("VM1", "daily")
		if a := c.do("DELETE", testVault, "", 400); a.code() != "ServiceResourceNotEmptyWithBackendMessage" {
			t.Errorf("%s", a.body)
		}
		c.follow(c.do("DELETE", itemPath("vm1"), "", 202))
		if a := c.do("DELETE", testVault, "", 400); a.code() != "BMSUserErrorVaultDeletionForbidden" {
			t.Errorf("%s", a.body)
		}
		time.Sleep(15 * 24 * time.Hour)
		a := c.do("DELETE", testVault, "", 202)
		c.get(a.header.Get("Azure-AsyncOperation"))
		time.Sleep(11 * time.Second)
		if b := c.do("GET", a.header.Get("Azure-AsyncOperation"), "", 404); b.code() != "ResourceNotFound" {
			t.Errorf("%s", b.body)
		}
	})
}

func TestLegacyConfigRefusesWritesOnVaultsOfToday(t *testing.T) {
	body := `{"properties":{"softDeleteFeatureState":"Disabled"}}`
	c := serve(t, estate(t), Options{})
	if a := c.do("PATCH", testVault+"/backupconfig/vaultconfig", body, 400); a.code() != "BMSUserErrorSoftDeleteUseVaultApi" {
		t.Errorf("%s", a.body)
	}
	if a := c.do("PUT", testVault+"/backupstorageconfig/vaultstorageconfig", body, 400); a.code() != "BMSUserErrorRedundancySettingsUseVaultApi" {
		t.Errorf("%s", a.body)
	}
	if a := c.get(testVault + "/backupstorageconfig/vaultstorageconfig"); rawjson.TextAt(a.body, "properties", "storageTypeState") != "Unlocked" {
		t.Errorf("%s", a.body)
	}
	old := serve(t, estate(t), Options{Settings: settings.Settings{Era: "2024"}})
	old.do("PATCH", testVault+"/backupconfig/vaultconfig", body, 200)
	if a := old.get(testVault + "/backupconfig/vaultconfig"); rawjson.TextAt(a.body, "properties", "softDeleteFeatureState") != "Disabled" {
		t.Errorf("%s", a.body)
	}
}
