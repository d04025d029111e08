package cli

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
			p := exec.CommandContext(t.Context(), "sh", "-c", `exec "$0" "$@" >>log 2>&1`, bin, "apply", "--auto-approve", "--simulate", "estate.json", "--output", "json="+name)
			p.Dir, p.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+dir)
			err := p.Run()
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			if err != nil {
				t.Error(err)
			}
			wantAll(t, string(log), "simulated Azure in estate.json", "done        create policy nightly", "Apply: ", `"exit_code": 0`)
		})
	}
}
