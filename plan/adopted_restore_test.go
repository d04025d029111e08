package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// restoredBy returns what [restorable] returns, and a job that began half an hour ago, ran for 90 s and did what will be
// planned, with its disk.
func restoredBy() (Observed, RestoreFacts, RestoreRequest) {
	o, f, r := restorable()
	began := restoreNow.Add(-30 * time.Minute)
	f.Jobs = []RestoreJob{{
		Job: Job{
			ID: restoreVault + "/backupJobs/j1", Vault: restoreVault, Container: "iaasvmcontainerv2;rg-app;web1", Operation: JobRestore,
			Status: jobCompleted, Start: began, End: began.Add(90 * time.Second),
		},
		PointTime: restoreNow.Add(-8 * time.Hour), Group: "RG-restored", Account: "stweu",
	}}
	f.Disks = map[armid.Key][]Disk{armid.Of(restoreInto): {{ID: restoreInto + "/providers/Microsoft.Compute/disks/d", Job: "J1"}}}
	return o, f, r
}

func TestARestoreThatAnEarlierRunStartedIsAdopted(t *testing.T) {
	names := func(all ...string) []string { return all }
	disks := func(f *RestoreFacts, all ...PointDisk) { f.Items[0].Points[1].Disks = &PointDisks{Included: all} }
	for name, tt := range map[string]struct {
		change  func(*RestoreFacts, *RestoreRequest)
		adopted bool
	}{
		"it has completed": {func(*RestoreFacts, *RestoreRequest) {}, true},
		"it runs":          {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Status = jobInProgress }, true},
		"it runs for two days": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Jobs[0].Status, f.Jobs[0].Start = jobInProgress, restoreNow.Add(-2*day)
		}, true},
		"its end is not known by its words": {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Status = "Finishing" }, true},
		"it has failed":                     {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Status = jobFailed }, false},
		"it was cancelled":                  {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Status = jobCancelled }, false},
		"it has warnings":                   {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Status = jobWithWarnings }, false},
		"another item":                      {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Container = "iaasvmcontainerv2;rg-app;web10" }, false},
		"another vault":                     {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Vault += "2" }, false},
		"another operation":                 {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Operation = jobBackup }, false},
		"another point":                     {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].PointTime = restoreNow.Add(-3 * day) }, false},
		"another group":                     {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Group = "rg-restored2" }, false},
		"its point is not known":            {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].PointTime = time.Time{} }, false},
		"it was not understood":             {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].Unreadable = "x" }, false},
		"it ended a day ago":                {func(f *RestoreFacts, _ *RestoreRequest) { f.Jobs[0].End = restoreNow.Add(-day) }, false},
		"its disks are gone":                {func(f *RestoreFacts, _ *RestoreRequest) { f.Disks[armid.Of(restoreInto)] = []Disk{{Job: "j2"}, {}} }, false},
		"its disks may not be listed yet": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Disks[armid.Of(restoreInto)], f.Jobs[0].End = nil, restoreNow.Add(-time.Minute)
		}, true},
		"whether its disks are there is open": {func(f *RestoreFacts, _ *RestoreRequest) { f.Disks = nil }, true},
		"its jobs were not read, and it is to be done again": {func(f *RestoreFacts, r *RestoreRequest) {
			f.Gaps, r.Again = []Gap{{Kind: GapJobs, Vault: restoreVault, Code: "X"}}, true
		}, false},
		"one of its jobs was not understood": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Gaps = []Gap{{Kind: GapJobs, Vault: restoreVault, Code: CodeNotUnderstood}}
		}, true},
		"the jobs of another vault were not read": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Gaps = []Gap{{Kind: GapJobs, Vault: restoreVault + "2", Code: "X"}}
		}, true},
		"it is to be done again": {func(_ *RestoreFacts, r *RestoreRequest) { r.Again = true }, false},
		"all of its disks": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Jobs[0].Restored, f.Jobs[0].Held = names("a", "b"), names("a", "b")
		}, true},
		"some of its disks": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Jobs[0].Restored, f.Jobs[0].Held = names("a"), names("a", "b")
		}, false},
		"the disks that are wanted, by name": {func(f *RestoreFacts, _ *RestoreRequest) {
			disks(f, PointDisk{OSDisk, "A"}, PointDisk{0, "b"})
			f.Jobs[0].Restored, f.Jobs[0].Held = names("b", "a"), names("a", "b", "c")
		}, true},
		"other disks, by name": {func(f *RestoreFacts, r *RestoreRequest) {
			disks(f, PointDisk{OSDisk, "a"}, PointDisk{0, "b"}, PointDisk{1, "c"})
			r.Disks, f.Jobs[0].Restored = DiskSelection{1}, names("a", "b")
		}, false},
		"as many disks as are wanted": {func(f *RestoreFacts, r *RestoreRequest) { r.Disks, f.Jobs[0].Restored = DiskSelection{}, names("a") }, true},
		"more disks than are wanted": {func(f *RestoreFacts, r *RestoreRequest) {
			r.Disks, f.Jobs[0].Restored = DiskSelection{}, names("a", "b")
		}, false},
	} {
		o, f, r := restoredBy()
		tt.change(&f, &r)
		p := MakeRestores(o, f, r, restoreNow)
		c := only(t, p)
		if c.Action != Restore || (c.Adopted != nil) != tt.adopted || (c.Reason == ReasonAdopted) != tt.adopted {
			t.Errorf("%s: %s, %s, adopted %+v", name, c.Action, c.Because, c.Adopted)
			continue
		}
		if tt.adopted && (c.Adopted.ID != f.Jobs[0].ID || c.Adopted.Status != f.Jobs[0].Status || !strings.HasSuffix(c.Because, ": job j1, "+f.Jobs[0].Status)) {
			t.Errorf("%s: %+v, %s", name, c.Adopted, c.Because)
		}
		if (len(c.Notes) > 0) != (f.Jobs[0].Unreadable != "") {
			t.Errorf("%s: notes %q", name, c.Notes)
		}
		f.Jobs = nil
		if fresh := MakeRestores(o, f, r, restoreNow); fresh.Fingerprint != p.Fingerprint {
			t.Errorf("%s: an adopted restore has another fingerprint than the one that was approved", name)
		}
	}
}

