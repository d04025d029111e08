package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v7"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservices"
	backup "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v5"

	"github.com/azbackup/azbackup/internal/simulator"
)

// brief returns durations of tenths of a second for every operation.
func brief() map[string]simulator.Range {
	return map[string]simulator.Range{"": simulator.Fixed(150 * time.Millisecond)}
}

// The rounds below cover a machine's states in turn: found, protected, moved to another policy, stopped, resumed,
// deleted, undeleted, backed up.

func TestAzureSDKReadsTheEstate(t *testing.T) {
	t.Parallel()
	c := dial(t, simulator.Settings{Durations: brief(), Pages: map[string]int{"": 7}}) // small pages: nextLink is followed
	vaults := everything(t, c.vaults().NewListBySubscriptionIDPager(nil),
		func(p armrecoveryservices.VaultsClientListBySubscriptionIDResponse) []*armrecoveryservices.Vault {
			return p.Value
		})
	if len(vaults) != 3 {
		t.Errorf("%d vaults, want 3", len(vaults))
	}
	one, err := c.vaults().Get(t.Context(), group, vault, nil)
	if err != nil || *one.Properties.ProvisioningState != "Succeeded" || *one.Location != "westeurope" {
		t.Errorf("vault: %+v, %v", one.Vault, err)
	}
	machines := everything(t, c.machines().NewListAllPager(nil),
		func(p armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine { return p.Value })
	if len(machines) != 60 {
		t.Errorf("%d machines, want 60", len(machines))
	}
	policies := c.policies()
	for _, want := range []string{"DefaultPolicy", "EnhancedPolicy", "daily-30d", "hourly-4h"} {
		if !slices.ContainsFunc(policies, func(p *backup.ProtectionPolicyResource) bool { return *p.Name == want }) {
			t.Errorf("policy %q is not listed", want)
		}
	}
	for _, p := range policies {
		vm, is := p.Properties.(*backup.AzureIaaSVMProtectionPolicy)
		if !is || vm.SchedulePolicy == nil || vm.RetentionPolicy == nil {
			t.Errorf("policy %s: %+v", *p.Name, p.Properties)
		}
	}
	items := c.items()
	if len(items) < 15 {
		t.Errorf("%d protected items, want more than two pages", len(items))
	}
	for _, i := range items {
		if vm, is := i.Properties.(*backup.AzureIaaSComputeVMProtectedItem); !is || vm.SourceResourceID == nil || vm.ProtectionState == nil {
			t.Errorf("item %s: %+v", *i.Name, i.Properties)
		}
	}
}

func TestAzureSDKRefreshesAndFindsMachines(t *testing.T) {
	t.Parallel()
	c := dial(t, simulator.Settings{Durations: brief()})
	vm := c.discover()
	if *vm.ProtectionState != backup.ProtectionStatusNotProtected || !strings.Contains(*vm.VirtualMachineID, "/virtualMachines/") {
		t.Errorf("protectable item: %+v", vm)
	}
}

func TestAzureSDKFollowsAMachinesProtection(t *testing.T) {
	t.Parallel()
	c := dial(t, simulator.Settings{Durations: brief()})
	m := c.machine(c.discover())
	enhanced, hourly := c.policyID("EnhancedPolicy"), c.policyID("hourly-4h")

	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: &enhanced})
	m.expect(backup.ProtectionStateIRPending, enhanced)
	if !slices.ContainsFunc(c.items(), func(i *backup.ProtectedItemResource) bool { return strings.EqualFold(*i.Name, m.item) }) {
		t.Error("the protected machine is not listed")
	}
	if slices.ContainsFunc(c.protectable(), func(p *backup.WorkloadProtectableItemResource) bool { return *p.Name == m.name }) {
		t.Error("the protected machine is still protectable")
	}

	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: &hourly})
	m.expect(backup.ProtectionStateIRPending, hourly)

	stopped := backup.AzureIaaSComputeVMProtectedItem{PolicyID: new(""), ProtectionState: new(backup.ProtectionStateProtectionStopped)}
	m.put(stopped)
	m.expect(backup.ProtectionStateProtectionStopped, "")
	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: &enhanced})
	m.expect(backup.ProtectionStateIRPending, enhanced)
}

func TestAzureSDKUndeletesWhatWasDeleted(t *testing.T) {
	t.Parallel()
	c := dial(t, simulator.Settings{Durations: brief()})
	m := c.machine(c.discover())
	enhanced := c.policyID("EnhancedPolicy")
	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: &enhanced})

	ctx, captured := capture(t)
	if _, err := c.backup.NewProtectedItemsClient().Delete(ctx, vault, group, fabric, m.container, m.item, nil); err != nil {
		t.Fatal(err)
	}
	if job := c.operation(operationID(t, accepted(t, captured()), "Azure-AsyncOperation")); *c.job(job).Operation != "DeleteBackupData" {
		t.Errorf("job of a deletion: %s", *c.job(job).Operation)
	}
	gone := m.get() // soft-deleted, so still there
	if gone.IsScheduledForDeferredDelete == nil || !*gone.IsScheduledForDeferredDelete {
		t.Fatalf("a deleted item is not scheduled for deletion: %+v", gone)
	}

	m.put(backup.AzureIaaSComputeVMProtectedItem{
		PolicyID: new(""), ProtectionState: new(backup.ProtectionStateProtectionStopped), IsRehydrate: new(true),
	})
	m.expect(backup.ProtectionStateProtectionStopped, "")
	if back := m.get(); back.IsScheduledForDeferredDelete != nil && *back.IsScheduledForDeferredDelete {
		t.Error("an undeleted item is still scheduled for deletion")
	}
	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: &enhanced})
	m.expect(backup.ProtectionStateIRPending, enhanced)
}

