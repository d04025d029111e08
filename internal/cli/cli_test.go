package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

func TestTheFirstExitCodeThatHoldsWins(t *testing.T) {
	order := []int{130, 4, 1, 7, 6, 5, 3, 2}
	all := exitConditions{}
	for i := range order {
		all[order[len(order)-1-i]] = true
		if got, want := all.code(), order[len(order)-1-i]; got != want {
			t.Errorf("with %v the code is %d, want %d", all, got, want)
		}
	}
	if got := (exitConditions{exitChanges: false}).code(); got != 0 {
		t.Errorf("with nothing the code is %d", got)
	}
}

func TestErrorsHaveTheirExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		hint string
	}{
		{errors.New("x"), exitError, ""},
		{usageError("x"), exitError, "azbackup help"},
		{fmt.Errorf("a: %w", withCode(exitLocked, errors.New("x"), "wait")), exitLocked, "wait"},
		{fmt.Errorf("a: %w", &arm.SignInError{Message: "no credential"}), exitDenied, "az login"},
		{&arm.SignInError{Err: &apply.Error{Code: "AuthorizationFailed", Status: 403}}, exitDenied, "lacks the right"},
		{&apply.Error{Code: "ResourceRequestsThrottled", Status: 429}, exitError, "run again later"},
		{&apply.Error{Status: 401}, exitDenied, ""},
		{fmt.Errorf("internal: %w", &plan.InvalidError{Problems: []string{"x"}}), exitError, "please report"},
		{errors.Join(&apply.InternalError{Changes: []string{"x"}}, &apply.Error{Status: 401}), exitDenied, "please report"},
	} {
		if got := exitCodeOf(test.err); got != test.code {
			t.Errorf("codeOf(%v) = %d, want %d", test.err, got, test.code)
		}
		if got := strings.Join(hintsOf(test.err), "\n"); !strings.Contains(got, test.hint) || test.hint == "" && got != "" {
			t.Errorf("the hint of %v is %q, want %q", test.err, got, test.hint)
		}
	}
}

func TestAFaultOfTheEngineEndsWithOneAndNamesTheChanges(t *testing.T) {
	var log bytes.Buffer
	a := &app{exitConditions: exitConditions{exitUnfinished: true}}
	a.log, _ = newLogger(&log, "text", false, false)
	a.reportFault(errors.Join(&apply.InternalError{Changes: []string{"protect:vm1", "backup:vm1"}}, &apply.ChangeError{}))
	if want := "error: internal: nothing runs, nothing can start, and this is left: protect:vm1, backup:vm1\n" +
		"hint: this is a fault of azbackup: please report it, with what is said above\n"; log.String() != want {
		t.Errorf("it says %q, want %q", log.String(), want)
	}
	if got := a.exitConditions.code(); got != exitError {
		t.Errorf("the exit code is %d", got)
	}
}

func says(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func TestAFileIsReplacedInOneStep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	read := func() string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if err := writeFile(path, says("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}

	t.Run("what fails half-way leaves the old file and nothing else", func(t *testing.T) {
		err := writeFile(path, func(w io.Writer) error {
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
			return errors.New("lost")
		})
		if err == nil || read() != "one" {
			t.Errorf("error %v, content %q", err, read()[:3])
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%d files are left", len(entries))
		}
	})
	t.Run("the mode stays", func(t *testing.T) {
		if err := writeFile(path, says("two")); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 || read() != "two" {
			t.Errorf("mode %s, content %q", info.Mode(), read())
		}
	})
	t.Run("a link stays a link", func(t *testing.T) {
		link := filepath.Join(dir, "link")
		if err := os.Symlink("out", link); err != nil {
			t.Skip(err)
		}
		if err := writeFile(link, says("three")); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Lstat(link); info.Mode()&os.ModeSymlink == 0 || read() != "three" {
			t.Errorf("mode %s, content %q", info.Mode(), read())
		}
	})
	t.Run("a file in a folder that takes no other is written in place", func(t *testing.T) {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o700)
		if f, err := os.CreateTemp(dir, "x"); err == nil {
			_, _ = f.Close(), os.Remove(f.Name())
			t.Skip("root may write everywhere")
		}
		if err := writeFile(path, says("in place")); err != nil || read() != "in place" {
			t.Errorf("error %v, content %q", err, read())
		}
		if err := writeFile(path, func(io.Writer) error { return errors.New("lost") }); err == nil || read() != "in place" {
			t.Errorf("error %v, content %q", err, read())
		}
		if err := writeFile(filepath.Join(dir, "new"), says("new")); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a new file: %v", err)
		}
	})
	t.Run("a device is written to", func(t *testing.T) {
		if err := writeFile(os.DevNull, says("four")); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
			t.Error("the device was replaced by a file")
		}
	})
}

