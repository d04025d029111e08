package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

const (
	testsGroup = "/subscriptions/" + testSub + "/resourceGroups/rg-restore-tests"
	testsDisks = testsGroup + "/providers/Microsoft.Compute/disks"
)

func accountID(name string) string {
	return "/subscriptions/" + testSub + "/resourceGroups/rg-staging/providers/Microsoft.Storage/storageAccounts/" + name
}

func accountJSON(name, location, sku, kind string) string {
	return fmt.Sprintf(`{"sku":{"name":%q},"kind":%q,"id":%q,"name":%q,"type":"Microsoft.Storage/storageAccounts","location":%q}`,
		sku, kind, accountID(name), name, location)
}

// pointJSON returns a recovery point of VM1 with its tiers as "InstantRP Valid,HardenedRP Valid".
func pointJSON(name, taken, tiers, more string) string {
	var list []string
	for tier := range strings.SplitSeq(tiers, ",") {
		kind, status, _ := strings.Cut(tier, " ")
		list = append(list, fmt.Sprintf(`{"type":%q,"status":%q}`, kind, status))
	}
	return fmt.Sprintf(`{"id":%q,"name":%q,"type":"x","properties":{"objectType":"IaasVMRecoveryPoint","recoveryPointType":"AppConsistent",`+
		`"recoveryPointTime":%q,"recoveryPointTierDetails":[%s],"isManagedVirtualMachine":true,"osType":"Linux"%s}}`,
		strings.ReplaceAll(itemPath("vm1"), "%3B", ";")+"/recoveryPoints/"+name, name, taken, strings.Join(list, ","), more)
}

// withPoints returns the estate with Vm-1's disks, its item and these recovery points.
func withPoints(t testing.TB, points ...string) *state.Estate {
	t.Helper()
	vm := `{"name":"VM1","id":"` + vmID("VM1") + `","location":"westeurope","properties":{"securityProfile":{"securityType":"TrustedLaunch"},"storageProfile":{` +
		`"osDisk":{"osType":"Linux","name":"VM1_os","diskSizeGB":64,"managedDisk":{"id":"` + ids.Before(vmID("VM1"), "virtualMachines") + `/disks/VM1_os"}},` +
		`"dataDisks":[{"lun":0,"name":"VM1_data0","diskSizeGB":256},{"lun":1,"name":"VM1_data1","diskSizeGB":512},{"lun":2,"name":"VM1_data2","diskSizeGB":1024}]}}}`
	item := `{"id":"` + strings.ReplaceAll(itemPath("vm1"), "%3B", ";") + `","name":"VM;iaasvmcontainerv2;rg-app;vm1","properties":{"friendlyName":"Vm-1",` +
		`"protectionState":"Protected","backupManagementType":"AzureIaasVM","workloadType":"VM","sourceResourceId":"` + vmID("VM1") + `","policyId":"` + testVault +
		`/backupPolicies/daily","extendedProperties":{"diskExclusionProperties":{"diskLunList":[1],"isInclusionList":false}}}}`
	return estate(t, `"virtualMachines":[`+vm+`]`, `"protectedItems":[`+item+`]`, `"recoveryPoints":[`+strings.Join(points, ",")+`]`,
		`"resourceGroups":[{"id":"`+testsGroup+`","name":"rg-restore-tests","location":"westeurope","tags":{"azbackup-restore-tests":"allowed"}}]`,
		`"storageAccounts":[`+accountJSON("stweu", "westeurope", "Standard_LRS", "StorageV2")+`,`+accountJSON("stneu", "northeurope", "Standard_LRS", "StorageV2")+`,`+
			accountJSON("stzone", "westeurope", "Standard_ZRS", "StorageV2")+`,`+accountJSON("stblob", "westeurope", "Standard_LRS", "BlobStorage")+`]`,
		`"disks":[{"id":"`+ids.Before(vmID("VM1"), "virtualMachines")+`/disks/VM1_os","name":"VM1_os","location":"westeurope","managedBy":"`+vmID("VM1")+
			`","tags":{"owner":"shop","rsvaultbackup":"an older job"},"properties":{"osType":"Linux","hyperVGeneration":"V2","diskSizeGB":64,"diskState":"Attached"}}]`)
}

