package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservices"
	backup "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

const (
	itemID   = vaultID + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;vm1/protectedItems/VM;iaasvmcontainerv2;rg-app;vm1"
	policyID = vaultID + "/backupPolicies/p"
)

// start sends a change to a service that accepts everything, and returns the request that arrived.
func start(t *testing.T, f *fake, ch plan.Change, method, path string) (request1, apply.Operation) {
	t.Helper()
	if f.answers["GET "+strings.ToLower(path)] == nil {
		f.on("GET", path, fails(404, "ResourceNotFound"))
	}
	f.on(method, path, says(202, "",
		"Azure-AsyncOperation", "https://arm.test"+path+"/operationsStatus/op-1?api-version=2019-01-01&t=1&c=<sig>",
		"Location", "https://arm.test"+path+"/operationResults/op-1?t=2", "Retry-After", "60"))
	op, err := f.client(t, CommandApply).Start(t.Context(), ch)
	if err != nil {
		t.Fatal(err)
	}
	return f.last(), op
}

// acceptedBy decodes a body into a type of Azure's SDK and back: nothing may be lost or changed.
func acceptedBy(t *testing.T, body string, sdk any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), sdk); err != nil {
		t.Fatalf("Azure's own types refuse the body: %v\n%s", err, body)
	}
	back, err := json.Marshal(sdk)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if json.Unmarshal([]byte(body), &want) != nil || json.Unmarshal(back, &got) != nil {
		t.Fatal("no JSON")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what Azure's own types make of the body (-sent +got):\n%s", d)
	}
}

