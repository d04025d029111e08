package wire

import (
	"encoding/json"
	"fmt"
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
		`{"properties":{"sourceResourceId":"` + vm1 + `","protectionState":"Protected"}}`:                                               `id is ""`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":["0"],"isInclusionList":true}}`): `extendedProperties: the disk filter is {"diskLunList":["0"],"isInclusionList":true}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":[0],"isInclusionList":"yes"}}`):  `extendedProperties: the disk filter is {"diskLunList":[0],"isInclusionList":"yes"}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":[0]}}`):                          `extendedProperties: the disk filter is {"diskLunList":[0]}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":null,"isInclusionList":true}}`):  `extendedProperties: the disk filter is {"diskLunList":null,"isInclusionList":true}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":{"diskExclusionProperties":{"diskLunList":[99],"isInclusionList":true}}`):  `extendedProperties: the disk filter is {"diskLunList":[99],"isInclusionList":true}`,
		azuretest.Item(vaultID, "VM1", `"extendedProperties":[]`):                                                                       `extendedProperties: it is []`,
		azuretest.Item(vaultID, "VM1", `"isScheduledForDeferredDelete":"true"`):                                                         `isScheduledForDeferredDelete is "true"`,
		azuretest.Item(vaultID, "VM1", `"isScheduledForDeferredDelete":true`):                                                           `protectionState is "Protected", and the item is said to be deleted`,
		azuretest.Item(vaultID, "VM1", azuretest.SoftDeleted, `"isScheduledForDeferredDelete":false`):                                   `isScheduledForDeferredDelete is false, and deferredDeleteTimeInUTC is "2024-04-28T07:36:32.8045285Z"`,
		azuretest.Item(vaultID, "VM1", azuretest.Stopped, `"deferredDeleteTimeInUTC":"soon"`):                                           `deferredDeleteTimeInUTC is "soon"`,
		azuretest.Item(vaultID, "VM1", `"lastRecoveryPoint":"yesterday\u001b[31m"`):                                                     `lastRecoveryPoint is "yesterday\x1b[31m"`,
		azuretest.Item(vaultID, "VM1", `"lastRecoveryPoint":"2041-01-01T00:00:00Z"`):                                                    `lastRecoveryPoint is "2041-01-01T00:00:00Z"`,
		azuretest.Item(vaultID, "VM1", `"lastRecoveryPoint":{"at":1}`):                                                                  `lastRecoveryPoint is {"at":1}`,
		azuretest.Item(vaultID, "VM1", `"protectionState":null`):                                                                        `protectionState is missing`,
		azuretest.Item(vaultID, "VM1", `"protectionState":["Protected"]`):                                                               `protectionState is ["Protected"]`,
		azuretest.Item(vaultID, "VM1", `"lastBackupStatus":null`):                                                                       `lastBackupStatus is missing`,
		azuretest.Item(vaultID, "VM1", `"policyId":"`+otherID+`/backupPolicies/p"`):                                                     `policyId is "` + otherID[:60] + `…"`,
		azuretest.Item(vaultID, "VM1", `"backupManagementType":"AzureWorkload"`):                                                        `backupManagementType is "AzureWorkload"`,
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