// restoreBody returns a restore of VM1 with edits "field=json" to the request.
func restoreBody(edits ...string) string {
	o := rawjson.NewObject("objectType", "IaasVMRestoreRequest", "recoveryPointId", "1", "recoveryType", "RestoreDisks", "sourceResourceId", vmID("VM1"),
		"targetResourceGroupId", testsGroup, "storageAccountId", accountID("stweu"), "region", "westeurope",
		"createNewCloudService", false, "originalStorageAccountOption", false)
	for _, e := range edits {
		name, value, _ := strings.Cut(e, "=")
		if o.Del(name); value != "" {
			o.Put(name, json.RawMessage(value))
		}
	}
	return string(rawjson.NewObject("properties", o).Bytes())
}

func restorePath(point string) string {
	return itemPath("vm1") + "/recoveryPoints/" + point + "/restore"
}

const (
	instantPoint = "InstantRP Valid,HardenedRP Valid"
	vaultPoint   = "InstantRP Deleted,HardenedRP Valid"
)

// restore starts a restore and returns the job's id, which is the operation's.
func (c *client) restore(point string, edits ...string) string {
	c.t.Helper()
	a := c.do("POST", restorePath(point), restoreBody(edits...), 202)
	status := c.follow(a)
	job := rawjson.TextAt(status.body, "properties", "jobId")
	if rawjson.TextAt(status.body, "status") != "Succeeded" || job == "" || job != rawjson.TextAt(status.body, "name") || rawjson.TextAt(status.body, "startTime") != rawjson.TextAt(status.body, "endTime") {
		c.t.Fatalf("operation: %s", status.body)
	}
	return job
}

func (c *client) job(id string) json.RawMessage {
	return rawjson.RawAt(c.get(testVault+"/backupJobs/"+id).body, "properties")
}

func bag(job json.RawMessage, name string) string {
	return rawjson.TextAt(job, "extendedInfo", "propertyBag", name)
}

