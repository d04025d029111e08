package azure

import (
	"encoding/json"
	"errors"
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

// Names of properties are read without case, so the filter that a write replaces may be spelled otherwise.
func TestADiskFilterIsReplacedHoweverItIsSpelled(t *testing.T) {
	f := newFake().on("PUT", itemID, says(202, ""))
	f.on("GET", itemID, says(200, azuretest.Item(vaultID, "VM1",
		`"policyId":"`+policyID+`","extendedProperties":{"DiskExclusionProperties":{"diskLunList":[0],"isInclusionList":true}}`)))
	_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
		Action: plan.Modify, Risk: plan.RiskReducesCoverage, Target: vm1, Vault: vaultID, Item: itemID,
		Before: &plan.State{State: plan.StateProtected, Policy: policyID, Disks: &plan.Disks{Include: true, LUNs: []int{0}}},
		After:  &plan.State{State: plan.StateProtected, Policy: policyID},
	})
	if err != nil || !strings.Contains(f.last().body, `"extendedProperties":{}`) {
		t.Errorf("%v, sent %s", err, f.last().body)
	}
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
			f := newFake().on("GET", vaultID, says(200, `{"id":"`+vaultID+`","location":"westeurope","properties":{"provisioningState":"Succeeded","redundancySettings":{"standardTierStorageRedundancy":"ZoneRedundant",
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
