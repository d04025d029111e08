package simulator

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// all follows nextLink to the end.
func (c *client) all(path string) (rows []json.RawMessage, pages int) {
	c.t.Helper()
	for path != "" {
		a := c.get(path)
		rows = append(rows, values(a)...)
		pages++
		path = rawjson.TextAt(a.body, "nextLink")
	}
	return rows, pages
}

const vmList = "/subscriptions/" + testSub + "/providers/Microsoft.Compute/virtualMachines"

func TestListsPageByAnOpaqueNextLink(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: settings.Settings{Pages: map[string]int{"vms": 3}}})
	rows, pages := c.all(vmList)
	if len(rows) != 4 || pages != 2 {
		t.Errorf("%d VMs in %d pages, want 4 in 2", len(rows), pages)
	}
	equalJSON(t, rows[0], []byte(vmBody("VM1", "westeurope")))
	a := c.get(vmList)
	next := rawjson.TextAt(a.body, "nextLink")
	if !strings.Contains(next, "&%24skiptoken=") || !strings.Contains(next, "api-version="+testAPI) {
		t.Errorf("nextLink %s", next)
	}
	c.do("GET", strings.Replace(next, "24skiptoken=", "24skiptoken=AAAA", 1), "", 400)
	last := c.get(next)
	if rawjson.RawAt(last.body, "nextLink") != nil {
		t.Errorf("nextLink on the last page: %s", rawjson.RawAt(last.body, "nextLink"))
	}
}

func TestVMsAreListedByGroupAndFoundByID(t *testing.T) {
	c := serve(t, estate(t), Options{})
	rows, _ := c.all("/subscriptions/" + testSub + "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines")
	if len(rows) != 4 {
		t.Errorf("%d VMs", len(rows))
	}
	c.get(vmID("vm1"))
	if a := c.do("GET", vmID("nobody"), "", 404); a.code() != "ResourceNotFound" || a.header.Get("X-Ms-Failure-Cause") != "gateway" {
		t.Errorf("%s", a.body)
	}
	if a := c.do("GET", strings.Replace(vmID("vm1"), "RG-App", "nowhere", 1), "", 404); a.code() != "ResourceGroupNotFound" {
		t.Errorf("%s", a.body)
	}
	if a := c.do("GET", strings.Replace(vmList, testSub, "unknown", 1), "", 404); a.code() != "SubscriptionNotFound" {
		t.Errorf("%s", a.body)
	}
}

func TestProtectableItemsNeedARefreshAndHideWhatIsProtectedOrFar(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := quick()
		set.Pages = map[string]int{"protectable": 2}
		c := serve(t, estate(t), Options{Settings: set})
		list := testVault + "/backupProtectableItems?$filter=" + url.QueryEscape("backupManagementType eq 'AzureIaasVM'")
		if rows, _ := c.all(list); len(rows) != 0 {
			t.Errorf("%d protectable items before the refresh", len(rows))
		}
		a := c.do("POST", testVault+"/backupFabrics/Azure/refreshContainers", "", 202)
		if !strings.Contains(a.header.Get("Azure-AsyncOperation"), "api-version=2019-05-13-preview") || !strings.Contains(a.header.Get("Location"), "/backupFabrics/Azure/operationResults/") {
			t.Errorf("headers %v", a.header)
		}
		c.do("POST", testVault+"/backupFabrics/Azure/refreshContainers", "", 409)
		r := c.do("GET", a.header.Get("Location"), "", 202)
		if len(r.body) != 0 || r.header.Get("Azure-AsyncOperation") != "" || r.header.Get("Location") == "" {
			t.Errorf("poll %v %s", r.header, r.body)
		}
		time.Sleep(11 * time.Second)
		c.do("GET", r.header.Get("Location"), "", 204)
		rows, pages := c.all(list)
		if pages != 2 {
			t.Errorf("%d pages, want 2", pages)
		}
		if len(rows) != 3 {
			t.Fatalf("%d protectable items, want 3", len(rows))
		}
		if rawjson.TextAt(rows[0], "name") != "iaasvmcontainerv2;rg-app;vm1" || !strings.HasSuffix(rawjson.TextAt(rows[0], "id"), "/protectableItems/vm;iaasvmcontainerv2;rg-app;vm1") ||
			rawjson.TextAt(rows[0], "properties", "virtualMachineId") != vmID("VM1") {
			t.Errorf("%s", rows[0])
		}
		c.protect("VM2", "daily")
		if rows, _ = c.all(list); len(rows) != 2 {
			t.Errorf("%d protectable items after one was protected, want 2", len(rows))
		}
	})
}

