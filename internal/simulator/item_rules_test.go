package simulator

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

const otherVault = "/subscriptions/" + testSub + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault2"

func at0() settings.Settings {
	return settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0)}}
}

// withSecondVault returns the estate with a second vault of the same region.
func withSecondVault(t *testing.T) *state.Estate {
	t.Helper()
	return estate(t,
		`"vaults":[{"location":"westeurope","name":"vault1","properties":{},"id":"`+testVault+`","sku":{"name":"RS0","tier":"Standard"}},`+
			`{"location":"westeurope","name":"vault2","properties":{},"id":"`+otherVault+`","sku":{"name":"Standard"}}]`,
		`"policies":[`+policyJSON("daily", "")+`,`+policyJSON("enhanced", "V2")+`,`+strings.ReplaceAll(policyJSON("daily", ""), testVault, otherVault)+`]`)
}

func TestPutItemRefuses(t *testing.T) {
	workload := `"policies":[` + policyJSON("daily", "") + `,{"id":"` + testVault + `/backupPolicies/sql","name":"sql","properties":{"backupManagementType":"AzureWorkload"}}]`
	for name, tc := range map[string]struct {
		path, body, code string
		status           int
	}{
		"a VM in another region":          {itemPath("far"), protectBody("far", "daily"), "UserErrorVmVaultLocationMismatch", 400},
		"a VM that does not exist":        {itemPath("nobody"), protectBody("nobody", "daily"), "BMSUserErrorInvalidConfigureProtectionRequest", 400},
		"another VM than the path's":      {itemPath("vm1"), protectBody("VM2", "daily"), "BMSUserErrorInvalidConfigureProtectionRequest", 400},
		"a policy that does not exist":    {itemPath("vm1"), protectBody("VM1", "nothing"), "BMSUserErrorInvalidConfigureProtectionRequest", 400},
		"a policy of another workload":    {itemPath("vm1"), protectBody("VM1", "sql"), "BMSUserErrorInvalidPolicyForGivenProvider", 400},
		"a state on the first PUT":        {itemPath("vm1"), strings.Replace(protectBody("VM1", "daily"), `"policyId"`, `"protectionState":"Protected","policyId"`, 1), "BMSUserErrorInvalidConfigureProtectionRequest", 400},
		"no policy and no state":          {itemPath("vm1"), strings.Replace(protectBody("VM1", "daily"), `"policyId"`, `"other"`, 1), "BMSUserErrorInvalidConfigureProtectionRequest", 400},
		"a bad container name":            {strings.Replace(itemPath("vm1"), "IaasVMContainer%3B", "Container%3B", 1), protectBody("VM1", "daily"), "BMSUserErrorContainerNameIncorrectFormat", 400},
		"a bad item name":                 {strings.Replace(itemPath("vm1"), "vm%3B", "machine%3B", 1), protectBody("VM1", "daily"), "BMSUserErrorProtectedItemNameIncorrectFormat", 400},
		"a body that is not JSON":         {itemPath("vm1"), "nonsense", "InvalidRequestContent", 400},
		"suspend on a vault that is free": {itemPath("vm3"), stateBody("VM3", "BackupsSuspended", ""), "UserErrorOperationDeniedOnImmutableItem", 400},
		"undelete of an active item":      {itemPath("vm3"), stateBody("VM3", "ProtectionStopped", `,"isRehydrate":true`), "BMSUserErrorItemNotSoftDeleted", 400},
		"stop of no item":                 {itemPath("vm1"), stateBody("VM1", "ProtectionStopped", ""), "BMSUserErrorDataSourceObjectNotFound", 404},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, estate(t, workload), Options{Settings: at0()})
			c.do("PUT", itemPath("vm3"), protectBody("VM3", "daily"), 202)
			if a := c.do("PUT", tc.path, tc.body, tc.status); a.code() != tc.code {
				t.Errorf("%s", a.body)
			}
		})
	}
}

