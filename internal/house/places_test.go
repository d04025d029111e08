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
