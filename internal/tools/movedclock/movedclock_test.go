package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const program = `package main

import (
	"fmt"
	"time"
)

func main() {
	began := time.Now()
	time.Sleep(10 * time.Millisecond)
	fmt.Println(began.Unix(), time.Since(began) < time.Hour, time.Now().Sub(began) < time.Hour, time.Until(began) > -time.Hour)
}
`

func TestTheClockIsMovedAndDifferencesAreNot(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds Go's library anew")
	}
	folder := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), &out, []string{filepath.Join(folder, "overlay")}); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(folder, "main.go")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(folder, "program")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", strings.TrimSpace(out.String()), "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, offset := range []string{"8760h", "-8760h", "0s"} {
		cmd := exec.CommandContext(t.Context(), binary)
		cmd.Env = append(os.Environ(), Variable+"="+offset)
		text, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var at int64
		var since, sub, until bool
		if _, err := fmt.Sscan(string(text), &at, &since, &sub, &until); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		by, err := time.ParseDuration(offset)
		if err != nil {
			t.Fatal(err)
		}
		// This test may itself run with a moved clock: the two differ by the program's additional offset.
		outer, _ := time.ParseDuration(os.Getenv(Variable))
		if off := time.Unix(at, 0).Sub(time.Now().Add(by - outer)).Abs(); off > time.Hour || !since || !sub || !until {
			t.Errorf("%s: it prints %s", offset, text)
		}
	}
}

func TestAGoThatReadsTheClockInAnotherWayIsRefused(t *testing.T) {
	if _, err := move("package time"); err == nil {
		t.Error("no error")
	}
}