func TestVMs(t *testing.T) {
	raw := func(more string) string {
		return fmt.Sprintf(`{"id":%q,"name":"VM1","location":"westeurope","tags":{"Env":"prod"},"type":"Microsoft.Compute/virtualMachines",
			"properties":{"vmId":"x","timeCreated":"2024-01-02T03:04:05.6+00:00","provisioningState":"Succeeded"%s}}`, vm1, more)
	}
	base := plan.VM{
		ID: vm1, Name: "VM1", ResourceGroup: "RG-App", Subscription: sub, Location: "westeurope", Tags: map[string]string{"Env": "prod"},
		TimeCreated: time.Date(2024, 1, 2, 3, 4, 5, 600000000, time.UTC),
	}
	for name, c := range map[string]struct {
		more                 string
		enhanced, unsupports string
	}{
		"plain":          {"", "", ""},
		"premium":        {`,"storageProfile":{"osDisk":{"managedDisk":{"storageAccountType":"Premium_LRS"}},"dataDisks":[]}`, "", ""},
		"ultra":          {`,"storageProfile":{"dataDisks":[{"lun":0},{"lun":1,"managedDisk":{"storageAccountType":"UltraSSD_LRS"}}]}`, "it has an Ultra disk", ""},
		"premium v2":     {`,"storageProfile":{"dataDisks":[{"lun":0,"managedDisk":{"storageAccountType":"PremiumV2_LRS"}}]}`, "it has a Premium SSD v2 disk", ""},
		"trusted launch": {`,"securityProfile":{"securityType":"TrustedLaunch"}`, "", ""},
		"ephemeral":      {`,"storageProfile":{"osDisk":{"diffDiskSettings":{"option":"Local"}}}`, "", "its OS disk is ephemeral"},
		"flexible set":   {`,"virtualMachineScaleSet":{"id":"/x"}`, "", ""},
		"accelerated":    {`,"storageProfile":{"dataDisks":[{"lun":0,"writeAcceleratorEnabled":true}]}`, "", ""},
		"largest":        {`,"storageProfile":{"dataDisks":[{"lun":0,"diskSizeGB":32767}]}`, "", ""},
		"failed":         {`,"storageProfile":{"dataDisks":[]},"provisioningState":"Failed"`, "", ""},
		"going":          {`,"provisioningState":"deleting"`, "", "it is being deleted"},
		"databricks":     {`,"storageProfile":{"imageReference":{"publisher":"AzureDatabricks"}}`, "", "it belongs to a Databricks workspace"},
		"openshift":      {`,"storageProfile":{"imageReference":{"publisher":"azureopenshift"}}`, "", "it belongs to an OpenShift cluster"},
		"no data disks":  {`,"storageProfile":{"dataDisks":null,"osDisk":null,"imageReference":null}`, "", ""},
	} {
		var w VM
		if err := Unmarshal([]byte(raw(c.more)), &w); err != nil {
			t.Fatal(name, err)
		}
		want := base
		want.NeedsEnhanced, want.Unsupported = c.enhanced, c.unsupports
		got, ok := w.ToPlan(time.Time{}, nil)
		if d := cmp.Diff(want, got); d != "" || !ok {
			t.Errorf("%s: %s", name, d)
		}
	}
	var large VM
	if err := Unmarshal([]byte(raw(`,"storageProfile":{"dataDisks":[{"lun":0,"diskSizeGB":64},{"lun":3,"diskSizeGB":32768},{"lun":7,"diskSizeGB":65536}]}`)), &large); err != nil {
		t.Fatal(err)
	}
	want := base
	want.LargeDisks = []int{3, 7}
	if got, _ := large.ToPlan(time.Time{}, nil); !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
	sizesOf := func(profile string) []plan.DiskSize {
		var w VM
		if err := Unmarshal([]byte(raw(`,"storageProfile":`+profile)), &w); err != nil {
			t.Fatal(err)
		}
		vm, _ := w.ToPlan(time.Time{}, nil)
		if vm.Unreadable != "" {
			t.Errorf("%s: a size makes the VM unreadable: %s", profile, vm.Unreadable)
		}
		return w.DiskSizes()
	}
	for profile, want := range map[string][]plan.DiskSize{
		`{"osDisk":{"diskSizeGB":30},"dataDisks":[{"lun":2,"diskSizeGB":64},{"lun":5}]}`: {{LUN: plan.OSDiskLUN, GB: 30}, {LUN: 2, GB: 64}, {LUN: 5}},
		`{"osDisk":{"diskSizeGB":30}}`:                          {{LUN: plan.OSDiskLUN, GB: 30}},
		`{"osDisk":{},"dataDisks":[{"lun":2,"diskSizeGB":64}]}`: nil,
		`{"osDisk":{"diskSizeGB":"thirty"}}`:                    nil,
		`{"osDisk":{"diskSizeGB":-1}}`:                          nil,
	} {
		if d := cmp.Diff(want, sizesOf(profile)); d != "" {
			t.Errorf("%s: %s", profile, d)
		}
	}
	databricks := VM{ID: Field(strings.Replace(vm1, "RG-App", "Databricks-RG-ws-1", 1))}
	if vm, _ := databricks.ToPlan(time.Time{}, nil); vm.Unsupported == "" {
		t.Error("a managed group of Databricks is taken for an ordinary one")
	}
	if _, ok := (&VM{ID: vaultID}).ToPlan(time.Time{}, nil); ok {
		t.Error("a vault is taken for a VM")
	}
}

