package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// tested returns an estate of VMs that a restore test covers, all answers read; jobs are added by restored.
func tested(names ...string) (*config.Config, *plan.Observed) {
	c := &config.Config{
		Files: []string{"azbackup.yaml"}, Subscriptions: []string{sub},
		Vaults:   []config.Vault{{Name: "v", Subscription: sub, ResourceGroup: "rg", Location: "westeurope"}},
		Policies: []config.Policy{{Name: "p"}},
		Rules:    []config.Rule{{Name: "all", Match: []config.Selector{{Names: []string{"*"}}}, Policy: "p", Protect: config.ProtectOn}},
		RestoreTests: []config.RestoreTest{{
			Name: "gold", Match: []config.Selector{{Names: []string{"*"}}}, Every: 90 * 24 * time.Hour, Pos: config.Position{File: "azbackup.yaml", Line: 9},
			Into: config.RestoreTarget{ResourceGroup: "rg-tests", StorageAccounts: []string{"stweu"}},
		}},
		Settings: config.DefaultSettings(),
	}
	o := one(nil)
	o.Vaults[0].InFile = true
	vault := o.Vaults[0].ID
	o.VMs, o.Items = nil, nil
	for _, name := range names {
		vm := plan.VM{ID: armid.VM(sub, "rg", name), Name: name, ResourceGroup: "rg", Subscription: sub, Location: "westeurope"}
		id, _ := armid.ParseVM(vm.ID)
		o.VMs = append(o.VMs, vm)
		o.Items = append(o.Items, plan.Item{
			ID: armid.ProtectedItem(vault, id), Vault: vault, VM: vm.ID, Container: "iaasvmcontainerv2;rg;" + name, State: plan.StateProtected,
			PolicyID: armid.Policy(vault, "p"), PolicyName: "p", LastRecoveryPoint: propertyNow.Add(-10 * time.Hour),
		})
	}
	_, wanted := plan.AssessTests(c, o, propertyNow)
	for _, q := range wanted {
		o.Tests.Asked = append(o.Tests.Asked, q.Key())
	}
	return c, &o
}

// restored adds a completed restore of a VM into the group of the test.
func restored(o *plan.Observed, name string, age time.Duration, took time.Duration) *plan.RestoreJob {
	end := propertyNow.Add(-age)
	o.Tests.Jobs = append(o.Tests.Jobs, plan.RestoreJob{
		Job: plan.Job{
			ID: fmt.Sprintf("%s/backupJobs/%s-%d", o.Vaults[0].ID, name, len(o.Tests.Jobs)), Vault: o.Vaults[0].ID, Container: "iaasvmcontainerv2;rg;" + name,
			Operation: plan.JobRestore, Status: "Completed", Start: end.Add(-took), End: end,
		},
		Group: "rg-tests", PointTime: end.Add(-8 * time.Hour).Truncate(time.Second),
	})
	return &o.Tests.Jobs[len(o.Tests.Jobs)-1]
}

func restoreFindings(r Result) []string {
	var found []string
	for _, f := range r.Findings {
		if strings.HasPrefix(f.Code, "BKP4") {
			found = append(found, f.Code+" "+string(f.Severity)+" "+f.Message)
		}
	}
	return found
}

