package azure

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

const containerOf1 = "iaasvmcontainerv2;rg-app;vm1"

// restoreOn is the row of a restore that began on a day, without what its own document adds.
func restoreOn(t *testing.T, name, day string) string {
	row := edited(t, azuretest.RestoreJob(name, containerOf1, "{}"), `,"extendedInfo":{"propertyBag":{}}`, "")
	return strings.ReplaceAll(row, "2024-05-15", day)
}

func askJobs() plan.TestQuestion {
	return plan.TestQuestion{
		Kind: plan.AskJobs, ID: vaultID, Since: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Containers: map[string]string{strings.ToUpper(containerOf1): "RG-Tests"},
	}
}

func readTests(t *testing.T, f *fake, questions ...plan.TestQuestion) plan.Observed {
	t.Helper()
	return supplement(t, f.client(t, CommandPlan), plan.Questions{Tests: questions})
}

func TestRestoreJobsAreReadFromTheNewestOnUntilOneProvesARestore(t *testing.T) {
	f := newFake().on("GET", vaultID+"/backupJobs", lists(
		restoreOn(t, "oldest", "2024-02-01"), restoreOn(t, "newest", "2024-05-01"), restoreOn(t, "proof", "2024-04-01"),
		edited(t, restoreOn(t, "failed", "2024-06-01"), `"Completed"`, `"Failed"`),
		edited(t, restoreOn(t, "stranger", "2024-06-01"), containerOf1, containerOf1+"0"),
	))
	f.on("GET", vaultID+"/backupJobs/newest", says(200, edited(t, azuretest.RestoreJob("newest", containerOf1, azuretest.RestoreBag), "rg-tests", "rg-other")))
	f.on("GET", vaultID+"/backupJobs/proof", says(200, azuretest.RestoreJob("proof", containerOf1, azuretest.RestoreBag)))
	o := readTests(t, f, askJobs())
	var names []string
	for _, j := range o.Tests.Jobs {
		names = append(names, operationID(j.ID))
	}
	if !slices.Equal(names, []string{"failed", "newest", "oldest", "proof"}) || len(o.Gaps) > 0 {
		t.Errorf("jobs %v, gaps %v", names, o.Gaps)
	}
	if n := f.count("GET", "/backupJobs/newest") + f.count("GET", "/backupJobs/proof"); n != 2 || len(f.sent) != 3 {
		t.Errorf("%d requests", len(f.sent))
	}
	if !slices.Contains(o.Tests.Asked, askJobs().Key()) {
		t.Errorf("asked: %v", o.Tests.Asked)
	}
}

func TestARestoreJobThatCannotBeReadIsAGapAndNoProof(t *testing.T) {
	for name, f := range map[string]*fake{
		"refused":        newFake().on("GET", vaultID+"/backupJobs/j", fails(403, "AuthorizationFailed")),
		"gone":           newFake().on("GET", vaultID+"/backupJobs/j", fails(404, "NotFound")),
		"not understood": newFake().on("GET", vaultID+"/backupJobs/j", says(200, edited(t, azuretest.RestoreJob("j", containerOf1, azuretest.RestoreBag), `"5/15/2024 7:52:53 AM"`, `"soon"`))),
	} {
		f.on("GET", vaultID+"/backupJobs", lists(restoreOn(t, "j", "2024-05-15")))
		o := readTests(t, f, askJobs())
		if len(o.Gaps) == 0 || o.Gaps[0].Kind != plan.GapRestoreJobs || len(o.Tests.Jobs) != 1 || o.Tests.Jobs[0].Unreadable == "" || o.Tests.Jobs[0].IsProof() {
			t.Errorf("%s: gaps %+v, jobs %+v", name, o.Gaps, o.Tests.Jobs)
		}
	}
	o := readTests(t, newFake().on("GET", vaultID+"/backupJobs", fails(403, "AuthorizationFailed")), askJobs())
	if len(o.Gaps) != 1 || o.Gaps[0].Kind != plan.GapRestoreJobs || !slices.Contains(o.Tests.Unread, vaultID) {
		t.Errorf("%+v, unread %v", o.Gaps, o.Tests.Unread)
	}
	odd := edited(t, restoreOn(t, "odd", "2024-05-15"), `"`+containerOf1+`"`, `7`)
	o = readTests(t, newFake().on("GET", vaultID+"/backupJobs", lists(odd)), askJobs())
	if len(o.Gaps) != 1 || len(o.Tests.Jobs) != 1 || o.Tests.Jobs[0].Unreadable == "" {
		t.Errorf("a job of an unknown VM: %+v, %+v", o.Gaps, o.Tests.Jobs)
	}
}

func TestTheJobsThatDisksNameAreReadAsWell(t *testing.T) {
	disk := `{"id":"` + disksPath + `/d1","name":"d1","location":"westeurope","tags":{"RSVaultBackup":"old"},"properties":{"timeCreated":"2024-02-01T00:00:00Z",
		"diskSizeGB":32,"diskState":"Unattached","creationData":{"createOption":"Restore"}}}`
	f := newFake().on("GET", vaultID+"/backupJobs", lists(restoreOn(t, "new", "2024-05-15"), restoreOn(t, "old", "2024-02-01"))).
		on("GET", vaultID+"/backupJobs/new", says(200, azuretest.RestoreJob("new", containerOf1, azuretest.RestoreBag))).
		on("GET", vaultID+"/backupJobs/old", says(200, azuretest.RestoreJob("old", containerOf1, azuretest.RestoreBag))).
		on("GET", disksPath, lists(disk))
	ask := plan.TestQuestion{Kind: plan.AskDisks, ID: groupID}
	o := readTests(t, f, askJobs(), ask)
	if f.count("GET", "/backupJobs/old") != 1 || len(o.Gaps) > 0 {
		t.Errorf("%d requests, %+v", len(f.sent), o.Gaps)
	}
	// A group that does not exist has no disks, and one that cannot be read is a gap.
	o = readTests(t, newFake().on("GET", disksPath, fails(404, "ResourceGroupNotFound")), ask)
	if len(o.Gaps) > 0 || len(o.Tests.Disks) != 1 {
		t.Errorf("%+v", o.Gaps)
	}
	o = readTests(t, newFake().on("GET", disksPath, fails(403, "AuthorizationFailed")), ask)
	if len(o.Gaps) != 1 || o.Gaps[0].Kind != plan.GapTargetGroup || len(o.Tests.Disks) != 0 {
		t.Errorf("%+v", o.Gaps)
	}
}