func TestProtectCanBeMadeToNeedARefresh(t *testing.T) {
	set := at0()
	set.ProtectNeedsRefresh = true
	c := serve(t, estate(t), Options{Settings: set})
	if a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 400); a.code() != "BMSUserErrorInvalidConfigureProtectionRequest" {
		t.Errorf("%s", a.body)
	}
	c.do("POST", testVault+"/backupFabrics/Azure/refreshContainers", "", 202)
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
}

func TestItemsAreFiltered(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("PUT", itemPath("vm2"), protectBody("VM2", "other"), 202)
	for filter, want := range map[string]int{
		"backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'":        2,
		"backupManagementType eq 'AzureStorage'":                            0,
		"policyName eq 'daily'":                                             1,
		"friendlyName eq 'vm2' and backupManagementType eq 'AzureIaasVM'":   1,
		"backupManagementType EQ 'azureiaasvm'  AND  itemType eq 'vm'":      2,
		"containerName eq 'iaasvmcontainerv2;rg-app;vm1'":                   1,
		"backupManagementType eq 'AzureIaasVM' and healthState eq 'Passed'": 2,
	} {
		if rows, _ := c.all(testVault + "/backupProtectedItems?$filter=" + url.QueryEscape(filter)); len(rows) != want {
			t.Errorf("%s: %d items, want %d", filter, len(rows), want)
		}
	}
	for _, bad := range []string{"policyName", "policyName eq", "policyName eq 'x", "policyName like 'x'", "colour eq 'x'", "policyName eq 'x' or itemType eq 'VM'", "policyName ne 'x'"} {
		c.do("GET", testVault+"/backupProtectedItems?$filter="+url.QueryEscape(bad), "", 400)
	}
}

func TestJobsAreListedNewestFirstWithoutDetail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		c.protect("VM1", "daily")
		time.Sleep(time.Minute)
		c.protect("VM2", "daily")
		c.do("PUT", itemPath("vm1"), protectBody("VM1", "other"), 202)
		rows, _ := c.all(testVault + "/backupJobs")
		if len(rows) != 3 || rawjson.TextAt(rows[0], "properties", "status") != "InProgress" || rawjson.TextAt(rows[1], "properties", "entityFriendlyName") != "VM2" {
			t.Fatalf("%s", rows)
		}
		if rawjson.RawAt(rows[0], "properties", "extendedInfo") != nil || rawjson.RawAt(rows[0], "properties", "endTime") != nil {
			t.Errorf("%s", rows[0])
		}
		day := func(d int) string { return c.s.clock.now().UTC().AddDate(0, 0, d).Format("2006-01-02 03:04:05 PM") }
		for filter, want := range map[string]int{
			"status eq 'InProgress'": 1, "operation eq 'ConfigureBackup' and status eq 'Completed'": 2, "operation eq 'Backup'": 0,
			"startTime eq '" + day(-1) + "' and endTime eq '" + day(1) + "'":        3,
			"startTime eq '" + day(1) + "' and endTime eq '" + day(2) + "'":         0,
			"endTime eq '" + day(1) + "' and backupManagementType eq 'AzureIaasVM'": 3,
		} {
			if rows, _ := c.all(testVault + "/backupJobs?$filter=" + url.QueryEscape(filter)); len(rows) != want {
				t.Errorf("%s: %d jobs, want %d", filter, len(rows), want)
			}
		}
		c.do("GET", testVault+"/backupJobs?$filter="+url.QueryEscape("startTime eq 'yesterday'"), "", 400)
		old := c.get(testVault + "/backupJobs?api-version=2021-01-01")
		if strings.Contains(string(old.body), "Cancellable") {
			t.Errorf("%s", old.body)
		}
	})
}

