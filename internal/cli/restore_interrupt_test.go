package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// Restores go on in Azure when the program is left: the report names them, and the same command follows them.
func TestAnInterruptedRestoreSaysWhichRestoresRunOn(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/script/restore-bad-days.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		if f.Name == "estate.json" {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
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
	for range 1000 {
		if statsOf(t, url).Requests["item.restore"] == 2 {
			break
		}
		time.Sleep(10 * time.Millisecond) // another process sends the requests
	}
	time.Sleep(200 * time.Millisecond) // their answers come
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