func TestRestoreIsAcceptedAtOnceAndItsJobMakesTaggedDisks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"restoreFromSnapshot": settings.Fixed(2 * time.Minute)}}})
		began := time.Now()
		id := c.restore("1", "restoreDiskLunList=[0]")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the operation took %s", took)
		}
		job := c.job(id)
		if rawjson.TextAt(job, "status") != "InProgress" || bag(job, "Target resource group") != "rg-restore-tests" || bag(job, "Restored disk(s)") != "" {
			t.Errorf("job at the start: %s", job)
		}
		time.Sleep(100 * time.Second)
		if job = c.job(id); rawjson.TextAt(job, "status") != "InProgress" || !strings.Contains(string(job), `"taskId":"Transfer data from vault","duration":"PT0S","status":"Completed"`) {
			t.Errorf("job 20 s before its end: %s", job)
		}
		if n := len(values(c.get(testsDisks))); n != 0 {
			t.Errorf("%d disks before the job's end", n)
		}
		time.Sleep(15 * time.Second)
		job = c.job(id)
		if rawjson.TextAt(job, "status") != "Completed" || bag(job, "Restored disk(s)") != "VM1_os; VM1_data0" || bag(job, "Backed-up disk(s)") != "VM1_os; VM1_data0; VM1_data2" ||
			!strings.HasSuffix(bag(job, "Template Blob Uri"), "/azuredeploy"+id+".json") || rawjson.TextAt(job, "extendedInfo", "estimatedRemainingDuration") != "PT0S" {
			t.Errorf("job at the end: %s", job)
		}
		disks := values(c.get(testsDisks))
		if len(disks) != 2 {
			t.Fatalf("%d disks, want 2", len(disks))
		}
		os, data := disks[0], disks[1]
		equalJSON(t, c.get(rawjson.TextAt(os, "id")).body, os)
		if rawjson.TextAt(os, "name") != "vm1-osdisk-20240513-100200" || rawjson.TextAt(data, "name") != "vm1-datadisk-000-20240513-100200" {
			t.Errorf("names %s, %s", rawjson.TextAt(os, "name"), rawjson.TextAt(data, "name"))
		}
		if rawjson.TextAt(os, "tags", "RSVaultBackup") != id || rawjson.TextAt(os, "tags", "owner") != "shop" || rawjson.TextAt(os, "tags", "Creator") == "" || rawjson.RawAt(os, "tags", "rsvaultbackup") != nil {
			t.Errorf("tags %s", rawjson.RawAt(os, "tags"))
		}
		p := rawjson.RawAt(os, "properties")
		if rawjson.TextAt(p, "osType") != "Linux" || rawjson.TextAt(p, "hyperVGeneration") != "V2" || rawjson.Number(p, "diskSizeGB") != 64 || rawjson.TextAt(p, "diskState") != "Unattached" ||
			rawjson.TextAt(p, "creationData", "createOption") != "Restore" || !strings.Contains(rawjson.TextAt(p, "creationData", "sourceResourceId"), "/restorePointCollections/AzureBackup_") {
			t.Errorf("the OS disk: %s", p)
		}
		if p := rawjson.RawAt(data, "properties"); rawjson.RawAt(p, "osType") != nil || rawjson.Number(p, "diskSizeGB") != 256 {
			t.Errorf("the data disk: %s", p)
		}
		if n := len(c.s.st.Service.Staged); n != 0 {
			t.Errorf("files in %d storage accounts, want none", n)
		}
	})
}

// Two restores in one second would give their disks the same names: neither overwrites the other's.
func TestRestoresOfOneSecondMakeDisksOfTheirOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := settings.Settings{Durations: map[string]settings.Range{"restoreFromSnapshot": settings.Fixed(time.Minute), "restoreTrigger": settings.Fixed(0)}}
		c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")), Options{Settings: set})
		first, second := c.restore("1", "restoreDiskLunList=[]"), c.restore("1", "restoreDiskLunList=[]")
		time.Sleep(2 * time.Minute)
		disks := values(c.get(testsDisks))
		if len(disks) != 2 || rawjson.TextAt(disks[0], "tags", jobTag) != first || rawjson.TextAt(disks[1], "tags", jobTag) != second {
			t.Errorf("disks %s", disks)
		}
	})
}

func TestRestoreFromTheVaultTellsOfProgressAndLeavesFiles(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", vaultPoint, "")), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"restore": settings.Fixed(100 * time.Minute)}}})
		id := c.restore("1")
		time.Sleep(time.Hour)
		job := c.job(id)
		if !strings.Contains(string(job), `672 GBs / 1344 GBs Transferred`) || rawjson.TextAt(job, "extendedInfo", "estimatedRemainingDuration") == "" {
			t.Errorf("job on the way: %s", job)
		}
		time.Sleep(time.Hour)
		if job = c.job(id); rawjson.TextAt(job, "status") != "Completed" {
			t.Errorf("job at the end: %s", job)
		}
		for _, d := range values(c.get(testsDisks)) {
			if rawjson.TextAt(d, "properties", "creationData", "createOption") != "Import" {
				t.Errorf("disk %s", d)
			}
		}
		if n := c.s.st.Service.Staged[ids.Key(accountID("stweu"))]; n != 3 {
			t.Errorf("%d files left in the staging account, want 3", n)
		}
	})
}

func TestRestoreIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		tiers string
		more  string
		edit  string
		set   settings.Settings
		code  string
	}{
		"the snapshot is gone":        {tiers: "InstantRP Deleted", code: "UserErrorInstantRpNotFound"},
		"archived":                    {tiers: "ArchivedRP Valid", code: "UserErrorRecoveryPointNotRehydrated"},
		"no staging account":          {edit: "storageAccountId=", code: "BMSUserErrorInvalidInput"},
		"staging account is missing":  {edit: `storageAccountId="` + accountID("gone") + `"`, code: "UserErrorStorageAccountNotFound"},
		"staging in another region":   {edit: `storageAccountId="` + accountID("stneu") + `"`, code: "UserErrorStorageAccountLocationMismatch"},
		"staging over zones":          {edit: `storageAccountId="` + accountID("stzone") + `"`, code: "UserErrorStorageAccountNotSupported"},
		"staging for blobs":           {edit: `storageAccountId="` + accountID("stblob") + `"`, code: "UserErrorStorageAccountNotSupported"},
		"another region":              {edit: `region="northeurope"`, code: "UserErrorRestoreRegionMismatch"},
		"group is missing":            {edit: `targetResourceGroupId="` + testsGroup + `x"`, code: "UserErrorTargetResourceGroupNotFound"},
		"another kind of request":     {edit: `objectType="IaasVMRestoreWithRehydrationRequest"`, code: "BMSUserErrorInvalidInput"},
		"over the disks there":        {edit: `recoveryType="OriginalLocation"`, code: "BMSUserErrorInvalidInput"},
		"quota of disks":              {set: settings.Settings{DiskQuota: 3}, code: "UserErrorDiskCountSubscriptionQuotaReached"},
		"private access without word": {more: `,"isPrivateAccessEnabledOnAnyDisk":true`, code: "UserErrorDiskNetworkAccessSettingsInvalid"},
		"a word without private":      {edit: `targetDiskNetworkAccessSettings={}`, code: "UserErrorDiskNetworkAccessSettingsInvalid"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", cmp.Or(tc.tiers, instantPoint), tc.more)), Options{Settings: tc.set})
			if a := c.do("POST", restorePath("1"), restoreBody(tc.edit), 400); a.code() != tc.code {
				t.Errorf("%s", a.body)
			}
			if jobs := values(c.get(testVault + "/backupJobs")); len(jobs) != 0 {
				t.Errorf("a refused restore has a job: %s", jobs)
			}
			// The check without effect returns the same errors.
			a := c.do("POST", testVault+"/backupTriggerValidateOperation", validateBody(tc.edit), 202)
			if a.header.Get("Retry-After") != "10" {
				t.Errorf("Retry-After %s, want 10", a.header.Get("Retry-After"))
			}
		})
	}
	t.Run("no such point", func(t *testing.T) {
		c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")), Options{})
		c.do("POST", restorePath("2"), restoreBody(), 404)
	})
}

func validateBody(edits ...string) string {
	request := rawjson.RawAt([]byte(restoreBody(edits...)), "properties")
	return string(rawjson.NewObject("id", strings.ReplaceAll(itemPath("vm1"), "%3B", ";")+"/recoveryPoints/1", "properties",
		rawjson.NewObject("objectType", "ValidateIaasVMRestoreOperationRequest", "restoreRequest", json.RawMessage(request))).Bytes())
}

func TestItemIsRestoredTenTimesADay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := settings.Settings{DailyLimits: true, Durations: map[string]settings.Range{"": settings.Fixed(0)}}
		c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")), Options{Settings: set})
		for range 10 {
			c.restore("1")
		}
		if a := c.do("POST", restorePath("1"), restoreBody(), 400); a.code() != "CloudDosAbsoluteLimitReached" {
			t.Errorf("the eleventh: %s", a.body)
		}
		time.Sleep(25 * time.Hour)
		c.restore("1")
	})
}

