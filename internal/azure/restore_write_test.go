package azure

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	backup "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func restoreChange() plan.Change {
	return plan.Change{
		ID: "restore:x", Action: plan.Restore, Target: vm1, Vault: vaultID, Item: item1,
		RestoreOrder: &plan.RestoreOrder{
			Point: plan.PointRef{ID: item1 + "/recoveryPoints/362588450327416", Name: "362588450327416"}, Into: groupID, Staging: accountID, Region: "westeurope",
		},
	}
}

func TestRestoreWrites(t *testing.T) {
	const same = `"objectType":"IaasVMRestoreRequest","recoveryPointId":"362588450327416","recoveryType":"RestoreDisks","sourceResourceId":"` + vm1 +
		`","targetResourceGroupId":"` + groupID + `","storageAccountId":"` + accountID + `","region":"westeurope","createNewCloudService":false,"originalStorageAccountOption":false`
	path := item1 + "/recoveryPoints/362588450327416/restore"
	for name, tt := range map[string]struct {
		change func(*plan.RestoreOrder)
		more   string
	}{
		"all disks":      {func(*plan.RestoreOrder) {}, ""},
		"the OS disk":    {func(o *plan.RestoreOrder) { o.Select = plan.DiskSelection{} }, `,"restoreDiskLunList":[]`},
		"some disks":     {func(o *plan.RestoreOrder) { o.Select = plan.DiskSelection{0, 2} }, `,"restoreDiskLunList":[0,2]`},
		"private access": {func(o *plan.RestoreOrder) { o.PrivateAccess = true }, `,"targetDiskNetworkAccessSettings":{"targetDiskNetworkAccessOption":"SameAsOnSourceDisks"}`},
	} {
		f := newFake().on("POST", path, says(202, "", "Azure-AsyncOperation", "https://arm.test"+item1+"/operationsStatus/op-1?t=1", "Retry-After", "60"))
		ch := restoreChange()
		tt.change(ch.RestoreOrder)
		op, err := f.client(t, CommandRestore).Start(t.Context(), ch)
		if err != nil {
			t.Fatal(name, err)
		}
		got := f.last()
		if want := `{"properties":{` + same + tt.more + `}}`; !sameJSON(t, got.body, want) {
			t.Errorf("%s: sent %s\nwant %s", name, got.body, want)
		}
		acceptedBy(t, got.body, &backup.RestoreRequestResource{})
		if len(f.sent) != 1 || op.ID != "op-1" || op.RetryAfter != time.Minute || op.Restore != ch.RestoreOrder { // by which its job is told from others
			t.Errorf("%s: %d requests, %+v", name, len(f.sent), op)
		}
	}
}

func TestARestoreThatDoesNotSayWhatIsNotSent(t *testing.T) {
	for name, change := range map[string]func(*plan.Change){
		"no order":                 func(c *plan.Change) { c.RestoreOrder = nil },
		"a point of another item":  func(c *plan.Change) { c.Point.ID = item2 + "/recoveryPoints/1" },
		"an item of another vault": func(c *plan.Change) { c.Vault = otherID },
		"no group":                 func(c *plan.Change) { c.Into = "" },
		"no account":               func(c *plan.Change) { c.Staging = "" },
		"no region":                func(c *plan.Change) { c.Region = "" },
	} {
		f, ch := newFake(), restoreChange()
		change(&ch)
		if op, err := f.client(t, CommandRestore).Start(t.Context(), ch); err == nil || len(f.sent) != 0 {
			t.Errorf("%s: %+v, %d requests", name, op, len(f.sent))
		}
	}
}