func TestAzureSDKFollowsABackupToItsRecoveryPoint(t *testing.T) {
	t.Parallel()
	c := dial(t, simulator.Settings{Durations: brief()})
	m := c.machine(c.discover())
	enhanced := c.policyID("EnhancedPolicy")
	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: &enhanced})

	ctx, captured := capture(t)
	request := backup.BackupRequestResource{Properties: &backup.IaasVMBackupRequest{
		RecoveryPointExpiryTimeInUTC: new(time.Now().Add(30 * 24 * time.Hour)),
	}}
	if _, err := c.backup.NewBackupsClient().Trigger(ctx, vault, group, fabric, m.container, m.item, request, nil); err != nil {
		t.Fatal(err)
	}
	id := c.operation(operationID(t, accepted(t, captured()), "Azure-AsyncOperation"))
	var job *backup.AzureIaaSVMJob
	until(t, "the backup", func() bool {
		job = c.job(id)
		return *job.Status != "InProgress"
	})
	if *job.Operation != "Backup" || *job.Status != "Completed" || job.EndTime == nil {
		t.Errorf("job: %s %s, ended %v", *job.Operation, *job.Status, job.EndTime)
	}
	var tasks []string
	for _, task := range job.ExtendedInfo.TasksList {
		tasks = append(tasks, *task.TaskID+" "+*task.Status)
	}
	if want := []string{"Take Snapshot Completed", "Transfer data to vault Completed"}; !slices.Equal(tasks, want) {
		t.Errorf("tasks %q, want %q", tasks, want)
	}
	m.expect(backup.ProtectionStateProtected, enhanced)

	points := everything(t, c.backup.NewRecoveryPointsClient().NewListPager(vault, group, fabric, m.container, m.item, nil),
		func(p backup.RecoveryPointsClientListResponse) []*backup.RecoveryPointResource { return p.Value })
	if len(points) != 1 {
		t.Fatalf("%d recovery points, want 1", len(points))
	}
	if point, is := points[0].Properties.(*backup.IaasVMRecoveryPoint); !is || point.RecoveryPointTime == nil {
		t.Errorf("recovery point: %+v", points[0].Properties)
	}
	if listed := c.jobs(); !slices.ContainsFunc(listed, func(j *backup.JobResource) bool { return *j.Name == id }) {
		t.Errorf("job %s is not among the %d listed", id, len(listed))
	}
}

// TestAzureSDKSignsInAgain: the token expires while an operation is polled, and the poll continues.
func TestAzureSDKSignsInAgain(t *testing.T) {
	t.Parallel()
	durations := brief()
	durations["protect"] = simulator.Fixed(2500 * time.Millisecond)
	c := dial(t, simulator.Settings{Durations: durations, TokenLifetime: simulator.Duration(2 * time.Second)})
	m := c.machine(c.discover())
	if n := c.sim.Stats().Requests["signin.token"]; n != 1 {
		t.Fatalf("signed in %d times before the token ran out, want once", n)
	}
	enhanced := c.policyID("EnhancedPolicy")
	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: &enhanced})
	m.expect(backup.ProtectionStateIRPending, enhanced)
	stats := c.sim.Stats()
	if n := stats.Requests["signin.token"]; n < 2 {
		t.Errorf("signed in %d times, want again when the token ran out", n)
	}
	if stats.Statuses[http.StatusUnauthorized] != 0 {
		t.Errorf("%d requests were refused: a token was good for less than it said", stats.Statuses[http.StatusUnauthorized])
	}
}

func TestAzureSDKChangesAPolicyInUse(t *testing.T) {
	t.Parallel()
	c := dial(t, simulator.Settings{Durations: brief()})
	policies := c.backup.NewProtectionPoliciesClient()
	read := func() (backup.ProtectionPolicyResource, *backup.RetentionDuration, int32) {
		got, err := policies.Get(t.Context(), vault, group, "daily-30d", nil)
		if err != nil {
			t.Fatal(err)
		}
		vm := got.Properties.(*backup.AzureIaaSVMProtectionPolicy)
		return got.ProtectionPolicyResource, vm.RetentionPolicy.(*backup.LongTermRetentionPolicy).DailySchedule.RetentionDuration, *vm.ProtectedItemsCount
	}
	body, kept, count := read()
	if count == 0 {
		t.Fatal("the policy is not in use")
	}
	kept.Count = new(*kept.Count + 5)
	ctx, captured := capture(t)
	if _, err := policies.CreateOrUpdate(ctx, vault, group, "daily-30d", body, nil); err != nil {
		t.Fatal(err)
	}
	id := operationID(t, accepted(t, captured()), "Azure-AsyncOperation")
	statuses := c.backup.NewProtectionPolicyOperationStatusesClient()
	until(t, "the policy's update", func() bool {
		got, err := statuses.Get(t.Context(), vault, group, "daily-30d", id, nil)
		if err != nil {
			t.Fatal(err)
		}
		return *got.Status == backup.OperationStatusValuesSucceeded
	})
	if _, now, _ := read(); *now.Count != *kept.Count {
		t.Errorf("kept for %d days, want %d", *now.Count, *kept.Count)
	}
	jobs := 0
	for _, j := range c.jobs() {
		if job, is := j.Properties.(*backup.AzureIaaSVMJob); is && *job.Operation == "ConfigureBackup" {
			jobs++
		}
	}
	if jobs != int(count) {
		t.Errorf("%d jobs for a policy of %d items", jobs, count)
	}
}