func TestValidationGivesAVerdictOrIsNotOffered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		point := pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")
		verdict := func(set settings.Settings, edits ...string) json.RawMessage {
			t.Helper()
			c := serve(t, withPoints(t, point), Options{Settings: set})
			a := c.do("POST", testVault+"/backupTriggerValidateOperation", validateBody(edits...), 202)
			if !strings.Contains(a.header.Get("Location"), "/backupValidateOperationResults/") {
				t.Errorf("Location %.200s", a.header.Get("Location"))
			}
			c.do("GET", a.header.Get("Location"), "", 202)
			end := c.follow(a)
			if rawjson.TextAt(end.body, "status") != "Succeeded" || rawjson.TextAt(end.body, "properties", "objectType") != "OperationStatusValidateOperationExtendedInfo" {
				t.Fatalf("status %s", end.body)
			}
			rows := rawjson.RawAt(end.body, "properties", "validateOperationResponse", "validationResults")
			equalJSON(t, rawjson.RawAt(c.get(a.header.Get("Location")).body, "validateOperationResponse", "validationResults"), rows)
			return rows
		}
		if rows := verdict(settings.Settings{}); string(rows) != "[]" {
			t.Errorf("a good restore: %s", rows)
		}
		if rows := verdict(settings.Settings{}, `region="northeurope"`, "storageAccountId="); !strings.Contains(string(rows), "UserErrorRestoreRegionMismatch") || !strings.Contains(string(rows), "storage account") {
			t.Errorf("a bad restore: %s", rows)
		}
		found := settings.Finding{Code: "UserErrorCoreCountSubscriptionQuotaReached", Message: "no room", Recommendations: []string{"ask for more"}}
		if rows := verdict(settings.Settings{RestoreFindings: []settings.Finding{found}}); !strings.Contains(string(rows), "ask for more") {
			t.Errorf("with a finding: %s", rows)
		}
		for word, status := range map[string]int{"absent": 404, "forbidden": 403} {
			c := serve(t, withPoints(t, point), Options{Settings: settings.Settings{ValidateRestore: word}})
			c.do("POST", testVault+"/backupTriggerValidateOperation", validateBody(), status)
		}
		if err := (settings.Settings{ValidateRestore: "maybe"}).Check(); err == nil {
			t.Error("an unknown word was taken")
		}
	})
}

func TestRestoreFaultsLetDisksComeOutWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		fault         settings.Fault
		status        string
		disks, usable int
	}{
		"left":     {settings.Fault{Disks: "left"}, "Failed", 1, 1},
		"missing":  {settings.Fault{Disks: "missing"}, "Completed", 2, 2},
		"attached": {settings.Fault{Disks: "attached"}, "Completed", 3, 0},
		"lies":     {settings.Fault{Operation: "lies", Code: "UserErrorRestoreDiskQuota", Message: "no room"}, "Failed", 0, 0},
		"fails":    {settings.Fault{Operation: "fails"}, "Failed", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				tc.fault.Kind = "item.restore"
				c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")), Options{Settings: settings.Settings{Faults: []settings.Fault{tc.fault}}})
				c.do("POST", restorePath("1"), restoreBody(), 202)
				time.Sleep(time.Hour)
				jobs := values(c.get(testVault + "/backupJobs"))
				job := c.job(rawjson.TextAt(jobs[0], "name"))
				if rawjson.TextAt(job, "status") != tc.status || tc.fault.Code != "" && !strings.Contains(string(rawjson.RawAt(job, "errorDetails")), tc.fault.Code) {
					t.Errorf("job %s", job)
				}
				disks := values(c.get(testsDisks))
				usable := 0
				for _, d := range disks {
					if rawjson.TextAt(d, "managedBy") == "" {
						usable++
					}
				}
				if len(disks) != tc.disks || usable != tc.usable {
					t.Errorf("%d disks, %d of them free, want %d and %d", len(disks), usable, tc.disks, tc.usable)
				}
			})
		})
	}
}

