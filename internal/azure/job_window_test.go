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
		f.on("GET", vaultID+"/backupJobs/old", says(http.StatusOK, strings.Replace(old, "InProgress", "Completed", 1)))
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
		c.recordRunningJobs(vaultID, []plan.Job{{ID: vaultID + "/backupJobs/old", Status: "InProgress"}})
		if jobs := look(); len(jobs) != 1 || !jobs[0].IsRunning() {
			t.Errorf("jobs are %+v", jobs)
		}
		running = false
		if jobs := look(); len(jobs) != 1 || jobs[0].IsRunning() {
			t.Errorf("the end of the job is not shown: %+v", jobs)
		}
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
		c.recordRunningJobs(vaultID, []plan.Job{{ID: vaultID + "/backupJobs/old", Status: "InProgress"}})
		s, err := c.List(t.Context(), vaultID)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Jobs) != 2 || !strings.HasSuffix(s.Jobs[0].ID, "/new") || !strings.HasSuffix(s.Jobs[1].ID, "/old") {
			t.Errorf("jobs are %+v", s.Jobs)
		}
	})
}

// The pages of the jobs in progress shift while jobs end between two of them, and such a list misses jobs that still
// run. Only its own document proves that a job is over.
func TestAJobThatAListOfThoseInProgressMissesIsNotTakenForOver(t *testing.T) {
	const id = vaultID + "/backupJobs/old"
	document := func(status string) string {
		return `{"id":"` + id + `","properties":{"operation":"Backup","status":"` + status + `","containerName":"c","startTime":"1999-12-30T00:00:00Z"}}`
	}
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		failed  bool
		jobs    int
		running bool
		again   int // reads of the job by a second look
	}{
		"it runs":                    {says(http.StatusOK, document("InProgress")), false, 1, true, 1},
		"it is over":                 {says(http.StatusOK, document("Failed")), false, 1, false, 0},
		"it is gone":                 {fails(http.StatusNotFound, "ResourceNotFound"), false, 0, false, 0},
		"it cannot be read":          {fails(http.StatusForbidden, "AuthorizationFailed"), true, 0, false, 1},
		"a proxy knows no such page": {fails(http.StatusNotFound, "NotFound"), true, 0, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake().on("GET", vaultID+"/backupProtectedItems", lists()).on("GET", vaultID+"/backupJobs", lists()).on("GET", id, tt.answer)
				c := f.client(t, CommandApply)
				c.recordRunningJobs(vaultID, []plan.Job{{ID: id, Status: "InProgress"}})
				s, err := c.List(t.Context(), vaultID)
				if (err != nil) != tt.failed || len(s.Jobs) != tt.jobs || tt.jobs > 0 && s.Jobs[0].IsRunning() != tt.running {
					t.Errorf("%v, jobs %+v", err, s.Jobs)
				}
				before := f.count("GET", "/old")
				_, _ = c.ListJobs(t.Context(), vaultID)
				if n := f.count("GET", "/old") - before; n != tt.again {
					t.Errorf("a second look read the job %d times, want %d", n, tt.again)
				}
			})
		})
	}
}