func TestActionsOfAJobAreNumbersAtOldAPIVersions(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("POST", itemPath("vm1")+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`, 202)
	for version, want := range map[string]string{"2021-01-01": `"actionsInfo":[1]`, "2023-02-01": `"actionsInfo":["Cancellable"]`} {
		if a := c.get(testVault + "/backupJobs?api-version=" + version); !strings.Contains(string(a.body), want) {
			t.Errorf("%s: %s", version, a.body)
		}
	}
}

func TestCancelledBackupLeavesNoRecoveryPoint(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := quick()
		set.Durations["transfer"] = settings.Fixed(10 * time.Minute)
		c := serve(t, estate(t), Options{Settings: set})
		c.protect("VM1", "daily")
		end := c.follow(c.do("POST", itemPath("vm1")+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`, 202))
		job := testVault + "/backupJobs/" + rawjson.TextAt(end.body, "properties", "jobId")
		a := c.do("POST", job+"/cancel", "", 202)
		if !strings.Contains(a.header.Get("Azure-AsyncOperation"), "/operationsStatus/") || !strings.Contains(a.header.Get("Azure-AsyncOperation"), "2019-05-13-preview") {
			t.Errorf("headers %v", a.header)
		}
		if got := rawjson.TextAt(c.get(job).body, "properties", "status"); got != "Cancelling" {
			t.Errorf("status %s", got)
		}
		time.Sleep(time.Hour)
		c.do("GET", a.header.Get("Location"), "", 204)
		if got := rawjson.TextAt(c.get(job).body, "properties", "status"); got != "Cancelled" {
			t.Errorf("status %s", got)
		}
		if rawjson.TextAt(c.props("vm1"), "protectionState") != "IRPending" {
			t.Errorf("%s", c.props("vm1"))
		}
		c.do("POST", job+"/cancel", "", 400)
	})
}

func TestBackupStatusLooksInAllVaultsOfTheRegion(t *testing.T) {
	c := serve(t, withSecondVault(t), Options{Settings: at0()})
	ask := func(region, vm string) json.RawMessage {
		t.Helper()
		return c.do("POST", "/Subscriptions/"+testSub+"/providers/Microsoft.RecoveryServices/locations/"+region+"/backupStatus",
			`{"resourceType":"VM","resourceId":"`+vmID(vm)+`"}`, 200).body
	}
	none := ask("westeurope", "VM1")
	if rawjson.TextAt(none, "protectionStatus") != "NotProtected" || rawjson.TextAt(none, "containerName") != "iaasvmcontainer;iaasvmcontainerv2;rg-app;vm1" || rawjson.RawAt(none, "vaultId") != nil {
		t.Errorf("%s", none)
	}
	c.do("PUT", strings.Replace(itemPath("vm1"), "vault1", "vault2", 1), strings.ReplaceAll(protectBody("VM1", "daily"), "vault1", "vault2"), 202)
	held := ask("westeurope", "VM1")
	if rawjson.TextAt(held, "protectionStatus") != "Protected" || rawjson.TextAt(held, "vaultId") != otherVault || rawjson.TextAt(held, "policyName") != "daily" || rawjson.TextAt(held, "protectedItemName") != "vm;iaasvmcontainerv2;rg-app;vm1" {
		t.Errorf("%s", held)
	}
	if other := ask("northeurope", "VM1"); rawjson.TextAt(other, "protectionStatus") != "NotProtected" {
		t.Errorf("another region: %s", other)
	}
	pre := c.do("POST", "/subscriptions/"+testSub+"/providers/Microsoft.RecoveryServices/locations/westeurope/backupPreValidateProtection",
		`{"resourceType":"VM","resourceId":"`+vmID("vm1")+`","vaultId":"`+testVault+`","properties":""}`, 200)
	if rawjson.TextAt(pre.body, "errorCode") != "VirtualMachineAlreadyProtected" {
		t.Errorf("%s", pre.body)
	}
}

