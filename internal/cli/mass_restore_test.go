package cli

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// massRestored is what the report of a restore says in JSON.
type massRestored struct {
	Summary map[string]int
	Results []struct {
		Target, Outcome, Job, Template string
		Disks                          []string
		Seconds                        int64
	}
}

// restoreJob is a Restore job as an estate holds it.
type restoreJob struct {
	Name       string
	Properties struct {
		Operation, EntityFriendlyName string
		StartTime, EndTime            time.Time
		ExtendedInfo                  struct {
			PropertyBag map[string]string
		}
	}
}

// restoreJobsOf returns the Restore jobs of an estate, by name, and how many of them ran at the same time at most.
func restoreJobsOf(t *testing.T, estate string) (byName map[string]restoreJob, atOnce int) {
	t.Helper()
	var state struct{ Jobs []restoreJob }
	readEstate(t, estate, &state)
	byName = map[string]restoreJob{}
	for _, j := range state.Jobs {
		if j.Properties.Operation == "Restore" {
			byName[j.Name] = j
		}
	}
	for _, j := range byName {
		n := 0
		for _, other := range byName {
			if !other.Properties.StartTime.After(j.Properties.StartTime) && other.Properties.EndTime.After(j.Properties.StartTime) {
				n++
			}
		}
		atOnce = max(atOnce, n)
	}
	return byName, atOnce
}

// checkMassRestore checks that a restore brought n machines back from the last point before the attack, each once, never more
// than the limit at once, and that its report says of each what a runbook needs.
func checkMassRestore(t *testing.T, estate, out string, n int) {
	t.Helper()
	var report massRestored
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	jobs, atOnce := restoreJobsOf(t, estate)
	if len(report.Results) != n || report.Summary["done"] != n || len(jobs) != n || atOnce != 20 {
		t.Errorf("%d results, %v, %d jobs, %d at once", len(report.Results), report.Summary, len(jobs), atOnce)
	}
	var seen []string
	for _, r := range report.Results {
		vm := r.Target[strings.LastIndexByte(r.Target, '/')+1:]
		seen = append(seen, vm)
		j := jobs[r.Job]
		if point := j.Properties.ExtendedInfo.PropertyBag["Recovery point time "]; point != "11/18/2026 10:00:00 PM" || j.Properties.EntityFriendlyName != vm {
			t.Errorf("%s was restored from the point of %q by the job of %q", vm, point, j.Properties.EntityFriendlyName)
		}
		if ran := int64(j.Properties.EndTime.Sub(j.Properties.StartTime).Seconds()); r.Outcome != "done" || len(r.Disks) != 1 || !strings.Contains(r.Template, r.Job) || r.Seconds != ran || ran == 0 {
			t.Errorf("%s: %+v, and its job took %d s", vm, r, ran)
		}
	}
	slices.Sort(seen)
	if want := fleetNames(n); !slices.Equal(seen, want) {
		t.Errorf("the report names %v", seen)
	}
}

// Every last point of 300 machines is encrypted: one command line brings all of them back from the points before.
func TestOneCommandBringsAnEncryptedFleetBack(t *testing.T) {
	estate := encryptedFleet(t, 300, `"quota":"1100"`)
	code, out, log, took := timedInVirtualTime(t, restoreAll(estate, "--auto-approve", "--dangerous-allow-many-restores", "--format", "json")...)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	checkMassRestore(t, estate, out, 300)
	if bound := 300 / 20 * 111 * time.Second; took > bound+bound/5 {
		t.Errorf("it took %s, and 15 rounds of restores take %s", took, bound)
	}
}

// Where the hourly budget of reads is too small for the jobs of all restores, the report waits for it as long as it takes, and
// says so: what it has to say of each machine is not cut.
func TestTheReportOfRestoresWaitsForTheBudgetOfReads(t *testing.T) {
	estate := encryptedFleet(t, 300, `"quota":"150"`)
	code, out, log, took := timedInVirtualTime(t, restoreAll(estate, "--auto-approve", "--dangerous-allow-many-restores", "--format", "json")...)
	if code != exitOK {
		t.Fatalf("exit code %d after %s\n%s", code, took, log)
	}
	checkMassRestore(t, estate, out, 300)
	wantAll(t, log, "reads of backup jobs: ", " requests, and 150 in 1h are allowed", "hint: each job says where the template of its machine is; Ctrl-C ends the reading",
		" of 300 requests sent, the rest takes about ")
	if took < 4*time.Hour || took > 5*time.Hour { // two hours for the points, two for the jobs
		t.Errorf("it took %s", took)
	}
}

// A Ctrl-C while the report waits for the budget ends the wait and not the report: it has the disks of all, and of the machines
// whose jobs were read the templates. One that came earlier, while restores ran, leaves the report its time of grace.
func TestACtrlCEndsTheReadingOfJobsAndNotTheReport(t *testing.T) {
	for _, tt := range []struct {
		name      string
		at, grace time.Duration
		until     time.Duration
		done      int
	}{
		{"while it reads", 30 * time.Minute, 2 * time.Minute, 30*time.Minute + 30*time.Second, 140},
		{"while restores run", 10 * time.Minute, 5 * time.Minute, 25 * time.Minute, 20},
	} {
		estate := encryptedFleet(t, 140, `"quota":"150"`)
		code, out, log, took := interruptedInVirtualTime(t, tt.at, restoreAll(estate, "--auto-approve", "--dangerous-allow-many-restores", "--format", "json", "--grace", tt.grace.String())...)
		var report massRestored
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatalf("%s: %v\n%s", tt.name, err, log)
		}
		disks, templates := 0, 0
		for _, r := range report.Results {
			disks += len(r.Disks)
			if r.Template != "" {
				templates++
			}
		}
		if code != exitInterrupted || took > tt.until || report.Summary["done"] < tt.done || disks != report.Summary["done"] || templates == 0 || templates == 140 {
			t.Errorf("%s: exit code %d after %s, %v, %d disks, %d templates\n%s", tt.name, code, took, report.Summary, disks, templates, log)
		}
		wantAll(t, log, "interrupted: ", "left could not be read: ")
	}
}

