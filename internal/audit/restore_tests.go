package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// RestoreTest is the state of a VM's restore test. The proof and the failure are in the [VM].
type RestoreTest struct {
	Name         string         `json:"name"` // of the entry in restoreTests
	State        plan.TestState `json:"state"`
	Why          string         `json:"why,omitempty"` // of an unknown state
	EverySeconds int64          `json:"every_seconds"`
	// Due is when the proof gets too old, or got; nil = no proof is known.
	Due *time.Time `json:"due,omitempty"`
}

// restoreTests is the state of the restore tests of the file, as [plan.AssessTests] returned it.
type restoreTests struct {
	vms       map[armid.Key]plan.TestedVM
	left      []plan.DiskLeftBehind
	positions map[string]config.Position // by the name of a test
}

// newRestoreTests returns nil where the file has no tests.
func newRestoreTests(c *config.Config, o plan.Observed, opt Options) *restoreTests {
	if c == nil || len(c.RestoreTests) == 0 {
		return nil
	}
	found, _ := plan.AssessTests(c, o, opt.Now)
	t := &restoreTests{vms: map[armid.Key]plan.TestedVM{}, left: found.LeftBehind, positions: map[string]config.Position{}}
	for _, vm := range found.VMs {
		t.vms[armid.Of(vm.VM)] = vm
	}
	for i := range c.RestoreTests {
		t.positions[c.RestoreTests[i].Name] = c.RestoreTests[i].Pos
	}
	return t
}

// testOf returns the state of a VM's restore test; false = no test covers the VM.
func (t *restoreTests) testOf(vm string) (plan.TestedVM, bool) {
	if t == nil {
		return plan.TestedVM{}, false
	}
	found, ok := t.vms[armid.Of(vm)]
	return found, ok
}

// addRestoreTest adds the state of its restore test to the row of a VM.
func (a *assessor) addRestoreTest(row *VM) {
	t, ok := a.tests.testOf(row.ID)
	if !ok {
		return
	}
	row.RestoreTest = &RestoreTest{Name: t.Name, State: t.State, Why: t.Why, EverySeconds: toSeconds(time.Duration(t.Every)), Due: t.Due}
	row.RestoreProven, row.RestoreFailed = t.Proven, t.Failed
}

// restoreFindings returns the findings on the restore test of a VM.
func (a *assessor) restoreFindings(vm string) []Finding {
	t, ok := a.tests.testOf(vm)
	if !ok {
		return nil
	}
	var found []Finding
	add := func(code, format string, args ...any) {
		f := a.codes.newFinding(code, vm, "%s: %s", vmName(vm), fmt.Sprintf(format, args...))
		f.Rule, f.Position = t.Rule, position(a.tests.positions[t.Name])
		f.Evidence = evidenceOfTest(t)
		found = append(found, f)
	}
	if f := t.Failed; f != nil {
		add(codeTestFailed, "its restore test%s failed: %s", formatTime(f.Time), describeFailure(f))
	}
	switch {
	case t.State != plan.TestDue:
	case t.Proven != nil:
		add(codeTestOverdue, "it was last restored %s ago, test %s wants it every %s", formatAge(a.opt.Now.Sub(t.Proven.Time)), t.Name, formatAge(time.Duration(t.Every)))
	default:
		add(codeNeverProven, "test %s covers it, and no job that the vault keeps restored it into %s", t.Name, lastName(t.Group))
	}
	return found
}

func describeFailure(f *plan.RestoreFailure) string {
	return strings.TrimSuffix(f.Code+": "+f.Message, ": ")
}

func evidenceOfTest(t plan.TestedVM) map[string]string {
	e := map[string]string{"test": t.Name, "group": t.Group}
	if p := t.Proven; p != nil {
		e["last_restored"], e["job"] = p.Time.Format(time.RFC3339), p.Job
	}
	if f := t.Failed; f != nil {
		e["failed_job"], e["code"] = f.Job, f.Code
	}
	return e
}

// IsOfRestoreTest reports whether the finding is about a restore test of a VM.
func (f Finding) IsOfRestoreTest() bool {
	return f.Code == codeTestFailed || f.Code == codeTestOverdue || f.Code == codeNeverProven
}

