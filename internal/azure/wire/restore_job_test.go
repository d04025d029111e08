package wire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestARestoreJobSaysInItsPropertyBagWhatItRestored(t *testing.T) {
	readJob := func(body string) plan.RestoreJob {
		return read[Job](t, body).ToRestoreJob(vaultID, time.Date(2024, 5, 16, 0, 0, 0, 0, time.UTC))
	}
	told := azuretest.RestoreJob("j1", "iaasvmcontainerv2;rg-app;vm1", azuretest.RestoreBag)
	j := readJob(told)
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
		azuretest.RestoreBag:                 `["no bag"]`,
		`"status":"Completed"`:               `"status":7`,
	} {
		if j := readJob(edited(t, told, old, replacement)); j.Unreadable == "" || j.IsProof() {
			t.Errorf("%s: %+v", replacement, j)
		}
	}
	if j := readJob(edited(t, told, `"Recovery point time "`, `"Recovery point time"`)); !j.PointTime.Equal(want.PointTime) {
		t.Errorf("without the space at the end of the key: %+v", j)
	}
	if j := readJob(edited(t, told, azuretest.RestoreBag, "{}")); j.IsProof() || j.Unreadable != "" {
		t.Errorf("a job that has not told of its point yet: %+v", j)
	}
}
