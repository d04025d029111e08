package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
)

// program returns this test binary under the name that makes it azbackup (see TestMain).
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "azbackup")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a running azbackup with a folder of its own.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

func start(program, dir string, args ...string) (*process, error) {
	p := &process{Cmd: exec.Command(program, args...)}
	p.Dir, p.Stdout, p.Stderr = dir, &p.stdout, &p.stderr
	p.Env = append(os.Environ(), "XDG_CACHE_HOME="+dir, "HOME="+dir, accessToken+"=test")
	return p, p.Start()
}

// exit waits for the process and returns its exit code; -1 = killed.
func (p *process) exit() int {
	err := p.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return 0
}

func runProgram(program, dir string, args ...string) (code int, output string) {
	p, err := start(program, dir, args...)
	if err != nil {
		return -2, err.Error()
	}
	code = p.exit()
	return code, p.stdout.String() + p.stderr.String()
}

// azureAt serves the estate in dir in another process and returns its URL.
func azureAt(t *testing.T, program, dir string, args ...string) (url string) {
	t.Helper()
	p, err := start(program, dir, append([]string{"simulate", "--estate", "estate.json", "--url-file", "url", "-q"}, args...)...)
	if err != nil {
		t.Error(err)
		return ""
	}
	t.Cleanup(func() {
		_ = p.Process.Signal(os.Interrupt)
		_ = p.Wait()
	})
	for range 500 {
		if data, err := os.ReadFile(filepath.Join(dir, "url")); err == nil && len(data) > 0 {
			return strings.TrimSpace(string(data))
		}
		time.Sleep(10 * time.Millisecond) // another process writes the file
	}
	t.Errorf("no simulator: %s", p.stderr.String())
	return ""
}

func statsOf(t *testing.T, url string) simulator.Stats {
	t.Helper()
	var stats simulator.Stats
	resp, err := http.Get(url + "/_simulator/stats")
	if err == nil {
		err = errors.Join(json.NewDecoder(resp.Body).Decode(&stats), resp.Body.Close())
	}
	if err != nil {
		t.Error(err)
	}
	return stats
}

// fleetOf writes an estate of n unprotected VMs, and the config that protects them by a policy that does not exist yet,
// into a new folder.
func fleetOf(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	base, err := os.ReadFile("testdata/base/estate.json")
	if err != nil {
		t.Fatal(err)
	}
	const one = `{"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/%[1]s",` +
		`"name":"%[1]s","location":"westeurope","tags":{"env":"prod"},"properties":{}},`
	var vms strings.Builder
	vms.WriteString("\"virtualMachines\":[\n")
	for i := range n {
		fmt.Fprintf(&vms, one+"\n", fmt.Sprintf("vm%02d", i))
	}
	estate := strings.Replace(string(base), "\"virtualMachines\":[\n", vms.String(), 1)
	config := `version: 1
subscriptions: [11111111-1111-1111-1111-111111111111]
vaults:
  - {name: rsv, resourceGroup: rg-backup, location: westeurope, manage: true, softDeleteDays: 30}
policies:
  - name: nightly
    vaults: [rsv]
    manage: true
    tier: Standard
    timeZone: UTC
    schedule: {daily: {at: "01:00"}}
    retention: {days: 30}
vms:
  - {name: fleet, match: {names: ["vm*"]}, policy: nightly}
settings: {limits: {writes: 2}}
`
	for name, text := range map[string]string{"estate.json": estate, "azbackup.yaml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// awaitRequests waits until a simulator has answered n requests, or no more come, and returns their number.
func awaitRequests(t *testing.T, url string, n int) int {
	last, quiet := 0, 0
	for quiet < 300 {
		total := statsOf(t, url).Total()
		if total >= n {
			return total
		}
		if quiet++; total != last {
			last, quiet = total, 0
		}
		time.Sleep(5 * time.Millisecond) // another process sends the requests
	}
	return last
}

// Killed with -9 at any moment and run again, an apply converges, and no VM is requested twice.
func TestAKilledApplyConvergesWhenRunAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("runs 60 processes")
	}
	t.Parallel()
	const moments, vms = 20, 6
	bin := program(t)
	var all sync.WaitGroup
	slots := make(chan struct{}, 12)
	for i := range moments {
		dir := fleetOf(t, vms)
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			url := azureAt(t, bin, dir, "--operation-time", "300ms", "--latency", "40ms")
			if url == "" {
				return
			}
			first, err := start(bin, dir, "apply", "--auto-approve", "--endpoint", url)
			if err != nil {
				t.Error(err)
				return
			}
			moment := fmt.Sprintf("killed after %d requests", awaitRequests(t, url, i*4/3))
			_ = first.Process.Signal(syscall.SIGKILL)
			_ = first.Wait()
			before := statsOf(t, url).Requests["item.put"]
			if code, out := runProgram(bin, dir, "apply", "--auto-approve", "--endpoint", url); code != 0 {
				t.Errorf("%s, %d of them writes, the second run exits with %d:\n%s", moment, before, code, out)
			}
			if code, out := runProgram(bin, dir, "plan", "--detailed-exitcode", "--endpoint", url); code != 0 {
				t.Errorf("%s, something is left to do:\n%s", moment, out)
			}
			stats := statsOf(t, url)
			if puts := stats.Requests["item.put"]; puts != vms {
				t.Errorf("%s: %d writes for %d machines, %d of them before", moment, puts, vms, before)
			}
			if n := stats.Requests["item.delete"]; n > 0 {
				t.Errorf("%s: %d items deleted", moment, n)
			}
			t.Logf("%s: %d of %d written before", moment, before, vms)
		})
	}
	all.Wait()
}

