package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/cli"
)

// columns is the width of the terminal that is recorded.
const columns = 120

// recordPlan returns what a terminal shows of a plan for the first file in the README, over the example's estate.
func recordPlan(ctx context.Context) (string, error) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		return "", err
	}
	_, rest, found := strings.Cut(string(readme), "```yaml\n")
	file, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		return "", errors.New("the README shows no file")
	}
	config, err := os.CreateTemp("", "azbackup-*.yaml")
	if err != nil {
		return "", err
	}
	defer os.Remove(config.Name()) //nolint:errcheck // a temporary file
	_, err = config.WriteString(file)
	if err := errors.Join(err, config.Close()); err != nil {
		return "", err
	}
	out, err := execute(ctx, "plan", "-f", config.Name())
	return "\x1b[1m$ azbackup plan --simulate estate.json\x1b[0m\n" + out, err
}

// estateTaken is when examples/estate.json was taken.
const estateTaken = "2026-11-20T06:00:00Z"

// auditPage returns the HTML of an audit of the example's estate.
func auditPage(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "azbackup-audit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	page := filepath.Join(dir, "audit.html")
	// The page has ages in seconds, and a busy machine takes a second or two to make it.
	if _, err := execute(ctx, "audit", "-f", "examples/quickstart.yaml", "--as-of", estateTaken, "--output", "html="+page); err != nil {
		return nil, err
	}
	return os.ReadFile(page)
}

// execute runs azbackup on a copy of the example's estate and returns what it writes to a terminal that shows colours. Of the
// exit codes it takes that for success, and those for an audit's findings and for the example's two VMs in no clear state.
func execute(ctx context.Context, args ...string) (string, error) {
	data, err := os.ReadFile("examples/estate.json")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "azbackup-estate-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	estate := filepath.Join(dir, "estate.json")
	if err := os.WriteFile(estate, data, 0o600); err != nil {
		return "", err
	}
	var out, log strings.Builder
	code := cli.Main(ctx, append(args, "--simulate", estate), cli.Streams{
		In: strings.NewReader(""), Out: &out, Err: &log, OutTerminal: true, Width: columns, Version: "dev",
		Env: func(string) (string, bool) { return "", false }, Now: time.Now,
	})
	if code != 0 && code != 2 && code != 5 {
		return "", fmt.Errorf("azbackup %s ends with %d: %s", strings.Join(args, " "), code, log.String())
	}
	return out.String(), nil
}
