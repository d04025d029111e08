// Command movedclock shifts the date for Go programs: it writes a build overlay to FOLDER and prints its path. Under
// `go test -overlay PATH` time.Now is moved by the duration in $AZBACKUP_TEST_CLOCK_OFFSET, for the tests, the code,
// the libraries and the programs that they start. Differences of times, and the clock of a testing/synctest bubble,
// are unchanged.
//
//	movedclock FOLDER
//
// Rejected: a setting of the program, which tests that read the clock themselves do not obey and which users could
// set; libfaketime, which Go programs do not use; setting the machine's clock, which requires root.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Variable names the environment variable with the clock's offset, in the format of time.ParseDuration.
const Variable = "AZBACKUP_TEST_CLOCK_OFFSET"

func main() {
	if err := run(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: movedclock FOLDER")
	}
	folder, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("asking go for its root: %w", err)
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	original, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return err
	}
	moved, err := move(string(original))
	if err != nil {
		return err
	}
	files := map[string]string{"time.go": moved, "moved.go": added}
	replace := map[string]string{}
	for name := range files {
		replace[filepath.Join(library, name)] = filepath.Join(folder, name+".txt")
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name+".txt"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	path := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(out, path)
	return nil
}

// wallSeconds is the line where time.Now, outside of a bubble, converts the machine's seconds into its own. The
// monotonic reading next to it is unchanged.
const wallSeconds = "\tsec += unixToInternal - minWall\n"

// move returns the source of package time with a shifted Now.
func move(source string) (string, error) {
	if strings.Count(source, wallSeconds) != 1 {
		return "", fmt.Errorf("time.Now of this Go has no line %q, or several: see how it reads the clock now", strings.TrimSpace(wallSeconds))
	}
	return strings.Replace(source, wallSeconds, wallSeconds+"\tsec += movedBy()\n", 1), nil
}

// added is the file that the package gets besides.
const added = `package time

import (
	"sync"
	"syscall"
)

var movedBy = sync.OnceValue(func() int64 {
	s, set := syscall.Getenv("` + Variable + `")
	if !set || s == "" {
		return 0
	}
	d, err := ParseDuration(s)
	if err != nil {
		panic("` + Variable + `: " + err.Error())
	}
	return int64(d / Second)
})
`
