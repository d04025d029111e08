package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A room's results are kept beside its coverage, a line for each mutant, so that a run goes on where an earlier one
// was interrupted. What was found with some of the tests only is not kept.

func (r *room) resultsFile() string { return filepath.Join(r.cache, "results") }

// key returns the line of a mutant that is kept. Two mutants of a line may read the same.
func (m mutant) key() string { return fmt.Sprintf("%s column %d", m, m.at.Column) }

// readResults returns the verdicts of earlier runs by key.
func (r *room) readResults() (map[string]verdict, error) {
	out := map[string]verdict{}
	f, err := os.Open(r.resultsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if v, key, is := strings.Cut(lines.Text(), "\t"); is {
			out[key] = verdict(v)
		}
	}
	return out, lines.Err()
}

// keepResult adds a line. Lines of several goroutines do not mix, because each is one write to the end of the file.
func (r *room) keepResult(m mutant, v verdict) error {
	f, err := os.OpenFile(r.resultsFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s\t%s\n", v, m.key())
	return errors.Join(err, f.Close())
}
