package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// applyIn returns the command line of an apply in a folder that [fleetOf] made.
func applyIn(dir string, more ...string) []string {
	return append([]string{
		"apply", "--auto-approve", "-f", filepath.Join(dir, "azbackup.yaml"), "--simulate", filepath.Join(dir, "estate.json"),
		"--lock-file", filepath.Join(dir, "lock"),
	}, more...)
}

// exitCodeIn returns the exit code that a report in JSON, or in the format of Prometheus, says.
func exitCodeIn(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, after, found := strings.Cut(string(data), "\nazbackup_last_run_exit_code "); found {
		data = []byte(`{"exit_code":` + strings.Fields(after)[0] + `}`)
	}
	var said struct {
		ExitCode *int `json:"exit_code"`
	}
	if err := json.Unmarshal(data, &said); err != nil || said.ExitCode == nil {
		t.Fatalf("%v: %s", err, data)
	}
	return *said.ExitCode
}

// A file that cannot be written is an error, whatever else ended the run: the exit code says so, and so does what was written
// after it, because a monitor looks there.
func TestAFileThatCannotBeWrittenIsInTheExitCodeThatAllSay(t *testing.T) {
	var posted notification
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = json.NewDecoder(r.Body).Decode(&posted) }))
	defer hook.Close()
	for name, more := range map[string][]string{"a run that did all": nil, "a run that was refused": {"--expect", "sha256:other"}} {
		t.Run(name, func(t *testing.T) {
			dir := fleetOf(t, 1)
			metrics := filepath.Join(dir, "metrics")
			code, _, log := inVirtualTime(t, applyIn(dir, append(more, "--output", "json="+filepath.Join(dir, "none", "report.json"), "--output", "prometheus="+metrics)...)...)
			if said := exitCodeIn(t, metrics); code != exitError || said != exitError {
				t.Errorf("exit code %d, the metrics say %d, want %d\n%s", code, said, exitError, log)
			}
			wantAll(t, log, "report.json", "no such file or directory")
		})
	}
	t.Run("the summary that is posted", func(t *testing.T) {
		dir := fleetOf(t, 1)
		var log bytes.Buffer
		code := Main(t.Context(), applyIn(dir, "--expect", "sha256:other", "--notify", hook.URL, "--output", "json="+filepath.Join(dir, "none", "report.json")), Streams{
			In: strings.NewReader(""), Out: io.Discard, Err: &log, Env: func(string) (string, bool) { return "", false }, Now: time.Now, Version: "test",
		})
		if code != exitError || posted.ExitCode != exitError {
			t.Errorf("exit code %d, the summary says %d, want %d\n%s", code, posted.ExitCode, exitError, log.String())
		}
	})
}

// interruptedBy sends a signal at the first write, and goes on when it has arrived.
type interruptedBy struct {
	bytes.Buffer
	signals chan os.Signal
}

func (i *interruptedBy) Write(p []byte) (int, error) {
	if i.Len() == 0 {
		i.signals <- os.Interrupt
		time.Sleep(time.Second)
	}
	return i.Buffer.Write(p)
}

func TestARunThatIsInterruptedWhileItReportsEndsAsItsReportSays(t *testing.T) {
	dir := fleetOf(t, 1)
	file := filepath.Join(dir, "report.json")
	var out *interruptedBy
	var code int
	var log bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		out = &interruptedBy{signals: make(chan os.Signal, 2)}
		code = Main(context.Background(), applyIn(dir, "--output", "json="+file), Streams{
			In: strings.NewReader(""), Out: out, Err: &log, Env: func(string) (string, bool) { return "", false }, Now: time.Now, Version: "test",
			Signals: out.signals,
		})
	})
	if said := exitCodeIn(t, file); code != said || code != exitInterrupted {
		t.Errorf("exit code %d, the report says %d, want %d\n%s", code, said, exitInterrupted, log.String())
	}
}

// A Ctrl-C explains what it cut, but neither a file that could not be written nor a refusal before it.
func TestAnInterruptedRunNamesTheFileThatItCouldNotWrite(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	path := filepath.Join(t.TempDir(), "none", "report.json")
	lost := writeFile(path, says("report"))
	for _, err := range []error{lost, errors.Join(errInterrupted, lost), errors.Join(errors.Join(context.Canceled, nil), lost)} {
		var log bytes.Buffer
		a := &app{exitConditions: exitConditions{}}
		a.log, _ = newLogger(&log, "text", false, false)
		a.reportError(ctx, err)
		if a.exitConditions.code() != exitInterrupted || strings.Count(log.String(), "error: ") != 2 || strings.Contains(log.String(), "canceled") {
			t.Errorf("exit code %d\n%s", a.exitConditions.code(), log.String())
		}
		wantAll(t, log.String(), "error: interrupted\n", "report.json", "no such file or directory")
	}
	var log bytes.Buffer
	a := &app{exitConditions: exitConditions{}}
	a.log, _ = newLogger(&log, "text", false, false)
	a.reportError(ctx, withCode(exitRefused, errors.New("refused: too many stops"), "if it is meant: --dangerous"))
	wantAll(t, log.String(), "error: interrupted\n", "error: refused: too many stops\nhint: if it is meant: --dangerous\n")
}

