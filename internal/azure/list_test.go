package azure

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestListReadsItemsAndJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := func(id, status, more string) string {
			return `{"id":"` + vaultID + `/backupJobs/` + id + `","properties":{"operation":"ConfigureBackup","status":"` + status +
				`","containerName":"c","startTime":"2000-01-01T00:00:00Z"` + more + `}}`
		}
		const why = `,"errorDetails":[{"errorCode":400001,"errorTitle":"t","errorString":"s"}]`
		f := newFake().on("GET", vaultID+"/backupProtectedItems", lists(azuretest.Item(vaultID, "VM1"))).
			on("GET", vaultID+"/backupJobs", lists(job("1", "Failed", ""), job("2", "InProgress", ""))).
			on("GET", vaultID+"/backupJobs/1", says(200, job("1", "Failed", why)))
		c := f.client(t, CommandApply)
		for range 2 {
			s, err := c.List(t.Context(), vaultID)
			if err != nil || len(s.Items) != 1 || len(s.Jobs) != 2 || s.Requests != 2 {
				t.Fatalf("%+v, %v", s, err)
			}
			if d := cmp.Diff([]plan.JobError{{Code: 400001, Title: "t", Message: "s"}}, s.Jobs[0].Errors); d != "" {
				t.Error(d)
			}
		}
		if n := f.count("GET", "/backupJobs/1"); n != 1 {
			t.Errorf("a failed job was asked for %d times", n)
		}
		for _, r := range f.sent {
			if strings.HasSuffix(r.path, "/backupJobs") {
				got := mustURL(t, "?"+r.query).Query().Get("$filter")
				if want := "startTime eq '1999-12-31 11:00:00 PM' and endTime eq '2000-01-01 01:00:00 AM' and backupManagementType eq 'AzureIaasVM'"; got != want {
					t.Errorf("jobs were asked with %q", got)
				}
			}
		}
	})
}

// The errors of a failed job do not change, and what a run may spend on them is bounded.
func TestTheErrorsOfFailedJobsAreReadOnceAndOfNotTooMany(t *testing.T) {
	f := newFake()
	var jobs []plan.Job
	for i := range maxJobDetails + 1 {
		id := fmt.Sprintf("%s/backupJobs/j%d", vaultID, i)
		jobs = append(jobs, plan.Job{ID: id, Status: "Failed", Start: time.Now()})
		f.on("GET", id, says(200, `{"id":"`+id+`","properties":{"operation":"Backup","status":"Failed","errorDetails":[{"errorCode":1,"errorString":"s"}]}}`))
	}
	told := plan.Job{ID: vaultID + "/backupJobs/told", Status: "Failed", Start: time.Now(), Errors: []plan.JobError{{Code: 2}}}
	running := plan.Job{ID: vaultID + "/backupJobs/running", Status: "InProgress", Start: time.Now()}
	completed := plan.Job{ID: vaultID + "/backupJobs/completed", Status: "Completed", Start: time.Now()}
	old := plan.Job{ID: vaultID + "/backupJobs/old", Status: "Failed", Start: time.Now().AddDate(0, 0, -3)}
	jobs = append([]plan.Job{told, running, completed, old}, jobs...)
	f.client(t, CommandApply).fetchJobErrors(t.Context(), jobs)
	if n := f.count("GET", ""); n != maxJobDetails {
		t.Errorf("%d reads, want %d", n, maxJobDetails)
	}
	for i, j := range jobs {
		if has := len(j.Errors) > 0; has != (i == 0 || i >= 4 && i < 4+maxJobDetails) {
			t.Errorf("job %d, %s: has an error is %t", i, j.ID, has)
		}
	}
}

// The engine's budget is the service's reported quota; without a report there is no limit.
func TestTheBudgetOfReadsIsWhatAnswersSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake().on("GET", vaultID+"/backupProtectedItems", lists()).
			on("GET", vaultID+"/backupJobs", says(200, `{"value":[]}`, "x-ms-ratelimit-remaining-subscription-resource-requests", "7"))
		c := f.client(t, CommandApply)
		if _, err := c.List(t.Context(), vaultID); err != nil {
			t.Fatal(err)
		}
		if b := c.Budget(vaultID, apply.ReadItems); b.Remaining != -1 {
			t.Errorf("no header, and the budget is %+v", b)
		}
		if b := c.Budget(vaultID, apply.ReadJobs); b.Remaining < 0 || b.Remaining > 7 || !b.Resets.After(time.Now()) {
			t.Errorf("seven are left, and the budget is %+v", b)
		}
		if b := c.Budget(vaultID, apply.ReadOperation); b.Remaining < 7 {
			t.Errorf("operations were not asked for, and the budget is %+v", b)
		}
	})
}

func TestListIsAllOrNothing(t *testing.T) {
	for name, f := range map[string]*fake{
		"no items":                    newFake().on("GET", vaultID+"/backupProtectedItems", fails(403, "AuthorizationFailed")).on("GET", vaultID+"/backupJobs", lists()),
		"no jobs":                     newFake().on("GET", vaultID+"/backupProtectedItems", lists()).on("GET", vaultID+"/backupJobs", fails(403, "AuthorizationFailed")),
		"an item that cannot be read": newFake().on("GET", vaultID+"/backupProtectedItems", lists(`{"id":"x"}`)).on("GET", vaultID+"/backupJobs", lists()),
	} {
		s, err := f.client(t, CommandApply).List(t.Context(), vaultID)
		if _, ok := errors.AsType[*apply.Error](err); !ok || len(s.Items)+len(s.Jobs) != 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}