func TestBothSpellingsOfANameAreOneItem(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	bare := testVault + "/backupFabrics/azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;RG-APP;VM1/protectedItems/VM;iaasvmcontainerv2;rg-app;VM1"
	c.do("PUT", strings.ToUpper(bare[:len("/subscriptions")])+bare[len("/subscriptions"):], protectBody("VM1", "daily"), 202)
	a := c.get(itemPath("vm1"))
	if got := rawjson.TextAt(a.body, "name"); got != "VM;iaasvmcontainerv2;rg-app;vm1" {
		t.Errorf("name %q", got)
	}
	c.get(bare)
	// The client's spelling of the vault is echoed in ids (docs/azure.md §33.16), and nowhere else.
	shouted := "/Subscriptions/" + testSub + "/resourceGroups/RG-BACKUP/providers/Microsoft.RecoveryServices/vaults/Vault1"
	rows, _ := c.all(shouted + "/backupProtectedItems")
	if !strings.HasPrefix(rawjson.TextAt(rows[0], "id"), shouted+"/backupFabrics/") || rawjson.TextAt(rows[0], "properties", "vaultId") != "https://management.azure.com"+testVault {
		t.Errorf("%s", rows[0])
	}
	if got := rawjson.TextAt(c.get(shouted+"/backupPolicies/DAILY").body, "id"); got != shouted+"/backupPolicies/daily" {
		t.Errorf("policy id %s", got)
	}
}

func TestUndeleteNeedsNothingButItsFlag(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("DELETE", itemPath("vm1"), "", 202)
	c.do("PUT", itemPath("vm1"), `{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","isRehydrate":true}}`, 202)
	if got := rawjson.TextAt(c.props("vm1"), "protectionState"); got != "ProtectionStopped" || rawjson.BoolAt(c.props("vm1"), "isScheduledForDeferredDelete") {
		t.Errorf("%s", c.props("vm1"))
	}
}

func TestSecondPutConflictsWhileTheFirstRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
		if b := c.do("PUT", itemPath("vm1"), protectBody("VM1", "other"), 409); b.code() != "BMSUserErrorConflictingProtectionOperation" {
			t.Errorf("%s", b.body)
		}
		c.follow(a)
		c.do("PUT", itemPath("vm1"), protectBody("VM1", "other"), 202)
	})
}

func TestVMOfAnotherVaultIsRefusedUntilItIsSoftDeletedThere(t *testing.T) {
	c := serve(t, withSecondVault(t), Options{Settings: at0()})
	elsewhere := strings.Replace(itemPath("vm1"), "vault1", "vault2", 1)
	body := strings.ReplaceAll(protectBody("VM1", "daily"), "vault1", "vault2")
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	if a := c.do("PUT", elsewhere, body, 400); !strings.Contains(string(a.body), "already registered") {
		t.Errorf("%s", a.body)
	}
	c.do("PUT", itemPath("vm1"), stateBody("VM1", "ProtectionStopped", ""), 202)
	c.do("PUT", elsewhere, body, 400)
	c.do("DELETE", itemPath("vm1"), "", 202)
	c.do("PUT", elsewhere, body, 202)
}

func TestItemDoesNotGoBackFromEnhancedToStandard(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "enhanced"), 202)
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 400)
}

func TestSpecialDisksNeedAnEnhancedPolicy(t *testing.T) {
	ultra := strings.Replace(vmBody("VM1", "westeurope"), "Premium_LRS", "UltraSSD_LRS", 1)
	trusted := strings.Replace(vmBody("VM2", "westeurope"), `"vmId"`, `"securityProfile":{"securityType":"TrustedLaunch"},"vmId"`, 1)
	c := serve(t, estate(t, `"virtualMachines":[`+ultra+`,`+trusted+`]`), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 400)
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "enhanced"), 202)
	c.do("PUT", itemPath("vm2")+"?api-version=2024-04-01", protectBody("VM2", "daily"), 400)
	c.do("PUT", itemPath("vm2"), protectBody("VM2", "daily"), 202)
}

