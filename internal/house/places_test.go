package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table that says where a change goes names files, and they are there.
func TestEveryFileOfWhereDoesXGoIsThere(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root(t), "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Where does X go\n")
	section, _, _ = strings.Cut(section, "\n## ")
	file := regexp.MustCompile("`([a-z0-9_/*]+\\.(?:go|md))`")
	rows := 0
	for row := range strings.Lines(section) {
		cells := strings.Split(row, "|")
		if len(cells) < 4 || strings.HasPrefix(row, "|--") || strings.Contains(row, "| the file |") {
			continue
		}
		rows++
		if !file.MatchString(cells[2]) {
			t.Errorf("no file in the row %q", row)
		}
		for _, m := range file.FindAllStringSubmatch(row, -1) {
			if found, err := filepath.Glob(filepath.Join(root(t), m[1])); err != nil || len(found) == 0 {
				t.Errorf("%s is not there, in the row %q", m[1], row)
			}
		}
	}
	if rows < 12 {
		t.Errorf("%d rows, want one for each of the twelve kinds of change at least", rows)
	}
}

// Every Go file that the page names is there: with its path from the top, or, where the sentence names the room, in some room.
func TestEveryFileThatTheArchitectureNamesIsThere(t *testing.T) {
	top := root(t)
	page, err := os.ReadFile(filepath.Join(top, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	inSomeRoom := map[string]bool{}
	for _, room := range rooms(t) {
		for _, file := range append(room.files, "doc.go") {
			inSomeRoom[file] = true
		}
	}
	found := 0
	for _, m := range regexp.MustCompile("`([a-z0-9_/*]+\\.go)`").FindAllStringSubmatch(string(page), -1) {
		found++
		if paths, err := filepath.Glob(filepath.Join(top, m[1])); err != nil || len(paths) == 0 && !inSomeRoom[m[1]] && !strings.Contains(m[1], "*") && !isBelowARoom(top, m[1]) {
			t.Errorf("%s is not there", m[1])
		}
	}
	if found < 40 {
		t.Errorf("only %d files are named: the test looks in the wrong place", found)
	}
}

// isBelowARoom reports whether a file is named from the room around its own, as quota/bucket.go is.
func isBelowARoom(top, name string) bool {
	paths, err := filepath.Glob(filepath.Join(top, "internal/*", name))
	return err == nil && len(paths) > 0
}