// Of several jobs the one whose disks are there counts, then the newest.
func TestOfSeveralEarlierRestoresOneIsAdopted(t *testing.T) {
	o, f, r := restoredBy()
	add := func(id, status string, began time.Time) {
		j := f.Jobs[0]
		j.ID, j.Status, j.Start = restoreVault+"/backupJobs/"+id, status, began
		f.Jobs = append([]RestoreJob{j}, f.Jobs...)
	}
	adopted := func() string { return lastName(only(t, MakeRestores(o, f, r, restoreNow)).Adopted.ID) }
	add("runs", jobInProgress, restoreNow.Add(-time.Minute))
	if got := adopted(); got != "j1" {
		t.Errorf("%s, and j1 has completed", got)
	}
	f.Jobs = f.Jobs[:1]
	add("older", jobInProgress, restoreNow.Add(-time.Hour))
	if got := adopted(); got != "runs" {
		t.Errorf("%s is older", got)
	}
}

// What is adopted starts nothing: neither the guard nor the daily limit counts it, and it comes first.
func TestAnAdoptedRestoreIsNotCountedAmongThoseToStart(t *testing.T) {
	o, f, r := restoredBy()
	for len(f.Jobs) < RestoresPerDay {
		f.Jobs = append(f.Jobs, f.Jobs[0])
	}
	other := f.Items[0]
	other.Item.VM = armid.VM(restoreSub, "rg-app", "app1")
	other.Item.ID, other.Item.Container = "/item2", "iaasvmcontainerv2;rg-app;app1"
	f.Items = append(f.Items, other)
	r.VMs, r.MaxRestores = append(r.VMs, other.Item.VM), 1
	p := MakeRestores(o, f, r, restoreNow)
	if len(p.Refusals) > 0 || p.Summary[Restore] != 2 || p.Changes[0].Target != restoreVM || p.Forecast.Requests["writes"] != 1 {
		t.Errorf("%+v, %+v, %+v", p.Refusals, p.Summary, p.Forecast)
	}
	r.MaxRestores = 0
	if p := MakeRestores(o, f, r, restoreNow); len(p.Refusals) != 1 || p.Refusals[0].Count != 1 {
		t.Errorf("%+v", p.Refusals)
	}
}
