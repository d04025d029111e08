package wire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

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
