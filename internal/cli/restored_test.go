package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// inVirtualTime runs a command line within the process, with a clock that jumps over every wait.
func inVirtualTime(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	code, stdout, stderr, _ = timedInVirtualTime(t, args...)
	return code, stdout, stderr
}

// timedInVirtualTime returns how long the command line took, too.
func timedInVirtualTime(t *testing.T, args ...string) (code int, stdout, stderr string, took time.Duration) {
	t.Helper()
	return interruptedInVirtualTime(t, 0, args...)
}

// interruptedInVirtualTime interrupts the command line after a time; 0 = never.
func interruptedInVirtualTime(t *testing.T, at time.Duration, args ...string) (code int, stdout, stderr string, took time.Duration) {
	t.Helper()
	var out, log bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		began := time.Now()
		defer func() { took = time.Since(began) }()
		signals := make(chan os.Signal, 1)
		if at > 0 {
			defer time.AfterFunc(at, func() { signals <- os.Interrupt }).Stop()
		}
		code = Main(context.Background(), args, Streams{
			In: strings.NewReader(""), Out: &out, Err: &log, Env: func(string) (string, bool) { return "", false },
			Now: time.Now, Version: "test", Signals: signals,
		})
	})
	return code, out.String(), log.String(), took
}

// badDaysEstate writes the estate of a script, with replacements, into a new folder, and returns its path.
func badDaysEstate(t *testing.T, replace ...string) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/script/restore-bad-days.txtar")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "estate.json")
	for _, f := range archive.Files {
		if f.Name != "estate.json" {
			continue
		}
		changed := strings.NewReplacer(replace...).Replace(string(f.Data))
		if changed == string(f.Data) && len(replace) > 0 {
			t.Fatalf("the estate has none of %q", replace)
		}
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// restoreOf returns the command line that restores a VM of an estate, of which operations take as long as Azure's.
func restoreOf(estate, vm string, more ...string) []string {
	return append([]string{
		"restore", vm, "--subscription", "11111111-1111-1111-1111-111111111111", "--into", "rg-restored", "--staging", "stweu",
		"--simulate", estate, "--real-time", "--auto-approve", "--log-format", "json",
	}, more...)
}

// twoDisks are fields of a recovery point that holds two disks.
const twoDisks = `"recoveryPointDiskConfiguration":{"numberOfDisksIncludedInBackup":2,"numberOfDisksAttachedToVm":2,` +
	`"includedDiskList":[{"lun":-1,"name":"web1_os"},{"lun":0,"name":"web1_data0"}],"excludedDiskList":[]}`

// readEstate decodes what a test looks at in an estate file.
func readEstate(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// jobsOf returns how many Restore jobs of VMs of that name an estate has.
func jobsOf(t *testing.T, estate, vm string) (n int) {
	t.Helper()
	var state struct {
		Jobs []struct {
			Properties struct {
				Entity    string `json:"entityFriendlyName"`
				Operation string `json:"operation"`
			} `json:"properties"`
		} `json:"jobs"`
	}
	readEstate(t, estate, &state)
	for _, j := range state.Jobs {
		if j.Properties.Operation == "Restore" && j.Properties.Entity == vm {
			n++
		}
	}
	return n
}

func wantAll(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in:\n%s", w, text)
		}
	}
}

