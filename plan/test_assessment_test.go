package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
)

// assess reads what the assessment asks for, and assesses.
func (w *testWorld) assess(t rapid.TB) map[string]TestedVM {
	t.Helper()
	before, wanted := AssessTests(w.config, w.o, restoreNow)
	for _, v := range before.VMs {
		if v.State != TestUnknown || v.Proven != nil {
			t.Fatalf("before anything was read %s is %s", v.VM, v.State)
		}
	}
	o, err := w.answer(w.o, Questions{Tests: wanted})
	if err != nil {
		t.Fatal(err)
	}
	after, wanted := AssessTests(w.config, o, restoreNow)
	if len(wanted) > 0 {
		t.Fatalf("all was answered, and %d questions are left", len(wanted))
	}
	all := map[string]TestedVM{}
	for _, v := range after.VMs {
		all[lastName(v.VM)] = v
	}
	return all
}

func TestAnAssessmentAsksOnlyForJobsAndDisks(t *testing.T) {
	w := newTestWorld(config.Sample{Count: 1}, "a", "b")
	_, wanted := AssessTests(w.config, w.o, restoreNow)
	var kinds []TestQuestionKind
	for _, q := range wanted {
		kinds = append(kinds, q.Kind)
		if q.Failed != (q.Kind == AskJobs) {
			t.Errorf("%+v", q)
		}
	}
	if !slices.Equal(kinds, []TestQuestionKind{AskDisks, AskJobs}) {
		t.Errorf("asks for %v", kinds)
	}
	w.config.RestoreTests = nil
	if got, wanted := AssessTests(w.config, w.o, restoreNow); len(got.VMs)+len(wanted) > 0 {
		t.Errorf("without a test: %+v, %+v", got, wanted)
	}
}

func TestAnAssessmentHasTheLatestProofAndTheFailureAfterIt(t *testing.T) {
	w := newTestWorld(config.Sample{}, "proven", "old", "failed", "mended", "cancelled", "elsewhere", "never")
	fail := func(name string, age time.Duration, group, status string) *RestoreJob {
		j := w.restored(name, age, group)
		j.Status, j.PointTime = status, time.Time{}
		return j
	}
	w.restored("proven", 80*day, "rg-tests")
	latest := w.restored("proven", 2*day, "rg-tests").ID
	w.restored("old", 91*day, "rg-tests")
	w.restored("failed", 100*day, "rg-tests")
	fail("failed", 9*day, "rg-tests", "Failed")
	j := fail("failed", 3*day, "rg-tests", "Failed")
	j.Errors = []JobError{{Code: 400239, Title: "Restore failed", Message: "the staging account is gone"}}
	fail("mended", 9*day, "rg-tests", "Failed")
	w.restored("mended", 8*day, "rg-tests")
	fail("cancelled", day, "rg-tests", "Cancelled")
	fail("elsewhere", day, "rg-other", "Failed")
	all := w.assess(t)
	states := map[string]TestState{}
	failures := map[string]string{}
	for name, v := range all {
		states[name] = v.State
		if v.Failed != nil {
			failures[name] = v.Failed.Code + " " + v.Failed.Message
		}
	}
	want := map[string]TestState{
		"proven": TestProven, "old": TestDue, "failed": TestDue, "mended": TestProven, "cancelled": TestDue, "elsewhere": TestDue, "never": TestDue,
	}
	if d := cmp.Diff(want, states); d != "" {
		t.Errorf("states (-want +got)\n%s", d)
	}
	if d := cmp.Diff(map[string]string{"failed": "400239 the staging account is gone", "cancelled": "Cancelled "}, failures); d != "" {
		t.Errorf("failures (-want +got)\n%s", d)
	}
	if p := all["proven"].Proven; p == nil || p.Job != latest || p.Seconds != 90 {
		t.Errorf("the proof is %+v", p)
	}
	if all["never"].Proven != nil || all["old"].Proven == nil || all["never"].Group != testGroup {
		t.Errorf("%+v, %+v", all["never"], all["old"])
	}
}

func TestAJobThatEndsInTheFutureProvesNothing(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a", "b")
	w.restored("a", -time.Hour, "rg-tests")
	w.restored("b", -time.Minute, "rg-tests")
	if all := w.assess(t); all["a"].State != TestUnknown || all["a"].Proven != nil || all["b"].State != TestProven {
		t.Errorf("%+v", all)
	}
}

func TestWithoutTheJobsNoVMIsProvenAndNoneUnproven(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a", "b")
	w.restored("a", day, "rg-tests")
	w.refused[string(AskJobs)] = true
	for name, v := range w.assess(t) {
		if v.State != TestUnknown || v.Proven != nil || v.Why == "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// The one way from unproven to proven is a restore that completed, in the group, of that VM, within the interval.
func TestPropertyNoOtherJobProvesAVM(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTestWorld(config.Sample{}, "a", "b")
		age := time.Duration(rapid.IntRange(-10, 2500).Draw(t, "hours")) * time.Hour
		j := w.restored("a", age, rapid.SampledFrom([]string{"rg-tests", "RG-TESTS", "rg-tests2", "rg-app", ""}).Draw(t, "group"))
		// One deviation at a time would miss what two do together; all at once would hardly ever prove anything.
		left := rapid.IntRange(0, 2).Draw(t, "deviations")
		deviates := func(label string) bool {
			is := left > 0 && rapid.Bool().Draw(t, label)
			if is {
				left--
			}
			return is
		}
		if !deviates("group") {
			j.Group = "rg-tests"
		}
		was := *j
		j.Status = rapid.SampledFrom([]string{"Completed", "CompletedWithWarnings", "InProgress", "Failed", "Cancelled", "completed?", ""}).Draw(t, "status")
		j.Operation = rapid.SampledFrom([]string{JobRestore, "Backup", "CrossRegionRestore", "restored", ""}).Draw(t, "operation")
		j.Container = rapid.SampledFrom([]string{j.Container, "iaasvmcontainerv2;rg-app;c", ""}).Draw(t, "container")
		j.Vault = rapid.SampledFrom([]string{j.Vault, strings.ToUpper(j.Vault), j.Vault + "2"}).Draw(t, "vault")
		j.Unreadable = rapid.SampledFrom([]string{"", "status is of type list"}).Draw(t, "unreadable")
		for i, undo := range []func(){
			func() { j.Status = was.Status }, func() { j.Operation = was.Operation }, func() { j.Container = was.Container },
			func() { j.Vault = was.Vault }, func() { j.Unreadable = "" },
		} {
			if !deviates(fmt.Sprint("field ", i)) {
				undo()
			}
		}
		if deviates("no point") {
			j.PointTime = time.Time{}
		}
		if deviates("no end") {
			j.End = time.Time{}
		}
		proves := j.Status == "Completed" && j.Operation == JobRestore && strings.EqualFold(j.Group, "rg-tests") && j.Container == "iaasvmcontainerv2;rg-app;a" &&
			strings.EqualFold(j.Vault, restoreVault) && j.Unreadable == "" && !j.PointTime.IsZero() && !j.End.IsZero() && age >= 0 && age < 90*day
		all := w.assess(t)
		if got := all["a"]; (got.State == TestProven) != proves {
			t.Fatalf("%+v makes the VM %s", *j, got.State)
		}
		if got := all["b"]; got.State == TestProven || got.Proven != nil {
			t.Fatalf("%+v proves another VM", *j)
		}
	})
}
