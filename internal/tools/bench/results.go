package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// results are the measurements of one machine. The README's tables are generated from their file, so that a test can
// check that they agree.
type results struct {
	Machine string              `json:"machine"`
	Rows    map[string]measured `json:"rows"`
	cores   int
}

// resultsFile is next to this file; the path is relative to the repository's root.
const resultsFile = "internal/tools/bench/results.json"

func newResults(cores int) results {
	return results{cores: cores, Rows: map[string]measured{}, Machine: fmt.Sprintf("%d processors%s, %s/%s, %s",
		min(cores, runtime.NumCPU()), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version())}
}

// processor returns the name of the processor, if the system reports it.
func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		if key, name, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return " (" + strings.TrimSpace(name) + ")"
		}
	}
	return ""
}

// commitDate returns the date of the measured commit, with a note if the tree differs from it in more than this
// command's output.
func commitDate(ctx context.Context) string {
	date, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%cs").Output()
	if err != nil {
		return "unknown"
	}
	changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!README.md", ":!"+resultsFile).Output()
	if err != nil || len(changed) > 0 {
		return strings.TrimSpace(string(date)) + " and changes"
	}
	return strings.TrimSpace(string(date))
}

// markdown returns the tables of the measured rows.
func (b results) markdown(all []row) string {
	var targets, virtual, compared [][]string
	dates := map[string]bool{}
	for _, r := range all {
		m, ok := b.Rows[r.name]
		if !ok {
			continue
		}
		dates[m.Commit] = true
		isVirtual := strings.HasPrefix(r.name, "virtual-")
		if len(r.most) > 0 || r.others == nil && !isVirtual {
			targets = append(targets, []string{r.what, m.String(), r.target(), r.verdict(m)})
		}
		switch {
		case r.others != nil:
			compared = append(compared, append([]string{r.what, m.String()}, r.others...))
		case isVirtual:
			virtual = append(virtual, []string{r.what, m.String()})
		}
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s; commit of %s.\n", b.Machine, strings.Join(slices.Sorted(maps.Keys(dates)), ", "))
	table(&s, []string{"", "measured", "target", ""}, targets)
	table(&s, []string{"", "azbackup", "Terraform 1.15.9, azurerm 5.2.0", "az 2.45"}, compared)
	table(&s, []string{"in virtual time", "azbackup"}, virtual)
	return s.String()
}

// table writes a Markdown table; nothing if there are no lines.
func table(s *strings.Builder, head []string, lines [][]string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(s, "\n| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, l := range lines {
		fmt.Fprintf(s, "| %s |\n", strings.Join(l, " | "))
	}
}

// publish adds the measurements to the results file, and writes the README's block from the whole file.
func (b results) publish(readme string) error {
	file := filepath.Join(filepath.Dir(readme), resultsFile)
	old, err := readResults(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(b.Rows) == 0 {
		b.Machine = old.Machine
	}
	if len(old.Rows) > 0 && old.Machine != b.Machine {
		if missing := b.lacks(old); len(missing) > 0 {
			return fmt.Errorf("%s holds rows of another machine (%s): measure these too, or remove the file: %s", file, old.Machine, strings.Join(missing, ","))
		}
	}
	for name, m := range old.Rows {
		now, again := b.Rows[name]
		if again {
			m = now.withQuietSeconds(m)
		}
		b.Rows[name] = m
	}
	raw, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	changed, err := replaceBlock(string(text), b.markdown(rows()))
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(file, append(raw, '\n'), 0o644), os.WriteFile(readme, []byte(changed), 0o644))
}

// withQuietSeconds returns the measurement; one of a busy machine takes the seconds of an earlier one of a quiet machine.
func (m measured) withQuietSeconds(before measured) measured {
	s, known := before.Figures[seconds]
	if m.Load == 0 || before.Load > 0 || !known {
		return m
	}
	m.Figures = maps.Clone(m.Figures)
	m.Figures[seconds], m.Load = s, 0
	return m
}

// lacks returns the rows of old that are missing from this measurement.
func (b results) lacks(old results) []string {
	var names []string
	for name := range old.Rows {
		if _, again := b.Rows[name]; !again {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func readResults(file string) (results, error) {
	var b results
	raw, err := os.ReadFile(file)
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// The lines of the README that enclose the tables.
const (
	blockBegins = "<!-- What stands from here to the next comment is written by `make bench-readme`. -->\n"
	blockEnds   = "<!-- The end of what `make bench-readme` writes. -->\n"
)

// replaceBlock puts tables between the two lines.
func replaceBlock(readme, tables string) (string, error) {
	before, rest, begins := strings.Cut(readme, blockBegins)
	_, after, ends := strings.Cut(rest, blockEnds)
	if !begins || !ends {
		return "", errors.New("the README has no block for the tables: it lacks one of the two comments around it")
	}
	return before + blockBegins + tables + blockEnds + after, nil
}
