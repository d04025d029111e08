package wire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

func TestJobs(t *testing.T) {
	const raw = `{"id":"/j","properties":{"jobType":"AzureIaaSVMJob","actionsInfo":[1],"duration":"PT2.7S","containerName":"iaasvmcontainerv2;rg;vm",
		"entityFriendlyName":"vm","operation":"Backup","status":"Failed","startTime":"2024-05-13T10:18:06.8648953Z","endTime":"2024-05-13T11:00:00Z",
		"errorDetails":[{"errorCode":400001,"errorTitle":"t","errorString":"s","recommendations":["r"]},{"errorCode":"380008"},{"errorCode":null}],
		"extendedInfo":{"tasksList":[{"taskId":"Take Snapshot","endTime":"0001-01-01T00:00:00","status":"InProgress"}],"propertyBag":{"Backup Size":"1 MB"}}}}`
	var w Job
	if err := Unmarshal([]byte(raw), &w); err != nil {
		t.Fatal(err)
	}
	want := plan.Job{
		ID: "/j", Vault: vaultID, Container: "iaasvmcontainerv2;rg;vm", Name: "vm", Operation: "Backup", Status: "Failed",
		Start: time.Date(2024, 5, 13, 10, 18, 6, 864895300, time.UTC), End: time.Date(2024, 5, 13, 11, 0, 0, 0, time.UTC),
		Errors: []plan.JobError{{Code: 400001, Title: "t", Message: "s", Recommendations: []string{"r"}}, {Code: 380008}, {}},
	}
	got, odd := w.ToPlan(vaultID, time.Time{})
	if d := cmp.Diff(want, got); d != "" || odd != "" {
		t.Error(odd, d)
	}
}
