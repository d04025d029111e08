package azure

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

const (
	groupID   = azuretest.GroupID
	disksPath = azuretest.DisksPath
	accountID = groupID + "/providers/Microsoft.Storage/storageAccounts/st1"
)

// edited returns a JSON body with one text replaced.
func edited(t *testing.T, body, old, replacement string) string {
	t.Helper()
	if !strings.Contains(body, old) {
		t.Fatalf("%q is not in %s", old, body)
	}
	return strings.Replace(body, old, replacement, 1)
}

func TestRecoveryPointsAreListedNewestFirst(t *testing.T) {
	f := newFake().on("GET", item1+"/recoveryPoints", lists(
		rawPoint(item1, "2024-11-01T06:00:00Z"), rawPoint(item1, "2024-11-20T06:00:00Z"), rawPoint(item1, "2024-11-10T06:00:00Z")))
	c := f.client(t, CommandPoints)
	points, err := c.RecoveryPoints(t.Context(), item1)
	if err != nil || len(points) != 3 || points[0].Name != "2024-11-20T06:00:00Z" || points[2].Name != "2024-11-01T06:00:00Z" {
		t.Errorf("%+v, %v", points, err)
	}
	c = newFake().on("GET", item1+"/recoveryPoints", fails(403, "AuthorizationFailed")).client(t, CommandPoints)
	if points, err := c.RecoveryPoints(t.Context(), item1); err == nil || points != nil {
		t.Errorf("%+v, %v", points, err)
	}
}

func restoreJobs(t *testing.T, listed, one http.HandlerFunc) []plan.RestoreJob {
	t.Helper()
	c := newFake().on("GET", vaultID+"/backupJobs", listed).on("GET", vaultID+"/backupJobs/j1", one).client(t, CommandPoints)
	jobs, err := c.RestoreJobs(t.Context(), vaultID, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), "iaasvmcontainerv2;rg-app;VM1")
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// Names of jobs come from tags, which anybody may write.
func TestOnlyJobsAreReadByTheNamesInTags(t *testing.T) {
	const name = "5fdb13cf-21f3-4e92-9827-941fc75f8ca9"
	f := newFake().on("GET", vaultID+"/backupJobs/"+name, says(200, azuretest.RestoreJob(name, "c", azuretest.RestoreBag)))
	c := f.client(t, CommandRestoreTest)
	jobs, err := c.RestoreJobsNamed(t.Context(), vaultID, []string{"..", "x/../../y", "", name, "{" + name + "}", "urn:uuid:" + name})
	if err != nil || len(jobs) != 1 || len(f.sent) != 1 || !jobs[0].IsProof() {
		t.Errorf("%+v, %v, %d requests", jobs, err, len(f.sent))
	}
	f.on("GET", vaultID+"/backupJobs/"+name, fails(404, "NotFound"))
	if jobs, err := c.RestoreJobsNamed(t.Context(), vaultID, []string{name}); err != nil || len(jobs) != 0 {
		t.Errorf("%+v, %v", jobs, err)
	}
	f.on("GET", vaultID+"/backupJobs/"+name, fails(403, "AuthorizationFailed"))
	if jobs, err := c.RestoreJobsNamed(t.Context(), vaultID, []string{name}); err == nil {
		t.Errorf("a failed read proves no absence: %+v", jobs)
	}
}

func TestRestoreJobsAreReadWithTheirPropertyBags(t *testing.T) {
	const container = "iaasvmcontainerv2;rg-app;vm1"
	row := edited(t, azuretest.RestoreJob("j1", container, "{}"), `,"extendedInfo":{"propertyBag":{}}`, "")
	another := azuretest.RestoreJob("j2", "iaasvmcontainerv2;rg-app;vm2", "{}")
	if jobs := restoreJobs(t, lists(row, another), says(200, azuretest.RestoreJob("j1", container, azuretest.RestoreBag))); len(jobs) != 1 || !jobs[0].IsProof() {
		t.Errorf("%+v, want the one of the VM", jobs)
	}
	if jobs := restoreJobs(t, lists(row, row), says(200, azuretest.RestoreJob("j1", container, azuretest.RestoreBag))); len(jobs) != 1 {
		t.Errorf("a job that is in two pages is one restore of the day: %+v", jobs)
	}
	if jobs := restoreJobs(t, lists(row), fails(403, "AuthorizationFailed")); len(jobs) != 1 || jobs[0].IsProof() || jobs[0].Unreadable == "" {
		t.Errorf("a job that could not be read: %+v", jobs)
	}
}