// A job that completed while its disks are not listed within ten minutes is neither a success nor a failure: the report
// says which tag to look for. The same command, run again when they are listed, starts nothing and names them.
func TestARestoreWhoseDisksAreNotListedIsUnconfirmedUntilTheyAre(t *testing.T) {
	estate := badDaysEstate(t, `"":"50ms","diskLag":"0s"`, `"":"50ms","restoreFromSnapshot":"3m","diskLag":"12m"`)
	code, out, _ := inVirtualTime(t, restoreOf(estate, "rg-app/web1")...)
	if code != exitUnfinished || strings.Contains(out, "disks: ") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	wantAll(t, out, "? unconfirmed  restore  rg-app/web1  DisksNotListed: the job completed, and of its 1 disk 0 are listed",
		"with the tag RSVaultBackup = ", "Restore: 1 unconfirmed")
	inVirtualTime(t, restoreOf(estate, "eb1")...) // takes more than the two minutes that are missing
	code, out, log := inVirtualTime(t, restoreOf(estate, "rg-app/web1")...)
	if code != exitOK {
		t.Errorf("exit code %d\n%s", code, log)
	}
	wantAll(t, log, `"outcome":"already"`)
	wantAll(t, out, "= already  restore  rg-app/web1  restored by a job that was started before", "disks: web1-osdisk-", "Restore: 1 already")
	if n := jobsOf(t, estate, "web1"); n != 1 {
		t.Errorf("%d restores were started, want 1", n)
	}
}

// Disks that are listed some minutes after their job are found by a later look of the same run, which says so while it
// waits, though not at every look.
func TestDisksThatAreListedLateAreFoundByALaterLook(t *testing.T) {
	code, out, log := inVirtualTime(t, restoreOf(badDaysEstate(t, `"diskLag":"0s"`, `"diskLag":"9m"`), "rg-app/web1")...)
	if n := strings.Count(log, "are not listed yet: looking again"); code != exitOK || n < 5 || n > 12 {
		t.Errorf("exit code %d, it says %d times that it looks again\n%s", code, n, log)
	}
	wantAll(t, out, "✓ done  restore  rg-app/web1  Completed in ", "disks: web1-osdisk-", "Restore: 1 done")
}

