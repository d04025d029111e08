package azure

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azbackup/azbackup/plan"
)

// A job that has hung since yesterday still blocks its item: snapshots must show it, though their window begins an hour
// ago.
func TestLooksShowJobsThatRunSinceBeforeTheirWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const old = `{"id":"` + vaultID + `/backupJobs/old","properties":{"operation":"ConfigureBackup","status":"InProgress",` +
			`"containerName":"c","startTime":"1999-12-30T00:00:00Z"}}`
		running := true
		f := newFake().on("GET", vaultID+"/backupProtectedItems", lists())
		f.on("GET", vaultID+"/backupJobs", func(w http.ResponseWriter, r *http.Request) {
			if running && strings.Contains(r.URL.Query().Get("$filter"), "status eq 'InProgress'") {
				lists(old)(w, r)
				return
			}
			lists()(w, r)
		})
		c := f.client(t, CommandApply)
		look := func() []plan.Job {
			s, err := c.List(t.Context(), vaultID)
			if err != nil {
				t.Fatal(err)
			}
			return s.Jobs
		}
		if jobs := look(); len(jobs) != 0 || f.count("GET", "/backupJobs") != 1 {
			t.Errorf("nobody knows of an old job: %d jobs, %d reads", len(jobs), f.count("GET", "/backupJobs"))
		}
		c.recordOldJobs(vaultID, []plan.Job{{ID: "old", Status: "InProgress"}})
		if jobs := look(); len(jobs) != 1 || !jobs[0].IsRunning() {
			t.Errorf("jobs are %+v", jobs)
		}
		running = false
		look()
		before := f.count("GET", "/backupJobs")
		if jobs := look(); len(jobs) != 0 || f.count("GET", "/backupJobs") != before+1 {
			t.Error("the old job is asked for, though it is over")
		}
	})
}

// A job returned by both reads is listed once.
func TestAJobInTheWindowThatRunsIsListedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := func(id, start string) string {
			return `{"id":"` + vaultID + `/backupJobs/` + id + `","properties":{"operation":"ConfigureBackup","status":"InProgress",` +
				`"containerName":"c","startTime":"` + start + `"}}`
		}
		f := newFake().on("GET", vaultID+"/backupProtectedItems", lists())
		f.on("GET", vaultID+"/backupJobs", func(w http.ResponseWriter, r *http.Request) {
			jobs := []string{job("new", "2000-01-01T00:00:00Z")}
			if strings.Contains(r.URL.Query().Get("$filter"), "status eq 'InProgress'") {
				jobs = append(jobs, job("old", "1999-12-30T00:00:00Z"))
			}
			lists(jobs...)(w, r)
		})
		c := f.client(t, CommandApply)
		c.recordOldJobs(vaultID, []plan.Job{{ID: "old", Status: "InProgress"}})
		s, err := c.List(t.Context(), vaultID)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Jobs) != 2 || !strings.HasSuffix(s.Jobs[0].ID, "/new") || !strings.HasSuffix(s.Jobs[1].ID, "/old") {
			t.Errorf("jobs are %+v", s.Jobs)
		}
	})
}

// Only its own document, or its proven absence, shows that a job is over.
func TestWhetherAJobRunsIsReadFromItsDocument(t *testing.T) {
	const id = vaultID + "/backupJobs/old"
	document := func(status string) http.HandlerFunc {
		return says(http.StatusOK, `{"id":"`+id+`","properties":{"operation":"Backup","status":"`+status+`","containerName":"c","startTime":"1999-12-30T00:00:00Z"}}`)
	}
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		running bool
		failed  bool
	}{
		"it runs":                    {document("InProgress"), true, false},
		"it is being cancelled":      {document("Cancelling"), true, false},
		"it failed":                  {document("Failed"), false, false},
		"it is gone":                 {fails(http.StatusNotFound, "ResourceNotFound"), false, false},
		"it may not be read":         {fails(http.StatusForbidden, "AuthorizationFailed"), false, true},
		"a proxy knows no such page": {fails(http.StatusNotFound, "NotFound"), false, true},
	} {
		f := newFake().on("GET", id, tt.answer)
		running, err := f.client(t, CommandApply).IsJobRunning(t.Context(), id)
		if running != tt.running || (err != nil) != tt.failed {
			t.Errorf("%s: %t, %v", name, running, err)
		}
	}
}
