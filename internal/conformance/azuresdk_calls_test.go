package conformance

import (
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	backup "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v5"
)

// discover refreshes the vault's list of VMs, polls the refresh to its end and returns the first machine found.
func (c *sdk) discover() *backup.AzureIaaSComputeVMProtectableItem {
	c.t.Helper()
	ctx, captured := capture(c.t)
	if _, err := c.backup.NewProtectionContainersClient().Refresh(ctx, vault, group, fabric, nil); err != nil {
		c.t.Fatal(err)
	}
	id := operationID(c.t, accepted(c.t, captured()), "Location")
	results := c.backup.NewProtectionContainerRefreshOperationResultsClient()
	until(c.t, "the refresh", func() bool {
		ctx, captured := capture(c.t)
		if _, err := results.Get(ctx, vault, group, fabric, id, nil); err != nil {
			c.t.Fatal(err)
		}
		return captured().StatusCode == http.StatusNoContent
	})
	found := c.protectable()
	if len(found) == 0 {
		c.t.Fatal("a refresh found nothing to protect")
	}
	vm, is := found[0].Properties.(*backup.AzureIaaSComputeVMProtectableItem)
	if !is {
		c.t.Fatalf("protectable item is a %T", found[0].Properties)
	}
	return vm
}

func (c *sdk) protectable() []*backup.WorkloadProtectableItemResource {
	c.t.Helper()
	return everything(c.t, c.backup.NewBackupProtectableItemsClient().NewListPager(vault, group,
		&backup.BackupProtectableItemsClientListOptions{Filter: new(vmFilter)}),
		func(p backup.BackupProtectableItemsClientListResponse) []*backup.WorkloadProtectableItemResource {
			return p.Value
		})
}

func (c *sdk) items() []*backup.ProtectedItemResource {
	c.t.Helper()
	return everything(c.t, c.backup.NewBackupProtectedItemsClient().NewListPager(vault, group,
		&backup.BackupProtectedItemsClientListOptions{Filter: new(itemFilter)}),
		func(p backup.BackupProtectedItemsClientListResponse) []*backup.ProtectedItemResource { return p.Value })
}

func (c *sdk) policies() []*backup.ProtectionPolicyResource {
	c.t.Helper()
	return everything(c.t, c.backup.NewBackupPoliciesClient().NewListPager(vault, group,
		&backup.BackupPoliciesClientListOptions{Filter: new(vmFilter)}),
		func(p backup.BackupPoliciesClientListResponse) []*backup.ProtectionPolicyResource { return p.Value })
}

func (c *sdk) jobs() []*backup.JobResource {
	c.t.Helper()
	return everything(c.t, c.backup.NewBackupJobsClient().NewListPager(vault, group, nil),
		func(p backup.BackupJobsClientListResponse) []*backup.JobResource { return p.Value })
}

func (c *sdk) policyID(name string) string {
	c.t.Helper()
	p, err := c.backup.NewProtectionPoliciesClient().Get(c.t.Context(), vault, group, name, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return *p.ID
}

// operation follows an operation of the vault to its end and returns its job.
func (c *sdk) operation(id string) (job string) {
	c.t.Helper()
	statuses := c.backup.NewBackupOperationStatusesClient()
	until(c.t, "the operation", func() bool {
		got, err := statuses.Get(c.t.Context(), vault, group, id, nil)
		if err != nil {
			c.t.Fatal(err)
		}
		if *got.Status == backup.OperationStatusValuesInProgress {
			return false
		}
		if *got.Status == backup.OperationStatusValuesSucceeded {
			job = *got.Properties.(*backup.OperationStatusJobExtendedInfo).JobID
			return true
		}
		c.t.Fatalf("operation %s: %s: %+v", id, *got.Status, got.Error)
		return false
	})
	return job
}

func (c *sdk) job(id string) *backup.AzureIaaSVMJob {
	c.t.Helper()
	got, err := c.backup.NewJobDetailsClient().Get(c.t.Context(), vault, group, id, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	job, is := got.Properties.(*backup.AzureIaaSVMJob)
	if !is {
		c.t.Fatalf("job %s is a %T", id, got.Properties)
	}
	return job
}

// machine is a virtual machine under the names that a vault has for it.
type machine struct {
	*sdk
	source                string
	name, container, item string
}

func (c *sdk) machine(vm *backup.AzureIaaSComputeVMProtectableItem) *machine {
	c.t.Helper()
	parts := strings.Split(*vm.VirtualMachineID, "/")
	name := strings.ToLower("iaasvmcontainerv2;" + parts[4] + ";" + parts[8])
	return &machine{sdk: c, source: *vm.VirtualMachineID, name: name, container: "IaasVMContainer;" + name, item: "vm;" + name}
}

// put writes the item and polls to the end.
func (m *machine) put(want backup.AzureIaaSComputeVMProtectedItem) {
	m.t.Helper()
	want.SourceResourceID = &m.source
	poller, err := m.backup.NewProtectedItemsClient().BeginCreateOrUpdate(m.t.Context(), vault, group, fabric, m.container, m.item,
		backup.ProtectedItemResource{Properties: &want}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(m.t.Context(), &runtime.PollUntilDoneOptions{Frequency: 50 * time.Millisecond}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) get() *backup.AzureIaaSComputeVMProtectedItem {
	m.t.Helper()
	got, err := m.backup.NewProtectedItemsClient().Get(m.t.Context(), vault, group, fabric, m.container, m.item, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	vm, is := got.Properties.(*backup.AzureIaaSComputeVMProtectedItem)
	if !is {
		m.t.Fatalf("item %s is a %T", m.item, got.Properties)
	}
	return vm
}

func (m *machine) expect(state backup.ProtectionState, policyID string) {
	m.t.Helper()
	vm := m.get()
	if *vm.ProtectionState != state || !strings.EqualFold(*vm.PolicyID, policyID) || *vm.SourceResourceID != m.source {
		m.t.Errorf("item is %s with policy %q of %s, want %s with %q", *vm.ProtectionState, *vm.PolicyID, *vm.SourceResourceID, state, policyID)
	}
}