func TestItemWrites(t *testing.T) {
	const kind = `"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"` + vm1 + `"`
	with := `,"policyId":"` + policyID + `"`
	only01 := &plan.Disks{Include: true, LUNs: []int{0, 1}}
	const filter01 = `,"extendedProperties":{"diskExclusionProperties":{"diskLunList":[0,1],"isInclusionList":true}}`
	protected := &plan.State{State: "Protected", Policy: policyID}
	for name, c := range map[string]struct {
		action        plan.Action
		before, after *plan.State
		want          string
	}{
		"protect":                     {plan.Protect, nil, &plan.State{Policy: policyID}, kind + with},
		"protect some disks":          {plan.Protect, nil, &plan.State{Policy: policyID, Disks: only01}, kind + with + filter01},
		"modify, no filter":           {plan.Modify, protected, &plan.State{Policy: policyID}, kind + with + `,"extendedProperties":{}`},
		"modify, filter sent again":   {plan.Modify, protected, &plan.State{Policy: policyID, Disks: only01}, kind + with + filter01},
		"resume, no filter":           {plan.Resume, nil, &plan.State{Policy: policyID}, kind + with + `,"extendedProperties":{}`},
		"resume, filter sent again":   {plan.Resume, nil, &plan.State{Policy: policyID, Disks: only01}, kind + with + filter01},
		"the OS disk only":            {plan.Modify, protected, &plan.State{Policy: policyID, Disks: &plan.Disks{Include: true}}, kind + with + `,"extendedProperties":{"diskExclusionProperties":{"diskLunList":[],"isInclusionList":true}}`},
		"stop":                        {plan.Stop, protected, &plan.State{State: "ProtectionStopped"}, kind + `,"policyId":"","protectionState":"ProtectionStopped"`},
		"stop without an after":       {plan.Stop, nil, nil, kind + `,"policyId":"","protectionState":"ProtectionStopped"`},
		"stop, filter sent again":     {plan.Stop, &plan.State{Disks: only01}, nil, kind + `,"policyId":"","protectionState":"ProtectionStopped"` + filter01},
		"undelete":                    {plan.Undelete, nil, nil, kind + `,"policyId":"","protectionState":"ProtectionStopped","isRehydrate":true`},
		"undelete, filter sent again": {plan.Undelete, &plan.State{Disks: only01}, nil, kind + `,"policyId":"","protectionState":"ProtectionStopped","isRehydrate":true` + filter01},
	} {
		t.Run(name, func(t *testing.T) {
			got, op := start(t, newFake(), plan.Change{
				ID: "x", Action: c.action, Target: vm1, Vault: vaultID, Item: itemID, Before: c.before, After: c.after,
			}, http.MethodPut, itemID)
			if want := `{"properties":{` + c.want + `}}`; !sameJSON(t, got.body, want) {
				t.Errorf("sent %s\nwant %s", got.body, want)
			}
			acceptedBy(t, got.body, &backup.ProtectedItemResource{})
			if got.query != "api-version="+apiBackup || strings.Contains(got.body, "resourceGuard") {
				t.Errorf("sent %+v", got)
			}
			if c.after == nil {
				c.after = &plan.State{}
			}
			want := apply.Operation{
				ID: "op-1", Change: "x", Vault: vaultID, Action: c.action, Target: vm1, After: c.after, RequestID: "request-1", RetryAfter: time.Minute,
				Status: "https://arm.test" + itemID + "/operationsStatus/op-1?api-version=2019-01-01&t=1&c=<sig>",
				Result: "https://arm.test" + itemID + "/operationResults/op-1?t=2", Accepted: op.Accepted,
			}
			if d := cmp.Diff(want, op); d != "" {
				t.Error(d)
			}
		})
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// An item's unknown properties besides the disk filter are sent back with it.
func TestUnknownExtendedPropertiesGoBack(t *testing.T) {
	f := estate().on("GET", vaultID+"/backupProtectedItems", lists(azuretest.Item(vaultID, "VM1",
		`"extendedProperties":{"linuxVmApplicationName":"hana","diskExclusionProperties":{"diskLunList":[0],"isInclusionList":true}}`)))
	f.on("PUT", itemID, says(202, ""))
	c := f.client(t, CommandApply)
	discover(t, c, scope())
	_, err := c.Start(t.Context(), plan.Change{
		Action: plan.Modify, Target: vm1, Vault: vaultID, Item: strings.ToUpper(itemID), After: &plan.State{Policy: policyID},
	})
	if err != nil || !strings.Contains(f.last().body, `"extendedProperties":{"linuxVmApplicationName":"hana"}`) {
		t.Errorf("%v, sent %s", err, f.last().body)
	}
	acceptedBy(t, f.last().body, &backup.ProtectedItemResource{})
}

func TestAnItemIsWrittenInItsOwnVaultOnly(t *testing.T) {
	f := newFake()
	c := f.client(t, CommandApply)
	for _, ch := range []plan.Change{
		{Action: plan.Protect, Target: vm1, Vault: otherID, Item: itemID, After: &plan.State{Policy: policyID}},
		{Action: plan.Protect, Target: vaultID, Vault: vaultID, After: &plan.State{Policy: policyID}},
		{Action: plan.Protect, Target: vm1, Vault: vaultID},
		{Action: plan.Backup, Target: vm1, Vault: otherID, Item: itemID},
		{Action: plan.Blocked, Target: vm1, Vault: vaultID, Item: itemID},
		{Action: plan.Unchanged, Target: vm1, Vault: vaultID, Item: itemID},
	} {
		if _, err := c.Start(t.Context(), ch); err == nil {
			t.Errorf("%s was sent", ch.Action)
		}
	}
	if len(f.sent) != 0 {
		t.Errorf("sent %+v", f.sent)
	}
}

func TestBackupAndRefreshWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // 2000-01-01
		got, _ := start(t, newFake(), plan.Change{
			Action: plan.Backup, Target: vm1, Vault: vaultID, Item: itemID, After: &plan.State{Retain: plan.Duration(30 * 24 * time.Hour)},
		}, http.MethodPost, itemID+"/backup")
		if want := `{"properties":{"objectType":"IaasVMBackupRequest","recoveryPointExpiryTimeInUTC":"2000-01-31T00:00:00Z"}}`; got.body != want {
			t.Errorf("sent %s", got.body)
		}
		acceptedBy(t, got.body, &backup.BackupRequestResource{})
		got, _ = start(t, newFake(), plan.Change{Action: plan.Backup, Target: vm1, Vault: vaultID}, http.MethodPost,
			vaultID+"/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;RG-App;VM1/protectedItems/VM;iaasvmcontainerv2;RG-App;VM1/backup")
		if want := `{"properties":{"objectType":"IaasVMBackupRequest"}}`; got.body != want {
			t.Errorf("sent %s", got.body)
		}
		got, _ = start(t, newFake(), plan.Change{Action: plan.Refresh, Target: vaultID, Vault: vaultID}, http.MethodPost,
			vaultID+"/backupFabrics/Azure/refreshContainers")
		if got.body != "" || !strings.Contains(got.query, "AzureIaasVM") {
			t.Errorf("sent %+v", got)
		}
	})
}

