package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// verdict is what became of a mutant.
type verdict string

const (
	caught       verdict = "caught"
	survived     verdict = "survived"
	doesNotBuild verdict = "does not build" // and is not counted
)

// try runs the tests that execute a mutant, the fastest first, until one fails. It is on in the room's binary under its
// number, if it has one; else a binary is built for it. A mutant that no test executes survives.
func (r *room) try(ctx context.Context, m mutant, only *regexp.Regexp, number int) (verdict, error) {
	binary := r.binary
	if number == 0 {
		dir, err := os.MkdirTemp("", "mutants-")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a leftover is harmless
		overlay, err := m.overlay(dir)
		if err != nil {
			return "", err
		}
		binary = filepath.Join(dir, "test")
		if _, err := compile(ctx, r.path, binary, "-overlay", overlay); err != nil {
			return doesNotBuild, ctx.Err()
		}
	}
	tests := slices.DeleteFunc(r.reaching(m), func(t test) bool { return !only.MatchString(t.Name) })
	for _, names := range runs(tests) {
		if _, err := r.runMutant(ctx, binary, timeout(tests), number, "-test.failfast", "-test.run=^("+strings.Join(names, "|")+")$"); err != nil {
			return caught, ctx.Err()
		}
	}
	return survived, nil
}

// runs parts tests into the runs of the binary that execute them: the fast ones in one, each slow one by itself.
func runs(tests []test) [][]string {
	var fast []string
	var out [][]string
	for _, t := range tests {
		if t.Took < 300*time.Millisecond {
			fast = append(fast, t.Name)
		} else {
			out = append(out, []string{t.Name})
		}
	}
	if len(fast) > 0 {
		out = slices.Insert(out, 0, fast)
	}
	return out
}

// timeout returns how long a run of some of the tests may take, which leaves room for a machine that is busy. A mutant
// whose tests take longer is caught: it made something endless.
func timeout(tests []test) time.Duration {
	whole := 20 * time.Second
	for _, t := range tests {
		whole += 5 * t.Took
	}
	return whole
}

// compile builds the tests of a package into a binary.
func compile(ctx context.Context, path, binary string, args ...string) (output string, err error) {
	args = append(append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}, args...), "./"+filepath.ToSlash(path))
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(out), err
}

// run executes a test binary in the room's folder, the short tests only. The properties draw the same values each time.
func (r *room) run(ctx context.Context, binary string, timeout time.Duration, args ...string) (output string, err error) {
	return r.runMutant(ctx, binary, timeout, 0, args...)
}

// runMutant is run with a mutant of the binary on.
func (r *room) runMutant(ctx context.Context, binary string, timeout time.Duration, number int, args ...string) (output string, err error) {
	args = append(args, "-test.short", "-test.timeout="+timeout.String())
	if usesRapid(r.path) {
		args = append(args, "-rapid.seed=1", "-rapid.nofailfile")
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = r.path
	cmd.Env = append(os.Environ(), fmt.Sprintf("MUTANT=%d", number))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// usesRapid reports whether the tests of a package have the flags of the property tests' library.
func usesRapid(path string) bool {
	files, _ := filepath.Glob(filepath.Join(path, "*_test.go")) // the pattern is sound
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), `"pgregory.net/rapid"`)
	})
}

// check returns an error if the file of a mutant is not what it was when the mutant was found.
func (m mutant) check(source []byte) error {
	if len(source) < m.end || string(source[m.at.Offset:m.end]) != m.was {
		return fmt.Errorf("%s has changed since it was read", m.file)
	}
	return nil
}

// overlay writes the broken file, and the list that puts it in the place of the real one, into dir.
func (m mutant) overlay(dir string) (path string, err error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if err := m.check(source); err != nil {
		return "", err
	}
	whole, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	broken, path := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{whole: broken}})
	for name, content := range map[string]string{broken: string(source[:m.at.Offset]) + m.is + string(source[m.end:]), path: string(list)} {
		if err == nil {
			err = os.WriteFile(name, []byte(content), 0o600)
		}
	}
	return path, err
}
