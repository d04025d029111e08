package config

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected messages and the schema")

// testEnv returns the variables that the test files may use.
func testEnv(name string) (string, bool) {
	value, ok := map[string]string{"SET": "value", "EMPTY": "", "ENV": "prod", "DAYS": "30", "YES": "true"}[name]
	return value, ok
}

// cases lists the test files, and the directories that stand for one config.
func cases(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) == ".yaml" {
			names = append(names, e.Name())
		}
	}
	return names
}

// messages loads a file and prints what a user would see.
func messages(t *testing.T, name string) string {
	t.Helper()
	_, warnings, err := Load([]string{name}, testEnv)
	var b strings.Builder
	for _, w := range warnings {
		b.WriteString(w.String() + "\n")
	}
	if err != nil {
		loadErr, ok := errors.AsType[*LoadError](err)
		if !ok {
			t.Fatalf("error is a %T, want a *LoadError", err)
		}
		b.WriteString(loadErr.Error() + "\n")
	}
	return b.String()
}

func TestBadFilesSayWhatIsWrong(t *testing.T) {
	names := cases(t, "testdata/err")
	if len(names) < 80 {
		t.Errorf("%d bad files, want at least 80", len(names))
	}
	t.Chdir("testdata/err")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			got := messages(t, name)
			golden := strings.TrimSuffix(name, ".yaml") + ".out"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got == "" {
				t.Error("nothing is wrong with this file")
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if m := regexp.MustCompile(`\b(config|reflect|yaml|time)\.[A-Z]\w+|\bstruct\b|\*\w+\.`).FindString(got); m != "" {
				t.Errorf("messages show a Go type: %q", m)
			}
		})
	}
}

func TestGoodFilesAreSilent(t *testing.T) {
	for _, name := range cases(t, "testdata/ok") {
		t.Run(name, func(t *testing.T) {
			if got := messages(t, filepath.Join("testdata", "ok", name)); got != "" {
				t.Errorf("messages:\n%s", got)
			}
		})
	}
}

func TestEveryRuleHasHelpAndABadFile(t *testing.T) {
	outputs, err := filepath.Glob("testdata/err/*.out")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range outputs {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\S.* \[([a-z-]+)\]$`).FindAllStringSubmatch(string(text), -1) {
			seen[m[1]] = true
		}
	}
	reported := reportedRules(t)
	var documented []string
	for _, r := range Codes() {
		documented = append(documented, r.Name)
		if len(r.Help) < 40 {
			t.Errorf("rule %s: help is too short: %q", r.Name, r.Help)
		}
		if !reported[r.Name] {
			t.Errorf("rule %s is reported by no check", r.Name)
		}
		// Over 5000 selectors make no readable file: TestTooManySelectors has that rule.
		if !seen[r.Name] && r.Name != "too-many" {
			t.Errorf("rule %s has no bad file", r.Name)
		}
	}
	for name := range reported {
		if !slices.Contains(documented, name) {
			t.Errorf("rule %s is reported and is no row of the table", name)
		}
	}
	slices.Sort(documented)
	if len(slices.Compact(documented)) != len(Codes()) {
		t.Error("a rule stands twice in the table")
	}
}

// reportedRules reads from the source which rules the checks name: all constants of the type code. What the package
// imports is not read: the type is its own.
func reportedRules(t *testing.T) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "gen_") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Error: func(error) {}, Importer: noImports{}}
	// The error says that imports are missing.
	pkg, _ := conf.Check("config", fset, files, &info)
	of := pkg.Scope().Lookup("code").Type()
	names := map[string]bool{}
	for _, tv := range info.Types {
		if tv.Value != nil && types.Identical(tv.Type, of) {
			names[constant.StringVal(tv.Value)] = true
		}
	}
	return names
}

// noImports leaves out what a package imports.
type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	return nil, fmt.Errorf("%s is not read", path)
}
