package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A restore test says how each of its steps ended, whatever the service answers: the check that is not offered, refused or finds
// something is shown and the restore decides; a job that fails, and one whose disks never come, prove nothing.
func TestARestoreTestSaysWhatTheServiceAnswered(t *testing.T) {
	const onRestore = `"retryAfter":1,"faults":[{"name":"bad","kind":"item.restore",`
	for name, tt := range map[string]struct {
		settings string
		code     int
		words    []string
	}{
		"the check is not offered": {
			`"retryAfter":1,"validateRestore":"absent"`, exitOK,
			[]string{"✓ done  restore test  rg-app/web1", "validate: not started after ", "the service does not offer this check here"},
		},
		"the check is refused": {
			`"retryAfter":1,"validateRestore":"forbidden"`, exitOK,
			[]string{"✓ done  restore test  rg-app/web1", "validate: not started after ", "it was refused: "},
		},
		"the check says no": {
			`"retryAfter":1,"restoreFindings":[{"code":"UserErrorCoreCountSubscriptionQuotaReached","message":"no cores are left","recommendations":["Ask for more of them."]}]`, exitOK,
			[]string{"✓ done  restore test  rg-app/web1", "validate: failed after ", "UserErrorCoreCountSubscriptionQuotaReached: no cores are left Ask for more of them."},
		},
		"the job fails": {
			onRestore + `"operation":"lies","code":"UserErrorNoRoom","message":"there is no room"}]`, exitUnfinished,
			[]string{"✗ failed  restore test  rg-app/web1", "there is no room", "left behind: restore "},
		},
		"the job completes, and its disks are not listed within ten minutes": {
			`"retryAfter":1,"durations":{"diskLag":"25m"}`, exitUnfinished,
			[]string{"✗ failed  restore test  rg-app/web1", "no disk with the tag RSVaultBackup: ", "left behind: restore ", "azbackup restore-test --clean-up removes them"},
		},
		"they are listed later, and looked for": {
			`"retryAfter":1,"durations":{"diskLag":"8m"}`, exitOK,
			[]string{"✓ done  restore test  rg-app/web1", "clean-up: done after "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filesOf(t, "restore-test", []string{"estate.json", "azbackup.yaml"},
				`"settings":{"durations":{"":"50ms","transfer":"1500ms"},"retryAfter":1}`, `"settings":{`+tt.settings+`}`)
			code, out, log := inVirtualTime(t, "restore-test", "web1", "-f", filepath.Join(dir, "azbackup.yaml"), "--simulate", filepath.Join(dir, "estate.json"),
				"--real-time", "--auto-approve")
			if code != tt.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, tt.code, out, log)
			}
			wantAll(t, out, tt.words...)
		})
	}
}

// A check that a Ctrl-C ends found nothing wrong: it has not seen the disks yet, and its test is no failed one.
func TestACheckThatIsInterruptedFoundNothingWrong(t *testing.T) {
	dir := filesOf(t, "restore-test", []string{"estate.json", "azbackup.yaml"},
		`"settings":{"durations":{"":"50ms","transfer":"1500ms"},"retryAfter":1}`, `"settings":{"retryAfter":1,"durations":{"restoreFromSnapshot":"1m","diskLag":"25m"}}`)
	code, out, log, _ := interruptedInVirtualTime(t, 4*time.Minute, "restore-test", "web1", "-f", filepath.Join(dir, "azbackup.yaml"),
		"--simulate", filepath.Join(dir, "estate.json"), "--real-time", "--auto-approve", "--grace", "1m")
	if code != exitInterrupted || strings.Contains(out, "failed") || strings.Contains(out, "RestoreTestFailed") {
		t.Errorf("exit code %d\n%s%s", code, out, log)
	}
	wantAll(t, out, "interrupted  restore test  rg-app/web1", "check: interrupted after ", "no disk with the tag RSVaultBackup: ", "the grace period is over", "left behind: restore ")
}