// awaitFile waits until a file holds text.
func awaitFile(t *testing.T, path, text string) {
	t.Helper()
	for range 1000 {
		if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), text) {
			return
		}
		time.Sleep(10 * time.Millisecond) // another process writes the file
	}
	t.Fatalf("%s never held %q", path, text)
}

// withHangups lets the processes that a test starts receive SIGHUP, also where the tests were started under nohup.
func withHangups(t *testing.T) {
	t.Helper()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // what is caught here is at its default in a process that is started
	t.Cleanup(func() { signal.Stop(caught) })
}

func TestInterruptsEndARunWithCode130(t *testing.T) {
	withHangups(t)
	bin := program(t)
	once, twice := []os.Signal{os.Interrupt}, []os.Signal{os.Interrupt, os.Interrupt}
	for _, test := range []struct {
		name    string
		serve   []string
		args    []string
		signals []os.Signal
		stdout  string
		stderr  string
	}{
		{
			name: "once: nothing new starts, what runs is waited for", signals: once,
			serve: []string{"--operation-time", "1h"}, args: []string{"apply", "--auto-approve", "--grace", "500ms"},
			stdout: "Apply interrupted: ", stderr: "warning: interrupted: nothing new starts; waiting up to",
		},
		{
			name: "twice: at once", signals: twice,
			serve: []string{"--operation-time", "1h"}, args: []string{"apply", "--auto-approve", "--grace", "1h"},
			stdout: "Apply interrupted: ", stderr: "hint: Ctrl-C again leaves at once",
		},
		{
			name: "while reading: at once, and without a result", signals: once,
			serve: []string{"--latency", "1h"}, args: []string{"apply", "--auto-approve", "--output", "prometheus=metrics"},
			stderr: "error: interrupted",
		},
		{
			name: "a plan too", signals: once, serve: []string{"--latency", "1h"}, args: []string{"plan"}, stderr: "error: interrupted",
		},
		{
			name:    "a terminal that is closed: what runs is waited for, though the shell and the kernel both tell of it",
			signals: []os.Signal{syscall.SIGHUP, syscall.SIGHUP}, serve: []string{"--operation-time", "2s"},
			args: []string{"apply", "--auto-approve", "--grace", "1m"}, stdout: "1 done", stderr: "warning: interrupted: nothing new starts",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := fleetOf(t, 3)
			url := azureAt(t, bin, dir, test.serve...)
			args := append(test.args, "--endpoint", url)
			if test.args[0] == "apply" {
				args = append(args, "--journal", "journal")
			}
			p, err := start(bin, dir, args...)
			if err != nil {
				t.Fatal(err)
			}
			if test.stdout != "" {
				awaitFile(t, filepath.Join(dir, "journal"), `"kind":"accepted"`)
			} else {
				time.Sleep(300 * time.Millisecond) // no output shows that it is reading
			}
			began := time.Now()
			for _, signal := range test.signals {
				_ = p.Process.Signal(signal)
				time.Sleep(50 * time.Millisecond) // two signals at once may arrive as one
			}
			if code := p.exit(); code != exitInterrupted {
				t.Errorf("exit code %d, want %d\n%s%s", code, exitInterrupted, p.stdout.String(), p.stderr.String())
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if !strings.Contains(p.stdout.String(), test.stdout) || test.stdout == "" && p.stdout.Len() > 0 {
				t.Errorf("stdout is %q, want %q", p.stdout.String(), test.stdout)
			}
			if !strings.Contains(p.stderr.String(), test.stderr) {
				t.Errorf("stderr is %q, want %q", p.stderr.String(), test.stderr)
			}
			if strings.Contains(strings.Join(args, " "), "prometheus=") {
				awaitFile(t, filepath.Join(dir, "metrics"), "azbackup_last_run_exit_code 130\n")
			}
		})
	}
}

// A run that was started with SIGHUP ignored, as nohup does it, goes on when its terminal is closed.
func TestARunUnderNohupGoesOnWithoutItsTerminal(t *testing.T) {
	t.Parallel()
	bin := program(t)
	dir := fleetOf(t, 3)
	url := azureAt(t, bin, dir, "--operation-time", "1s")
	p, err := start("sh", dir, "-c", `trap "" HUP; exec "$0" "$@"`, bin, "apply", "--auto-approve", "--journal", "journal", "--endpoint", url)
	if err != nil {
		t.Fatal(err)
	}
	awaitFile(t, filepath.Join(dir, "journal"), `"kind":"accepted"`)
	_ = p.Process.Signal(syscall.SIGHUP)
	if code := p.exit(); code != exitOK {
		t.Errorf("exit code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
	}
}

// A saved plan that is done is run again without a write, and one that was edited sends no request at all.
func TestASavedPlanIsWrittenOnce(t *testing.T) {
	bin := program(t)
	dir := fleetOf(t, 3)
	url := azureAt(t, bin, dir, "--operation-time", "10ms")
	run := func(want int, args ...string) {
		t.Helper()
		if code, out := runProgram(bin, dir, append(args, "--endpoint", url)...); code != want {
			t.Fatalf("%v exits with %d, want %d:\n%s", args, code, want, out)
		}
	}
	run(0, "plan", "--out", "saved.json")
	run(0, "apply", "saved.json")
	writes := statsOf(t, url).Writes
	if writes == 0 {
		t.Fatal("nothing was written")
	}
	run(0, "apply", "saved.json")
	if replan := statsOf(t, url).Writes; replan != writes {
		t.Errorf("run again, it writes %d times more", replan-writes)
	}
	path := filepath.Join(dir, "saved.json")
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(data), "vm00", "vm02", 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	before := statsOf(t, url).Total()
	run(1, "apply", "saved.json")
	if asked := statsOf(t, url).Total() - before; asked != 0 {
		t.Errorf("a plan that was edited sent %d requests", asked)
	}
}
