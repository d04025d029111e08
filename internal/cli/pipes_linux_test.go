package cli

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pipe has no metrics of an earlier run, and to read it would never end; nor can it be synced.
func TestMetricsAndTheJournalMayGoToAPipe(t *testing.T) {
	t.Parallel()
	bin := program(t)
	for _, test := range []struct{ flag, holds string }{
		{"--output=prometheus=", "azbackup_last_run_exit_code 0"},
		{"--output=json=", `"exit_code": 0`},
		{"--journal=", `"kind":"run-finished"`},
	} {
		t.Run(test.flag, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			dir := fleetOf(t, 1)
			// The pipe is the fourth file of the process, as the shell has it for >(command).
			p := exec.CommandContext(ctx, bin, "apply", "--auto-approve", "--simulate", "estate.json", test.flag+"/dev/fd/3")
			p.Dir, p.ExtraFiles, p.Env = dir, []*os.File{w}, append(os.Environ(), "XDG_CACHE_HOME="+dir)
			out := make(chan string, 1)
			go func() {
				data, _ := io.ReadAll(r)
				out <- string(data)
			}()
			said, err := p.CombinedOutput()
			_ = w.Close()
			if got := <-out; err != nil || !strings.Contains(got, test.holds) {
				t.Errorf("%v; the pipe has %q, want %q\n%s", err, got, test.holds, said)
			}
		})
	}
}

// A shell opened the file for all that the command says: to put a new one in its place would lose it.
func TestAFileThatIsAStandardStreamIsAddedTo(t *testing.T) {
	t.Parallel()
	bin := program(t)
	for _, name := range []string{"/dev/stdout", "/dev/stderr", "log"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			dir := fleetOf(t, 1)
			p := exec.CommandContext(t.Context(), "sh", "-c", `exec "$0" "$@" >log 2>&1`, bin, "apply", "--auto-approve", "--simulate", "estate.json",
				"--output", "json="+name, "--journal", name)
			p.Dir, p.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+dir)
			err := p.Run()
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			if err != nil {
				t.Error(err)
			}
			wantAll(t, string(log), "simulated Azure in estate.json", "done        create policy nightly", "Apply: ", `"exit_code": 0`, `"kind":"run",`, `"kind":"run-finished"`)
		})
	}
}

// A FIFO that nobody reads is waited for, and neither its open nor a write heeds a Ctrl-C: one that comes when the reports were
// given their time ends the process.
func TestACtrlCEndsARunThatWaitsForAFIFO(t *testing.T) {
	t.Parallel()
	bin := program(t)
	dir := fleetOf(t, 1)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Skip(err)
	}
	p, err := start(bin, dir, "apply", "--auto-approve", "--simulate", "estate.json", "--journal", "journal", "--output", "json=fifo")
	if err != nil {
		t.Fatal(err)
	}
	awaitFile(t, filepath.Join(dir, "journal"), `"kind":"run-finished"`)
	time.Sleep(500 * time.Millisecond) // no output shows that it waits
	_ = p.Process.Signal(os.Interrupt)
	time.Sleep(leaveDelay + 500*time.Millisecond)
	_ = p.Process.Signal(os.Interrupt)
	kill := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	defer kill.Stop()
	if code := p.exit(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	wantAll(t, p.stdout.String()+p.stderr.String(), "Apply: 4 done", "error: interrupted: something that was to be read or written did not end")
}