// A restore test whose check waits for the hourly budget of reads of jobs is not cut by the time of its step: it ends with its
// proof, and its disks are removed.
func TestAWaitForABudgetCutsNoStepOfARestoreTest(t *testing.T) {
	estate := encryptedFleet(t, 120, `"quota":"150"`)
	code, out, log, took := timedInVirtualTime(t, "apply", "-f", testsFile(t), "--simulate", estate, "--real-time", "--auto-approve", "--dangerous-allow-many-restores", "--format", "json")
	var report massRestored
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if code != exitOK || report.Summary["done"] != 120 || took < time.Hour {
		t.Errorf("exit code %d after %s: %v\n%s", code, took, report.Summary, log)
	}
	if left := restoredDisksOf(t, estate); left > 0 {
		t.Errorf("%d disks are left", left)
	}
}

// restoredDisksOf returns how many disks of an estate restores made.
func restoredDisksOf(t *testing.T, estate string) (n int) {
	t.Helper()
	var state struct {
		Disks []struct{ Tags map[string]string }
	}
	readEstate(t, estate, &state)
	for _, d := range state.Disks {
		if d.Tags["RSVaultBackup"] != "" {
			n++
		}
	}
	return n
}

// A refusal for two hours does not cut a clean-up of what earlier tests left, whose own limit is minutes; a service that does not
// answer does, and the disks that stay say so.
func TestARefusalByAQuotaCutsNoCleanUp(t *testing.T) {
	for fault, want := range map[string]struct {
		code, left int
		least      time.Duration
		said       string
	}{
		`"status":429,"times":1,"headers":{"Retry-After":"7200"}`: {exitOK, 0, 2 * time.Hour, "3 disks deleted"},
		`"latency":"1h","times":-1`:                               {exitUnfinished, 3, 10 * time.Minute, "the clean-up took more than 13m"},
	} {
		estate := encryptedFleet(t, 3, `"faults":[{"name":"deletes","kind":"disk.delete","status":403,"times":-1}]`)
		file := testsFile(t)
		if code, _, log, _ := timedInVirtualTime(t, "apply", "-f", file, "--simulate", estate, "--real-time", "--auto-approve"); code != exitUnfinished || restoredDisksOf(t, estate) != 3 {
			t.Fatalf("exit code %d, and %d disks are left\n%s", code, restoredDisksOf(t, estate), log)
		}
		var state map[string]json.RawMessage
		readEstate(t, estate, &state)
		state["settings"] = json.RawMessage(`{"faults":[{"name":"deletes","kind":"disk.delete",` + fault + `}]}`)
		data, err := json.Marshal(state)
		if err == nil {
			err = os.WriteFile(estate, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		code, out, log, took := timedInVirtualTime(t, "restore-test", "--clean-up", "-f", file, "--simulate", estate, "--real-time", "--auto-approve")
		if left := restoredDisksOf(t, estate); code != want.code || left != want.left || took < want.least {
			t.Errorf("%s: exit code %d after %s, and %d disks are left\n%s\n%s", fault, code, took, left, out, log)
		}
		wantAll(t, out+log, want.said)
	}
}

// A restore test that failed says which disks it left, though their list is refused for longer than listing them may take: the
// refusal is a wait for a quota, which no limit of that work counts.
func TestARefusalByAQuotaHidesNoDiskOfAFailedRestoreTest(t *testing.T) {
	// The third list of the group is that of what is left; the first is the plan's, the second that right before the restore.
	estate := encryptedFleet(t, 1, `"faults":[{"name":"job","kind":"item.restore","disks":"left"},`+
		`{"name":"list","kind":"disks.list","nth":3,"status":429,"headers":{"Retry-After":"7200"}}]`)
	code, out, log, took := timedInVirtualTime(t, "apply", "-f", testsFile(t), "--simulate", estate, "--real-time", "--auto-approve", "--format", "json")
	var report struct {
		Results []struct {
			Outcome    string
			LeftBehind []struct{ Kind, ID string } `json:"left_behind"`
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if n := restoredDisksOf(t, estate); n == 0 || code != exitUnfinished || took < 2*time.Hour || len(report.Results) != 1 || report.Results[0].Outcome != "failed" {
		t.Fatalf("exit code %d after %s, %d disks are left\n%s\n%s", code, took, n, out, log)
	}
	told := 0
	for _, l := range report.Results[0].LeftBehind {
		if l.Kind == "disk" && strings.Contains(l.ID, "/rg-restored/") {
			told++
		}
	}
	if told != restoredDisksOf(t, estate) {
		t.Errorf("%d of %d disks are told: %+v", told, restoredDisksOf(t, estate), report.Results[0].LeftBehind)
	}
}