// The operation reports that a restore was accepted, its job that it has ended.
func TestARestoreIsOverWhenItsJobIs(t *testing.T) {
	const status = vaultID + "/backupOperations/op-1"
	op := apply.Operation{Action: plan.Restore, Target: vm1, Vault: vaultID, Status: "https://arm.test" + status}
	succeeded := says(200, `{"status":"Succeeded","properties":{"jobId":"j1"}}`)
	job := func(state string) http.HandlerFunc {
		return says(200, strings.Replace(azuretest.RestoreJob("j1", "c", azuretest.RestoreBag), `"Completed"`, `"`+state+`"`, 1))
	}
	for name, tt := range map[string]struct {
		status, job http.HandlerFunc
		want        apply.Progress
		code        string
	}{
		"not accepted yet": {says(200, `{"status":"InProgress"}`), nil, apply.Progress{Message: "InProgress"}, ""},
		"running":          {succeeded, job("InProgress"), apply.Progress{JobID: "j1", Message: "InProgress"}, ""},
		"completed":        {succeeded, job("Completed"), apply.Progress{JobID: "j1", Message: "Completed", Done: true}, ""},
		"failed":           {succeeded, job("Failed"), apply.Progress{JobID: "j1", Message: "Failed", Done: true}, "JobFailed"},
		"refused":          {says(200, `{"status":"Failed","error":{"code":"UserErrorX","message":"m"}}`), nil, apply.Progress{Message: "Failed"}, "UserErrorX"},
		"not to be read":   {succeeded, fails(403, "AuthorizationFailed"), apply.Progress{}, "AuthorizationFailed"},
	} {
		f := newFake().on("GET", status, tt.status)
		if tt.job != nil {
			f.on("GET", vaultID+"/backupJobs/j1", tt.job)
		}
		got, err := f.client(t, CommandRestore).Poll(t.Context(), op)
		got.RequestID = ""
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		code := ""
		if e, is := errors.AsType[*apply.Error](err); is {
			code = e.Code
		}
		if code != tt.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where the answer to the write was lost, the item's job shows that it arrived.
func TestARestoreWithoutAnAnswerIsFoundByItsJob(t *testing.T) {
	began := time.Date(2024, 5, 15, 8, 35, 45, 0, time.UTC) // a moment after the job's start
	row := func(name, container string) string {
		return azuretest.RestoreJob(name, container, azuretest.RestoreBag)
	}
	const ours = "iaasvmcontainerv2;rg-app;vm1"
	bag := func(old, replacement string) string {
		return azuretest.RestoreJob("j1", ours, strings.Replace(azuretest.RestoreBag, old, replacement, 1))
	}
	order := &plan.RestoreOrder{Into: groupID, Staging: accountID, Point: plan.PointRef{Time: time.Date(2024, 5, 15, 7, 52, 53, 7e8, time.UTC)}}
	for name, tt := range map[string]struct {
		rows  []string
		began time.Time
		want  apply.Progress
	}{
		"its job is there":   {[]string{row("j1", ours)}, began, apply.Progress{Done: true, JobID: "j1", IsJobInferred: true, Message: "Completed"}},
		"another item's job": {[]string{row("j1", "iaasvmcontainerv2;rg-app;vm2")}, began, apply.Progress{}},
		"an earlier job":     {[]string{row("j1", ours)}, began.Add(time.Minute), apply.Progress{}},
		"no job":             {nil, began, apply.Progress{}},
		"it runs": {
			[]string{strings.Replace(row("j1", ours), `"Completed"`, `"InProgress"`, 1)}, began, apply.Progress{JobID: "j1", IsJobInferred: true, Message: "InProgress"},
		},
		"a job into another group":       {[]string{bag("rg-tests", "rg-other")}, began, apply.Progress{}},
		"a job by another account":       {[]string{bag("st1", "st2")}, began, apply.Progress{}},
		"a job of another point":         {[]string{bag("7:52:53", "7:52:51")}, began, apply.Progress{}},
		"a job that does not say enough": {[]string{azuretest.RestoreJob("j1", ours, "{}")}, began, apply.Progress{Done: true, JobID: "j1", IsJobInferred: true, Message: "Completed"}},
		"another item's job that is not understood": {
			[]string{edited(t, row("j2", "iaasvmcontainerv2;rg-app;vm2"), `"Completed"`, "7"), row("j1", ours)}, began, apply.Progress{Done: true, JobID: "j1", IsJobInferred: true, Message: "Completed"},
		},
	} {
		f := newFake().on("GET", vaultID+"/backupJobs", lists(tt.rows...))
		if len(tt.rows) > 0 {
			f.on("GET", vaultID+"/backupJobs/j1", says(200, tt.rows[len(tt.rows)-1]))
		}
		op := apply.Operation{Action: plan.Restore, Target: vm1, Vault: vaultID, Accepted: tt.began, Restore: order}
		got, err := f.client(t, CommandRestore).Poll(t.Context(), op)
		if d := cmp.Diff(tt.want, got); d != "" || err != nil || f.count("GET", vaultID+"/backupJobs/j2") > 0 {
			t.Errorf("%s: %d requests, %v %s", name, len(f.sent), err, d)
		}
	}
	// A VM that was moved to another group keeps its item: its jobs carry the name of the item, and not that of the VM.
	moved := *order
	moved.Point.ID = azuretest.ItemID + "/recoveryPoints/7"
	f := newFake().on("GET", vaultID+"/backupJobs", lists(row("j1", ours))).on("GET", vaultID+"/backupJobs/j1", says(200, row("j1", ours)))
	op := apply.Operation{Action: plan.Restore, Target: edited(t, vm1, "RG-App", "rg-new"), Vault: vaultID, Accepted: began, Restore: &moved}
	if p, err := f.client(t, CommandRestore).Poll(t.Context(), op); err != nil || p.JobID != "j1" || !p.Done {
		t.Errorf("the job of a VM that was moved is not found: %+v, %v", p, err)
	}
	// A job that may be the item's proves neither that the write arrived nor that it did not.
	for old, replacement := range map[string]string{
		`"containerName":"` + ours + `",`:             ``,
		`"containerName":"` + ours + `"`:              `"containerName":7`,
		`"startTime":"2024-05-15T08:35:43.5807221Z"`:  `"startTime":"today"`,
		`"id":"` + vaultID + `/backupJobs/j1","name"`: `"name"`,
	} {
		f := newFake().on("GET", vaultID+"/backupJobs", lists(edited(t, row("j1", ours), old, replacement)))
		got, err := f.client(t, CommandRestore).Poll(t.Context(), apply.Operation{Action: plan.Restore, Target: vm1, Vault: vaultID, Accepted: began})
		if e, is := errors.AsType[*apply.Error](err); !is || e.Code != plan.CodeNotUnderstood || got.Done {
			t.Errorf("%q: %+v, %v", replacement, got, err)
		}
	}
	f = newFake().on("GET", vaultID+"/backupJobs", fails(403, "AuthorizationFailed"))
	if p, err := f.client(t, CommandRestore).Poll(t.Context(), apply.Operation{Action: plan.Restore, Target: vm1, Vault: vaultID, Accepted: began}); err == nil {
		t.Errorf("not seeing is no proof of absence: %+v", p)
	}
}
