package azure

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

const (
	groupID   = "/subscriptions/" + sub + "/resourceGroups/rg-tests"
	disksPath = groupID + "/providers/Microsoft.Compute/disks"
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

const fullPoint = `{"id":"` + item1 + `/recoveryPoints/362588450327416","name":"362588450327416","properties":{"objectType":"IaasVMRecoveryPoint",
	"recoveryPointType":"AppConsistent","recoveryPointTime":"2024-05-15T07:52:53.7326735Z","isSourceVMEncrypted":false,
	"recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"},{"type":"ArchivedRP","status":"Rehydrated","extendedInfo":{"rehydratedRPExpiryTime":"2024-05-20T00:00:00Z"}}],
	"isManagedVirtualMachine":true,"osType":"Windows","recoveryPointDiskConfiguration":{"numberOfDisksIncludedInBackup":2,"numberOfDisksAttachedToVm":3,
	"includedDiskList":[{"lun":-1,"name":"os"},{"lun":0,"name":"data"}],"excludedDiskList":[{"lun":1,"name":"scratch"}]},
	"recoveryPointProperties":{"expiryTime":"2024-06-15T07:52:53Z","isSoftDeleted":false},"isPrivateAccessEnabledOnAnyDisk":false,"threatStatus":0}}`

func readPoint(t *testing.T, body string) plan.RecoveryPoint {
	t.Helper()
	c := newFake().on("GET", item1+"/recoveryPoints/362588450327416", says(200, body)).client(t, CommandPoints)
	p, err := c.RecoveryPoint(t.Context(), item1+"/recoveryPoints/362588450327416")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARecoveryPointIsReadWithItsDisks(t *testing.T) {
	want := plan.RecoveryPoint{
		ID: item1 + "/recoveryPoints/362588450327416", Name: "362588450327416", Item: item1,
		Time: time.Date(2024, 5, 15, 7, 52, 53, 732673500, time.UTC), Consistency: "AppConsistent", OS: "Windows",
		Tiers: []plan.PointTier{
			{Type: "InstantRP", Status: "Valid"},
			{Type: "ArchivedRP", Status: "Rehydrated", RehydratedUntil: time.Date(2024, 5, 20, 0, 0, 0, 0, time.UTC)},
		},
		Disks: &plan.PointDisks{
			Held: 2, Attached: 3, Included: []plan.PointDisk{{LUN: plan.OSDisk, Name: "os"}, {LUN: 0, Name: "data"}},
			Excluded: []plan.PointDisk{{LUN: 1, Name: "scratch"}},
		},
		Expires: time.Date(2024, 6, 15, 7, 52, 53, 0, time.UTC),
	}
	if d := cmp.Diff(want, readPoint(t, fullPoint)); d != "" {
		t.Error(d)
	}
	// A property that the service omits is absent, not wrong.
	bare := readPoint(t, `{"id":"`+item1+`/recoveryPoints/362588450327416","properties":{"objectType":"IaasVMRecoveryPoint","recoveryPointTime":"2024-05-15T07:52:53Z"}}`)
	if bare.Unreadable != "" || bare.Tiers != nil || bare.Disks != nil || !bare.Expires.IsZero() || bare.Unmanaged {
		t.Errorf("%+v", bare)
	}
	if none := readPoint(t, edited(t, fullPoint, `[{"type":"InstantRP","status":"Valid"},`, `[],"x":[`)); none.Tiers == nil || len(none.Tiers) != 0 {
		t.Errorf("no tier is not a tier that was not told: %+v", none.Tiers)
	}
}

// Each deciding field is read, absent, or not understood: never the zero value.
func TestARecoveryPointThatIsNotUnderstoodIsUnreadable(t *testing.T) {
	for old, replacement := range map[string]string{
		`"recoveryPointTime":"2024-05-15T07:52:53.7326735Z"`:                  `"recoveryPointTime":"yesterday"`,
		`"recoveryPointTime":"2024-05-15T07:52:53.7326735Z",`:                 ``,
		`2024-05-15T07:52:53.7326735Z`:                                        `9024-05-15T07:52:53Z`,
		`"objectType":"IaasVMRecoveryPoint"`:                                  `"objectType":"GenericRecoveryPoint"`,
		`{"type":"InstantRP","status":"Valid"}`:                               `{"type":"InstantRP"}`,
		`{"type":"InstantRP","status":"Valid"},`:                              `{"type":1,"status":"Valid"},`,
		`"extendedInfo":{"rehydratedRPExpiryTime":"2024-05-20T00:00:00Z"}`:    `"extendedInfo":{"rehydratedRPExpiryTime":"soon"}`,
		`"isManagedVirtualMachine":true`:                                      `"isManagedVirtualMachine":"yes"`,
		`"isPrivateAccessEnabledOnAnyDisk":false`:                             `"isPrivateAccessEnabledOnAnyDisk":0`,
		`"isSoftDeleted":false`:                                               `"isSoftDeleted":"no"`,
		`"expiryTime":"2024-06-15T07:52:53Z"`:                                 `"expiryTime":7`,
		`{"lun":-1,"name":"os"}`:                                              `{"lun":"os","name":"os"}`,
		`"includedDiskList":[{"lun":-1,"name":"os"},{"lun":0,"name":"data"}]`: `"includedDiskList":{"lun":-1}`,
		`"recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"},`:  `"recoveryPointTierDetails":"Valid","x":[`,
		item1 + `/recoveryPoints/362588450327416`:                             item2 + `/recoveryPoints/362588450327416`,
	} {
		p := readPoint(t, edited(t, fullPoint, old, replacement))
		if _, why := p.RestorableTier(time.Now()); p.Unreadable == "" || !strings.Contains(why, p.Unreadable) {
			t.Errorf("%s: read as %+v", replacement, p)
		}
	}
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

func rawRestore(name, container, bag string) string {
	return `{"id":"` + vaultID + `/backupJobs/` + name + `","name":"` + name + `","properties":{"containerName":"` + container + `","operation":"Restore",
		"status":"Completed","startTime":"2024-05-15T08:35:43.5807221Z","endTime":"2024-05-15T08:37:13.4745842Z","extendedInfo":{"propertyBag":` + bag + `}}}`
}

const fullBag = `{"Job Type":"Recover disks","Target Storage Account Name":"st1","Recovery point time ":"5/15/2024 7:52:53 AM","Target resource group":"rg-tests",
	"Template Blob Uri":"https://st1.blob.core.windows.net/c/azuredeploy1.json","Config Blob Container Name":"c","Restored disk(s)":"os; data","Backed-up disk(s)":"os; data; more"}`

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
	f := newFake().on("GET", vaultID+"/backupJobs/"+name, says(200, rawRestore(name, "c", fullBag)))
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
	row := edited(t, rawRestore("j1", container, "{}"), `,"extendedInfo":{"propertyBag":{}}`, "")
	jobs := restoreJobs(t, lists(row, rawRestore("j2", "iaasvmcontainerv2;rg-app;vm2", "{}")), says(200, rawRestore("j1", container, fullBag)))
	if len(jobs) != 1 {
		t.Fatalf("%d jobs, want the one of the VM", len(jobs))
	}
	j := jobs[0]
	want := plan.RestoreJob{
		Job: j.Job, PointTime: time.Date(2024, 5, 15, 7, 52, 53, 0, time.UTC), Group: "rg-tests", Account: "st1",
		Restored: []string{"os", "data"}, Held: []string{"os", "data", "more"}, Template: "https://st1.blob.core.windows.net/c/azuredeploy1.json", Blobs: "c",
	}
	if d := cmp.Diff(want, j); d != "" || !j.IsProof() {
		t.Error(d, j.IsProof())
	}
	for old, replacement := range map[string]string{
		`"5/15/2024 7:52:53 AM"`:             `"2024-05-15"`,
		`"Target resource group":"rg-tests"`: `"Target resource group":["rg-tests"]`,
		fullBag:                              `["no bag"]`,
		`"status":"Completed"`:               `"status":7`,
	} {
		jobs := restoreJobs(t, lists(row), says(200, edited(t, rawRestore("j1", container, fullBag), old, replacement)))
		if len(jobs) != 1 || jobs[0].Unreadable == "" || jobs[0].IsProof() {
			t.Errorf("%s: %+v", replacement, jobs)
		}
	}
	if jobs := restoreJobs(t, lists(row), fails(403, "AuthorizationFailed")); len(jobs) != 1 || jobs[0].IsProof() || jobs[0].Unreadable == "" {
		t.Errorf("a job that could not be read: %+v", jobs)
	}
	if jobs := restoreJobs(t, lists(row), says(200, rawRestore("j1", container, "{}"))); len(jobs) != 1 || jobs[0].IsProof() || jobs[0].Unreadable != "" {
		t.Errorf("a job that has not told of its point yet: %+v", jobs)
	}
}

const fullDisk = `{"id":"` + disksPath + `/vm1-osdisk-20240515-083713","location":"westeurope","tags":{"rsvaultbackup":"j1","Creator":"policy"},
	"properties":{"timeCreated":"2024-05-15T08:37:00.1234567+00:00","osType":"Linux","hyperVGeneration":"V2","diskSizeGB":64,"diskState":"Unattached",
	"creationData":{"createOption":"Restore","sourceResourceId":"/x"}}}`

func readDisks(t *testing.T, body string) []plan.Disk {
	t.Helper()
	disks, err := newFake().on("GET", disksPath, lists(body)).client(t, CommandPlan).Disks(t.Context(), groupID)
	if err != nil {
		t.Fatal(err)
	}
	return disks
}

func TestDisksAreReadWithTheirJobAndHolders(t *testing.T) {
	want := plan.Disk{
		ID: disksPath + "/vm1-osdisk-20240515-083713", Name: "vm1-osdisk-20240515-083713", Location: "westeurope", Job: "j1",
		Tags: map[string]string{"rsvaultbackup": "j1", "Creator": "policy"}, State: "Unattached", Created: time.Date(2024, 5, 15, 8, 37, 0, 123456700, time.UTC),
		OS: "Linux", Generation: "V2", SizeGB: 64, Origin: "Restore", Source: "/x",
	}
	got := readDisks(t, fullDisk)
	if d := cmp.Diff([]plan.Disk{want}, got); d != "" || !got[0].IsFree() {
		t.Error(d)
	}
	for name, replacement := range map[string]string{
		"attached": `"managedBy":"` + vm1 + `","location"`, "shared": `"managedByExtended":["` + vm1 + `"],"location"`,
	} {
		if d := readDisks(t, edited(t, fullDisk, `"location"`, replacement))[0]; d.IsFree() || len(d.Holders) != 1 || d.Unreadable != "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	for old, replacement := range map[string]string{
		`"diskState":"Unattached",`:         ``,
		`"diskState":"Unattached"`:          `"diskState":3`,
		`"location":`:                       `"managedBy":{"id":"x"},"location":`,
		`"diskSizeGB":64`:                   `"diskSizeGB":"64"`,
		`"tags":{`:                          `"tags":{"RSVaultBackup":"j2",`,
		`"rsvaultbackup":"j1"`:              `"rsvaultbackup":1`,
		`"properties":`:                     `"managedByExtended":"` + vm1 + `","properties":`,
		`2024-05-15T08:37:00.1234567+00:00`: `9999-05-15T08:37:00Z`,
	} {
		if d := readDisks(t, edited(t, fullDisk, old, replacement))[0]; d.Unreadable == "" || d.IsFree() {
			t.Errorf("%s: %+v", replacement, d)
		}
	}
	// A row that names no disk of the group is not an absence.
	c := newFake().on("GET", disksPath, lists(edited(t, fullDisk, disksPath, vmList))).client(t, CommandPlan)
	if disks, err := c.Disks(t.Context(), groupID); err == nil {
		t.Errorf("%+v", disks)
	}
}

func TestOneDiskOneGroupOneAccount(t *testing.T) {
	id := disksPath + "/vm1-osdisk-20240515-083713"
	f := newFake().on("GET", id, says(200, fullDisk)).on("GET", id+"2", says(200, fullDisk)).on("GET", id+"3", fails(404, "ResourceNotFound")).
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

// The recorded restore is understood, and its job proves its point.
func TestRecordedRestoreIsUnderstood(t *testing.T) {
	raw, err := os.ReadFile("../../../shared/recordings/parts/restore_disks.json")
	if err != nil {
		t.Skipf("no recording of a restore: %v", err)
	}
	var exchanges []struct {
		URL  string          `json:"url"`
		Body json.RawMessage `json:"response_body"`
	}
	if err := json.Unmarshal(raw, &exchanges); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 5, 15, 9, 0, 0, 0, time.UTC)
	var point plan.RecoveryPoint
	var job plan.RestoreJob
	for _, x := range exchanges {
		path, _, _ := strings.Cut(x.URL, "?")
		id := strings.ReplaceAll(path[strings.Index(path, "/subscriptions"):], "%3B", ";")
		owner, _ := armid.CutName(id)
		switch {
		case strings.Contains(path, "/recoveryPoints/") && !strings.HasSuffix(path, "/restore"):
			var w wire.RecoveryPoint
			if err := wire.Unmarshal(x.Body, &w); err != nil {
				t.Fatal(err)
			}
			item, _ := armid.CutName(owner)
			point = w.ToPlan(item, at)
		case strings.Contains(path, "/backupJobs/"):
			var w wire.Job
			if err := wire.Unmarshal(x.Body, &w); err != nil {
				t.Fatal(err)
			}
			vault, _ := armid.CutName(owner)
			job = w.ToRestoreJob(vault, at)
			if job.Unreadable != "" {
				t.Errorf("job: %s", job.Unreadable)
			}
		}
	}
	if tier, why := point.RestorableTier(at); tier != plan.TierInstant || why != "" || len(point.Disks.Included) != 3 || len(point.Disks.Excluded) != 1 {
		t.Errorf("%+v: %q %q", point, tier, why)
	}
	it := plan.Item{Vault: job.Vault, Container: job.Container}
	if proof, ok := point.ProvenBy(it, []plan.RestoreJob{job}); !ok || proof.Template == "" || len(proof.Restored) != 1 || len(proof.Held) != 3 {
		t.Errorf("%v %+v", ok, job)
	}
}
