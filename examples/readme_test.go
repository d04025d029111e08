package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/cli"
)

// block returns the text of the first fenced block of the README that begins with start.
func block(t *testing.T, readme, start string) string {
	t.Helper()
	_, rest, found := strings.Cut(readme, start)
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("the README has no block after %q", start)
	}
	return text
}

// The README's plan of restores is that of the command above it.
func TestTheReadmeShowsTheRealPlanOfTheWorstDay(t *testing.T) {
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## The worst day\n")
	command := strings.Fields(block(t, section, "```console\n$ azbackup "))
	shown := block(t, section, "\n```\n\n```\n")
	estate, err := os.ReadFile("estate.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "estate.json")
	if err := os.WriteFile(file, estate, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, word := range command {
		if word == "restore.json" {
			command[i] = filepath.Join(dir, word)
		}
	}
	var got, log strings.Builder
	code := cli.Main(t.Context(), append(command, "--simulate", file, "-f", "quickstart.yaml"), cli.Streams{In: strings.NewReader(""), Out: &got, Err: &log, Env: os.LookupEnv, Now: time.Now})
	if diff := cmp.Diff(shown, got.String()); diff != "" || code != 0 {
		t.Errorf("exit code %d, %s; what the README shows is not what restore prints (-README +restore):\n%s", code, log.String(), diff)
	}
}