func TestAnAuditSaysWhatARestoreHasProven(t *testing.T) {
	const day = 24 * time.Hour
	c, o := tested("failed", "left", "never", "old", "proven")
	restored(o, "proven", 2*day, 90*time.Second)
	restored(o, "left", 3*day, 30*time.Minute)
	restored(o, "old", 91*day, 5*time.Minute)
	restored(o, "failed", 5*day, time.Minute)
	j := restored(o, "failed", day, time.Minute)
	j.Status, j.Errors = "Failed", []plan.JobError{{Code: 400239, Message: "the staging account is gone"}}
	group := "/subscriptions/" + sub + "/resourceGroups/rg-tests"
	o.Tests.Disks = map[armid.Key][]plan.Disk{armid.Of(group): {{
		ID: group + "/providers/Microsoft.Compute/disks/left-osdisk", Job: "left-1", State: "Unattached", SizeGB: 32,
	}}}
	r := Assess(c, *o, Options{Now: propertyNow})
	want := []string{
		"BKP401 high rg/failed: its restore test at 2026-11-23 06:00Z failed: 400239: the staging account is gone",
		"BKP402 medium rg/old: it was last restored 91 d ago, test gold wants it every 90 d",
		"BKP403 medium rg/never: test gold covers it, and no job that the vault keeps restored it into rg-tests",
		"BKP404 low resource group rg-tests: restore tests left 1 disk there, 32 GB",
	}
	if d := cmp.Diff(want, restoreFindings(r)); d != "" {
		t.Errorf("findings (-want +got)\n%s", d)
	}
	share, median, slowest, full := 3.0/5, int64(195), int64(1800), int64(1800)
	summary := &RestoreSummary{
		VMs: 3, Due: 2, Covered: 5, Failed: 1, Share: &share, MedianSeconds: &median, SlowestSeconds: &slowest, FullSeconds: &full, FullVMs: 5, InFlight: 20, LeftDisks: 1,
	}
	if d := cmp.Diff(summary, r.Summary.RestoreProven); d != "" {
		t.Errorf("summary (-want +got)\n%s", d)
	}
	if r.IsIncomplete() {
		t.Error("all was read, and the audit is not complete")
	}
	for _, vm := range r.VMs {
		if vm.RestoreTest == nil || vm.RestoreTest.Name != "gold" || (vm.RestoreProven == nil) != (vm.Name == "never") || (vm.RestoreFailed != nil) != (vm.Name == "failed") {
			t.Errorf("%s: %+v, proven %+v, failed %+v", vm.Name, vm.RestoreTest, vm.RestoreProven, vm.RestoreFailed)
		}
	}
	for _, f := range r.Findings {
		if f.Code == codeNeverProven && (f.Rule == nil || f.Rule.Name != "gold" || f.Position == nil || f.Position.Line != 9) {
			t.Errorf("%+v", f)
		}
	}
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Read(strings.NewReader(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("JSON loses (-want +got)\n%s", d)
	}
}

// All VMs at the speed that was measured, as many at a time as the file allows.
func TestAFullRestoreIsEstimatedWithinTheLimits(t *testing.T) {
	c, o := tested("a", "b", "c", "d", "e")
	restored(o, "a", time.Hour, 10*time.Minute)
	restored(o, "b", time.Hour, 10*time.Minute)
	for limit, want := range map[int]int64{1: 50 * 60, 2: 30 * 60, 5: 10 * 60, 20: 10 * 60} {
		c.Settings.Limits.Restores = limit
		if s := Assess(c, *o, Options{Now: propertyNow}).Summary.RestoreProven; s.FullSeconds == nil || *s.FullSeconds != want || s.InFlight != limit {
			t.Errorf("%d at a time: %+v, want %d s", limit, s, want)
		}
	}
}

func TestTheMedianOfRestoresIsTheMiddleOneOrTheMeanOfTheTwo(t *testing.T) {
	c, o := tested("a", "b", "c", "d")
	for i, want := range []int64{60, 90, 120, 210} { // minutes 1, 2, 5 and 30, so that the mean is another
		restored(o, string(rune('a'+i)), time.Hour, []time.Duration{1, 2, 5, 30}[i]*time.Minute)
		if s := Assess(c, *o, Options{Now: propertyNow}).Summary.RestoreProven; s.MedianSeconds == nil || *s.MedianSeconds != want {
			t.Errorf("of %d restores: %+v, want %d s", i+1, s, want)
		}
	}
}

func TestTheFindingsOfRestoreTestsAreThoseOfOneVM(t *testing.T) {
	for code, want := range map[string]bool{
		codeTestFailed: true, codeTestOverdue: true, codeNeverProven: true, "BKP404": false, "BKP101": false, "": false,
	} {
		if got := (Finding{Code: code}).IsOfRestoreTest(); got != want {
			t.Errorf("%q is of a restore test: %t", code, got)
		}
	}
}

func TestWithoutAnswersARestoreIsUnknownAndTheAuditIncomplete(t *testing.T) {
	c, o := tested("a", "b")
	restored(o, "a", time.Hour, time.Minute)
	o.Tests.Asked = nil
	r := Assess(c, *o, Options{Now: propertyNow})
	if found := restoreFindings(r); len(found) > 0 {
		t.Errorf("nothing was read, and it says %v", found)
	}
	if s := r.Summary.RestoreProven; s.Unknown != 2 || s.VMs+s.Due > 0 || s.Share != nil || !r.IsIncomplete() || r.Summary.Complete {
		t.Errorf("%+v", s)
	}
}

// The reads of restore tests decide nothing about backups.
func TestAGapOnRestoreTestsLeavesTheStatesAsTheyAre(t *testing.T) {
	c, o := tested("a", "b")
	o.Items = o.Items[:1] // the other VM has no backup
	for _, kind := range []plan.GapKind{plan.GapRestoreJobs, plan.GapTargetGroup, plan.GapStaging, plan.GapPoints} {
		with := *o
		with.Gaps = []plan.Gap{{Kind: kind, Subscription: sub, Vault: o.Vaults[0].ID, Code: "AuthorizationFailed", Status: 403}}
		if s := Assess(c, with, Options{Now: propertyNow}).Summary.States; s[Protected] != 1 || s[Unprotected] != 1 {
			t.Errorf("with a gap on %s: %v", kind, s)
		}
	}
}

// A file without tests has the audit that it always had, whatever restores there were.
func TestWithoutRestoreTestsNothingIsSaidOfRestores(t *testing.T) {
	c, o := tested("a")
	c.RestoreTests, o.Tests = nil, plan.TestFacts{}
	before, err := json.Marshal(Assess(c, *o, Options{Now: propertyNow}))
	if err != nil {
		t.Fatal(err)
	}
	restored(o, "a", time.Hour, time.Minute)
	r := Assess(c, *o, Options{Now: propertyNow})
	after, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) || strings.Contains(string(after), "restore") {
		t.Errorf("%s\n%s", before, after)
	}
	for _, h := range r.Codes() {
		if strings.HasPrefix(h.Code, "BKP4") {
			t.Errorf("%s is possible", h.Code)
		}
	}
}
