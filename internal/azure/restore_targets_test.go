package azure

import (
	"slices"
	"strings"
	"testing"
	"time"

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
		return strings.Replace(rawRestore(name, "c", "{}"), "2024-05-15T08:35", "2024-05-"+day+"T08:35", 1)
	}
	f := newFake().on("GET", vaultID+"/backupJobs", lists(job("old", "03"), job("new", "14"), job("middle", "07")))
	jobs, err := f.client(t, CommandPoints).listRestoreJobs(t.Context(), vaultID, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), nil)
	if err != nil || len(jobs) != 3 || !slices.IsSortedFunc(jobs, func(a, b plan.RestoreJob) int { return b.Start.Compare(a.Start) }) {
		t.Errorf("%+v, %v", jobs, err)
	}
}