// The disks of a restore may be listed later than its job ends; a kill in between loses none.
func TestDisksAppearAfterTheJobAndOutliveAKill(t *testing.T) {
	path := writeEstate(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")))
	set := settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0), "diskLag": settings.Fixed(time.Hour)}}
	c := open1(t, path, Options{Settings: set})
	id := c.restore("1")
	if rawjson.TextAt(c.job(id), "status") != "Completed" || len(values(c.get(testsDisks))) != 0 {
		t.Errorf("job %s, disks %s", c.job(id), c.get(testsDisks).body)
	}
	c.do("PUT", testsGroup+"2", `{"location":"westeurope"}`, 201)
	if err := c.s.wal.Abandon(); err != nil {
		t.Fatal(err)
	}
	c = open1(t, path, Options{Settings: set, Speed: 1e9})
	time.Sleep(10 * time.Millisecond)
	if n := len(values(c.get(testsDisks))); n != 3 {
		t.Errorf("%d disks an hour after the job, want 3", n)
	}
	c.do("PUT", testsGroup+"3", `{"location":"westeurope"}`, 201)
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	c = open1(t, path, Options{Settings: set})
	defer c.s.Close()
	if n := len(values(c.get(testsDisks))); n != 3 {
		t.Errorf("%d disks in the folded file, want 3", n)
	}
	c.get(accountID("stweu"))
}

func TestPointsTellOfTheirDisksOneByOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, withPoints(t), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(time.Minute)}, Pages: map[string]int{"points": 2}}})
		for range 3 {
			c.do("POST", itemPath("vm1")+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`, 202)
			time.Sleep(time.Hour)
		}
		rows, pages := c.all(itemPath("vm1") + "/recoveryPoints")
		if len(rows) != 3 || pages != 2 || rawjson.TextAt(rows[0], "properties", "recoveryPointTime") < rawjson.TextAt(rows[2], "properties", "recoveryPointTime") {
			t.Fatalf("%d points on %d pages: %s", len(rows), pages, rows)
		}
		list := rawjson.RawAt(rows[0], "properties", "recoveryPointDiskConfiguration")
		equalJSON(t, list, []byte(`{"numberOfDisksIncludedInBackup":3,"numberOfDisksAttachedToVm":4}`))
		one := c.get(rawjson.TextAt(rows[0], "id")).body
		equalJSON(t, rawjson.RawAt(one, "properties", "recoveryPointDiskConfiguration", "excludedDiskList"), []byte(`[{"lun":1,"name":"VM1_data1"}]`))
		equalJSON(t, rawjson.RawAt(one, "properties", "recoveryPointDiskConfiguration", "includedDiskList"),
			[]byte(`[{"lun":-1,"name":"VM1_os"},{"lun":0,"name":"VM1_data0"},{"lun":2,"name":"VM1_data2"}]`))
		if rawjson.RawAt(one, privateKey) != nil {
			t.Errorf("what only the simulator knows is told: %s", one)
		}
		if rawjson.RawAt(one, "properties", "recoveryPointProperties") != nil {
			t.Errorf("an expiry at an old api-version: %s", one)
		}
		one = c.get(rawjson.TextAt(rows[0], "id") + "?api-version=2025-08-01").body
		if rawjson.TextAt(one, "properties", "recoveryPointProperties", "expiryTime") == "" {
			t.Errorf("no expiry: %s", one)
		}
		only, _ := c.all(itemPath("vm1") + "/recoveryPoints?$filter=startDate%20eq%20%272024-05-13%2010:30:00%20AM%27")
		if len(only) != 2 {
			t.Errorf("%d points in the window, want 2", len(only))
		}
	})
}

func TestDisksAreDeletedUnlessAttached(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var effects []state.Effect
		c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")),
			Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(10 * time.Second)}}, Effects: func(e state.Effect) { effects = append(effects, e) }})
		c.restore("1", "restoreDiskLunList=[]")
		time.Sleep(time.Hour)
		disk := rawjson.TextAt(values(c.get(testsDisks))[0], "id")
		if a := c.do("DELETE", ids.Before(vmID("VM1"), "virtualMachines")+"/disks/VM1_os", "", 409); a.code() != "OperationNotAllowed" {
			t.Errorf("a disk in use: %s", a.body)
		}
		a := c.do("DELETE", disk, "", 202)
		if !strings.Contains(a.header.Get("Location"), "monitor=true") {
			t.Errorf("Location %.200s", a.header.Get("Location"))
		}
		c.get(disk)
		c.do("GET", a.header.Get("Location"), "", 202)
		if end := c.follow(a); rawjson.TextAt(end.body, "status") != "Succeeded" {
			t.Errorf("status %s", end.body)
		}
		c.do("GET", a.header.Get("Location"), "", 200)
		c.do("GET", disk, "", 404)
		c.do("DELETE", disk, "", 204)
		if last := effects[len(effects)-1]; last.Section != "disks" || last.Before == nil || last.After != nil || last.Cause.IsConcurrentClient {
			t.Errorf("effect %+v", last)
		}
	})
}

// Another client attaches the disk just before its deletion.
func TestDiskThatIsAttachedMeanwhileStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stranger := `{"id":"` + testsDisks + `/somebodys","name":"somebodys","location":"westeurope","tags":{"RSVaultBackup":"another job"},"properties":{}}`
		c := serve(t, withPoints(t, pointJSON("1", "2024-05-12T22:00:00Z", instantPoint, "")), Options{
			Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(10 * time.Second)}},
			ConcurrentClients: func(_ int, r *http.Request) []settings.ConcurrentClient {
				switch {
				case r.Method == "GET" && strings.Contains(r.URL.Path, "DiskOperations"):
					return []settings.ConcurrentClient{{Attach: testsDisks + "/vm1-osdisk-*"}}
				case r.Method == "DELETE":
					return []settings.ConcurrentClient{{Section: "disks", Body: json.RawMessage(stranger)}}
				}
				return nil
			},
		})
		c.restore("1", "restoreDiskLunList=[]")
		time.Sleep(time.Hour)
		disk := rawjson.TextAt(values(c.get(testsDisks))[0], "id")
		a := c.do("DELETE", disk, "", 202)
		if end := c.follow(a); rawjson.TextAt(end.body, "status") != "Failed" || rawjson.TextAt(end.body, "error", "code") != "OperationNotAllowed" {
			t.Errorf("status %s", end.body)
		}
		c.do("GET", a.header.Get("Location"), "", 409)
		if by := rawjson.TextAt(c.get(disk).body, "managedBy"); by == "" {
			t.Error("the disk is not attached")
		}
		c.get(testsDisks + "/somebodys")
	})
}

func TestGroupsAndAccountsAreReadWithWhatDecides(t *testing.T) {
	c := serve(t, withPoints(t), Options{})
	g := c.get(testsGroup)
	if rawjson.TextAt(g.body, "tags", "azbackup-restore-tests") != "allowed" || rawjson.TextAt(g.body, "location") != "westeurope" {
		t.Errorf("group %s", g.body)
	}
	if a := c.do("GET", testsGroup+"x", "", 404); a.code() != "ResourceGroupNotFound" {
		t.Errorf("%s", a.body)
	}
	a := c.get(accountID("stzone"))
	if rawjson.TextAt(a.body, "sku", "name") != "Standard_ZRS" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("account %s %v", a.body, a.header)
	}
	if a := c.do("GET", accountID("gone"), "", 404); a.code() != "ResourceNotFound" {
		t.Errorf("%s", a.body)
	}
	if rows, _ := c.all("/subscriptions/" + testSub + "/providers/Microsoft.Storage/storageAccounts"); len(rows) != 4 {
		t.Errorf("%d accounts, want 4", len(rows))
	}
	if rows, _ := c.all("/subscriptions/" + testSub + "/providers/Microsoft.Compute/disks"); len(rows) != 1 {
		t.Errorf("%d disks, want 1", len(rows))
	}
	c.do("GET", testsGroup+"x/providers/Microsoft.Compute/disks", "", 404)
}
