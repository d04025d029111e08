package wire

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestItems(t *testing.T) {
	point := time.Date(2024, 4, 28, 6, 37, 52, 427764900, time.UTC)
	try := time.Date(2024, 4, 28, 6, 37, 47, 958589400, time.UTC)
	tail := "iaasvmcontainerv2;rg-app;vm1"
	item := func(change func(*plan.Item)) plan.Item {
		it := plan.Item{
			ID:    vaultID + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;" + tail + "/protectedItems/VM;" + tail,
			Vault: vaultID, VM: vm1, Container: tail, State: "Protected", PolicyID: vaultID + "/backupPolicies/DefaultPolicy",
			PolicyName: "DefaultPolicy", LastRecoveryPoint: point, LastBackup: try, LastBackupStatus: "Completed", Health: "Passed",
		}
		change(&it)
		return it
	}
	for name, c := range map[string]struct {
		more string
		want plan.Item
	}{
		"backed up": {``, item(func(*plan.Item) {})},
		"just enabled": {azuretest.JustEnabled, item(func(it *plan.Item) {
			it.State, it.LastRecoveryPoint, it.LastBackup, it.LastBackupStatus = "IRPending", time.Time{}, time.Time{}, ""
		})},
		"stopped": {azuretest.Stopped, item(func(it *plan.Item) { it.State, it.PolicyID, it.PolicyName = "ProtectionStopped", "", "" })},
		"soft-deleted": {azuretest.SoftDeleted, item(func(it *plan.Item) {
			it.State, it.PolicyID, it.PolicyName, it.SoftDeleted = "ProtectionStopped", "", "", true
			it.DeletedAt = time.Date(2024, 4, 28, 7, 36, 32, 804528500, time.UTC)
			it.PurgeAt = it.DeletedAt.AddDate(0, 0, 14)
		})},
		"soft-deleted, the newer key": {azuretest.SoftDeleted + `,"softDeleteRetentionPeriod":0,"softDeleteRetentionPeriodInDays":30`, item(func(it *plan.Item) {
			it.State, it.PolicyID, it.PolicyName, it.SoftDeleted = "ProtectionStopped", "", "", true
			it.DeletedAt = time.Date(2024, 4, 28, 7, 36, 32, 804528500, time.UTC)
			it.PurgeAt = it.DeletedAt.AddDate(0, 0, 30)
		})},
		"soft-deleted, the time span alone": {azuretest.SoftDeleted + `,"softDeleteRetentionPeriod":0,"deferredDeleteTimeInUTC":""`, item(func(it *plan.Item) {
			it.State, it.PolicyID, it.PolicyName, it.SoftDeleted = "ProtectionStopped", "", "", true
			it.PurgeAt = time.Date(2024, 5, 14, 23, 59, 0, 0, time.UTC)
		})},
		"suspended, policy kept": {`"protectionState":"BackupsSuspended"`, item(func(it *plan.Item) { it.State = "BackupsSuspended" })},
		"a word we do not know":  {`"protectionState":"Dancing"`, item(func(it *plan.Item) { it.State = "Dancing" })},
		"included disks": {
			`"extendedProperties":{"diskExclusionProperties":{"diskLunList":[1,0,1],"isInclusionList":true}}`,
			item(func(it *plan.Item) { it.Disks = &plan.Disks{Include: true, LUNs: []int{0, 1}} }),
		},
		"excluded disks": {
			`"extendedProperties":{"diskExclusionProperties":{"diskLunList":[2],"isInclusionList":false}}`,
			item(func(it *plan.Item) { it.Disks = &plan.Disks{LUNs: []int{2}} }),
		},
		"the OS disk only": {
			`"extendedProperties":{"diskExclusionProperties":{"diskLunList":[],"isInclusionList":true}}`,
			item(func(it *plan.Item) { it.Disks = &plan.Disks{Include: true, LUNs: []int{}} }),
		},
		"nothing excluded":            {`"extendedProperties":{"diskExclusionProperties":{"diskLunList":[],"isInclusionList":false}}`, item(func(*plan.Item) {})},
		"no filter":                   {`"extendedProperties":{}`, item(func(*plan.Item) {})},
		"a null filter":               {`"extendedProperties":{"diskExclusionProperties":null}`, item(func(*plan.Item) {})},
		"no extended properties":      {`"extendedProperties":null`, item(func(*plan.Item) {})},
		"odd types that do not count": {`"lastBackupTime":7,"healthStatus":3`, item(func(it *plan.Item) { it.LastBackup, it.Health = time.Time{}, "" })},
		"the VM's other name":         {`"sourceResourceId":"absent"`, item(func(*plan.Item) {})},
		"no zone in a time":           {`"lastBackupTime":"0001-01-01T00:00:00"`, item(func(it *plan.Item) { it.LastBackup = time.Time{} })},
	} {
		t.Run(name, func(t *testing.T) {
			var w Item
			if err := Unmarshal([]byte(azuretest.Item(vaultID, "VM1", c.more)), &w); err != nil {
				t.Fatal(err)
			}
			got, err := w.ToPlan(vaultID, time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A deciding field that was not understood is in the item's Unreadable, with its value; only an item whose VM is
// unknown is an error.
func TestItemsThatAreNotUnderstood(t *testing.T) {
	at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	read := func(raw string) (plan.Item, error) {
		var w Item
		if err := Unmarshal([]byte(raw), &w); err != nil {
			t.Fatal(raw, err)
		}
		return w.ToPlan(vaultID, at)
	}
	for name, raw := range map[string]string{
		"no VM":          azuretest.Item(vaultID, "VM1", `"sourceResourceId":"","virtualMachineId":""`),
		"two VMs":        azuretest.Item(vaultID, "VM1", `"sourceResourceId":"`+strings.Replace(vm1, "VM1", "VM2", 1)+`"`),
		"null":           `null`,
		"odd properties": `{"id":"` + vaultID + `/x","properties":"?"}`,
	} {
		if it, err := read(raw); err == nil {
			t.Errorf("%s: read as %+v", name, it)
		}
	}
	for raw, what := range map[string]string{
		azuretest.Item(otherID, "VM1"): `id is "` + otherID[:60] + `…"; policyId is "` + otherID[:60] + `…"`,
		`{"properties":{"sourceResourceId":"` + vm1 + `","protectionState":"Protected"}}`:                                                `id is ""`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":["0"],"isInclusionList":true}}`):  `extendedProperties: the disk filter is {"diskLunList":["0"],"isInclusionList":true}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":[0],"isInclusionList":"yes"}}`):   `extendedProperties: the disk filter is {"diskLunList":[0],"isInclusionList":"yes"}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":[0]}}`):                           `extendedProperties: the disk filter is {"diskLunList":[0]}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":null,"isInclusionList":true}}`):   `extendedProperties: the disk filter is {"diskLunList":null,"isInclusionList":true}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":[null],"isInclusionList":true}}`): `extendedProperties: the disk filter is {"diskLunList":[null],"isInclusionList":true}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":[99],"isInclusionList":true}}`):   `extendedProperties: the disk filter is {"diskLunList":[99],"isInclusionList":true}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":[]`):                                                                        `extendedProperties: it is []`,
		azuretest.Item(vaultID, "VM1", `"isScheduledForDeferredDelete":"true"`):                                                          `isScheduledForDeferredDelete is "true"`,
		azuretest.Item(vaultID, "VM1", `"isScheduledForDeferredDelete":true`):                                                            `protectionState is "Protected", and the item is said to be deleted`,
		azuretest.Item(vaultID, "VM1", azuretest.SoftDeleted, `"isScheduledForDeferredDelete":false`):                                    `isScheduledForDeferredDelete is false, and deferredDeleteTimeInUTC is "2024-04-28T07:36:32.8045285Z"`,
		azuretest.Item(vaultID, "VM1", azuretest.Stopped, `"deferredDeleteTimeInUTC":"soon"`):                                            `deferredDeleteTimeInUTC is "soon"`,
		azuretest.Item(vaultID, "VM1", `"lastRecoveryPoint":"yesterday\u001b[31m"`):                                                      `lastRecoveryPoint is "yesterday\x1b[31m"`,
		azuretest.Item(vaultID, "VM1", `"lastRecoveryPoint":"2041-01-01T00:00:00Z"`):                                                     `lastRecoveryPoint is "2041-01-01T00:00:00Z"`,
		azuretest.Item(vaultID, "VM1", `"lastRecoveryPoint":{"at":1}`):                                                                   `lastRecoveryPoint is {"at":1}`,
		azuretest.Item(vaultID, "VM1", `"protectionState":null`):                                                                         `protectionState is missing`,
		azuretest.Item(vaultID, "VM1", `"protectionState":["Protected"]`):                                                                `protectionState is ["Protected"]`,
		azuretest.Item(vaultID, "VM1", `"lastBackupStatus":null`):                                                                        `lastBackupStatus is missing`,
		azuretest.Item(vaultID, "VM1", `"policyId":"`+otherID+`/backupPolicies/p"`):                                                      `policyId is "` + otherID[:60] + `…"`,
		azuretest.Item(vaultID, "VM1", `"backupManagementType":"AzureWorkload"`):                                                         `backupManagementType is "AzureWorkload"`,
	} {
		it, err := read(raw)
		if err != nil || it.Unreadable != what || !strings.EqualFold(it.VM, vm1) {
			t.Errorf("want %s, got %q of %s, %v", what, it.Unreadable, it.VM, err)
		}
	}
}

