package house

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

// allowedLicenses are those under which the program may be handed to anyone: they ask for no more than that
// their text goes with it, MPL-2.0 for the files of its own in source as well.
var allowedLicenses = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "Unlicense"}

// A dependency may be changed by its owner in any release, its license too.
func TestAllThatAUserRunsIsLicensedForIt(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Module", "./cmd/azbackup")
	list.Dir, list.Stderr = root(t), os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{} // by module
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && !p.Module.Main {
			dirs[p.Module.Path] = p.Module.Dir
		}
	}
	if len(dirs) < 10 {
		t.Fatalf("only %d modules were found", len(dirs))
	}
	for _, module := range slices.Sorted(maps.Keys(dirs)) {
		found := licensesIn(t, dirs[module])
		for _, name := range found {
			if !slices.Contains(allowedLicenses, name) {
				t.Errorf("%s is under %s; allowed are %s", module, name, strings.Join(allowedLicenses, ", "))
			}
		}
		if len(found) == 0 {
			t.Errorf("%s has no license that is understood", module)
		}
	}
}

// licensesIn returns the licenses in the files of a folder that are named after one.
func licensesIn(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"LICEN[SC]E*", "UNLICENSE*", "[Ll]icen[sc]e*", "COPYING*"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is sound
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range licensecheck.Scan(text).Match {
				found = append(found, m.ID)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