// A list of disks that is refused shows no disk, and no absence of one: a restore is done whose job completed long before.
func TestARestoreWhoseDisksMayNotBeListedIsDone(t *testing.T) {
	estate := badDaysEstate(t, `"":"50ms"`, `"":"50ms","restoreFromSnapshot":"15m"`, `"retryAfter":1}`,
		`"retryAfter":1,"faults":[{"name":"rights","kind":"disks.list","times":-1,"status":403,"code":"AuthorizationFailed","message":"no right to disks/read"}]}`)
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	const one = "version: 1\nsubscriptions: [11111111-1111-1111-1111-111111111111]\nsettings: {limits: {restores: 1}}\n"
	if err := os.WriteFile(file, []byte(one), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, log := inVirtualTime(t, "restore", "rg-app/web1", "eb1", "-f", file, "--into", "rg-restored", "--staging", "stweu",
		"--simulate", estate, "--real-time", "--auto-approve")
	if code != exitIncomplete || strings.Contains(out, "DisksNotListed") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	wantAll(t, log, "warning: the disks that were made could not be listed: ", "no right to disks/read")
	wantAll(t, out, "✓ done  restore  rg-app/eb1   Completed in 15m", "✓ done  restore  rg-app/web1  Completed in 15m", "Restore: 2 done")
}

// A path that was copied with a slash at its end names the same group and account: what was restored is found and adopted.
func TestASlashAtTheEndOfAGroupIsNoPartOfItsName(t *testing.T) {
	estate := badDaysEstate(t)
	restore := func(into, staging string) (code int, out, log string) {
		return inVirtualTime(t, "restore", "eb1", "--subscription", "11111111-1111-1111-1111-111111111111", "--into", into, "--staging", staging,
			"--simulate", estate, "--real-time", "--auto-approve")
	}
	code, out, log := restore("rg-restored/", "stweu/")
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	wantAll(t, log, "▸ restore  rg-app/eb1  → rg-restored, all disks")
	wantAll(t, out, "disks: eb1-osdisk-")
	const sub = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/"
	code, out, _ = restore(sub+"rg-restored/", sub+"rg-st/providers/Microsoft.Storage/storageAccounts/stweu/")
	if code != exitOK || jobsOf(t, estate, "eb1") != 1 {
		t.Errorf("exit code %d, %d restores were started, want 1", code, jobsOf(t, estate, "eb1"))
	}
	wantAll(t, out, "= already  restore  rg-app/eb1", "disks: eb1-osdisk-")
}

// A restore that runs for days is followed like any other, and not started once more.
func TestARestoreThatRunsForDaysIsFollowed(t *testing.T) {
	estate := badDaysEstate(t, `"":"50ms"`, `"":"50ms","restoreFromSnapshot":"200h"`)
	args := restoreOf(estate, "eb1", "--timeout", "1m")
	if code, out, _ := inVirtualTime(t, args...); code != exitUnfinished {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	data, err := os.ReadFile(estate)
	if err == nil {
		old := regexp.MustCompile(`"startTime":"2026-11-20T[^"]*"`).ReplaceAll(data, []byte(`"startTime":"2026-11-16T06:00:00Z"`))
		err = os.WriteFile(estate, old, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	code, out, log := inVirtualTime(t, args...)
	if n := jobsOf(t, estate, "eb1"); code != exitUnfinished || n != 1 {
		t.Errorf("exit code %d, %d restores were started, want 1\n%s%s", code, n, log, out)
	}
	wantAll(t, out, "the same command, run again, follows it")
}

// A LUN that the point does not hold is not restored by any further run: no run is advised that makes the same disks again.
func TestALUNThatIsNotThereIsNotAskedForAgain(t *testing.T) {
	code, out, _ := inVirtualTime(t, restoreOf(badDaysEstate(t), "eb1", "--disks", "7")...)
	if code != exitUnfinished || strings.Contains(out, "run again: what is missing") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	wantAll(t, out, "OtherDisks: the job restored other disks than were ordered: eb1_OsDisk_1", "the same command would restore the same disks once more")
}

// Where somebody deleted one of the disks, every run adopts the job that made them: the report says how to get all of them.
func TestDisksThatWereDeletedAreRestoredWithAgain(t *testing.T) {
	r := &apply.Result{Outcome: apply.AlreadyDone, Job: "j1"}
	vm := restoredVM{result: r, order: &plan.RestoreOrder{}, isListed: true, disks: []plan.Disk{{ID: "d"}}}
	vm.job.ID, vm.job.Status, vm.job.Restored, vm.job.End = "/j1", "Completed", []string{"os", "data"}, time.Now().Add(-time.Hour)
	vm.conclude(time.Now())
	if r.Code != codeDisksNotListed || !strings.HasSuffix(r.Hint, "; if the others were deleted or moved, --again restores all of them once more") {
		t.Errorf("%+v", r)
	}
}

// A job that completed with warnings is not adopted by the next run, and the report says why.
func TestTheWarningsOfARestoreAreReported(t *testing.T) {
	for _, outcome := range []apply.Outcome{apply.Done, apply.AlreadyDone} {
		r := &apply.Result{Outcome: outcome, Job: "j1", Took: plan.Duration(time.Minute)}
		if outcome == apply.AlreadyDone {
			r.Message = "restored by a job that was started before"
		}
		vm := restoredVM{result: r, order: &plan.RestoreOrder{}, isListed: true, disks: []plan.Disk{{ID: "d"}}}
		vm.job.ID, vm.job.Status, vm.job.Restored = "/j1", "CompletedWithWarnings", []string{"os"}
		vm.job.Errors = []plan.JobError{{Message: "the template was not written"}}
		vm.conclude(time.Now())
		if r.Outcome != outcome || !strings.HasSuffix(r.Message, "; its job is CompletedWithWarnings: the template was not written") || r.Hint == "" {
			t.Errorf("%+v", r)
		}
	}
}

// Whoever restores into a group of restore tests is told that tests delete disks there.
func TestARestoreIntoAGroupOfTestsIsWarnedOf(t *testing.T) {
	const warning = "the resource group rg-restored is one of restore tests: disks that are restored into it may be deleted as what a test left"
	_, _, log := inVirtualTime(t, restoreOf(badDaysEstate(t, `"name":"rg-restored",`, `"name":"rg-restored","tags":{"azbackup-restore-tests":"allowed"},`), "eb1")...)
	wantAll(t, log, warning, "name a group without the tag azbackup-restore-tests with --into")
	if _, _, log = inVirtualTime(t, restoreOf(badDaysEstate(t), "eb1")...); strings.Contains(log, warning) {
		t.Errorf("a group of no tests is warned of\n%s", log)
	}
}

// A rule matches what exists. Whoever restores the VMs of a rule is told of those that are gone.
func TestARestoreByRuleNamesTheVMsThatAreGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	const rules = "version: 1\nsubscriptions: [11111111-1111-1111-1111-111111111111]\nvaults: [{name: rsv, resourceGroup: rg-backup, location: westeurope}]\n" +
		"policies: [{name: daily}]\nvms: [{name: all, match: {resourceGroups: [rg-*]}, policy: daily}]\n"
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		only  []string
		warns bool
	}{
		{[]string{"--only", "rule=all"}, true},
		{[]string{"--only", "rule=all", "--only", "group=rg-app"}, true},
		{[]string{"--only", "rule=all", "--only", "group=rg-db"}, false},
		{[]string{"--only", "group=rg-*"}, false},
	} {
		_, _, log := inVirtualTime(t, append([]string{
			"restore", "-f", file, "--into", "rg-restored", "--staging", "stweu",
			"--simulate", badDaysEstate(t), "--out", filepath.Join(t.TempDir(), "plan.json"),
		}, tt.only...)...)
		const warning = "warning: rule= selects VMs that exist; left out are the backups of 1 VM that are gone or not visible: rg-app/eb1\n" +
			"hint: group=, vault= and vm= select those too"
		if strings.Contains(log, warning) != tt.warns {
			t.Errorf("%v: want a warning: %t\n%s", tt.only, tt.warns, log)
		}
	}
}

// A job that was followed, and turns out to have restored other disks than those that are wanted, is no success. What it
// made is named, and the next run restores what is missing.
func TestAFollowedJobWithOtherDisksIsNoSuccess(t *testing.T) {
	estate := badDaysEstate(t, `"":"50ms"`, `"":"50ms","restoreFromSnapshot":"3m"`, `"osType":"Linux"`, `"osType":"Linux",`+twoDisks)
	code, out, _ := inVirtualTime(t, restoreOf(estate, "rg-app/web1", "--disks", "os", "--timeout", "20s")...)
	if code != exitUnfinished {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	wantAll(t, out, "the same command, run again, follows it")
	code, out, _ = inVirtualTime(t, restoreOf(estate, "rg-app/web1")...)
	if code != exitUnfinished {
		t.Errorf("exit code %d\n%s", code, out)
	}
	wantAll(t, out, "✗ failed  restore  rg-app/web1  OtherDisks: the job that was running restored other disks: web1_os", "disks: web1-osdisk-",
		"run again: what is missing is restored then", "Restore: 1 failed")
	code, out, _ = inVirtualTime(t, restoreOf(estate, "rg-app/web1")...)
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	wantAll(t, out, "✓ done  restore  rg-app/web1", "disks: web1-osdisk-", ", web1-datadisk-000-")
	if n := jobsOf(t, estate, "web1"); n != 2 {
		t.Errorf("%d restores were started, want 2", n)
	}
}

// A restore from the vault may take longer than runs do elsewhere: where the file has restore tests, the end of an apply
// does not cut one.
func TestTheEndOfAnApplyCutsNoRestoreTestThatHasTime(t *testing.T) {
	estate := encryptedFleet(t, 1, `"durations":{"restoreFromSnapshot":"7h30m"}`)
	code, out, log := inVirtualTime(t, "apply", "-f", testsFile(t), "--simulate", estate, "--real-time", "--auto-approve")
	if code != exitOK || !strings.Contains(out, "✓ done  restore test  rg-app/vm00000") {
		t.Errorf("exit code %d\n%s%s", code, out, log)
	}
}
