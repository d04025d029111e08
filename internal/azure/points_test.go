package azure

import (
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestPointsComeWithTheirRestoresAndGaps(t *testing.T) {
	const c1, c2 = "iaasvmcontainerv2;rg-app;vm1", "iaasvmcontainerv2;rg-app;vm2"
	row := edited(t, edited(t, azuretest.RecoveryPoint, `"includedDiskList"`, `"x"`), `"excludedDiskList"`, `"y"`)
	f := newFake().
		on("GET", item1+"/recoveryPoints", lists(row, rawPoint(item1, "2024-05-01T06:00:00Z"))).
		on("GET", item1+"/recoveryPoints/362588450327416", says(200, azuretest.RecoveryPoint)).
		on("GET", item2+"/recoveryPoints", fails(403, "AuthorizationFailed")).
		on("GET", vaultID+"/backupJobs", lists(azuretest.RestoreJob("j1", c1, "{}"), azuretest.RestoreJob("j2", c2, "{}"), azuretest.RestoreJob("j3", "another", "{}"))).
		on("GET", vaultID+"/backupJobs/j1", says(200, azuretest.RestoreJob("j1", c1, azuretest.RestoreBag))).
		on("GET", vaultID+"/backupJobs/j2", says(200, azuretest.RestoreJob("j2", c2, `[]`)))
	c := f.client(t, CommandPoints)
	items := []plan.Item{
		{ID: item1, Vault: vaultID, VM: vm1, Container: c1}, {ID: item2, Vault: vaultID, VM: strings.Replace(vm1, "VM1", "VM2", 1), Container: c2},
	}
	got, err := c.Points(t.Context(), items, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	one, two := got.Items[0], got.Items[1]
	if !one.Read || len(one.Points) != 2 || len(one.Points[0].Disks.Included) != 2 || one.Points[0].Disks.Excluded[0].Name != "scratch" || one.Points[1].Disks != nil {
		t.Errorf("%+v", one)
	}
	if two.Read || len(two.Points) != 0 {
		t.Errorf("%+v", two)
	}
	if len(got.Restores) != 2 {
		t.Errorf("restores %+v", got.Restores)
	}
	if p, ok := one.Points[0].ProvenBy(items[0], got.Restores); !ok || !strings.HasSuffix(p.ID, "/j1") {
		t.Errorf("proof %+v", p)
	}
	if kinds := gapKinds(plan.Observed{Gaps: got.Gaps}); strings.Join(kinds, ", ") != "jobs NotUnderstood, recovery-points AuthorizationFailed" {
		t.Errorf("gaps %q", kinds)
	}
	if n := f.count("GET", "/j3"); n != 0 {
		t.Error("a job of another VM was read")
	}
}

// The disks of a point that its list does not show are a gap where its document cannot be read.
func TestDisksOfAPointThatCannotBeReadAreAGap(t *testing.T) {
	row := edited(t, edited(t, azuretest.RecoveryPoint, `"includedDiskList"`, `"x"`), `"excludedDiskList"`, `"y"`)
	f := newFake().on("GET", item1+"/recoveryPoints", lists(row)).on("GET", item1+"/recoveryPoints/362588450327416", says(200, edited(t, azuretest.RecoveryPoint, `{"lun":-1,`, `{"lun":"x",`))).
		on("GET", vaultID+"/backupJobs", lists())
	got, err := f.client(t, CommandPoints).Points(t.Context(), []plan.Item{{ID: item1, Vault: vaultID, VM: vm1, Container: "c"}}, time.Time{})
	if err != nil || len(got.Gaps) != 1 || got.Gaps[0].Code != plan.CodeNotUnderstood {
		t.Errorf("%+v, %v", got.Gaps, err)
	}
	if d := got.Items[0].Points[0].Disks; d.Included != nil || d.Held != 2 {
		t.Errorf("%+v", d)
	}
}

// The disks of the newest point of each item are read before those of older ones: a plan of restores takes the newest.
func TestDisksOfTheNewestPointsAreReadFirst(t *testing.T) {
	f := newFake().on("GET", vaultID+"/backupJobs", lists())
	var items []plan.Item
	for _, id := range []string{item1, item2} {
		var rows []string
		for k := range plan.MaxPointReads {
			row := rawPoint(id, time.Date(2024, 5, 1, k, 0, 0, 0, time.UTC).Format(time.RFC3339))
			rows = append(rows, edited(t, row, `"properties":{`, `"properties":{"recoveryPointDiskConfiguration":{"numberOfDisksIncludedInBackup":1},`))
		}
		f.on("GET", id+"/recoveryPoints", lists(rows...))
		items = append(items, plan.Item{ID: id, Vault: vaultID, VM: vm1, Container: "c"})
	}
	newest := time.Date(2024, 5, 1, plan.MaxPointReads-1, 0, 0, 0, time.UTC).Format(time.RFC3339)
	if _, err := f.client(t, CommandPoints).Points(t.Context(), items, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{item1, item2} {
		if n := f.count("GET", id+"/recoveryPoints/"+newest); n != 1 {
			t.Errorf("%s: read %d times", id, n)
		}
	}
}