// Where one field is missing, another may replace it.
func TestOtherEvidenceIsUsedWhereItIsThere(t *testing.T) {
	at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		more []string
		want func(plan.Item) bool
	}{
		"the flag is no flag, the time tells":       {[]string{azuretest.SoftDeleted, `"isScheduledForDeferredDelete":"true"`}, func(it plan.Item) bool { return it.SoftDeleted }},
		"the flag is absent, the time tells":        {[]string{azuretest.SoftDeleted, `"isScheduledForDeferredDelete":"absent"`}, func(it plan.Item) bool { return it.SoftDeleted && it.PurgeAt.Day() == 12 }},
		"what remains tells":                        {[]string{azuretest.SoftDeleted, `"isScheduledForDeferredDelete":1,"deferredDeleteTimeInUTC":"absent"`}, func(it plan.Item) bool { return it.SoftDeleted && it.PurgeAt.Day() == 14 }},
		"a time to come is none to count from":      {[]string{azuretest.SoftDeleted, `"deferredDeleteTimeInUTC":"2041-01-01T00:00:00Z"`}, func(it plan.Item) bool { return it.SoftDeleted && it.PurgeAt.Day() == 14 }},
		"nothing remains of what was not deleted":   {[]string{azuretest.Stopped, `"deferredDeleteTimeRemaining":"00:00:00","deferredDeleteTimeInUTC":"0001-01-01T00:00:00"`}, func(it plan.Item) bool { return !it.SoftDeleted }},
		"the VM's other name":                       {[]string{`"sourceResourceId":7`}, func(it plan.Item) bool { return it.VM == vm1 }},
		"the policy's id":                           {[]string{`"policyName":[]`}, func(it plan.Item) bool { return it.PolicyName == "DefaultPolicy" }},
		"the policy's name":                         {[]string{`"policyId":null`}, func(it plan.Item) bool { return it.PolicyName == "DefaultPolicy" && it.PolicyID == "" }},
		"the container in the id":                   {[]string{`"containerName":{}`}, func(it plan.Item) bool { return it.Container == "iaasvmcontainerv2;rg-app;vm1" }},
		"the type, where the management is odd":     {[]string{`"backupManagementType":3`}, func(it plan.Item) bool { return it.State == "Protected" }},
		"words in another case":                     {[]string{`"protectionState":"PROTECTED","backupManagementType":"azureiaasvm","lastBackupStatus":"completed"`}, func(it plan.Item) bool { return it.State == "Protected" && it.LastBackupStatus == "Completed" }},
		"an absurd retention is none to count with": {[]string{azuretest.SoftDeleted, `"softDeleteRetentionPeriod":1000000000`}, func(it plan.Item) bool { return it.PurgeAt.Day() == 14 }},
	} {
		var w Item
		if err := Unmarshal([]byte(azuretest.Item(vaultID, "VM1", c.more...)), &w); err != nil {
			t.Fatal(name, err)
		}
		if it, err := w.ToPlan(vaultID, at); err != nil || it.Unreadable != "" || !c.want(it) {
			t.Errorf("%s: %+v, %v", name, it, err)
		}
	}
}

