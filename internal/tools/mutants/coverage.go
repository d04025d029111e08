package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// room is a package whose tests are tried.
type room struct {
	path   string
	cache  string // a folder for this state of the room and of all that it imports
	binary string // with the mutants that can be switched
	coverage
}

// coverage says which test of a room executes what, when nothing is broken.
type coverage struct {
	Blocks []block
	Tests  []test // the fastest first
}

// block is a piece of a file, as a coverage profile has it.
type block struct {
	File                               string // without its folder
	Line, Column, LastLine, LastColumn int
}

func (b block) holds(at token.Position) bool {
	return (b.Line < at.Line || b.Line == at.Line && b.Column <= at.Column) &&
		(at.Line < b.LastLine || at.Line == b.LastLine && at.Column < b.LastColumn)
}

// test is a top level test.
type test struct {
	Name     string
	Took     time.Duration
	Executes map[int]bool // indices of blocks
}

// openRoom runs each test of a package once, by itself, and records what it executes. The record is kept for as long
// as neither the tests nor what they test change.
func openRoom(ctx context.Context, path string) (*room, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover is harmless
	binary := filepath.Join(dir, "test")
	if out, err := compile(ctx, path, binary, "-cover"); err != nil {
		return nil, fmt.Errorf("the tests of %s do not compile: %w\n%s", path, err, out)
	}
	key, err := stateOf(binary, filepath.Join(path, "testdata"))
	if err != nil {
		return nil, err
	}
	r := &room{path: path, cache: filepath.Join(os.TempDir(), "azbackup-mutants", key)}
	record := filepath.Join(r.cache, "tests.json")
	if kept, err := os.ReadFile(record); err == nil {
		return r, json.Unmarshal(kept, &r.coverage)
	}
	names, err := r.run(ctx, binary, time.Minute, "-test.list=^(Test|Fuzz|Example)") // and what the package prints
	if err != nil {
		return nil, err
	}
	profile := filepath.Join(dir, "profile")
	index := map[block]int{}
	for _, name := range testName.FindAllString(names, -1) {
		began := time.Now()
		out, err := r.run(ctx, binary, 10*time.Minute, "-test.run=^"+name+"$", "-test.coverprofile="+profile)
		if err != nil {
			return nil, fmt.Errorf("the tests of %s fail as they are: %w\n%s", path, err, out)
		}
		t := test{Name: name, Took: time.Since(began), Executes: map[int]bool{}}
		if err := r.addProfile(profile, index, t.Executes); err != nil {
			return nil, err
		}
		r.Tests = append(r.Tests, t)
	}
	slices.SortStableFunc(r.Tests, func(a, b test) int { return cmp.Compare(a.Took, b.Took) })
	content, err := json.Marshal(r.coverage)
	return r, errors.Join(err, os.MkdirAll(r.cache, 0o700), os.WriteFile(record, content, 0o600))
}

// stateOf returns a hash of a test binary and of the files that its tests read.
func stateOf(binary, testdata string) (string, error) {
	h := sha256.New()
	read := func(path string) error {
		content, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	h.Write(content)
	err = filepath.WalkDir(testdata, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return read(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), err
}

var testName = regexp.MustCompile(`(?m)^(Test|Fuzz|Example)\w*$`)

var profileLine = regexp.MustCompile(`([^/\n]+):(\d+)\.(\d+),(\d+)\.(\d+) \d+ (\d+)`)

// addProfile reads a coverage profile: it adds blocks that are new, and the indices of those that were executed.
func (r *room) addProfile(path string, index map[block]int, executes map[int]bool) error {
	profile, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, m := range profileLine.FindAllStringSubmatch(string(profile), -1) {
		b, count := block{File: m[1]}, 0
		if _, err := fmt.Sscan(strings.Join(m[2:], " "), &b.Line, &b.Column, &b.LastLine, &b.LastColumn, &count); err != nil {
			return err
		}
		if _, has := index[b]; !has {
			index[b] = len(r.Blocks)
			r.Blocks = append(r.Blocks, b)
		}
		if count > 0 {
			executes[index[b]] = true
		}
	}
	return nil
}

// reaching returns the tests that execute the mutant. A position in no block, such as an expression of a case, counts
// as executed with any block of its function, and outside of functions by every test.
func (r *room) reaching(m mutant) []test {
	blocks := r.blocks(m, func(b block) bool { return b.holds(m.at) })
	if len(blocks) == 0 {
		if !m.isFunction {
			return r.Tests
		}
		blocks = r.blocks(m, func(b block) bool { return m.from.Line <= b.Line && b.LastLine <= m.to.Line })
	}
	var out []test
	for _, t := range r.Tests {
		if slices.ContainsFunc(blocks, func(i int) bool { return t.Executes[i] }) {
			out = append(out, t)
		}
	}
	return out
}

// blocks returns the indices of the blocks of a mutant's file that are as asked.
func (r *room) blocks(m mutant, is func(b block) bool) (out []int) {
	file := filepath.Base(m.file)
	for i, b := range r.Blocks {
		if b.File == file && is(b) {
			out = append(out, i)
		}
	}
	return out
}
