// Package azuretest holds the documents that the tests of internal/azure and of the rooms below it read.
package azuretest

import (
	"encoding/json"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// The resources of the tests. VMID is not spelled as its list spells it: letter case does not count.
const (
	Subscription = "11111111-1111-1111-1111-111111111111"
	VaultID      = "/subscriptions/" + Subscription + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/v1"
	OtherVaultID = "/subscriptions/" + Subscription + "/resourceGroups/rg-other/providers/Microsoft.RecoveryServices/vaults/v2"
	VMID         = "/subscriptions/" + Subscription + "/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/VM1"
)

// Item returns a protected item shaped as in docs/azure.md §3; more replaces or adds properties.
func Item(vault, vm string, more ...string) string {
	tail := "iaasvmcontainerv2;rg-app;" + strings.ToLower(vm)
	id := "/subscriptions/" + Subscription + "/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/" + vm
	props := map[string]any{
		"friendlyName": vm, "virtualMachineId": id, "sourceResourceId": id, "protectionStatus": "Healthy", "protectionState": "Protected",
		"healthStatus": "Passed", "healthDetails": []any{map[string]any{"code": 400239, "title": "IaasVmHealthGreenDefault"}},
		"lastBackupStatus": "Completed", "lastBackupTime": "2024-04-28T06:37:47.9585894Z", "protectedItemDataId": "686097311463729",
		"sourceSideScanning": 0, "policyType": "", "protectedItemType": "Microsoft.Compute/virtualMachines",
		"backupManagementType": "AzureIaasVM", "workloadType": "VM", "containerName": tail,
		"policyId": vault + "/backupPolicies/DefaultPolicy", "policyName": "DefaultPolicy",
		"lastRecoveryPoint": "2024-04-28T06:37:52.4277649Z", "vaultId": "https://management.azure.com" + vault,
		"isArchiveEnabled": false, "softDeleteRetentionPeriod": 0,
	}
	for _, m := range more {
		var add map[string]any
		if err := json.Unmarshal([]byte("{"+m+"}"), &add); err != nil {
			panic(err)
		}
		for k, v := range add {
			props[k] = v
			if v == "absent" {
				delete(props, k)
			}
		}
	}
	body, err := json.Marshal(map[string]any{
		"id":   vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;" + tail + "/protectedItems/VM;" + tail,
		"name": "VM;" + tail, "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
		"properties": props,
	})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// JustEnabled, Stopped and SoftDeleted are properties of [Item] in these states, the fingerprints of docs/azure.md §3.
const (
	JustEnabled = `"protectionState":"IRPending","lastBackupStatus":"","lastBackupTime":"2001-01-01T00:00:00Z","lastRecoveryPoint":"absent","healthDetails":"absent"`
	Stopped     = `"protectionState":"ProtectionStopped","policyId":"","policyName":""`
	SoftDeleted = Stopped + `,"isScheduledForDeferredDelete":true,"deferredDeleteTimeInUTC":"2024-04-28T07:36:32.8045285Z",
		"deferredDeleteTimeRemaining":"13.23:59:39.9639675","softDeleteRetentionPeriod":14`
)

// Policy returns a policy for VMs, with properties besides its management type.
func Policy(properties string) string {
	return `{"id":"` + VaultID + `/backupPolicies/p","name":"p","properties":{"backupManagementType":"AzureIaasVM",` + properties + `}}`
}

// The properties of the policy that is read as "Standard daily".
const (
	DailySchedule = `"instantRPDetails":{},"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily",
		"scheduleRunTimes":["2024-04-28T16:30:00Z"],"scheduleWeeklyFrequency":0}`
	Keep30Days = `"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2024-04-28T16:30:00Z"],
		"retentionDuration":{"count":30,"durationType":"Days"}}}`
	PolicySettings = `"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":3`
)

// PolicySpecs returns one spec for each kind of schedule and retention, by what it is.
func PolicySpecs() map[string]plan.PolicySpec {
	sunday := []string{"Sunday"}
	return map[string]plan.PolicySpec{
		"Standard daily": {
			Tier: "Standard", TimeZone: "UTC", InstantRestoreDays: 5, Schedule: plan.ScheduleSpec{Frequency: "Daily", At: "22:00"},
			Retention: plan.RetentionSpec{Days: 30},
		},
		"Standard weekly with all": {
			Tier: "Standard", TimeZone: "W. Europe Standard Time", InstantRestoreDays: 5,
			Schedule: plan.ScheduleSpec{Frequency: "Weekly", At: "22:30", Days: []string{"Sunday", "Wednesday"}},
			Retention: plan.RetentionSpec{
				Weeks:  &plan.KeepSpec{Keep: 12, Days: []string{"Sunday", "Wednesday"}},
				Months: &plan.KeepSpec{Keep: 36, Weeks: []string{"First"}, Days: sunday},
				Years:  &plan.KeepSpec{Keep: 7, Months: []string{"January"}, Weeks: []string{"Last"}, Days: sunday},
			},
			Archive: &plan.ArchiveSpec{Mode: "TierAfter", After: 3, Unit: "Months"},
		},
		"Enhanced hourly": {
			Tier: "Enhanced", TimeZone: "UTC", InstantRestoreDays: 7,
			Schedule:  plan.ScheduleSpec{Frequency: "Hourly", At: "08:00", Every: 4, Window: 12},
			Retention: plan.RetentionSpec{Days: 30, Months: &plan.KeepSpec{Keep: 60, Dates: []int{1, 15, 0}}},
			Archive:   &plan.ArchiveSpec{Mode: "TierRecommended"}, Consistency: "crash",
			InstantRestore: &plan.InstantRestoreSpec{Prefix: "rp-", Suffix: "-weu"},
		},
		"Enhanced daily": {
			Tier: "Enhanced", TimeZone: "UTC", InstantRestoreDays: 2, Schedule: plan.ScheduleSpec{Frequency: "Daily", At: "00:00"},
			Retention: plan.RetentionSpec{Days: 7, Years: &plan.KeepSpec{Keep: 1, Months: []string{"March"}, Dates: []int{28}}},
		},
		"Enhanced weekly": {
			Tier: "Enhanced", TimeZone: "UTC", InstantRestoreDays: 2,
			Schedule:  plan.ScheduleSpec{Frequency: "Weekly", At: "23:30", Days: sunday},
			Retention: plan.RetentionSpec{Weeks: &plan.KeepSpec{Keep: 4, Days: sunday}},
		},
	}
}
