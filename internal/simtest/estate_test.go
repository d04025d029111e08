package simtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// estate builds an estate file: raw bodies as the service returns them (docs/azure.md §3, §7.2, §8.2).
type estate struct {
	subscriptions                []string
	vms, vaults, policies, items []string
}

func subscriptionID(n int) string { return fmt.Sprintf("11111111-1111-1111-1111-%012d", n) }

func (e *estate) addVM(id, location string, tags map[string]string) {
	parts := strings.Split(id, "/")
	e.vms = append(e.vms, fmt.Sprintf(`{"name":%q,"id":%q,"type":"Microsoft.Compute/virtualMachines","location":%q,"tags":%s,`+
		`"properties":{"vmId":"x","hardwareProfile":{"vmSize":"Standard_D2s_v5"},"provisioningState":"Succeeded","timeCreated":"1999-01-01T00:00:00Z",`+
		`"storageProfile":{"osDisk":{"osType":"Linux","managedDisk":{"storageAccountType":"Premium_LRS"}},`+
		`"dataDisks":[{"lun":0,"managedDisk":{"storageAccountType":"Premium_LRS"}},{"lun":1,"managedDisk":{"storageAccountType":"Premium_LRS"}}]}}}`,
		parts[len(parts)-1], id, location, tagsJSON(tags)))
}

func tagsJSON(tags map[string]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		pairs = append(pairs, fmt.Sprintf("%q:%q", k, tags[k]))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

func (e *estate) addVault(id, location string) {
	parts := strings.Split(id, "/")
	e.vaults = append(e.vaults, fmt.Sprintf(`{"location":%q,"name":%q,"etag":"W/\"x\"","id":%q,"type":"Microsoft.RecoveryServices/vaults","sku":{"name":"Standard"},"tags":{},`+
		`"properties":{"provisioningState":"Succeeded","publicNetworkAccess":"Enabled",`+
		`"securitySettings":{"immutabilitySettings":null,"softDeleteSettings":{"softDeleteRetentionPeriodInDays":14,"softDeleteState":"AlwaysON","enhancedSecurityState":"Enabled"}},`+
		`"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Disabled"}}}`,
		location, parts[len(parts)-1], id))
}

// addPolicy adds a daily Standard policy that keeps points for the given days.
func (e *estate) addPolicy(vault, name string, days int) {
	e.policies = append(e.policies, fmt.Sprintf(`{"id":%q,"name":%q,"type":"Microsoft.RecoveryServices/vaults/backupPolicies","properties":{"backupManagementType":"AzureIaasVM",`+
		`"instantRPDetails":{},"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["1999-04-28T22:00:00Z"],"scheduleWeeklyFrequency":0},`+
		`"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["1999-04-28T22:00:00Z"],"retentionDuration":{"count":%d,"durationType":"Days"}}},`+
		`"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":0}}`,
		armid.Policy(vault, name), name, days))
}

// itemState is an item's initial state.
type itemState struct {
	state, policy string
	softDeleted   bool
	disks         string    // "" or a diskExclusionProperties object
	lastPoint     time.Time // zero = none
}

func (e *estate) addItem(vault, vm string, s itemState) {
	id, err := armid.ParseVM(vm)
	if err != nil {
		panic(err)
	}
	tail := "iaasvmcontainerv2;" + strings.ToLower(id.ResourceGroup+";"+id.Name())
	props := fmt.Sprintf(`"friendlyName":%q,"virtualMachineId":%q,"sourceResourceId":%q,"protectionStatus":"Healthy","protectionState":%q,"healthStatus":"Passed",`+
		`"protectedItemType":"Microsoft.Compute/virtualMachines","backupManagementType":"AzureIaasVM","workloadType":"VM","containerName":%q,"vaultId":"https://management.azure.com%s"`,
		id.Name(), vm, vm, s.state, tail, vault)
	if s.policy != "" {
		props += fmt.Sprintf(`,"policyId":%q,"policyName":%q`, armid.Policy(vault, s.policy), s.policy)
	} else {
		props += `,"policyId":"","policyName":""`
	}
	if s.lastPoint.IsZero() {
		props += `,"lastBackupStatus":"","lastBackupTime":"2001-01-01T00:00:00Z"`
	} else {
		at := s.lastPoint.UTC().Format(time.RFC3339)
		props += fmt.Sprintf(`,"lastBackupStatus":"Completed","lastBackupTime":%q,"lastRecoveryPoint":%q`, at, at)
	}
	if s.disks != "" {
		props += `,"extendedProperties":{"diskExclusionProperties":` + s.disks + `}`
	}
	if s.softDeleted {
		props += fmt.Sprintf(`,"isScheduledForDeferredDelete":true,"deferredDeleteTimeInUTC":%q,"deferredDeleteTimeRemaining":"13.00:00:00","softDeleteRetentionPeriod":14`,
			s.lastPoint.UTC().Format(time.RFC3339))
	}
	e.items = append(e.items, fmt.Sprintf(`{"id":%q,"name":%q,"type":"Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems","properties":{%s}}`,
		vault+"/backupFabrics/Azure/protectionContainers/IaasVMContainer;"+tail+"/protectedItems/VM;"+tail, "VM;"+tail, props))
}

// json returns the estate as of the time at which a synctest bubble begins, so that the times of its jobs compare with
// those at which requests were sent.
func (e *estate) json() string {
	list := func(key string, bodies []string) string {
		return fmt.Sprintf("%q:[\n%s]", key, strings.Join(bodies, ",\n"))
	}
	var subs []string
	for _, s := range e.subscriptions {
		subs = append(subs, fmt.Sprintf("%q", s))
	}
	return "{" + strings.Join([]string{
		`"format_version":"1"`, `"taken":"2000-01-01T00:00:00Z"`, `"cloud":"AzurePublic"`, `"tenant":"22222222-2222-2222-2222-222222222222"`,
		`"subscriptions":[` + strings.Join(subs, ",") + `]`,
		list("virtualMachines", e.vms), list("vaults", e.vaults), list("policies", e.policies), list("protectedItems", e.items),
	}, ",\n") + "}"
}
