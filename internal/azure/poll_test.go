package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestOnlyAnOperationThatMayNotBeAskedIsReadBackInstead(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"another host":            {&arm.RefusedError{}, true},
		"no such operation":       {&apply.Error{Status: http.StatusNotFound}, true},
		"an expired operation":    {&apply.Error{Status: http.StatusGone}, true},
		"an id it does not take":  {&apply.Error{Status: http.StatusBadRequest}, true},
		"not allowed":             {&apply.Error{Status: http.StatusForbidden}, true},
		"not signed in":           {&apply.Error{Status: http.StatusUnauthorized}, true},
		"the operation's own end": {&apply.Error{Status: http.StatusNotFound, Ended: true}, false},
		"a fault of the service":  {&apply.Error{Status: http.StatusInternalServerError}, false},
		"throttled":               {&apply.Error{Status: http.StatusTooManyRequests}, false},
		"no answer":               {&apply.Error{}, false},
		"something else":          {errors.New("odd"), false},
		"nothing":                 {nil, false},
	} {
		if got := isUnpollable(tt.err); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestThePolicyOperationNamesTheFirstItemThatDidNotTakeIt(t *testing.T) {
	var w operationStatus
	for text, want := range map[string]string{
		`{}`: "",
		`{"failedJobsError":{"vm2":"second","vm1":"first"}}`: "2 of its items did not take it; vm1: first",
		`{"failedJobsError":null}`:                           "",
		`{"failedJobsError":{}}`:                             "",
		`{"failedJobsError":["vm1"]}`:                        `not understood: failedJobsError is ["vm1"]`,
		`{"failedJobsError":"vm1"}`:                          `not understood: failedJobsError is "vm1"`,
		`{"failedJobsError":{"vm1":{"code":"X"}}}`:           `1 of its items did not take it; vm1: {"code":"X"}`,
	} {
		w = operationStatus{}
		if err := json.Unmarshal([]byte(`{"properties":`+text+`}`), &w); err != nil {
			t.Fatal(err)
		}
		err := failedJobs(apply.Operation{}, w, "r1")
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v, want nothing", text, err)
			}
			continue
		}
		e, ok := errors.AsType[*apply.Error](err)
		if !ok || !e.Ended || e.Code != "FailedJobs" || e.RequestID != "r1" || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestPolls(t *testing.T) {
	const status, result = vaultID + "/backupOperations/op-1", vaultID + "/backupFabrics/Azure/operationResults/op-1"
	item := apply.Operation{Action: plan.Protect, Target: vm1, Vault: vaultID, Status: "https://arm.test" + status, Result: "https://arm.test" + result}
	refresh := item
	refresh.Action = plan.Refresh
	locationOnly := item
	locationOnly.Status = ""
	op := func(s, more string) http.HandlerFunc {
		return says(200, `{"id":"op-1","name":"op-1","status":"`+s+`","startTime":"2024-05-13T10:17:27Z","endTime":"0001-01-01T00:00:00"`+more+`}`, "Retry-After", "60")
	}
	for name, c := range map[string]struct {
		op     apply.Operation
		answer http.HandlerFunc
		want   apply.Progress
		code   string
	}{
		"in progress": {item, op("InProgress", ""), apply.Progress{Message: "InProgress", RetryAfter: time.Minute}, ""},
		"succeeded": {
			item, op("Succeeded", `,"properties":{"objectType":"OperationStatusJobExtendedInfo","jobId":"j1"}`),
			apply.Progress{Done: true, JobID: "j1", Message: "Succeeded", RetryAfter: time.Minute},
			"",
		},
		"failed":              {item, op("Failed", `,"error":{"code":"UserErrorX","message":"m"}`), apply.Progress{Message: "Failed", RetryAfter: time.Minute}, "UserErrorX"},
		"failed without why":  {item, op("Failed", ""), apply.Progress{Message: "Failed", RetryAfter: time.Minute}, "OperationFailed"},
		"canceled":            {item, op("Canceled", ""), apply.Progress{Message: "Canceled", RetryAfter: time.Minute}, "OperationCanceled"},
		"a new word":          {item, op("Dancing", ""), apply.Progress{Message: "Dancing", RetryAfter: time.Minute}, ""},
		"forgotten":           {item, fails(404, "ResourceNotFound"), apply.Progress{}, "ResourceNotFound"},
		"refresh running":     {refresh, says(202, "", "Retry-After", "5"), apply.Progress{RetryAfter: 5 * time.Second}, ""},
		"refresh over":        {refresh, says(204, "", "Retry-After", "60", "Azure-AsyncOperation", "https://arm.test/x"), apply.Progress{Done: true}, ""},
		"location with body":  {locationOnly, says(202, "{}"), apply.Progress{}, ""},
		"location, the item":  {locationOnly, says(200, `{"id":"x"}`), apply.Progress{Done: true}, ""},
		"location, an error":  {locationOnly, fails(409, "BMSUserErrorObjectLocked"), apply.Progress{}, "BMSUserErrorObjectLocked"},
		"answered at once":    {apply.Operation{Action: plan.Protect, RequestID: "request-1"}, nil, apply.Progress{Done: true}, ""},
		"status, not a body":  {item, says(200, "<html>", "Content-Type", "text/html"), apply.Progress{}, "MalformedAnswer"},
		"status, no JSON":     {item, says(200, "[]"), apply.Progress{}, "MalformedAnswer"},
		"jobs of a policy":    {item, op("Succeeded", `,"properties":{"jobIds":["j1"],"failedJobsError":{}}`), apply.Progress{Done: true, JobID: "j1", Message: "Succeeded", RetryAfter: time.Minute}, ""},
		"failed jobs":         {item, op("Succeeded", `,"properties":{"jobIds":["j1","j2"],"failedJobsError":{"vm2":"locked","vm1":{"code":1}}}`), apply.Progress{Done: true, Message: "Succeeded", RetryAfter: time.Minute}, "FailedJobs"},
		"no jobs that failed": {item, op("Succeeded", `,"properties":{"failedJobsError":null}`), apply.Progress{Done: true, Message: "Succeeded", RetryAfter: time.Minute}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			path := status
			if c.op.Action == plan.Refresh || c.op.Status == "" {
				path = result
			}
			if c.answer != nil {
				f.on("GET", path, c.answer)
			}
			got, err := f.client(t, CommandApply).Poll(t.Context(), c.op)
			if c.want != (apply.Progress{}) || err == nil {
				c.want.RequestID = "request-1"
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			e, _ := errors.AsType[*apply.Error](err)
			if (err != nil) != (c.code != "") || c.code != "" && (e == nil || e.Code != c.code || e.Unknown && c.code != "MalformedAnswer") {
				t.Errorf("error %v, want code %q", err, c.code)
			}
		})
	}
}

func TestVaultsAreReadBack(t *testing.T) {
	want := plan.VaultSettings{Location: "West Europe", SoftDeleteDays: new(30)}
	vault := func(state string, days int) http.HandlerFunc {
		return says(200, fmt.Sprintf(`{"id":"x","location":"westeurope","properties":{"provisioningState":%q,
			"securitySettings":{"softDeleteSettings":{"softDeleteRetentionPeriodInDays":%d}}}}`, state, days))
	}
	succeeded := says(200, `{"status":"Succeeded"}`)
	for name, c := range map[string]struct {
		status, vault http.HandlerFunc
		done          bool
		message, code string
	}{
		"as wanted":            {succeeded, vault("Succeeded", 30), true, "", ""},
		"not yet":              {succeeded, vault("Succeeded", 14), false, `softDeleteDays is still "14"`, ""},
		"being made":           {succeeded, vault("Provisioning", 30), false, "the vault is provisioning", ""},
		"not there yet":        {succeeded, fails(404, "ResourceNotFound"), false, "the vault is not to be seen yet", ""},
		"failed":               {succeeded, vault("Failed", 30), false, "", "ProvisioningFailed"},
		"forbidden":            {succeeded, fails(403, "AuthorizationFailed"), false, "", "AuthorizationFailed"},
		"operation forgotten":  {fails(404, "ResourceNotFound"), vault("Succeeded", 30), true, "", ""},
		"operation expired":    {fails(410, "Gone"), vault("Succeeded", 30), true, "", ""},
		"expired, not yet":     {fails(410, "Gone"), vault("Succeeded", 14), false, `softDeleteDays is still "14"`, ""},
		"no more to be told":   {says(204, ""), vault("Succeeded", 30), true, "", ""},
		"operation refused":    {fails(403, "AuthorizationFailed"), vault("Succeeded", 30), true, "", ""},
		"refused, not yet":     {fails(403, "AuthorizationFailed"), vault("Succeeded", 14), false, `softDeleteDays is still "14"`, ""},
		"operation in the way": {says(200, `{"status":"InProgress"}`), vault("Succeeded", 30), false, "InProgress", ""},
	} {
		f := newFake().on("GET", vaultID+"/operationStatus/MjA=", c.status).on("GET", vaultID, c.vault)
		p, err := f.client(t, CommandApply).Poll(t.Context(), apply.Operation{
			Action: plan.CreateVault, Target: vaultID, Vault: vaultID, After: &plan.State{Vault: &want},
			Status: "https://arm.test" + vaultID + "/operationStatus/MjA=?api-version=1",
		})
		e, _ := errors.AsType[*apply.Error](err)
		if p.Done != c.done || c.code == "" && p.Message != c.message || (err != nil) != (c.code != "") || e != nil && e.Code != c.code {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// A link to an operation may be relative, and one that is none does not hide that the write was done.
func TestTheLinkToAnOperationIsResolved(t *testing.T) {
	const status = vaultID + "/operationStatus/op1"
	for header, link := range map[string]string{
		"Azure-AsyncOperation": status + "?api-version=1", "Location": "//arm.test" + status + "?api-version=1", "azure-asyncoperation": "%zz",
	} {
		f := newFake().on("PUT", vaultID, says(201, "", header, link)).on("GET", status, says(200, `{"status":"Succeeded"}`)).
			on("GET", vaultID, fails(404, "ResourceNotFound"), says(200, `{"id":"x","location":"westeurope","properties":{"provisioningState":"Succeeded"}}`))
		c := f.client(t, CommandApply)
		op, err := c.Start(t.Context(), plan.Change{
			ID: "create-vault", Action: plan.CreateVault, Target: vaultID, Vault: vaultID, After: &plan.State{Vault: &plan.VaultSettings{Location: "westeurope"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := c.Poll(t.Context(), op); !p.Done || err != nil {
			t.Errorf("%s: %s: %+v, %v", header, link, p, err)
		}
		if want := strings.Contains(link, "/"); (f.count("GET", "/op1") == 1) != want {
			t.Errorf("%s: %s: %d reads of the operation", header, link, f.count("GET", "/op1"))
		}
	}
}

// An operation's URL on another host is not followed, and the write is not given up for it.
func TestAnOperationOutOfReachIsReadBack(t *testing.T) {
	want := plan.PolicySpec{Tier: "Standard", TimeZone: "UTC", Schedule: plan.ScheduleSpec{Frequency: "Daily", At: "16:30"}, Retention: plan.RetentionSpec{Days: 30}}
	for _, op := range []apply.Operation{
		{Status: "https://elsewhere.test/operations/1"}, {Result: "https://elsewhere.test/operations/1"},
	} {
		op.Action, op.Target, op.Vault, op.After = plan.UpdatePolicy, policyID, vaultID, &plan.State{Spec: &want}
		f := newFake().on("GET", policyID, says(200, azuretest.Policy(azuretest.DailySchedule+","+azuretest.Keep30Days+","+azuretest.PolicySettings)))
		if p, err := f.client(t, CommandApply).Poll(t.Context(), op); !p.Done || err != nil {
			t.Errorf("%+v: %+v, %v", op, p, err)
		}
		op.Action = plan.Protect
		_, err := f.client(t, CommandApply).Poll(t.Context(), op)
		if e, is := errors.AsType[*apply.Error](err); err == nil || is && e.Ended {
			t.Errorf("of an item, which the lists show: %v", err)
		}
	}
}

func TestPoliciesAreReadBack(t *testing.T) {
	want := plan.PolicySpec{Tier: "Standard", TimeZone: "UTC", Schedule: plan.ScheduleSpec{Frequency: "Daily", At: "16:30"}, Retention: plan.RetentionSpec{Days: 30}}
	for name, c := range map[string]struct {
		policy        http.HandlerFunc
		done          bool
		message, code string
	}{
		"as wanted":     {says(200, azuretest.Policy(azuretest.DailySchedule+","+azuretest.Keep30Days+","+azuretest.PolicySettings)), true, "", ""},
		"not yet":       {says(200, azuretest.Policy(azuretest.DailySchedule+","+strings.Replace(azuretest.Keep30Days, "30,", "40,", 1)+","+azuretest.PolicySettings)), false, `retention.days is still "40"`, ""},
		"not there yet": {fails(404, "AnyCode"), false, "the policy is not to be seen yet", ""},
		"forbidden":     {fails(403, "AuthorizationFailed"), false, "", "AuthorizationFailed"},
	} {
		f := newFake().on("GET", policyID, c.policy)
		p, err := f.client(t, CommandApply).Poll(t.Context(), apply.Operation{
			Action: plan.CreatePolicy, Target: policyID, Vault: vaultID, After: &plan.State{Spec: &want},
		})
		e, _ := errors.AsType[*apply.Error](err)
		if p.Done != c.done || c.code == "" && p.Message != c.message || (err != nil) != (c.code != "") || e != nil && e.Code != c.code {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}
