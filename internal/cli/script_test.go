package cli

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/azbackup/azbackup/internal/crash"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in the scripts")

// TestMain lets scripts run the program as a process of its own: azbackup. Its differences from the real one are
// withFaults, withPerson and withClock. Eight tests run side by side on any machine, unless -parallel says another number:
// they wait for the seconds that the simulated Azure takes, and calculate for a quarter of their time.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"collector": collectorMain,
		"azbackup": func() {
			crash.Prepare()
			defer crash.ExitOnPanic()
			os.Exit(Main(context.Background(), os.Args[1:], withFaults(withPerson(withClock(System("test")))))) //nolint:forbidigo // this is a main
		},
	})
}

// withClock moves the machine's clock by the duration in $CLOCK_OFFSET.
func withClock(s Streams) Streams {
	offset, set := os.LookupEnv("CLOCK_OFFSET")
	if !set {
		return s
	}
	by, err := time.ParseDuration(offset)
	if err != nil {
		panic(err)
	}
	now := s.Now
	s.Now = func() time.Time { return now().Add(by) }
	return s
}

// withFaults makes the streams panic as $PANIC defines: "stdin" when it is read, "stdout TEXT" or "stderr TEXT" when a
// text that contains TEXT is written, "clock TEXT" when the time is read with TEXT in the stack.
func withFaults(s Streams) Streams {
	stream, text, _ := strings.Cut(os.Getenv("PANIC"), " ")
	f := &faulty{s.In, s.Out, text}
	switch stream {
	case "stdin":
		s.In = f
	case "stdout":
		s.Out = f
	case "stderr":
		f.Writer, s.Err = s.Err, f
	case "clock":
		now := s.Now
		s.Now = func() time.Time {
			if strings.Contains(string(debug.Stack()), text) {
				panic("injected")
			}
			return now()
		}
	}
	return s
}

type faulty struct {
	io.Reader
	io.Writer
	text string
}

// Read implements [io.Reader].
func (*faulty) Read([]byte) (int, error) { panic("injected") }

// Write implements [io.Writer].
func (f *faulty) Write(p []byte) (int, error) {
	if strings.Contains(string(p), f.text) {
		panic("injected")
	}
	return f.Writer.Write(p)
}

// TestScripts runs testdata/script/VERB-case.txtar. A script finds the estate and the config of testdata/base
// in its folder unless it brings its own, and has the commands
//
//	exits CODE command…   the command ends with exactly this exit code
//	await FILE [PATTERN]  waits until another process has written the file, or what PATTERN matches in it;
//	                      without PATTERN the file holds a URL, which becomes $URL
//	certificate, assertion  see signin_test.go
//	spans FILE            the spans of a collector's file are one tree
//	records KIND…         stderr of the last command is JSON, see log_json_test.go
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			env.Setenv(accessToken, "script")
			for _, world := range []string{"TZ", "AZBACKUP_TEST_CLOCK_OFFSET", "GOMAXPROCS"} { // see internal/tools/movedclock
				if v, set := os.LookupEnv(world); set {
					env.Setenv(world, v)
				}
			}
			return copyMissing("testdata/base", env.WorkDir)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "await": await, "certificate": certificate, "assertion": assertion,
			"spans": spans, "records": records,
		},
	})
}

func copyMissing(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		target := filepath.Join(to, e.Name())
		if _, err := os.Stat(target); err == nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err == nil {
			err = os.WriteFile(target, data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE command…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: await FILE [PATTERN]")
	}
	pattern := regexp.MustCompile(append(args, `^http.*\n`)[1])
	for range 500 {
		if data, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(data) {
			if len(args) == 1 {
				ts.Setenv("URL", strings.TrimSpace(string(data)))
			}
			return
		}
		time.Sleep(20 * time.Millisecond) // another process writes the file
	}
	ts.Fatalf("%s: no match for %s came", args[0], pattern)
}