func TestEveryConfigHasALockOfItsOwn(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	unlock, err := lock("", []string{"a.yaml"}, config.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock("", []string{"./a.yaml"}, config.Shard{}); exitCodeOf(err) != exitLocked {
		t.Errorf("the same config by another path: %v", err)
	}
	other, err := lock("", []string{"a.yaml", "b.yaml"}, config.Shard{})
	if err != nil {
		t.Errorf("another config: %v", err)
	}
	other()
	unlock()
	replan, err := lock("", []string{"a.yaml"}, config.Shard{})
	if err != nil {
		t.Errorf("after the first run: %v", err)
	}
	replan()
}

// A run that simulates nothing has no estate's name in its lock.
func TestAConfigHasOneLockFromWhateverFolderItIsRun(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	file := filepath.Join(t.TempDir(), "a.yaml")
	unlock, err := lock("", []string{file, ""}, config.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	t.Chdir(t.TempDir())
	if _, err := lock("", []string{file, ""}, config.Shard{}); exitCodeOf(err) != exitLocked {
		t.Errorf("the same config from another folder: %v", err)
	}
}

func TestAConfigHasOneLockByWhateverLinkItIsReached(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	file, link := filepath.Join(dir, "a.yaml"), filepath.Join(t.TempDir(), "current")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Skip("no links here: ", err)
	}
	unlock, err := lock("", []string{file}, config.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := lock("", []string{filepath.Join(link, "a.yaml")}, config.Shard{}); exitCodeOf(err) != exitLocked {
		t.Errorf("the same config by a link: %v", err)
	}
}

func TestConfigsFromStandardInputShareALock(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	unlock, err := lock("", []string{config.Stdin}, config.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	t.Chdir(t.TempDir())
	if _, err := lock("", []string{config.Stdin}, config.Shard{}); exitCodeOf(err) != exitLocked {
		t.Errorf("from another folder: %v", err)
	}
}

func TestPeopleSeeMessagesAndHintsAlone(t *testing.T) {
	var b bytes.Buffer
	log, err := newLogger(&b, "text", false, false)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hello", "key", "value")
	log.Debug("not this")
	log.With(hintKey, "always").Warn("careful")
	log.Error("broken", hintArgs([]string{"first", "second"})...)
	want := "hello\nwarning: careful\nhint: always\nerror: broken\nhint: first\nhint: second\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestProgressCountsWhatEnded(t *testing.T) {
	var b bytes.Buffer
	log, _ := newLogger(&b, "text", false, false)
	l := &lineProgress{log: log, total: 12, wanted: map[string]plan.Action{"b": plan.Protect}, isForPeople: true, name: report.DisplayName}
	at := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	const vm = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/"
	for _, e := range []apply.Event{
		{Kind: apply.EventAccepted, Action: plan.Protect, Target: vm + "a"},
		{Kind: apply.EventFinished, Action: plan.Protect, Target: vm + "a", Outcome: apply.Done},
		{Kind: apply.EventFinished, Change: "b", Action: plan.Blocked, Target: vm + "b", Outcome: apply.Blocked, Message: "no\nvault"},
		{Kind: apply.EventFinished, Action: plan.Modify, Target: vm + "c", Outcome: apply.TimedOut, Code: "X", RequestID: "r"},
		{Kind: apply.EventThrottled, Time: at, Wait: plan.Duration(90 * time.Second)},
		{Kind: apply.EventThrottled, Time: at.Add(time.Second), Wait: plan.Duration(time.Second)},
		{Kind: apply.EventHeartbeat, Done: 3, Running: 9, Total: 12},
	} {
		l.observe(e)
	}
	want := "[ 1/12] done        protect rg/a\n" +
		"[ 2/12] blocked     protect rg/b: no vault\n" +
		"[ 3/12] timed out   modify rg/c: X (request r)\n" +
		"held back by a quota for 1m 30s\n" +
		"still at it: 3 of 12 done, 9 running\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestTheTimeLeftIsTheForecastUntilEnoughIsDone(t *testing.T) {
	for _, test := range []struct {
		passed, forecast time.Duration
		done, total      int64
		want             string
	}{
		{0, 4 * time.Minute, 0, 100, "about 4m left"},
		{time.Minute, 4 * time.Minute, 3, 100, "about 3m left"},
		{time.Minute, 4 * time.Minute, 50, 100, "about 1m left"},
		{5 * time.Minute, 4 * time.Minute, 1, 100, "running for 5m"},
		{time.Minute, 0, 0, 0, "about 0s left"},
	} {
		if got := estimateTimeLeft(test.passed, test.forecast, test.done, test.total); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func TestABackupJobThatEndedIsReportedAsItIs(t *testing.T) {
	start := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	job := azure.JobDetail{Job: plan.Job{Status: "Completed", Start: start, End: start.Add(41 * time.Minute)}, Size: "11390 MB"}
	r := apply.Result{Outcome: apply.Done}
	recordBackupEnd(&r, job, start.Add(time.Hour))
	if r.Outcome != apply.Done || r.Message != "Completed in 41m 11390 MB" || !r.Finished.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v", r)
	}
	job.Status, job.Size = "Failed", ""
	job.Errors = []plan.JobError{{Code: 400001, Title: "Command failed", Message: "the agent is silent", Recommendations: []string{"Start it.", "Retry."}}}
	recordBackupEnd(&r, job, start.Add(time.Hour))
	if r.Outcome != apply.Failed || r.Code != "400001" || r.Message != "Failed in 41m: Command failed: the agent is silent" || r.Hint != "Start it. Retry." {
		t.Errorf("%+v", r)
	}
	recordBackupUnfinished(&r, errInterrupted, nil)
	if r.Outcome != apply.Interrupted {
		t.Errorf("%+v", r)
	}
	recordBackupUnfinished(&r, errWaitTimeout, errors.New("a\nb"))
	if r.Outcome != apply.Unconfirmed || r.Message != "the wait for the job ended first; last trouble: a b" {
		t.Errorf("%+v", r)
	}
}

func TestResultsDecideTheExitCode(t *testing.T) {
	result := func(o apply.Outcome, code string) apply.Result { return apply.Result{Outcome: o, Code: code} }
	for _, test := range []struct {
		results []apply.Result
		code    int
	}{
		{nil, 0},
		{[]apply.Result{result(apply.Done, ""), result(apply.AlreadyDone, "")}, 0},
		{[]apply.Result{result(apply.Done, ""), result(apply.Failed, "X")}, exitUnfinished},
		{[]apply.Result{result(apply.Done, ""), result(apply.Failed, "AuthorizationFailed")}, exitUnfinished},
		{[]apply.Result{result(apply.Failed, "AuthorizationFailed"), result(apply.Blocked, "")}, exitDenied},
		{[]apply.Result{result(apply.Failed, "AuthorizationFailed"), result(apply.Failed, "X")}, exitUnfinished},
		{[]apply.Result{result(apply.Done, ""), result(apply.Unconfirmed, "ExpiredAuthenticationToken")}, exitDenied},
		{[]apply.Result{result(apply.NotStarted, "")}, exitUnfinished},
	} {
		_, stop := newInterrupts(t.Context(), nil, io.Discard)
		a := &app{exitConditions: exitConditions{}, interrupts: stop}
		run := report.Run{Report: apply.Report{Results: test.results}}
		a.reportResults(context.Background(), &run)
		if got := a.exitConditions.code(); got != test.code {
			t.Errorf("%+v end with %d, want %d", test.results, got, test.code)
		}
		stop.end()
	}
}

func TestTheLogHandlerIsSafeWithGroups(t *testing.T) {
	var b bytes.Buffer
	log, _ := newLogger(&b, "text", true, true)
	log.WithGroup("g").Debug("seen", slog.String("k", "v"))
	if b.String() != "seen\n" {
		t.Errorf("got %q", b.String())
	}
}

func TestTheCredentialsThatWereTriedCannotSteerTheTerminal(t *testing.T) {
	err := fmt.Errorf("a: %w", &arm.SignInError{Message: "x", Attempts: []string{"one: \x1b[2J\u202e", "two\nlines"}})
	if got := describeAttempts(err); strings.ContainsAny(got, "\x1b\u202e") || strings.Count(got, "\n") != 2 || !strings.HasSuffix(got, "\n  two lines") {
		t.Errorf("got %q", got)
	}
	if got := describeAttempts(&arm.SignInError{Message: "x", Attempts: []string{"x"}}); got != "" {
		t.Errorf("the only one is said twice: %q", got)
	}
}

func TestEveryShardHasALockOfItsOwnAndNoneRunsBesideAll(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	first, second := config.Shard{Index: 1, Count: 2}, config.Shard{Index: 2, Count: 2}
	configs := []string{"a.yaml"}
	unlockFirst, err := lock("", configs, first)
	if err != nil {
		t.Fatal(err)
	}
	unlockSecond, err := lock("", configs, second)
	if err != nil {
		t.Fatalf("the other shard: %v", err)
	}
	for _, s := range []config.Shard{first, second, {}} {
		if _, err := lock("", configs, s); exitCodeOf(err) != exitLocked {
			t.Errorf("shard %q beside both shards: %v", s, err)
		}
	}
	unlockFirst()
	unlockSecond()
	unlockAll, err := lock("", configs, config.Shard{})
	if err != nil {
		t.Fatalf("all, after the shards: %v", err)
	}
	if _, err := lock("", configs, first); exitCodeOf(err) != exitLocked {
		t.Errorf("a shard beside all: %v", err)
	}
	unlockAll()
}

func TestABadShardIsAWrongCommandLineWithAHint(t *testing.T) {
	for _, c := range []struct{ text, index, want string }{
		{"3/2", "", `--shard "3/2": "3/2" is not I/N with I from 1 to N`},
		{"auto/2", "", `--shard "auto/2": JOB_COMPLETION_INDEX is not set`},
		{"auto/2", "two", `--shard "auto/2": JOB_COMPLETION_INDEX is "two", which is no number from 0`},
		{"auto/2", "2", `--shard "auto/2" with JOB_COMPLETION_INDEX 2: "3/2" is not I/N with I from 1 to N`},
		{"auto/", "0", `--shard "auto/" with JOB_COMPLETION_INDEX 0: "1/" is not I/N with I from 1 to N`},
		{"auto/2", "1", ""},
	} {
		f := shardFlag{text: c.text}
		got, err := f.parse(func(name string) (string, bool) { return c.index, name == completionIndex && c.index != "" })
		if c.want == "" {
			if want := (config.Shard{Index: 2, Count: 2}); err != nil || got != want {
				t.Errorf("%q: %v, %v, want %v", c.text, got, err, want)
			}
			continue
		}
		if err == nil || err.Error() != c.want || len(hintsOf(err)) == 0 {
			t.Errorf("%q with %q: %v, want %s", c.text, c.index, err, c.want)
		}
	}
}