// leftDiskFindings returns a finding for each resource group in which earlier restore tests left disks.
func (a *assessor) leftDiskFindings() []Finding {
	if a.tests == nil {
		return nil
	}
	groups := map[armid.Key][]plan.DiskLeftBehind{}
	for _, d := range a.tests.left {
		k := armid.Of(groupOf(d.ID))
		groups[k] = append(groups[k], d)
	}
	var found []Finding
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		disks, size := groups[k], 0
		names := make([]string, len(disks))
		for i, d := range disks {
			size += d.SizeGB
			names[i] = lastName(d.ID)
		}
		noun := "disks"
		if len(disks) == 1 {
			noun = "disk"
		}
		group := groupOf(disks[0].ID)
		f := a.codes.newFinding(codeDisksLeft, group, "resource group %s: restore tests left %d %s there, %d GB", lastName(group), len(disks), noun, size)
		f.Evidence = map[string]string{"disks": strings.Join(names, ", "), "number": strconv.Itoa(len(disks)), "size_gb": strconv.Itoa(size)}
		found = append(found, f)
	}
	return found
}

// groupOf returns the id of the resource group of a resource.
func groupOf(id string) string {
	parts := strings.Split(id, "/")
	return strings.Join(parts[:min(len(parts), 5)], "/")
}

// RestoreSummary sums up the restore tests of a file (docs/design.md §12).
type RestoreSummary struct {
	// VMs is the number of VMs that are proven: a restore into the group of their test completed within its interval. Due
	// is the number of VMs of which no restore did, Covered of all that a test covers, Unknown of those of which something
	// was not read that may prove them, Failed of those whose last restore into the group failed.
	VMs     int `json:"vms"`
	Due     int `json:"due"`
	Covered int `json:"covered"`
	Unknown int `json:"unknown"`
	Failed  int `json:"failed"`
	// Share is VMs divided by the VMs of the audit, without those that coverage leaves out and those of Unknown; nil where
	// no VM remains.
	Share *float64 `json:"share"`
	// MedianSeconds and SlowestSeconds are the median and the most of how long the latest proven restore of each VM took;
	// nil where no duration is known.
	MedianSeconds  *int64 `json:"median_seconds"`
	SlowestSeconds *int64 `json:"slowest_seconds"`
	// FullVMs is the number of VMs with a recovery point, InFlight how many of them run at the same time by the file, and
	// FullSeconds the estimated duration of the restore of all of them, by the median; nil where no duration is known.
	FullVMs     int    `json:"full_restore_vms"`
	InFlight    int    `json:"full_restore_in_flight"`
	FullSeconds *int64 `json:"full_restore_seconds"`
	LeftDisks   int    `json:"left_disks"` // the number of unattached disks that earlier tests left
}

// restoreTotals is what a summary of restore tests needs besides the VMs.
type restoreTotals struct {
	left     int // disks that earlier tests left
	inFlight int // how many restores the file runs at the same time; 0 = all
}

// summarize sums up the restore tests; nil where the file has none. The estimate restores each VM once, so the limit of
// restores of an item in a day (docs/azure.md §19) does not slow it down.
func (t *restoreTotals) summarize(vms []VM) *RestoreSummary {
	if t == nil {
		return nil
	}
	s := &RestoreSummary{LeftDisks: t.left}
	known := 0
	var seconds []int64
	for i := range vms {
		vm := &vms[i]
		s.add(vm)
		isProven, isUnknown := false, false
		if t := vm.RestoreTest; t != nil {
			isProven, isUnknown = t.State == plan.TestProven, t.State == plan.TestUnknown
		}
		if isProven || !vm.State.IsLeftOut() && !isUnknown {
			known++
		}
		if p := vm.RestoreProven; p != nil && p.Seconds > 0 {
			seconds = append(seconds, p.Seconds)
		}
		if vm.LastRecoveryPoint != nil && !vm.State.IsLeftOut() {
			s.FullVMs++
		}
	}
	if known > 0 {
		share := float64(s.VMs) / float64(known)
		s.Share = &share
	}
	s.InFlight = cmp.Or(t.inFlight, max(1, s.FullVMs))
	if len(seconds) > 0 {
		slices.Sort(seconds)
		n := len(seconds)
		median, slowest := (seconds[(n-1)/2]+seconds[n/2])/2, seconds[n-1]
		rounds := (s.FullVMs + s.InFlight - 1) / s.InFlight
		full := max(int64(rounds)*median, slowest)
		s.MedianSeconds, s.SlowestSeconds, s.FullSeconds = &median, &slowest, &full
	}
	return s
}

func (s *RestoreSummary) add(vm *VM) {
	if vm.RestoreTest == nil {
		return
	}
	s.Covered++
	switch vm.RestoreTest.State {
	case plan.TestProven:
		s.VMs++
	case plan.TestDue:
		s.Due++
	case plan.TestUnknown:
		s.Unknown++
	case plan.TestRunning, plan.TestWaiting:
	}
	if vm.RestoreFailed != nil {
		s.Failed++
	}
}
