// Command statements counts the statements of azbackup that each work of package costs runs on estates of given
// shapes, and its allocations. It has to be built with -cover -covermode=atomic; it reads the shapes as JSON from
// standard input and writes the counts to standard output.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/coverage"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/tools/costs"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	var shapes map[string]costs.Shape
	if err := json.NewDecoder(in).Decode(&shapes); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "statements-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// The path of the tool: looking it up by `go tool` takes longer than the tool itself.
	tool, err := exec.CommandContext(ctx, "go", "tool", "-n", "covdata").Output()
	if err != nil {
		return fmt.Errorf("looking for go tool covdata: %w", err)
	}
	if err := warmUp(ctx, dir); err != nil {
		return err
	}
	counts := map[string]map[string]costs.Count{}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		s := shapes[name]
		w, err := costs.NewWorld(ctx, dir, s)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		counts[name] = map[string]costs.Count{}
		for _, k := range costs.Works() {
			if counts[name][k.Name], err = count(ctx, strings.TrimSpace(string(tool)), dir, func() error { return k.Run(ctx, w, io.Discard) }); err != nil {
				return fmt.Errorf("%s: %s: %w", name, k.Name, err)
			}
		}
	}
	return json.NewEncoder(out).Encode(counts)
}

// warmUp runs each work once, on a small estate. What a process initialises once would otherwise be counted with
// whichever shape comes first: up to a third of a work's bytes.
func warmUp(ctx context.Context, dir string) error {
	w, err := costs.NewWorld(ctx, dir, costs.Shape{VMs: 40, Protected: 5})
	if err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	for _, k := range costs.Works() {
		if err := k.Run(ctx, w, io.Discard); err != nil {
			return fmt.Errorf("warming up: %s: %w", k.Name, err)
		}
	}
	return nil
}

// count returns the cost of one call, by the compiler's coverage counters.
func count(ctx context.Context, tool, parent string, call func() error) (c costs.Count, err error) {
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return c, err
	}
	profile := filepath.Join(dir, "profile")
	if err := coverage.WriteMetaDir(dir); err != nil {
		return c, err
	}
	c, err = costs.Allocated(func() error { return errors.Join(coverage.ClearCounters(), call()) })
	if err := errors.Join(err, coverage.WriteCountersDir(dir)); err != nil {
		return c, err
	}
	if out, err := exec.CommandContext(ctx, tool, "textfmt", "-i="+dir, "-o="+profile).CombinedOutput(); err != nil {
		return c, fmt.Errorf("reading the counters: %w\n%s", err, out)
	}
	raw, err := os.ReadFile(profile)
	if err != nil {
		return c, err
	}
	c.Statements, err = sum(raw)
	return c, err
}

// sum adds up a text profile: statements of each block, times how often it ran.
func sum(profile []byte) (int, error) {
	total := 0
	for i, line := range bytes.Split(bytes.TrimSpace(profile), []byte("\n")) {
		if i == 0 {
			continue // mode: atomic
		}
		var statements, times int
		at := bytes.IndexByte(line, ' ')
		if at < 0 {
			return 0, fmt.Errorf("line %q of a profile is not a block", line)
		}
		if _, err := fmt.Sscanf(string(line[at:]), "%d %d", &statements, &times); err != nil {
			return 0, fmt.Errorf("line %q of a profile: %w", line, err)
		}
		total += statements * times
	}
	return total, nil
}
