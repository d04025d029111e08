package azure

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azbackup/azbackup/plan"
)

// A job that hangs since yesterday still holds its item: looks must show it, though their window begins an hour ago.
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
		c.noteOld(vaultID, []plan.Job{{ID: "old", Status: "InProgress"}})
		if jobs := look(); len(jobs) != 1 || !jobs[0].Running() {
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