func TestContainersOfSoftDeletedItemsAreInTheListOfDeletedOnes(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	registered := testVault + "/backupProtectionContainers?$filter=" + url.QueryEscape("backupManagementType eq 'AzureIaasVM' and status eq 'Registered'")
	deleted := testVault + "/backupDeletedProtectionContainers?$filter=" + url.QueryEscape("backupManagementType eq 'AzureIaasVM'")
	rows, _ := c.all(registered)
	if len(rows) != 1 || rawjson.TextAt(rows[0], "name") != "IaasVMContainer;iaasvmcontainerv2;rg-app;vm1" || rawjson.TextAt(rows[0], "properties", "registrationStatus") != "Registered" {
		t.Errorf("%s", rows)
	}
	c.do("DELETE", itemPath("vm1"), "", 202)
	if rows, _ = c.all(registered); len(rows) != 0 {
		t.Errorf("%s", rows)
	}
	if rows, _ = c.all(deleted); len(rows) != 1 || rawjson.TextAt(rows[0], "properties", "registrationStatus") != "SoftDeleted" {
		t.Errorf("%s", rows)
	}
	usage := values(c.get(testVault + "/backupUsageSummaries?$filter=type%20eq%20'BackupProtectedItemCountSummary'"))
	if len(usage) != 1 || rawjson.Number(usage[0], "currentValue") != 1 {
		t.Errorf("%s", usage)
	}
}

func TestRequestsOutsideTheAPIAreRefused(t *testing.T) {
	c := serve(t, estate(t), Options{})
	for _, tc := range []struct {
		method, url string
		status      int
		code        string
	}{
		{"GET", "https://management.azure.com" + testVault, 400, "MissingApiVersionParameter"},
		{"GET", testVault + "?api-version=banana", 400, "InvalidApiVersionParameter"},
		{"POST", testVault, 405, "HttpMethodNotAllowed"},
		{"GET", testVault + "/backupNothing", 404, "InvalidResourceType"},
		{"GET", testVault + "//backupJobs", 404, "InvalidResourceType"},
		{"GET", testVault + "/backupJobs/nope", 404, "BMSUserErrorJobNotFound"},
		{"GET", testVault + "/backupOperations/nope", 404, "OperationNotFound"},
		{"GET", policyPath("nope"), 404, "BMSUserErrorPolicyObjectNotFound"},
	} {
		if a := c.do(tc.method, tc.url, "", tc.status); a.code() != tc.code {
			t.Errorf("%s %s: %s", tc.method, tc.url, a.body)
		}
	}
	c.get(testVault + "/backupPolicies/")
}

func TestReadsThatFailedWhenTheEstateWasTakenFailAgain(t *testing.T) {
	c := serve(t, estate(t, `"refused":[{"method":"GET","path":"`+strings.ToLower(testVault)+`/backupProtectedItems","status":403,`+
		`"headers":{"x-ms-request-id":"r1"},"body":{"error":{"code":"AuthorizationFailed","message":"no"}}}]`), Options{})
	a := c.do("GET", testVault+"/backupProtectedItems", "", 403)
	if a.code() != "AuthorizationFailed" || a.header.Get("X-Ms-Request-Id") != "r1" {
		t.Errorf("%v %s", a.header, a.body)
	}
}
