package wire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestDisksAreReadWithTheirJobAndHolders(t *testing.T) {
	readDisk := func(body string) plan.Disk {
		d, ok := read[Disk](t, body).ToPlan(azuretest.GroupID, time.Date(2024, 5, 16, 0, 0, 0, 0, time.UTC))
		if !ok {
			t.Errorf("no disk of the group: %s", body)
		}
		return d
	}
	want := plan.Disk{
		ID: azuretest.DisksPath + "/vm1-osdisk-20240515-083713", Name: "vm1-osdisk-20240515-083713", Location: "westeurope", Job: "j1",
		Tags: map[string]string{"rsvaultbackup": "j1", "Creator": "policy"}, State: "Unattached", Created: time.Date(2024, 5, 15, 8, 37, 0, 123456700, time.UTC),
		OS: "Linux", Generation: "V2", SizeGB: 64, Origin: "Restore", Source: "/x",
	}
	got := readDisk(azuretest.Disk)
	if d := cmp.Diff(want, got); d != "" || !got.IsFree() {
		t.Error(d)
	}
	for name, replacement := range map[string]string{
		"attached": `"managedBy":"` + vm1 + `","location"`, "shared": `"managedByExtended":["` + vm1 + `"],"location"`,
	} {
		if d := readDisk(edited(t, azuretest.Disk, `"location"`, replacement)); d.IsFree() || len(d.Holders) != 1 || d.Unreadable != "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := readDisk(edited(t, azuretest.Disk, `"tags":{`, `"tags":{"RSVaultBackup":"j1",`)); d.Unreadable != "" || d.Job != "j1" {
		t.Errorf("two tags that name the same job: %+v", d)
	}
	for old, replacement := range map[string]string{
		`"diskState":"Unattached",`:         ``,
		`"diskState":"Unattached"`:          `"diskState":3`,
		`"location":`:                       `"managedBy":{"id":"x"},"location":`,
		`"diskSizeGB":64`:                   `"diskSizeGB":"64"`,
		`"tags":{`:                          `"tags":{"RSVaultBackup":"j2",`,
		`"rsvaultbackup":"j1"`:              `"rsvaultbackup":1`,
		`"properties":`:                     `"managedByExtended":"` + vm1 + `","properties":`,
		`2024-05-15T08:37:00.1234567+00:00`: `9999-05-15T08:37:00Z`,
	} {
		if d := readDisk(edited(t, azuretest.Disk, old, replacement)); d.Unreadable == "" || d.IsFree() {
			t.Errorf("%s: %+v", replacement, d)
		}
	}
}

// A row that names another resource is not a disk of the group.
func TestADiskIsOneOfTheGroupThatIsRead(t *testing.T) {
	for _, id := range []string{
		"", "7", azuretest.GroupID, azuretest.DisksPath, azuretest.DisksPath + "/", vm1, azuretest.GroupID + "2/providers/Microsoft.Compute/disks/d",
		azuretest.GroupID + "/providers/Microsoft.Compute/snapshots/d", azuretest.GroupID + "/providers/Microsoft.Storage/disks/d",
		azuretest.GroupID + "/others/Microsoft.Compute/disks/d",
	} {
		if d, ok := (Disk{ID: Field(id)}).ToPlan(azuretest.GroupID, time.Time{}); ok {
			t.Errorf("%q is taken for a disk of the group: %+v", id, d)
		}
	}
}

func TestAGroupOfRestoresIsTheOneThatWasAskedFor(t *testing.T) {
	for body, want := range map[string]plan.ResourceGroup{
		`{"id":"` + azuretest.GroupID + `","location":"westeurope","tags":{"azbackup-restore-tests":"allowed"}}`: {
			Location: "westeurope", Tags: map[string]string{"azbackup-restore-tests": "allowed"},
		},
		`{"id":"` + vaultID + `","location":"westeurope"}`:                   {Location: "westeurope", Unreadable: `id is "` + vaultID[:60] + `…"`},
		`{"id":"` + azuretest.GroupID + `","location":3,"tags":["allowed"]}`: {Unreadable: `location is 3; tags is ["allowed"]`},
		`[]`: {Unreadable: `the entry is of type array; id is ""`},
	} {
		want.ID, want.Name = azuretest.GroupID, "rg-tests"
		if d := cmp.Diff(want, read[ResourceGroup](t, body).ToPlan(azuretest.GroupID)); d != "" {
			t.Errorf("%s: %s", body, d)
		}
	}
}

func TestAStorageAccountIsTheOneThatWasAskedFor(t *testing.T) {
	const id = azuretest.GroupID + "/providers/Microsoft.Storage/storageAccounts/st1"
	for body, want := range map[string]plan.StorageAccount{
		`{"sku":{"name":"Standard_LRS"},"kind":"StorageV2","id":"` + id + `","location":"westeurope"}`: {Location: "westeurope", Kind: "StorageV2", SKU: "Standard_LRS"},
		`{"sku":{"name":"Standard_LRS"},"kind":"StorageV2","id":"/x","location":"westeurope"}`: {
			Location: "westeurope", Kind: "StorageV2", SKU: "Standard_LRS", Unreadable: `id is "/x"`,
		},
		`{"sku":"LRS","kind":"StorageV2","id":"` + id + `","location":"westeurope"}`: {
			Location: "westeurope", Kind: "StorageV2", Unreadable: "sku is of type string; sku.name is missing",
		},
		`{"id":"` + id + `"}`: {Unreadable: "location is missing; kind is missing; sku.name is missing"},
	} {
		want.ID, want.Name = id, "st1"
		if d := cmp.Diff(want, read[StorageAccount](t, body).ToPlan(id)); d != "" {
			t.Errorf("%s: %s", body, d)
		}
	}
}
