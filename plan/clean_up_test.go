package plan_test

import (
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestAGroupAllowsRestoreTestsByItsTagAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		group plan.ResourceGroup
		want  bool
	}{
		"the tag":         {plan.ResourceGroup{Tags: map[string]string{"azbackup-restore-tests": "allowed"}}, true},
		"in another case": {plan.ResourceGroup{Tags: map[string]string{"Azbackup-Restore-Tests": "allowed"}}, true},
		"no tag":          {plan.ResourceGroup{}, false},
		"another value":   {plan.ResourceGroup{Tags: map[string]string{"azbackup-restore-tests": "Allowed"}}, false},
		"another tag":     {plan.ResourceGroup{Tags: map[string]string{"azbackup-restore-test": "allowed"}}, false},
		"not understood":  {plan.ResourceGroup{Tags: map[string]string{"azbackup-restore-tests": "allowed"}, Unreadable: "tags"}, false},
	} {
		if got := tt.group.AllowsRestoreTests(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Each condition alone keeps a disk; the disk that meets all of them may be deleted.
func TestADiskIsCleanedUpOnlyWhereEveryConditionHolds(t *testing.T) {
	const group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-tests"
	const id = group + "/providers/Microsoft.Compute/disks/vm1-osdisk-20260101-000100"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	job := plan.CleanUp{Group: group, Job: "j1", Start: start, End: start.Add(2 * time.Minute), Existing: map[armid.Key]bool{}}
	disk := plan.Disk{ID: id, Name: "vm1-osdisk-20260101-000100", Job: "j1", State: "Unattached", Created: start.Add(time.Minute)}
	if why := job.WhyKept(disk); why != "" {
		t.Fatalf("the disk of the test stays: %s", why)
	}
	upper := disk
	upper.ID = "/SUBSCRIPTIONS/11111111-1111-1111-1111-111111111111/RESOURCEGROUPS/RG-TESTS/providers/microsoft.compute/DISKS/d"
	if why := job.WhyKept(upper); why != "" {
		t.Errorf("ids are compared without case: %s", why)
	}
	for name, change := range map[string]func(*plan.CleanUp, *plan.Disk){
		"no job":                   func(c *plan.CleanUp, d *plan.Disk) { c.Job, d.Job = "", "" },
		"a job that has not ended": func(c *plan.CleanUp, _ *plan.Disk) { c.End = time.Time{} },
		"a job without a start":    func(c *plan.CleanUp, _ *plan.Disk) { c.Start = time.Time{} },
		"no group":                 func(c *plan.CleanUp, _ *plan.Disk) { c.Group = "" },
		"another group": func(_ *plan.CleanUp, d *plan.Disk) {
			d.ID = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-tests2/providers/Microsoft.Compute/disks/d"
		},
		"another subscription": func(_ *plan.CleanUp, d *plan.Disk) {
			d.ID = "/subscriptions/22222222-1111-1111-1111-111111111111/resourceGroups/rg-tests/providers/Microsoft.Compute/disks/d"
		},
		"a VM":                      func(_ *plan.CleanUp, d *plan.Disk) { d.ID = group + "/providers/Microsoft.Compute/virtualMachines/d" },
		"below a disk":              func(_ *plan.CleanUp, d *plan.Disk) { d.ID += "/privateEndpointConnections/c" },
		"no name":                   func(_ *plan.CleanUp, d *plan.Disk) { d.ID = group + "/providers/Microsoft.Compute/disks/" },
		"not understood":            func(_ *plan.CleanUp, d *plan.Disk) { d.Unreadable = "diskState is 3" },
		"no tag":                    func(_ *plan.CleanUp, d *plan.Disk) { d.Job = "" },
		"the tag of another job":    func(_ *plan.CleanUp, d *plan.Disk) { d.Job = "j2" },
		"a tag in another case":     func(_ *plan.CleanUp, d *plan.Disk) { d.Job = "J1" },
		"there before":              func(c *plan.CleanUp, _ *plan.Disk) { c.Existing[armid.Of(id)] = true },
		"of an unknown age":         func(_ *plan.CleanUp, d *plan.Disk) { d.Created = time.Time{} },
		"older than the restore":    func(_ *plan.CleanUp, d *plan.Disk) { d.Created = start.Add(-2 * time.Minute) },
		"younger than the restore":  func(_ *plan.CleanUp, d *plan.Disk) { d.Created = start.Add(4 * time.Minute) },
		"attached":                  func(_ *plan.CleanUp, d *plan.Disk) { d.Holders = []string{"/x/vm9"} },
		"reserved":                  func(_ *plan.CleanUp, d *plan.Disk) { d.State = "Reserved" },
		"read by somebody (SAS)":    func(_ *plan.CleanUp, d *plan.Disk) { d.State = "ActiveSAS" },
		"in a state that is absent": func(_ *plan.CleanUp, d *plan.Disk) { d.State = "" },
	} {
		c, d := job, disk
		c.Existing = map[armid.Key]bool{}
		change(&c, &d)
		if why := c.WhyKept(d); why == "" {
			t.Errorf("%s: it may be deleted", name)
		}
	}
}