func TestVaults(t *testing.T) {
	const nulls = `{"id":"/x","name":"v1","location":"westeurope","properties":{"provisioningState":"Succeeded",
		"securitySettings":{"immutabilitySettings":null,"softDeleteSettings":null},"redundancySettings":{"standardTierStorageRedundancy":"Invalid"},
		"publicNetworkAccess":"Enabled","secureScore":"None","multiUserAuthorization":"Invalid"}}`
	const full = `{"id":"/x","name":"v1","location":"westeurope","tags":{"a":"b"},"properties":{"provisioningState":"Updating",
		"securitySettings":{"immutabilitySettings":{"state":"Unlocked"},"softDeleteSettings":{"softDeleteState":"AlwaysON",
		"softDeleteRetentionPeriodInDays":30,"enhancedSecurityState":"Enabled"}},
		"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Enabled"},"publicNetworkAccess":"Disabled"}}`
	for raw, want := range map[string]plan.Vault{
		nulls: {
			ID: vaultID, Name: "v1", Location: "westeurope", InFile: true, ProvisioningState: "Succeeded",
			Settings: plan.VaultSettings{Immutability: "Disabled", PublicNetworkAccess: new(true)},
		},
		full: {
			ID: vaultID, Name: "v1", Location: "westeurope", InFile: true, ProvisioningState: "Updating", SoftDeleteState: "AlwaysON",
			Settings: plan.VaultSettings{
				Redundancy: "GeoRedundant", CrossRegionRestore: new(true), SoftDeleteDays: new(30), Immutability: "Unlocked",
				PublicNetworkAccess: new(false), Tags: map[string]string{"a": "b"},
			},
		},
	} {
		var w Vault
		if err := json.Unmarshal([]byte(raw), &w); err != nil {
			t.Fatal(err)
		}
		got, odd := w.ToPlan(vaultID, true)
		if d := cmp.Diff(want, got); d != "" || odd != "" {
			t.Error(odd, d)
		}
	}
}

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

func TestTimeSpans(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"13.23:59:42.8656002": 13*24*time.Hour + 23*time.Hour + 59*time.Minute + 42*time.Second + 865600200,
		"00:20:23":            20*time.Minute + 23*time.Second,
		"1.00:00:00":          24 * time.Hour,
	} {
		if got, err := parseTimeSpan(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "P1D", "1.2.3:4:5", "-1.00:00:00", "-00:00:01", "a:b:c", "1:2"} {
		if got, err := parseTimeSpan(s); err == nil {
			t.Errorf("%q was read as %v", s, got)
		}
	}
}