func TestItemsOfOtherWorkloadsAreTold(t *testing.T) {
	for raw, want := range map[string]string{
		azuretest.Item(vaultID, "VM1"): "",
		azuretest.Item(vaultID, "VM1", `"backupManagementType":"absent","workloadType":"absent","protectedItemType":"absent"`):                                 "",
		azuretest.Item(vaultID, "VM1", `"backupManagementType":"AzureWorkload","workloadType":"SQLDataBase","protectedItemType":"AzureVmWorkloadSQLDatabase"`): "AzureWorkload",
		azuretest.Item(vaultID, "VM1", `"backupManagementType":"AzureWorkload"`):                                                                               "",
		azuretest.Item(vaultID, "VM1", `"backupManagementType":"absent","workloadType":"azurefileshare","protectedItemType":"absent"`):                         "azurefileshare",
		azuretest.Item(vaultID, "VM1", `"backupManagementType":"Dancing","workloadType":"SQLDataBase","protectedItemType":"absent"`):                           "",
	} {
		var w Item
		if err := Unmarshal([]byte(raw), &w); err != nil {
			t.Fatal(err)
		}
		if got := w.OtherWorkload(); got != want {
			t.Errorf("%q, want %q: %s", got, want, raw)
		}
	}
}

const (
	sub     = azuretest.Subscription
	vaultID = azuretest.VaultID
	otherID = azuretest.OtherVaultID
	vm1     = azuretest.VMID
)
