package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

func TestProtectIsAnEmpty202AndTheItemIsIRPendingAfterwards(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
		if len(a.body) != 0 {
			t.Errorf("body %q, want none", a.body)
		}
		status, result := a.header.Get("Azure-AsyncOperation"), a.header.Get("Location")
		if !strings.Contains(status, "/protectedItems/vm;iaasvmcontainerv2;rg-app;vm1/operationsStatus/") || len(status) < 2900 {
			t.Errorf("Azure-AsyncOperation %d %.300s", len(status), status)
		}
		if !strings.Contains(result, "/protectedItems/vm;iaasvmcontainerv2;rg-app;vm1/operationResults/") {
			t.Errorf("Location %.300s", result)
		}
		if got := a.header.Get("Retry-After"); got != "60" {
			t.Errorf("Retry-After %q", got)
		}
		p := c.get(status)
		if got := rawjson.TextAt(p.body, "endTime"); got != "0001-01-01T00:00:00" {
			t.Errorf("endTime while running %q", got)
		}
		if r := c.do("GET", result, "", 202); string(r.body) != "{}" || r.header.Get("Location") == result {
			t.Errorf("result while running: body %q, Location unchanged %v", r.body, r.header.Get("Location") == result)
		}
		c.do("GET", itemPath("vm1"), "", 404)
		time.Sleep(11 * time.Second)
		p = c.get(status)
		if rawjson.TextAt(p.body, "status") != "Succeeded" || rawjson.TextAt(p.body, "endTime") != rawjson.TextAt(p.body, "startTime") || rawjson.TextAt(p.body, "properties", "jobId") == "" {
			t.Errorf("status %s", p.body)
		}
		equalJSON(t, c.get(result).body, c.get(itemPath("vm1")).body)
		equalJSON(t, c.get(testVault+"/backupOperations/"+rawjson.TextAt(p.body, "id")).body, p.body)
		job := c.get(testVault + "/backupJobs/" + rawjson.TextAt(p.body, "properties", "jobId"))
		if rawjson.TextAt(job.body, "properties", "status") != "Completed" || rawjson.TextAt(job.body, "properties", "duration") != "PT10S" {
			t.Errorf("job %s", job.body)
		}
		props := c.props("vm1")
		for field, want := range map[string]string{
			"protectionState": "IRPending", "lastBackupTime": "2001-01-01T00:00:00Z", "sourceResourceId": vmID("VM1"),
			"containerName": "iaasvmcontainerv2;rg-app;vm1", "vaultId": "https://management.azure.com" + testVault, "policyName": "daily",
		} {
			if got := rawjson.TextAt(props, field); got != want {
				t.Errorf("%s = %q, want %q", field, got, want)
			}
		}
	})
}

func TestItemGoesThroughItsWholeLife(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		state := func(want, policy string) {
			t.Helper()
			if p := c.props("vm1"); rawjson.TextAt(p, "protectionState") != want || rawjson.TextAt(p, "policyName") != policy {
				t.Fatalf("item %s, want %s under %q", p, want, policy)
			}
		}
		c.protect("VM1", "daily")
		state("IRPending", "daily")
		c.protect("VM1", "other")
		state("IRPending", "other")
		c.follow(c.do("PUT", itemPath("vm1"), stateBody("VM1", "ProtectionStopped", ""), 202))
		state("ProtectionStopped", "")
		del := c.do("DELETE", itemPath("vm1"), "", 202)
		if !strings.Contains(del.header.Get("Location"), "/vaults/vault1/backupOperationResults/") {
			t.Errorf("Location %.300s", del.header.Get("Location"))
		}
		c.follow(del)
		p := c.props("vm1")
		if !rawjson.BoolAt(p, "isScheduledForDeferredDelete") || !strings.HasPrefix(rawjson.TextAt(p, "deferredDeleteTimeRemaining"), "13.23:59:") {
			t.Errorf("soft-deleted item %s", p)
		}
		c.do("DELETE", itemPath("vm1"), "", 400)
		if got := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 400); got.code() == "" {
			t.Errorf("protecting a soft-deleted item: %s", got.body)
		}
		c.follow(c.do("PUT", itemPath("vm1"), stateBody("VM1", "ProtectionStopped", `,"isRehydrate":true`), 202))
		if p := c.props("vm1"); rawjson.TextAt(p, "protectionState") != "ProtectionStopped" || rawjson.RawAt(p, "isScheduledForDeferredDelete") != nil {
			t.Errorf("undeleted item %s", p)
		}
		c.protect("VM1", "daily")
		state("IRPending", "daily")
	})
}

func TestSoftDeletedItemGoesWhenItsTimeIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		c.protect("VM1", "daily")
		c.follow(c.do("DELETE", itemPath("vm1"), "", 202))
		time.Sleep(13 * 24 * time.Hour)
		c.get(itemPath("vm1"))
		time.Sleep(25 * time.Hour)
		if a := c.do("GET", itemPath("vm1"), "", 404); a.code() != "BMSUserErrorDataSourceObjectNotFound" {
			t.Errorf("after the purge: %s", a.body)
		}
	})
}