func TestPolicies(t *testing.T) {
	v1 := plan.PolicySpec{
		Tier: "Standard", TimeZone: "UTC", InstantRestoreDays: 2,
		Schedule: plan.ScheduleSpec{Frequency: "Daily", At: "16:30"}, Retention: plan.RetentionSpec{Days: 30},
	}
	with := func(change func(*plan.PolicySpec)) plan.PolicySpec {
		s := v1
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		properties string
		want       plan.PolicySpec
	}{
		"Standard daily": {azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings, v1},
		"said to be V1":  {azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"policyType":"V1"`, v1},
		"no archive": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"DoNotTier","duration":0,"durationType":"Invalid"}}`, v1,
		},
		"archive": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}}`,
			with(func(s *plan.PolicySpec) { s.Archive = &plan.ArchiveSpec{Mode: "TierAfter", After: 3, Unit: "Months"} }),
		},
		"archive where recommended": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierRecommended","duration":0,"durationType":"Invalid"}}`,
			with(func(s *plan.PolicySpec) { s.Archive = &plan.ArchiveSpec{Mode: "TierRecommended"} }),
		},
		"crash consistent, groups named": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"snapshotConsistencyType":"OnlyCrashConsistent","instantRPDetails":{"azureBackupRGNamePrefix":"rp-"}`,
			with(func(s *plan.PolicySpec) {
				s.Consistency, s.InstantRestore = "crash", &plan.InstantRestoreSpec{Prefix: "rp-"}
			}),
		},
		"Standard weekly": {
			`"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Weekly","scheduleRunDays":["Saturday","Sunday"],
			"scheduleRunTimes":["2024-04-28T16:30:00Z"]},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy",
			"weeklySchedule":{"daysOfTheWeek":["Saturday","Sunday"],"retentionTimes":["2024-04-28T16:30:00Z"],"retentionDuration":{"count":12,"durationType":"Weeks"}}},` + azuretest.PolicySettings,
			with(func(s *plan.PolicySpec) {
				s.Schedule = plan.ScheduleSpec{Frequency: "Weekly", At: "16:30", Days: []string{"Sunday", "Saturday"}}
				s.Retention = plan.RetentionSpec{Weeks: &plan.KeepSpec{Keep: 12, Days: []string{"Sunday", "Saturday"}}}
			}),
		},
		"Enhanced hourly": {
			`"policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly",
			"hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2024-04-28T08:00:00Z","scheduleWindowDuration":12}},` + azuretest.Keep30Days + "," + azuretest.PolicySettings,
			with(func(s *plan.PolicySpec) {
				s.Tier, s.Schedule = "Enhanced", plan.ScheduleSpec{Frequency: "Hourly", At: "08:00", Every: 4, Window: 12}
			}),
		},
		"Enhanced weekly, months and years": {
			`"policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Weekly",
			"weeklySchedule":{"scheduleRunDays":["Monday"],"scheduleRunTimes":["23:00:00Z"]}},
			"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":null,"weeklySchedule":{"daysOfTheWeek":["Monday"],"retentionDuration":{"count":8,"durationType":"Weeks"}},
			"monthlySchedule":{"retentionScheduleFormatType":"Daily","retentionScheduleDaily":{"daysOfTheMonth":[{"date":0,"isLast":true},{"date":15,"isLast":false},{"date":1,"isLast":false}]},
			"retentionTimes":["x"],"retentionDuration":{"count":60,"durationType":"Months"}},
			"yearlySchedule":{"retentionScheduleFormatType":"Weekly","monthsOfYear":["March","January"],"retentionScheduleWeekly":{"daysOfTheWeek":["Sunday"],"weeksOfTheMonth":["Last","First"]},
			"retentionTimes":["x"],"retentionDuration":{"count":7,"durationType":"Years"}}},` + azuretest.PolicySettings,
			with(func(s *plan.PolicySpec) {
				s.Tier, s.Schedule = "Enhanced", plan.ScheduleSpec{Frequency: "Weekly", At: "23:00", Days: []string{"Monday"}}
				s.Retention = plan.RetentionSpec{
					Weeks:  &plan.KeepSpec{Keep: 8, Days: []string{"Monday"}},
					Months: &plan.KeepSpec{Keep: 60, Dates: []int{1, 15, 0}},
					Years: &plan.KeepSpec{
						Keep: 7, Months: []string{"January", "March"}, Weeks: []string{"First", "Last"}, Days: []string{"Sunday"},
					},
				}
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var w Policy
			if err := json.Unmarshal([]byte(azuretest.Policy(c.properties)), &w); err != nil {
				t.Fatal(err)
			}
			got, err := w.ToPlan(vaultID)
			want := plan.Policy{ID: vaultID + "/backupPolicies/p", Name: "p", Vault: vaultID, Spec: c.want, Items: 3}
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Error(err, d)
			}
		})
	}
}

func TestPoliciesThatAreNotUnderstoodAreUnreadable(t *testing.T) {
	for name, properties := range map[string]string{
		"schedule kind":                       strings.Replace(azuretest.DailySchedule, `"SimpleSchedulePolicy"`, `"LogSchedulePolicy"`, 1) + "," + azuretest.Keep30Days,
		"no schedule":                         azuretest.Keep30Days,
		"frequency":                           strings.Replace(azuretest.DailySchedule, "Daily", "Minutely", 1) + "," + azuretest.Keep30Days,
		"two times":                           strings.Replace(azuretest.DailySchedule, `Z"]`, `Z","2024-04-28T18:30:00Z"]`, 1) + "," + azuretest.Keep30Days,
		"no time":                             strings.Replace(azuretest.DailySchedule, `2024-04-28T16:30:00Z`, `noon`, 1) + "," + azuretest.Keep30Days,
		"retention kind":                      azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, "LongTerm", "Simple", 1),
		"retention unit":                      azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, `"Days"`, `"Weeks"`, 1),
		"retention type":                      azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, `"count":30`, `"count":"30"`, 1),
		"says no time zone":                   azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"instantRpRetentionRangeInDays":2`,
		"says no instant restore":             azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"timeZone":"UTC"`,
		"says no instant restore that can be": azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"instantRpRetentionRangeInDays":31`,
		"an absurd retention":                 azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, `:30,`, `:10000,`, 1),
		"no daily retention":                  azuretest.DailySchedule + `,"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":null}`,
		"a consistency it knows not":          azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"snapshotConsistencyType":"None"`,
		"an archive it knows not":             azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"Maybe"}}`,
		"an archive after no unit":            azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Invalid"}}`,
		"policy type":                         azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"policyType":"V3"`,
		"monthly format":                      azuretest.DailySchedule + `,"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","monthlySchedule":{"retentionScheduleFormatType":"Invalid","retentionDuration":{"count":1,"durationType":"Months"}}}`,
		"a day of no week":                    azuretest.DailySchedule + `,"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","weeklySchedule":{"daysOfTheWeek":["Caturday"],"retentionDuration":{"count":1,"durationType":"Weeks"}}}`,
	} {
		var w Policy
		if !strings.Contains(name, "says no") {
			properties += "," + azuretest.PolicySettings
		}
		if err := json.Unmarshal([]byte(azuretest.Policy(properties)), &w); err != nil {
			t.Fatal(name, err)
		}
		if got, err := w.ToPlan(vaultID); err != nil || got.Unreadable == "" {
			t.Errorf("%s: read as %+v, %v", name, got, err)
		}
	}
	id := azuretest.Policy(azuretest.DailySchedule)[:strings.Index(azuretest.Policy(azuretest.DailySchedule), `"name"`)]
	for properties, want := range map[string]string{
		`{"backupManagementType":"AzureWorkload","workLoadType":"SQLDataBase"}`: `it is a policy for "SQLDataBase", not for VMs`,
		`{"backupManagementType":"azureworkload"}`:                              `it is a policy for "azureworkload", not for VMs`,
		`null`:                               `properties is null`,
		`[]`:                                 `properties is []`,
		`{}`:                                 `backupManagementType is missing`,
		`{"backupManagementType":"Dancing"}`: `backupManagementType is "Dancing"`,
		`{"backupManagementType":["AzureIaasVM"]}`: `backupManagementType is ["AzureIaasVM"]`,
	} {
		var w Policy
		if err := json.Unmarshal([]byte(id+`"properties":`+properties+`}`), &w); err != nil {
			t.Fatal(properties, err)
		}
		if got, err := w.ToPlan(vaultID); err == nil || err.Error() != want {
			t.Errorf("%s: read as %+v, %v", properties, got, err)
		}
	}
}