func TestARowThatNamesNoDiskOfTheGroupIsNotAnAbsence(t *testing.T) {
	c := newFake().on("GET", disksPath, lists(edited(t, azuretest.Disk, disksPath, vmList))).client(t, CommandPlan)
	if disks, err := c.Disks(t.Context(), groupID); err == nil {
		t.Errorf("%+v", disks)
	}
}

func TestOneDiskOneGroupOneAccount(t *testing.T) {
	id := disksPath + "/vm1-osdisk-20240515-083713"
	f := newFake().on("GET", id, says(200, azuretest.Disk)).on("GET", id+"2", says(200, azuretest.Disk)).on("GET", id+"3", fails(404, "ResourceNotFound")).
		on("GET", groupID, says(200, `{"id":"`+groupID+`","location":"westeurope","tags":{"azbackup-restore-tests":"allowed"}}`)).
		on("GET", groupID+"2", says(200, `{"id":"`+groupID+`2","location":"westeurope","tags":["allowed"]}`)).
		on("GET", groupID+"3", fails(404, "ResourceGroupNotFound")).on("GET", groupID+"4", fails(403, "AuthorizationFailed")).
		on("GET", accountID, says(200, `{"sku":{"name":"Standard_LRS"},"kind":"StorageV2","id":"`+accountID+`","location":"westeurope"}`)).
		on("GET", accountID+"2", says(200, `{"sku":"LRS","kind":"StorageV2","id":"`+accountID+`2","location":"westeurope"}`)).
		on("GET", accountID+"3", fails(404, "ResourceNotFound"))
	c := f.client(t, CommandPlan)
	if d, exists, err := c.Disk(t.Context(), id); err != nil || !exists || !d.IsFree() {
		t.Errorf("%+v %v %v", d, exists, err)
	}
	if d, _, err := c.Disk(t.Context(), id+"2"); err == nil {
		t.Errorf("another disk's answer: %+v", d)
	}
	if _, exists, err := c.Disk(t.Context(), id+"3"); err != nil || exists {
		t.Errorf("%v %v", exists, err)
	}
	if g, exists, err := c.ResourceGroup(t.Context(), groupID); err != nil || !exists || g.Unreadable != "" || g.Name != "rg-tests" || g.Tags["azbackup-restore-tests"] != "allowed" {
		t.Errorf("%+v %v %v", g, exists, err)
	}
	if g, _, err := c.ResourceGroup(t.Context(), groupID+"2"); err != nil || g.Unreadable == "" {
		t.Errorf("%+v %v", g, err)
	}
	if _, exists, err := c.ResourceGroup(t.Context(), groupID+"3"); err != nil || exists {
		t.Errorf("%v %v", exists, err)
	}
	if _, _, err := c.ResourceGroup(t.Context(), groupID+"4"); err == nil {
		t.Error("a refusal is no absence")
	}
	a, exists, err := c.StorageAccount(t.Context(), accountID)
	if err != nil || !exists || a.WhyCannotStage("West Europe") != "" || a.WhyCannotStage("northeurope") == "" {
		t.Errorf("%+v %v %v", a, exists, err)
	}
	if a, _, err := c.StorageAccount(t.Context(), accountID+"2"); err != nil || a.Unreadable == "" || a.WhyCannotStage("westeurope") == "" {
		t.Errorf("%+v %v", a, err)
	}
	if _, exists, err := c.StorageAccount(t.Context(), accountID+"3"); err != nil || exists {
		t.Errorf("%v %v", exists, err)
	}
}

// A row that names no account is not an account that does not exist.
func TestAListOfAccountsWithANamelessRowIsNotRead(t *testing.T) {
	path := "/subscriptions/" + sub + "/providers/Microsoft.Storage/storageAccounts"
	good := `{"sku":{"name":"Standard_LRS"},"kind":"StorageV2","id":"` + accountID + `","location":"westeurope"}`
	for _, id := range []string{`7`, `""`, `"st1"`} {
		f := newFake().on("GET", path, lists(good, edited(t, good, `"`+accountID+`"`, id))).on("GET", groupID, fails(404, "ResourceGroupNotFound"))
		var facts plan.RestoreFacts
		if err := f.client(t, CommandRestore).RestoreTargets(t.Context(), []string{sub}, groupID, []string{"st1"}, &facts); err != nil {
			t.Fatal(err)
		}
		if len(facts.Gaps) != 1 || facts.Gaps[0].Kind != plan.GapStaging || len(facts.Unread) != 1 || facts.Unread[0] != "st1" {
			t.Errorf("%s: %+v", id, facts)
		}
	}
}
