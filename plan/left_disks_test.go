package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

// Only what a completed restore into the very group made is left over from a test.
func TestDisksLeftBehindAreThoseOfCompletedRestoresIntoTheGroup(t *testing.T) {
	const sub = "/subscriptions/11111111-1111-1111-1111-111111111111"
	const group, vault = sub + "/resourceGroups/rg-tests", sub + "/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	job := plan.RestoreJob{
		Job:       plan.Job{ID: vault + "/backupJobs/j1", Vault: vault, Operation: plan.JobRestore, Status: "Completed", Start: start, End: start.Add(2 * time.Minute)},
		PointTime: start.Add(-time.Hour), Group: "RG-Tests",
	}
	disk := plan.Disk{ID: group + "/providers/Microsoft.Compute/disks/d", Job: "j1", State: "Unattached", Created: start.Add(time.Minute)}
	left := plan.LeftDisks(group, []plan.Disk{disk}, []plan.RestoreJob{job})
	if len(left) != 1 || left[0].WhyKept != "" {
		t.Fatalf("%+v", left)
	}
	for name, change := range map[string]func(*plan.RestoreJob, *plan.Disk){
		"another group":        func(j *plan.RestoreJob, _ *plan.Disk) { j.Group = "rg-prod" },
		"no group":             func(j *plan.RestoreJob, _ *plan.Disk) { j.Group = "" },
		"another subscription": func(j *plan.RestoreJob, _ *plan.Disk) { j.ID = "/subscriptions/2/x/backupJobs/j1" },
		"a failed job":         func(j *plan.RestoreJob, _ *plan.Disk) { j.Status = "Failed" },
		"a running job":        func(j *plan.RestoreJob, _ *plan.Disk) { j.Status = "InProgress" },
		"another operation":    func(j *plan.RestoreJob, _ *plan.Disk) { j.Operation = "Backup" },
		"not understood":       func(j *plan.RestoreJob, _ *plan.Disk) { j.Unreadable = "x" },
		"another job":          func(_ *plan.RestoreJob, d *plan.Disk) { d.Job = "j2" },
		"no tag":               func(j *plan.RestoreJob, d *plan.Disk) { j.ID, d.Job = vault+"/backupJobs/", "" },
	} {
		j, d := job, disk
		change(&j, &d)
		if left := plan.LeftDisks(group, []plan.Disk{d}, []plan.RestoreJob{j}); len(left) != 0 {
			t.Errorf("%s: %+v", name, left)
		}
	}
	used := disk
	used.Holders = []string{"/x/vm"}
	if left := plan.LeftDisks(group, []plan.Disk{used}, []plan.RestoreJob{job}); len(left) != 1 || left[0].WhyKept == "" {
		t.Errorf("an attached one is told of, and stays: %+v", left)
	}
	names := plan.TaggedJobs([]plan.Disk{{Job: "b"}, {}, {Job: "a"}, {Job: "b"}})
	if d := cmp.Diff([]string{"a", "b"}, names); d != "" {
		t.Error(d)
	}
}

// The tag can be copied: where more disks carry it than the restore made, which of them are the restore's is not known.
func TestNoDiskOfARestoreIsDeletedWhereMoreCarryItsNameThanItMade(t *testing.T) {
	const sub = "/subscriptions/11111111-1111-1111-1111-111111111111"
	const group, vault = sub + "/resourceGroups/rg-tests", sub + "/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	job := plan.RestoreJob{
		Job:       plan.Job{ID: vault + "/backupJobs/j1", Vault: vault, Operation: plan.JobRestore, Status: "Completed", Start: start, End: start.Add(2 * time.Minute)},
		PointTime: start.Add(-time.Hour), Group: "rg-tests",
	}
	other := job
	other.ID = vault + "/backupJobs/j2"
	disk := func(name, job string) plan.Disk {
		return plan.Disk{ID: group + "/providers/Microsoft.Compute/disks/" + name, Job: job, State: "Unattached", Created: start.Add(time.Minute)}
	}
	for name, tt := range map[string]struct {
		restored []string
		disks    []plan.Disk
		kept     int
	}{
		"as many":                       {[]string{"os", "data"}, []plan.Disk{disk("a", "j1"), disk("b", "j1")}, 0},
		"one is deleted already":        {[]string{"os", "data"}, []plan.Disk{disk("a", "j1")}, 0},
		"one more":                      {[]string{"os", "data"}, []plan.Disk{disk("a", "j1"), disk("b", "j1"), disk("c", "j1")}, 3},
		"of another job":                {[]string{"os"}, []plan.Disk{disk("a", "j1"), disk("b", "j2")}, 0},
		"how many it made is not known": {nil, []plan.Disk{disk("a", "j1"), disk("b", "j1")}, 0},
	} {
		job.Restored, other.Restored = tt.restored, tt.restored
		kept := 0
		for _, d := range plan.LeftDisks(group, tt.disks, []plan.RestoreJob{job, other}) {
			if d.WhyKept != "" {
				kept++
			}
		}
		if kept != tt.kept {
			t.Errorf("%s: %d disks stay, want %d", name, kept, tt.kept)
		}
	}
}
