package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// restoreAudit returns an audit of VMs in every state of a restore test, and of one that no test covers.
func restoreAudit() audit.Result {
	share, all, median, slowest, full := 0.2, 1.0, int64(90), int64(1800), int64(1800)
	r := audit.Result{
		FormatVersion: audit.FormatVersion, Made: audit.Provenance{At: sampleNow, FailOn: audit.High},
		Summary: audit.Summary{
			VMs: 6, States: map[audit.State]int{audit.Protected: 6}, Counted: 6, Covered: 6, Coverage: &all,
			RestoreProven: &audit.RestoreSummary{
				VMs: 1, Due: 1, Covered: 5, Unknown: 1, Failed: 1, Share: &share, MedianSeconds: &median, SlowestSeconds: &slowest, FullSeconds: &full, FullVMs: 6, InFlight: 20,
			},
		},
	}
	for i, name := range []string{"proven", "due", "running", "waiting", "unknown", "plain"} {
		vm := audit.VM{
			ID: armid.VM(sampleSub1, "rg-app", name), Name: name, ResourceGroup: "rg-app", Subscription: sampleSub1, State: audit.Protected, Also: []audit.State{},
			Because: "last recovery point today", Vault: armid.Vault(sampleSub1, "rg-backup", "rsv"), Policy: "daily",
		}
		if name != "plain" {
			vm.RestoreTest = &audit.RestoreTest{Name: "gold", State: testStates()[i], EverySeconds: 90 * 86400}
		}
		switch name {
		case "proven":
			vm.RestoreProven = &plan.RestoreProof{Time: sampleNow.Add(-48 * time.Hour), Job: "job-1", Seconds: 90}
		case "due":
			vm.RestoreProven = &plan.RestoreProof{Time: sampleNow.Add(-100 * 24 * time.Hour), Job: "job-2", Seconds: 1800}
			vm.RestoreFailed = &plan.RestoreFailure{Time: sampleNow.Add(-24 * time.Hour), Job: "job-3", Code: "400239", Message: "the staging account is gone"}
			r.Findings = append(r.Findings, audit.Finding{Code: "BKP401", Severity: audit.High, Target: vm.ID, Message: "rg-app/due: its restore test failed", Hint: "look at the job"})
		case "unknown":
			vm.RestoreTest.Why = "the Restore jobs of vault rsv"
		}
		r.VMs = append(r.VMs, vm)
	}
	return r
}

func TestRestoreTestsInEveryFormat(t *testing.T) {
	r := restoreAudit()
	var text bytes.Buffer
	if err := AuditText(&text, r, Style{All: true}); err != nil {
		t.Fatal(err)
	}
	golden(t, "audit-restores.txt", text.Bytes())
	golden(t, "audit-restores.md", written(t, "markdown", r))
	golden(t, "audit-restores.csv", written(t, "csv", r))
	golden(t, "audit-restores.xml", written(t, "junit", r))
	golden(t, "audit-restores.json", written(t, "json", r))
	var samples []string
	for line := range strings.Lines(string(written(t, "prometheus", r))) {
		if strings.Contains(line, "restore") {
			samples = append(samples, line)
		}
	}
	golden(t, "audit-restores.prom", []byte(strings.Join(samples, "")))
	page := string(written(t, "html", r))
	for _, want := range []string{
		`<section class="card" id="restores"`, "2026-11-22", `data-sort="proven"`, "cell(\"n\", m.proven", "proven: (a, b)", "add(\"Restore test\", m.test)", "BKP401",
		`"proven","test"]`, "1 completed, 0 failed",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestWithoutRestoreTestsNoFormatSaysAnything(t *testing.T) {
	for name, r := range map[string]audit.Result{"some": sampleAudit(55), "none": sampleAudit(0)} {
		for _, format := range AuditFormats() {
			for _, word := range []string{"restore_", "restore test", "BKP40", "by a restore", "m.proven", "MCSB BR-4"} {
				if strings.Contains(string(written(t, format, r)), word) {
					t.Errorf("%s: %s says %q", name, format, word)
				}
			}
		}
	}
}

// Two VMs of one name in two subscriptions are two test cases: a CI system takes cases of one class and name for one.
func TestTheCasesOfRestoreTestsHaveNamesOfTheirOwn(t *testing.T) {
	r := restoreAudit()
	twin := r.VMs[0]
	twin.Subscription, twin.ID = sampleSub2, armid.VM(sampleSub2, twin.ResourceGroup, twin.Name)
	r.VMs = append(r.VMs, twin)
	r.Scope.Subscriptions = []audit.Subscription{{ID: sampleSub1, Name: "Production"}, {ID: sampleSub2}}
	file := string(written(t, "junit", r))
	for _, want := range []string{
		`name="rg-app/proven (Production)" classname="restore-test.gold"`, `name="rg-app/proven (` + sampleSub2 + `)" classname="restore-test.gold"`,
		`name="rg-app/due" classname="restore-test.gold"`,
	} {
		if !strings.Contains(file, want) {
			t.Errorf("no test case with %s in\n%s", want, file)
		}
	}
}
