package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v7"
	backup "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v5"

	"github.com/azbackup/azbackup/internal/simulator"
)

const (
	stagingID = "/subscriptions/" + subscription + "/resourceGroups/rg-backup/providers/Microsoft.Storage/storageAccounts/stweu"
	groupID   = "/subscriptions/" + subscription + "/resourceGroups/rg-backup"
)

// TestAzureSDKRestoresDisksAndDeletesThem: from the recovery point through validation, restore and its job to the disks.
func TestAzureSDKRestoresDisksAndDeletesThem(t *testing.T) {
	t.Parallel()
	account := simulator.ConcurrentClient{Section: "storageAccounts", Body: []byte(`{"id":"` + stagingID + `","location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`)}
	c := dial(t, simulator.Settings{Durations: brief(), Faults: []simulator.Fault{{Name: "staging", Kind: "item.backup", ConcurrentClients: []simulator.ConcurrentClient{account}}}})
	m := c.machine(c.discover())
	m.put(backup.AzureIaaSComputeVMProtectedItem{PolicyID: new(c.policyID("EnhancedPolicy"))})
	point := m.backUp()

	request := &backup.IaasVMRestoreRequest{
		RecoveryPointID: point.Name, RecoveryType: new(backup.RecoveryTypeRestoreDisks), SourceResourceID: &m.source,
		TargetResourceGroupID: new(groupID), StorageAccountID: new(stagingID), Region: new("westeurope"),
		CreateNewCloudService: new(false), OriginalStorageAccountOption: new(false),
	}
	if rows := c.validate(*point.ID, request); len(rows) != 0 {
		t.Errorf("validation found %s: %s", *rows[0].Code, *rows[0].Message)
	}
	request.Region = new("northeurope")
	if rows := c.validate(*point.ID, request); len(rows) != 1 || rows[0].Code == nil || rows[0].Recommendations == nil {
		t.Errorf("validation of another region: %+v", rows)
	}
	request.Region = new("westeurope")

	ctx, captured := capture(t)
	poller, err := c.backup.NewRestoresClient().BeginTrigger(ctx, vault, group, fabric, m.container, m.item, *point.Name,
		backup.RestoreRequestResource{Properties: request}, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := c.operation(operationID(t, accepted(t, captured()), "Azure-AsyncOperation"))
	if _, err := poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: 50 * time.Millisecond}); err != nil {
		t.Error(err)
	}
	var job *backup.AzureIaaSVMJob
	until(t, "the restore", func() bool {
		job = c.job(id)
		return *job.Status != "InProgress"
	})
	bag := job.ExtendedInfo.PropertyBag
	if *job.Operation != "Restore" || *job.Status != "Completed" || *bag["Target resource group"] != group || *bag["Template Blob Uri"] == "" {
		t.Errorf("job %s %s: %v", *job.Operation, *job.Status, bag)
	}

	disks, err := armcompute.NewDisksClient(subscription, c.credential, c.options)
	if err != nil {
		t.Fatal(err)
	}
	restored := everything(t, disks.NewListByResourceGroupPager(group, nil),
		func(p armcompute.DisksClientListByResourceGroupResponse) []*armcompute.Disk { return p.Value })
	if want := len(strings.Split(*bag["Restored disk(s)"], "; ")); len(restored) != want || want == 0 {
		t.Fatalf("%d disks of %q", len(restored), *bag["Restored disk(s)"])
	}
	for _, d := range restored {
		p := d.Properties
		if *d.Tags["RSVaultBackup"] != id || *p.DiskState != armcompute.DiskStateUnattached || p.TimeCreated == nil ||
			*p.CreationData.CreateOption != armcompute.DiskCreateOptionRestore || *p.DiskSizeGB == 0 {
			t.Errorf("disk %s: %+v", *d.Name, p)
		}
		deletion, err := disks.BeginDelete(t.Context(), group, *d.Name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := deletion.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: 50 * time.Millisecond}); err != nil {
			t.Errorf("deleting %s: %v", *d.Name, err)
		}
		if _, err := disks.Get(t.Context(), group, *d.Name, nil); !isStatus(err, http.StatusNotFound) {
			t.Errorf("a deleted disk: %v", err)
		}
	}
}

// backUp creates a recovery point and reads it.
func (m *machine) backUp() *backup.RecoveryPointResource {
	m.t.Helper()
	ctx, captured := capture(m.t)
	if _, err := m.backup.NewBackupsClient().Trigger(ctx, vault, group, fabric, m.container, m.item,
		backup.BackupRequestResource{Properties: &backup.IaasVMBackupRequest{}}, nil); err != nil {
		m.t.Fatal(err)
	}
	id := m.operation(operationID(m.t, accepted(m.t, captured()), "Azure-AsyncOperation"))
	until(m.t, "the backup", func() bool { return *m.job(id).Status == "Completed" })
	points := everything(m.t, m.backup.NewRecoveryPointsClient().NewListPager(vault, group, fabric, m.container, m.item, nil),
		func(p backup.RecoveryPointsClientListResponse) []*backup.RecoveryPointResource { return p.Value })
	if len(points) != 1 {
		m.t.Fatalf("%d recovery points, want 1", len(points))
	}
	one, err := m.backup.NewRecoveryPointsClient().Get(m.t.Context(), vault, group, fabric, m.container, m.item, *points[0].Name, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return &one.RecoveryPointResource
}

// validate starts the validation of a restore and polls it to its end.
func (c *sdk) validate(point string, request *backup.IaasVMRestoreRequest) []*backup.ErrorDetail {
	c.t.Helper()
	ctx, captured := capture(c.t)
	body := backup.ValidateOperationRequestResource{ID: &point, Properties: &backup.ValidateIaasVMRestoreOperationRequest{RestoreRequest: request}}
	if _, err := c.backup.NewValidateOperationClient().BeginTrigger(ctx, vault, group, body, nil); err != nil {
		c.t.Fatal(err)
	}
	id := operationID(c.t, accepted(c.t, captured()), "Azure-AsyncOperation")
	var rows []*backup.ErrorDetail
	until(c.t, "the validation", func() bool {
		got, err := c.backup.NewValidateOperationStatusesClient().Get(c.t.Context(), vault, group, id, nil)
		if err != nil {
			c.t.Fatal(err)
		}
		if *got.Status == backup.OperationStatusValuesInProgress {
			return false
		}
		rows = got.Properties.(*backup.OperationStatusValidateOperationExtendedInfo).ValidateOperationResponse.ValidationResults
		return true
	})
	return rows
}