// narrow is a stream that another process made non-blocking: it takes a few bytes, and then none for the moment.
type narrow struct{ bytes.Buffer }

func (s *narrow) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p[:min(len(p), 7)])
	if n < len(p) {
		err = &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EAGAIN}
	}
	return n, err
}

func TestAStreamThatIsFullForTheMomentIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, log narrow
		code := Main(context.Background(), []string{"help", "exit-codes"}, Streams{
			In: strings.NewReader(""), Out: &out, Err: &log, Env: func(string) (string, bool) { return "", false }, Now: time.Now,
		})
		if code != exitOK || log.Len() > 0 || !strings.Contains(out.String(), "all is well") {
			t.Errorf("exit code %d: %q\n%s", code, out.String(), log.String())
		}
		code = Main(context.Background(), []string{"nonsense"}, Streams{
			In: strings.NewReader(""), Out: &out, Err: &log, Env: func(string) (string, bool) { return "", false }, Now: time.Now,
		})
		if code != exitError || !strings.HasSuffix(log.String(), "its flags\n") {
			t.Errorf("exit code %d: %q", code, log.String())
		}
	})
}

// Two names of one file would lose one of two things: a report, or the config or plan that the next run needs.
func TestNoOutputTakesThePlaceOfAnother(t *testing.T) {
	dir := fleetOf(t, 1)
	t.Chdir(dir)
	if err := os.Symlink("azbackup.yaml", "link"); err != nil {
		t.Fatal(err)
	}
	if code, _, log := inVirtualTime(t, "plan", "--simulate", "estate.json", "--out", "saved.json"); code != exitOK {
		t.Fatal(log)
	}
	before := map[string]string{}
	for _, name := range []string{"azbackup.yaml", "saved.json"} {
		data, _ := os.ReadFile(name)
		before[name] = string(data)
	}
	for _, args := range []string{
		"plan --output json=r --output markdown=./r",
		"plan --output json=azbackup.yaml",
		"plan --output json=link",
		"plan -f . --output json=azbackup.yaml",
		"plan --out azbackup.yaml",
		"plan --out r --output json=r",
		"audit --output json=azbackup.yaml",
		"apply saved.json --output json=saved.json",
		"apply --auto-approve --journal azbackup.yaml",
		"apply --auto-approve --journal r --output json=r",
	} {
		code, _, log := inVirtualTime(t, append(strings.Fields(args), "--simulate", "estate.json")...)
		if code != exitError || !strings.Contains(log, "one of them would be lost") {
			t.Errorf("%s: exit code %d\n%s", args, code, log)
		}
		for name, text := range before {
			if data, _ := os.ReadFile(name); string(data) != text {
				t.Errorf("%s: %s was written to", args, name)
			}
		}
		if _, err := os.Stat("r"); err == nil {
			t.Errorf("%s: r was written", args)
		}
	}
	if code, _, log := inVirtualTime(t, "plan", "--simulate", "estate.json", "--output", "json="+os.DevNull, "--output", "markdown="+os.DevNull); code != exitOK {
		t.Errorf("a device takes both, exit code %d\n%s", code, log)
	}
}

// A full disk cuts the last line of a journal. The first line of the next run says which run it is, and is not glued to it.
func TestAJournalWhoseLastLineWasCutGoesOnOnALineOfItsOwn(t *testing.T) {
	dir := fleetOf(t, 1)
	journal := filepath.Join(dir, "journal")
	if err := os.WriteFile(journal, []byte(`{"kind":"run"}`+"\n"+`{"kind":"fini`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, log := inVirtualTime(t, applyIn(dir, "--journal", journal)...); code != exitOK {
		t.Fatal(log)
	}
	data, err := os.ReadFile(journal)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if err != nil || len(lines) < 4 || lines[1] != `{"kind":"fini` {
		t.Fatalf("%v: %s", err, data)
	}
	for _, line := range lines[2:] {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s", line)
		}
	}
}
