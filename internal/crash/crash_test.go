package crash_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/crash"
)

// TestMain makes this test binary a program that crashes, where CRASH_TEST says how.
func TestMain(m *testing.M) {
	how := os.Getenv("CRASH_TEST")
	if how == "" {
		os.Exit(m.Run()) //nolint:forbidigo // this is a main
	}
	crash.Prepare()
	defer crash.ExitOnPanic()
	switch how {
	case "main":
		panic("in main\x1b[2J")
	case "goroutine":
		go func() {
			defer crash.ExitOnPanic()
			panic(errors.New("in a goroutine"))
		}()
	case "many":
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				defer crash.ExitOnPanic()
				var none []int
				none[len(os.Args)] = 1
			})
		}
		all.Wait()
	case "drawn":
		go func() {
			for {
				_, _ = os.Stderr.WriteString("drawn\n")
			}
		}()
		time.Sleep(20 * time.Millisecond)
		panic("while something draws")
	case "no stderr":
		_ = os.Stderr.Close()
		panic("nobody hears it")
	case "no end":
		debug.SetMaxStack(1 << 20)
		fmt.Fprint(io.Discard, deeper(0))
	case "a library":
		go func() { panic("in no goroutine of ours") }()
	}
	time.Sleep(time.Minute)
}

func deeper(n int) int { return deeper(n+1) + 1 } //nolint:staticcheck // it is meant to have no end

func TestAPanicEndsWithOneAndAsksToBeReported(t *testing.T) {
	for how, says := range map[string]string{
		"main":      `error: internal: in main\x1b[2J` + "\n",
		"goroutine": "error: internal: in a goroutine\n",
		"many":      "error: internal: runtime error: index out of range",
		"drawn":     "error: internal: while something draws\n",
		"no stderr": "",
	} {
		t.Run(how, func(t *testing.T) {
			code, out := crashes(t, how)
			if code != 1 {
				t.Errorf("exit code %d, want 1\n%s", code, out)
			}
			_, after, found := strings.Cut(out, says)
			if !found {
				t.Fatalf("stderr lacks %q:\n%s", says, out)
			}
			if says != "" && (!strings.Contains(after, "please report it") || !strings.Contains(after, "crash_test.go")) {
				t.Errorf("stderr asks nobody to report it, or has no stack:\n%s", out)
			}
			if strings.Contains(after, "drawn") {
				t.Errorf("something was drawn over the report:\n%s", after)
			}
			if strings.Count(out, "please report it") > 1 {
				t.Errorf("it was reported more than once:\n%s", out)
			}
		})
	}
}

func TestWhatCannotBeRecoveredEndsByASignalAndNeverWithTwo(t *testing.T) {
	for _, how := range []string{"no end", "a library"} {
		code, out := crashes(t, how)
		if code == 0 || code == 2 {
			t.Errorf("%s: exit code %d\n%.500s", how, code, out)
		}
	}
}

// crashes runs this binary and gives its exit code (-1: ended by a signal) and its stderr.
func crashes(t *testing.T, how string) (code int, stderr string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env, cmd.Stderr = append(os.Environ(), "CRASH_TEST="+how), &out
	err = cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("%s: it did not end with an error: %v", how, err)
	}
	return exit.ExitCode(), out.String()
}