func TestBackupTurnsAnItemProtected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := quick()
		set.Durations["snapshot"], set.Durations["transfer"] = settings.Fixed(7*time.Minute), settings.Fixed(33*time.Minute)
		c := serve(t, estate(t), Options{Settings: set})
		c.protect("VM1", "daily")
		started := c.s.clock.now().UTC().Format(time.RFC3339Nano)
		a := c.do("POST", itemPath("vm1")+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`, 202)
		end := c.follow(a)
		jobPath := testVault + "/backupJobs/" + rawjson.TextAt(end.body, "properties", "jobId")
		c.do("GET", a.header.Get("Location"), "", 204)
		if got := c.do("POST", itemPath("vm1")+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`, 409); got.code() != "UserErrorBackupOperationInProgress" {
			t.Errorf("second backup: %s", got.body)
		}
		job := c.get(jobPath)
		if !strings.Contains(string(job.body), `"taskId":"Transfer data to vault","startTime":"0001-01-01T00:00:00"`) {
			t.Errorf("job %s", job.body)
		}
		time.Sleep(8 * time.Minute)
		if job = c.get(jobPath); rawjson.TextAt(job.body, "properties", "status") != "InProgress" || !strings.Contains(string(job.body), `"status":"Completed"`) {
			t.Errorf("job after the snapshot %s", job.body)
		}
		time.Sleep(40 * time.Minute)
		if job = c.get(jobPath); rawjson.TextAt(job.body, "properties", "status") != "Completed" || rawjson.TextAt(job.body, "properties", "duration") != "PT40M" {
			t.Errorf("job at the end %s", job.body)
		}
		p := c.props("vm1")
		if rawjson.TextAt(p, "protectionState") != "Protected" || rawjson.TextAt(p, "lastRecoveryPoint") != started || rawjson.RawAt(p, "healthDetails") == nil {
			t.Errorf("item %s, want a recovery point of %s", p, started)
		}
		points := values(c.get(itemPath("vm1") + "/recoveryPoints"))
		if len(points) != 1 || string(rawjson.RawAt(points[0], "properties", "threatStatus")) != "0" {
			t.Errorf("recovery points %s", points)
		}
		if p := values(c.get(itemPath("vm1") + "/recoveryPoints?api-version=2026-07-01")); rawjson.TextAt(p[0], "properties", "threatStatus") != "Unknown" {
			t.Errorf("recovery points at the SDK's api-version %s", p)
		}
		time.Sleep(31 * 24 * time.Hour)
		if n := len(values(c.get(itemPath("vm1") + "/recoveryPoints"))); n != 0 {
			t.Errorf("%d recovery points after 31 days, want 0", n)
		}
	})
}

// A database in a VM is an item of its own: it is no backup of the VM, whatever source the item names.
func TestAnItemOfAnotherWorkloadIsNoBackupOfTheVM(t *testing.T) {
	for name, id := range map[string]string{
		"in its own container":  testVault + "/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;rg-app;VM1/protectedItems/SQLDataBase;mssqlserver;master",
		"in the VM's container": strings.ReplaceAll(itemPath("VM1"), "%3B", ";"),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sql := `{"id":"` + id + `","name":"SQLDataBase;mssqlserver;master","type":"` + itemType + `","properties":{"friendlyName":"master",` +
					`"protectionState":"Protected","protectedItemType":"AzureVmWorkloadSQLDatabase","backupManagementType":"AzureWorkload","workloadType":"SQLDataBase",` +
					`"sourceResourceId":"` + vmID("VM1") + `","policyId":"` + testVault + `/backupPolicies/daily","policyName":"daily"}}`
				c := serve(t, estate(t, `"protectedItems":[`+sql+`]`), Options{Settings: quick()})
				status := func() string {
					a := c.do("POST", "/subscriptions/"+testSub+"/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus",
						`{"resourceType":"VM","resourceId":"`+vmID("VM1")+`"}`, 200)
					return rawjson.TextAt(a.body, "protectionStatus")
				}
				count := func(policy string) string {
					return string(rawjson.RawAt(c.get(policyPath(policy)).body, "properties", "protectedItemsCount"))
				}
				if got := status(); got != "NotProtected" {
					t.Errorf("backupStatus says %s", got)
				}
				if got := count("daily"); got != "0" {
					t.Errorf("the policy for VMs protects %s items", got)
				}
				c.do("GET", itemPath("VM1"), "", 404)
				c.protect("VM1", "other") // as a new item, with a policy of its own
				if got, n := status(), count("other"); got != "Protected" || n != "1" {
					t.Errorf("then backupStatus says %s, and the policy protects %s items", got, n)
				}
				for filter, want := range map[string]int{"AzureIaasVM": 1, "AzureWorkload": 1} {
					a := c.get(testVault + "/backupProtectedItems?$filter=" + strings.ReplaceAll("backupManagementType eq '"+filter+"'", " ", "%20"))
					if n := strings.Count(string(a.body), `"backupManagementType":"`+filter+`"`); n != want {
						t.Errorf("%d items of %s: %s", n, filter, a.body)
					}
				}
			})
		})
	}
}
