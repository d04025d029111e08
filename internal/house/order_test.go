package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A room is read in the order that its package comment gives, in a section "Reading order" or in a sentence "To read it: …":
// every file of it is in there once, so that a newcomer misses none and a new file finds its place. Of a room that has only
// tests these are the files.
func TestEveryRoomIsReadInAnOrder(t *testing.T) {
	ordered := 0
	for _, room := range rooms(t) {
		order, has := readingOrder(room.comment)
		switch {
		case has:
			ordered++
			for _, wrong := range compareOrder(order, room.files) {
				t.Errorf("%s: %s", room.name, wrong)
			}
		case len(room.files) >= 5:
			t.Errorf("%s has %d files, and its package comment no reading order (a section \"Reading order\")", room.name, len(room.files))
		}
	}
	if ordered < 15 {
		t.Errorf("only %d rooms have a reading order: the test looks in the wrong place", ordered)
	}
}

func TestAFileThatIsMissingFromAnOrderIsFound(t *testing.T) {
	const comment = "Package p is a room (see other.go).\n\n# Reading order\n\n\tthe start  a.go, b.go (first)\n\tthe rest   rules/c.go,\n\t           d_e.go\n\n# Decisions\n\n  - x.go\n"
	order, has := readingOrder(comment)
	if want := []string{"a.go", "b.go", "d_e.go"}; !has || !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
	if order, has := readingOrder("Package p.\n\nTo read it: a.go, then\nb.go.\n\nNot c.go.\n"); !has || !slices.Equal(order, []string{"a.go", "b.go"}) {
		t.Errorf("a sentence: got %q", order)
	}
	if _, has := readingOrder("Package p has a.go.\n"); has {
		t.Error("a comment without an order has one")
	}
	if wrong := compareOrder([]string{"a.go", "lint_*.go"}, []string{"a.go", "lint_a.go", "lint_b.go"}); len(wrong) != 0 {
		t.Errorf("a pattern: got %q", wrong)
	}
	if wrong := compareOrder([]string{"a.go", "a.go", "gone.go"}, []string{"a.go", "new.go"}); len(wrong) != 3 {
		t.Errorf("a file that stands twice, one that is gone and one that is new: got %q", wrong)
	}
}

// room is a package: its name, its package comment, and the files that its reading order names.
type room struct {
	name, comment string
	files         []string
}

// rooms returns all packages of the project.
func rooms(t *testing.T) []room {
	t.Helper()
	var all []room
	top := root(t)
	err := filepath.WalkDir(top, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); dir != top && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || name == "node_modules") {
			return fs.SkipDir
		}
		name, err := filepath.Rel(top, dir)
		if err != nil {
			return err
		}
		if r := readRoom(t, dir); r.comment != "" {
			r.name = filepath.ToSlash(name)
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// readRoom reads the Go files of a directory.
func readRoom(t *testing.T, dir string) room {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var r room
	var tests []string
	for _, file := range paths {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if parsed.Doc != nil && !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "gen_") {
			r.comment = parsed.Doc.Text()
		}
		switch {
		case name == "doc.go" || ast.IsGenerated(parsed):
		case strings.HasSuffix(name, "_test.go"):
			tests = append(tests, name)
		default:
			r.files = append(r.files, name)
		}
	}
	if len(r.files) == 0 {
		r.files = tests
	}
	return r
}

var (
	beginOfOrder = regexp.MustCompile(`(?m)^(?:# Reading order\n|To read it: )`)
	fileOfOrder  = regexp.MustCompile(`(?:^|[\s(])([a-z0-9_*]+\.go)\b`) // not one of another room, such as rules/items.go
)

// readingOrder returns the files that the order in a package comment names: a section of its own, or a paragraph.
func readingOrder(comment string) (files []string, has bool) {
	begin := beginOfOrder.FindStringIndex(comment)
	if begin == nil {
		return nil, false
	}
	end := "\n\n"
	if strings.HasPrefix(comment[begin[0]:], "#") {
		end = "\n# "
	}
	order, _, _ := strings.Cut(comment[begin[1]:], end)
	for _, m := range fileOfOrder.FindAllStringSubmatch(order, -1) {
		files = append(files, m[1])
	}
	return files, true
}

// compareOrder returns what is wrong with an order of these files. A pattern such as lint_*.go stands for the files that are
// not named themselves.
func compareOrder(order, files []string) []string {
	var wrong []string
	for i, name := range order {
		if !slices.ContainsFunc(files, func(f string) bool { return matches(name, f) }) {
			wrong = append(wrong, name+" is in the reading order, and no file")
		} else if slices.Contains(order[:i], name) {
			wrong = append(wrong, name+" is twice in the reading order")
		}
	}
	for _, name := range files {
		if !slices.ContainsFunc(order, func(o string) bool { return matches(o, name) }) {
			wrong = append(wrong, name+" is not in the reading order of the package comment: say where it is read")
		}
	}
	return wrong
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
