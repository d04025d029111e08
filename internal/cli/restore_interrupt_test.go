package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// filesOf writes files of a script into a new folder, with replacements.
func filesOf(t *testing.T, script string, names []string, replace ...string) (dir string) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/script/" + script + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, f := range archive.Files {
		if slices.Contains(names, f.Name) {
			if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(strings.NewReplacer(replace...).Replace(string(f.Data))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// awaitRestores waits until the simulator has accepted n restores, and their answers have come.
func awaitRestores(t *testing.T, url string, n int) {
	t.Helper()
	for range 1000 {
		if statsOf(t, url).Requests["item.restore"] == n {
			break
		}
		time.Sleep(10 * time.Millisecond) // another process sends the requests
	}
	time.Sleep(200 * time.Millisecond) // their answers come
}

// A restore test that is interrupted says what the restore, which goes on in Azure, will leave, and what removes it; nothing is
// deleted.
func TestAnInterruptedRestoreTestSaysWhatItWillLeave(t *testing.T) {
	dir := filesOf(t, "restore-test", []string{"estate.json", "azbackup.yaml"}, `"retryAfter":1`, `"retryAfter":1,"validateRestore":"absent"`)
	bin := program(t)
	url := azureAt(t, bin, dir, "--operation-time", "1h")
	p, err := start(bin, dir, "restore-test", "web1", "--endpoint", url, "--auto-approve", "--grace", "100ms", "--output", "json=tested.json")
	if err != nil {
		t.Fatal(err)
	}
	awaitRestores(t, url, 1)
	_ = p.Process.Signal(os.Interrupt)
	code, out := p.exit(), p.stdout.String()
	if code != exitInterrupted || statsOf(t, url).Requests["disk.delete"] > 0 {
		t.Errorf("exit code %d\n%s%s", code, out, p.stderr.String())
	}
	wantAll(t, p.stderr.String(), "interrupted: nothing new starts", "azbackup restore-test --clean-up removes their disks")
	wantAll(t, out, "interrupted  restore test  rg-app/web1", "left behind: restore ",
		"it may still run; the disks that it makes in rg-tests carry the tag RSVaultBackup: azbackup restore-test --clean-up removes them", "left behind: staging stweu")
	var report struct {
		Results []struct {
			LeftBehind []struct{ Kind, ID string } `json:"left_behind"`
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "tested.json"))
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err != nil || len(report.Results) != 1 || len(report.Results[0].LeftBehind) != 2 {
		t.Errorf("%v: %s", err, data)
	}
}

// Restores go on in Azure when the program is left: the report names them, and the same command follows them.
func TestAnInterruptedRestoreSaysWhichRestoresRunOn(t *testing.T) {
	dir := filesOf(t, "restore-bad-days", []string{"estate.json"})
	bin := program(t)
	url := azureAt(t, bin, dir, "--operation-time", "1h")
	args := []string{
		"restore", "rg-app/web1", "eb1", "--into", "rg-restored", "--staging", "stweu", "--subscription", "11111111-1111-1111-1111-111111111111",
		"--endpoint", url, "--auto-approve", "--grace", "100ms",
	}
	p, err := start(bin, dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	awaitRestores(t, url, 2)
	_ = p.Process.Signal(os.Interrupt)
	code := p.exit()
	out := p.stdout.String()
	if code != exitInterrupted || strings.Count(out, "interrupted  restore") != 2 ||
		!strings.Contains(out, "interrupted: 2 machines (rg-app/eb1, rg-app/web1)\n  it runs on in Azure: the same command, run again, follows it") {
		t.Errorf("exit code %d\n%s%s", code, out, p.stderr.String())
	}
	again, output := runProgram(bin, dir, append(args, "--timeout", "1s")...)
	if again != 3 || strings.Count(output, "it is followed, not started again") != 2 || statsOf(t, url).Requests["item.restore"] != 2 {
		t.Errorf("run again: exit code %d\n%s", again, output)
	}
}

// A backup that was to be followed is not done because Azure has accepted it: an interrupt before its job ended says that it was cut.
func TestAnInterruptedBackupThatIsFollowedIsNotDone(t *testing.T) {
	dir := fleetOf(t, 1)
	estate, config := filepath.Join(dir, "estate.json"), filepath.Join(dir, "azbackup.yaml")
	if code, _, log := inVirtualTime(t, applyIn(dir)...); code != exitOK {
		t.Fatal(log)
	}
	var state map[string]json.RawMessage
	readEstate(t, estate, &state)
	state["settings"] = json.RawMessage(`{"faults":[{"name":"slow","kind":"item.backup","latency":"10s","times":-1}]}`)
	data, err := json.Marshal(state)
	if err == nil {
		err = os.WriteFile(estate, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	code, out, log, _ := interruptedInVirtualTime(t, 5*time.Second, "backup", "vm00", "--wait", "-f", config, "--simulate", estate, "--real-time")
	if code != exitInterrupted || strings.Contains(out, "1 done") {
		t.Errorf("exit code %d\n%s%s", code, out, log)
	}
	wantAll(t, out, "interrupted  backup  rg-app/vm00", "job ", "Backup interrupted: 1 interrupted")
}
