package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// testRoom runs the short tests of a package, with the mutant m if not nil, and reports whether they fail. An error
// means that no test ran.
func testRoom(ctx context.Context, o options, room string, m *mutant) (output string, failed bool, err error) {
	args := []string{"test", "-count=1", "-short", "-failfast", "-vet=off", "-timeout", o.timeout.String(), "-run", o.tests}
	if m != nil {
		overlay, remove, err := m.overlay()
		if err != nil {
			return "", false, err
		}
		defer remove()
		args = append(args, "-overlay", overlay)
	}
	args = append(args, "./"+filepath.ToSlash(room))
	if usesRapid(room) {
		args = append(args, "-rapid.nofailfile") // a seed that fails because of a break is not worth keeping
	}
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(out), err != nil, ctx.Err()
}

// usesRapid reports whether the tests of a package have the flags of the property tests' library.
func usesRapid(room string) bool {
	files, _ := filepath.Glob(filepath.Join(room, "*_test.go")) // the pattern is sound
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), `"pgregory.net/rapid"`)
	})
}

// doesNotCompile reports whether a test run failed before it began.
func doesNotCompile(output string) bool { return strings.Contains(output, "[build failed]") }

// overlay writes the broken file, and the list that puts it in the place of the real one, into a folder of its own.
func (m mutant) overlay() (path string, remove func(), err error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", nil, err
	}
	if len(source) < m.end || string(source[m.start:m.end]) != m.was {
		return "", nil, fmt.Errorf("%s has changed since it was read", m.file)
	}
	whole, err := filepath.Abs(m.file)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) } //nolint:errcheck // a leftover is harmless
	broken, path := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{whole: broken}})
	for name, content := range map[string]string{broken: string(source[:m.start]) + m.is + string(source[m.end:]), path: string(list)} {
		if err == nil {
			err = os.WriteFile(name, []byte(content), 0o600)
		}
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}