func TestPointsAndTargetsOfRestoreTestsAreRead(t *testing.T) {
	left := edited(t, rawPoint(item1, "2024-11-01T06:00:00Z"), `"threatStatus":0`, `"threatStatus":0,"recoveryPointDiskConfiguration":{"numberOfDisksIncludedInBackup":1,"numberOfDisksAttachedToVm":2}`)
	full := edited(t, left, `"numberOfDisksAttachedToVm":2`, `"numberOfDisksAttachedToVm":2,"includedDiskList":[{"lun":-1,"name":"os"}]`)
	f := newFake().on("GET", item1+"/recoveryPoints", lists(rawPoint(item1, "2024-11-20T06:00:00Z"), left)).
		on("GET", item1+"/recoveryPoints/2024-11-01T06:00:00Z", says(200, full)).
		on("GET", groupID, says(200, `{"id":"`+groupID+`","name":"rg-tests","location":"westeurope","tags":{"azbackup-restore-tests":"allowed"}}`)).
		on("GET", accountID, fails(403, "AuthorizationFailed"))
	o := readTests(t, f, plan.TestQuestion{Kind: plan.AskPoints, ID: item1, Item: observed().Items[0], Oldest: true},
		plan.TestQuestion{Kind: plan.AskGroup, ID: groupID}, plan.TestQuestion{Kind: plan.AskAccount, ID: accountID})
	if len(o.Tests.Items) != 1 || !o.Tests.Items[0].Read || len(o.Tests.Items[0].Points) != 2 || o.Tests.Items[0].Points[1].Disks.Included == nil {
		t.Errorf("%+v", o.Tests.Items)
	}
	if len(o.Tests.Groups) != 1 || !o.Tests.Groups[0].AllowsRestoreTests() {
		t.Errorf("%+v", o.Tests.Groups)
	}
	if len(o.Gaps) != 1 || o.Gaps[0].Kind != plan.GapStaging || !slices.Equal(o.Tests.Unread, []string{accountID}) {
		t.Errorf("%+v, unread %v", o.Gaps, o.Tests.Unread)
	}
}

// failedInto is a failed restore into a group, as its own document has it.
func failedInto(t *testing.T, name, group string) string {
	return edited(t, edited(t, azuretest.RestoreJob(name, containerOf1, azuretest.RestoreBag), `"Completed"`, `"Failed"`), "rg-tests", group)
}

func TestFailedJobsAreReadOnlyWhereAnAuditAsksUntilOneWasATestAndFiveAtMost(t *testing.T) {
	days := []string{"2024-06-07", "2024-06-06", "2024-06-05", "2024-06-04", "2024-06-03", "2024-06-02", "2024-06-01"}
	for name, c := range map[string]struct {
		test  int // the failed job that was a test, counted from the newest
		asked bool
		want  int
	}{
		"a plan":      {test: 1},
		"the second":  {test: 1, asked: true, want: 2},
		"none of all": {test: -1, asked: true, want: 5},
	} {
		f := newFake()
		var rows []string
		for i, day := range days {
			job, group := "failed"+day, "rg-other"
			if i == c.test {
				group = "rg-tests"
			}
			rows = append(rows, edited(t, restoreOn(t, job, day), `"Completed"`, `"Failed"`))
			f.on("GET", vaultID+"/backupJobs/"+job, says(200, failedInto(t, job, group)))
		}
		f.on("GET", vaultID+"/backupJobs", lists(rows...))
		ask := askJobs()
		ask.Failed = c.asked
		o := readTests(t, f, ask)
		if n := len(f.sent) - 1; n != c.want || len(o.Gaps) > 0 {
			t.Errorf("%s: %d jobs are read, want %d, gaps %+v", name, n, c.want, o.Gaps)
		}
	}
}

// A job that is known to have failed proves nothing, whether or not its own document can be read.
func TestAFailedJobThatCannotBeReadIsAGapAndLeavesItsVMAsItIs(t *testing.T) {
	f := newFake().on("GET", vaultID+"/backupJobs/j", fails(403, "AuthorizationFailed"))
	f.on("GET", vaultID+"/backupJobs", lists(edited(t, restoreOn(t, "j", "2024-05-15"), `"Completed"`, `"Failed"`)))
	ask := askJobs()
	ask.Failed = true
	o := readTests(t, f, ask)
	if len(o.Gaps) != 1 || o.Gaps[0].Kind != plan.GapRestoreJobs || len(o.Tests.Jobs) != 1 || o.Tests.Jobs[0].Unreadable != "" || !o.Tests.Jobs[0].HasFailed() {
		t.Errorf("gaps %+v, jobs %+v", o.Gaps, o.Tests.Jobs)
	}
}