func TestDiskFilterIsReplacedKeptAndReset(t *testing.T) {
	disks := func(raw string) string {
		return strings.Replace(protectBody("VM1", "daily"), `"policyId"`, `"extendedProperties":{"diskExclusionProperties":`+raw+`},"policyId"`, 1)
	}
	path := []string{"extendedProperties", "diskExclusionProperties"}
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), disks(`{"diskLunList":[0,1],"isInclusionList":true}`), 202)
	equalJSON(t, rawjson.RawAt(c.props("vm1"), path...), []byte(`{"diskLunList":[0,1],"isInclusionList":true}`))
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "other"), 202)
	equalJSON(t, rawjson.RawAt(c.props("vm1"), path...), []byte(`{"diskLunList":[0,1],"isInclusionList":true}`))
	c.do("PUT", itemPath("vm1"), disks(`{"diskLunList":[],"isInclusionList":true}`), 202)
	equalJSON(t, rawjson.RawAt(c.props("vm1"), path...), []byte(`{"diskLunList":[],"isInclusionList":true}`))
	c.do("PUT", itemPath("vm1"), disks(`null`), 202)
	if got := rawjson.RawAt(c.props("vm1"), "extendedProperties"); got != nil {
		t.Errorf("extendedProperties %s after the reset", got)
	}
	dropping := at0()
	dropping.PolicyChangeDropsDiskFilter = true
	d := serve(t, estate(t), Options{Settings: dropping})
	d.do("PUT", itemPath("vm1"), disks(`{"diskLunList":[0],"isInclusionList":true}`), 202)
	d.do("PUT", itemPath("vm1"), protectBody("VM1", "other"), 202)
	if got := rawjson.RawAt(d.props("vm1"), "extendedProperties"); got != nil {
		t.Errorf("extendedProperties %s, want none with the setting", got)
	}
}

func TestImmutableVaultSuspendsAndRefusesDeletion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		c.follow(c.do("PATCH", testVault, `{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked"}}}}`, 202))
		c.protect("VM1", "daily")
		c.do("POST", itemPath("vm1")+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`, 202)
		time.Sleep(time.Minute)
		if a := c.do("DELETE", itemPath("vm1"), "", 400); a.code() != "UserErrorOperationDeniedOnImmutableItem" {
			t.Errorf("%s", a.body)
		}
		c.follow(c.do("PUT", itemPath("vm1"), stateBody("VM1", "BackupsSuspended", ""), 202))
		if p := c.props("vm1"); rawjson.TextAt(p, "protectionState") != "BackupsSuspended" || rawjson.TextAt(p, "policyName") != "daily" {
			t.Errorf("%s", p)
		}
		c.protect("VM1", "daily")
		if p := c.props("vm1"); rawjson.TextAt(p, "protectionState") != "Protected" {
			t.Errorf("resumed with recovery points: %s", p)
		}
	})
}

func TestVaultTakesAThousandVMs(t *testing.T) {
	var vms, items []string
	for i := range 1000 {
		name := "m" + strconv.Itoa(i)
		vms = append(vms, vmBody(name, "westeurope"))
		tail := ids.ContainerKeyFor("RG-App", name)
		items = append(items, `{"id":"`+testVault+`/backupFabrics/Azure/protectionContainers/IaasVMContainer;`+tail+`/protectedItems/VM;`+tail+
			`","properties":{"sourceResourceId":"`+vmID(name)+`","protectionState":"Protected","backupManagementType":"AzureIaasVM","workloadType":"VM"}}`)
	}
	vms = append(vms, vmBody("VM1", "westeurope"))
	c := serve(t, estate(t, `"virtualMachines":[`+strings.Join(vms, ",")+`]`, `"protectedItems":[`+strings.Join(items, ",")+`]`), Options{Settings: at0()})
	if a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 400); a.code() != "UserErrorProtectionQuotaExceeded" {
		t.Errorf("%s", a.body)
	}
}

func TestResourceGuardWantsItsRequest(t *testing.T) {
	proxy := `"resourceGuardProxies":[{"id":"` + testVault + `/backupResourceGuardProxies/VaultProxy","name":"VaultProxy","properties":{}}]`
	c := serve(t, estate(t, proxy), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	if n := len(values(c.get(testVault + "/backupResourceGuardProxies"))); n != 1 {
		t.Errorf("%d proxies", n)
	}
	c.do("PUT", itemPath("vm1"), stateBody("VM1", "ProtectionStopped", ""), 403)
	c.do("PUT", itemPath("vm1"), stateBody("VM1", "ProtectionStopped", `,"resourceGuardOperationRequests":["x/updateProtectedItemRequests/default"]`), 202)
	c.do("DELETE", itemPath("vm1"), "", 403)
	id := strings.ReplaceAll(itemPath("vm1"), "%3B", ";")
	c.do("POST", testVault+"/backupResourceGuardProxies/VaultProxy/unlockDelete", `{"resourceToBeDeleted":"`+id+`"}`, 403)
	c.do("POST", testVault+"/backupResourceGuardProxies/VaultProxy/unlockDelete", `{"resourceGuardOperationRequests":["x"],"resourceToBeDeleted":"`+id+`"}`, 200)
	c.do("DELETE", itemPath("vm1"), "", 202)
}
