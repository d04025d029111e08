package azure

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestTheTargetsOfARestoreAreThoseThatWereAskedFor(t *testing.T) {
	account := `{"sku":{"name":"Standard_LRS"},"kind":"StorageV2","id":"` + accountID + `","location":"westeurope"}`
	name := itemName(accountID)
	list := "/subscriptions/" + sub + "/providers/Microsoft.Storage/storageAccounts"
	for what, tt := range map[string]struct {
		staging  []string
		accounts int
	}{
		"an account by its id":                  {[]string{accountID}, 1},
		"by its name, in other letters":         {[]string{strings.ToUpper(name)}, 1},
		"by another name":                       {[]string{"another"}, 0},
		"an id of one that does not exist":      {[]string{accountID + "x"}, 0},
		"by its name, and a name without one":   {[]string{"another", name}, 1},
		"no account, because none is asked for": {nil, 0},
	} {
		f := newFake().on("GET", list, lists(account)).on("GET", accountID, says(200, account)).on("GET", accountID+"x", fails(404, "ResourceNotFound")).
			on("GET", groupID, says(200, `{"id":"`+groupID+`","location":"westeurope"}`))
		var facts plan.RestoreFacts
		if err := f.client(t, CommandRestore).RestoreTargets(t.Context(), []string{sub}, groupID, tt.staging, &facts); err != nil {
			t.Fatal(err)
		}
		if len(facts.Groups) != 1 || len(facts.Accounts) != tt.accounts || len(facts.Gaps)+len(facts.Unread) != 0 {
			t.Errorf("%s: %+v", what, facts)
		}
	}
}

func TestRestoreJobsAreListedNewestFirst(t *testing.T) {
	job := func(name, day string) string {
		return strings.Replace(azuretest.RestoreJob(name, "c", "{}"), "2024-05-15T08:35", "2024-05-"+day+"T08:35", 1)
	}
	f := newFake().on("GET", vaultID+"/backupJobs", lists(job("old", "03"), job("new", "14"), job("middle", "07")))
	jobs, err := f.client(t, CommandPoints).listRestoreJobs(t.Context(), vaultID, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), nil)
	if err != nil || len(jobs) != 3 || !slices.IsSortedFunc(jobs, func(a, b plan.RestoreJob) int { return b.Start.Compare(a.Start) }) {
		t.Errorf("%+v, %v", jobs, err)
	}
}

// Whether the disks of a restore are still there decides whether its job is followed, so they are read where a job made
// some; a group that nothing was restored into is not listed.
func TestTheDisksOfAGroupAreReadWhereAJobRestoredIntoIt(t *testing.T) {
	disk := disksPath + "/d"
	for name, tt := range map[string]struct {
		group  string
		answer http.HandlerFunc
		reads  int
		disks  int
		gaps   int
	}{
		"into it":               {"RG-Tests", lists(`{"id":"` + disk + `","name":"d","location":"westeurope"}`), 1, 1, 0},
		"into another":          {"rg-other", lists(), 0, 0, 0},
		"into it, and not read": {"rg-tests", fails(403, "AuthorizationFailed"), 1, 0, 1},
	} {
		f := newFake().on("GET", groupID, says(200, `{"id":"`+groupID+`","location":"westeurope"}`)).on("GET", disksPath, tt.answer)
		facts := plan.RestoreFacts{Jobs: []plan.RestoreJob{{
			Job: plan.Job{Operation: plan.JobRestore, Status: "Completed"}, PointTime: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Group: tt.group,
		}}}
		if err := f.client(t, CommandRestore).RestoreTargets(t.Context(), []string{sub}, groupID, nil, &facts); err != nil {
			t.Fatal(err)
		}
		if n := f.count("GET", disksPath); n != tt.reads || len(facts.Disks[armid.Of(groupID)]) != tt.disks || len(facts.Gaps) != tt.gaps {
			t.Errorf("%s: listed %d times, disks %+v, gaps %+v", name, n, facts.Disks, facts.Gaps)
		}
	}
}