func TestVaultWrites(t *testing.T) {
	full := plan.VaultSettings{
		Redundancy: "GeoRedundant", CrossRegionRestore: new(true), SoftDeleteDays: new(30), Immutability: "Unlocked",
		PublicNetworkAccess: new(false), Tags: map[string]string{"owner": "platform"}, Location: "westeurope",
	}
	const redundant = `"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Enabled"}`
	for name, c := range map[string]struct {
		action plan.Action
		after  plan.VaultSettings
		want   string
	}{
		"create": {plan.CreateVault, full, `{"location":"westeurope","sku":{"name":"Standard"},"tags":{"owner":"platform"},"properties":{
			"publicNetworkAccess":"Disabled","securitySettings":{"immutabilitySettings":{"state":"Unlocked"},"softDeleteSettings":{"softDeleteRetentionPeriodInDays":30}},` + redundant + `}}`},
		"create, nothing said": {plan.CreateVault, plan.VaultSettings{Location: "westeurope"}, `{"location":"westeurope","sku":{"name":"Standard"},"properties":{"publicNetworkAccess":"Enabled"}}`},
		"update soft delete":   {plan.UpdateVault, plan.VaultSettings{SoftDeleteDays: new(60)}, `{"properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"AlwaysON","softDeleteRetentionPeriodInDays":60}}}}`},
		"update one of redundancy": {
			plan.UpdateVault,
			plan.VaultSettings{CrossRegionRestore: new(true)},
			`{"properties":{"redundancySettings":{"standardTierStorageRedundancy":"ZoneRedundant","crossRegionRestore":"Enabled"}}}`,
		},
		"update the other": {
			plan.UpdateVault,
			plan.VaultSettings{Redundancy: "LocallyRedundant"},
			`{"properties":{"redundancySettings":{"standardTierStorageRedundancy":"LocallyRedundant","crossRegionRestore":"Disabled"}}}`,
		},
		"update immutability": {plan.UpdateVault, plan.VaultSettings{Immutability: "Locked"}, `{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Locked"}}}}`},
		"update network":      {plan.UpdateVault, plan.VaultSettings{PublicNetworkAccess: new(true)}, `{"properties":{"publicNetworkAccess":"Enabled"}}`},
		"update tags":         {plan.UpdateVault, plan.VaultSettings{Tags: map[string]string{"a": "b"}}, `{"tags":{"a":"b"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake().on("GET", vaultID, says(200, `{"id":"`+vaultID+`","location":"westeurope","properties":{"redundancySettings":{"standardTierStorageRedundancy":"ZoneRedundant",
				"crossRegionRestore":"Disabled"},"securitySettings":{"softDeleteSettings":{"softDeleteState":"AlwaysON","softDeleteRetentionPeriodInDays":14}}}}`))
			method, sdk := http.MethodPut, any(&armrecoveryservices.Vault{})
			if c.action == plan.UpdateVault {
				method, sdk = http.MethodPatch, &armrecoveryservices.PatchVault{}
			}
			ch := plan.Change{Action: c.action, Target: vaultID, Vault: vaultID, After: &plan.State{Vault: &c.after}}
			if c.action == plan.CreateVault {
				f.on("GET", vaultID, fails(404, "ResourceNotFound"))
			} else {
				ch.Before = &plan.State{Vault: &plan.VaultSettings{
					Redundancy: "ZoneRedundant", CrossRegionRestore: new(false), SoftDeleteDays: new(14), Immutability: "Disabled",
				}}
			}
			got, _ := start(t, f, ch, method, vaultID)
			if !sameJSON(t, got.body, c.want) {
				t.Errorf("sent %s\nwant %s", got.body, c.want)
			}
			acceptedBy(t, got.body, sdk)
			if n := f.count("PUT", "") + f.count("PATCH", ""); n != 1 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

// policyOf returns the spec that the service would read from a sent body.
func policyOf(t *testing.T, body string) plan.PolicySpec {
	t.Helper()
	var w wire.Policy
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		t.Fatal(err)
	}
	p, err := w.ToPlan(vaultID)
	if err != nil || p.Unreadable != "" {
		t.Fatalf("we cannot read our own policy: %v%s\n%s", err, p.Unreadable, body)
	}
	return p.Spec
}

func TestNewPoliciesMeanWhatTheySay(t *testing.T) {
	for name, spec := range azuretest.PolicySpecs() {
		t.Run(name, func(t *testing.T) {
			got, _ := start(t, newFake(), plan.Change{Action: plan.CreatePolicy, Target: policyID, Vault: vaultID, After: &plan.State{Spec: &spec}},
				http.MethodPut, policyID)
			acceptedBy(t, got.body, &backup.ProtectionPolicyResource{})
			if d := cmp.Diff(spec, policyOf(t, got.body)); d != "" {
				t.Error(d)
			}
			if strings.Contains(got.body, `"date":0`) != strings.Contains(got.body, `{"date":0,"isLast":true}`) {
				t.Errorf("the last day is not said to be the last: %s", got.body)
			}
			// Every retention time equals the schedule's (docs/azure.md §8.3).
			at := spec.Schedule.At + ":00Z"
			if n, all := strings.Count(got.body, at), strings.Count(got.body, "T"+at[:5]); n != all || n < 2 {
				t.Errorf("%d times of %d are %s: %s", n, all, at, got.body)
			}
		})
	}
}

// Each spec is merged with a document of each other one of its tier.
func TestPolicyUpdatesKeepWhatTheyDoNotChange(t *testing.T) {
	for from, before := range azuretest.PolicySpecs() {
		for to, after := range azuretest.PolicySpecs() {
			if before.Tier != after.Tier || from == to {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				made, _ := start(t, newFake(), plan.Change{Action: plan.CreatePolicy, Target: policyID, Vault: vaultID, After: &plan.State{Spec: &before}},
					http.MethodPut, policyID)
				doc := strings.Replace(made.body, `{"properties":{`, `{"id":"`+policyID+`","name":"p","properties":{"aNewKey":{"x":[1]},"protectedItemsCount":2,`, 1)
				got, _ := start(t, newFake().on("GET", policyID, says(200, doc)),
					plan.Change{
						Action: plan.UpdatePolicy, Target: policyID, Vault: vaultID, Risk: plan.RiskReducesRetention,
						Before: &plan.State{Spec: &before}, After: &plan.State{Spec: &after},
					}, http.MethodPut, policyID)
				want := wire.FillUnset(before, after)
				if d := cmp.Diff(want, policyOf(t, got.body)); d != "" {
					t.Error(d)
				}
				if !strings.Contains(got.body, `"aNewKey":{"x":[1]}`) || !strings.Contains(got.body, `"protectedItemsCount":2`) {
					t.Errorf("a property was lost: %s", got.body)
				}
				acceptedBy(t, strings.Replace(got.body, `"aNewKey":{"x":[1]},`, "", 1), &backup.ProtectionPolicyResource{})
			})
		}
	}
}

func TestAPolicyOfAnotherKindIsNotWritten(t *testing.T) {
	spec := azuretest.PolicySpecs()["Standard daily"]
	enhanced := azuretest.PolicySpecs()["Enhanced hourly"]
	for name, c := range map[string]struct {
		doc  string
		want plan.PolicySpec
	}{
		"unknown schedule": {azuretest.Policy(strings.Replace(azuretest.DailySchedule, "SimpleSchedulePolicy", "LogSchedulePolicy", 1) + "," + azuretest.Keep30Days), spec},
		"a workload":       {strings.Replace(azuretest.Policy(azuretest.DailySchedule+","+azuretest.Keep30Days), "AzureIaasVM", "AzureWorkload", 1), spec},
		"another tier":     {azuretest.Policy(azuretest.DailySchedule + "," + azuretest.Keep30Days), enhanced},
	} {
		f := newFake().on("GET", policyID, says(200, c.doc))
		_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
			Action: plan.UpdatePolicy, Target: policyID, Vault: vaultID, Before: &plan.State{Spec: &spec}, After: &plan.State{Spec: &c.want},
		})
		if err == nil || f.count("PUT", "") != 0 {
			t.Errorf("%s: %v, %d PUTs", name, err, f.count("PUT", ""))
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
