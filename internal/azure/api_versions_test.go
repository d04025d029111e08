package azure

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A version that a request carries and the list does not name would be one that `azbackup version --json` hides.
func TestEveryAPIVersionOfARequestIsListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	listed, used := listedConstants(t), usedConstants(t, files)
	if len(used) < 5 {
		t.Errorf("only %v were found in calls of URL: the test looks in the wrong place", used)
	}
	for _, name := range used {
		if !slices.Contains(listed, name) {
			t.Errorf("requests carry %s, which APIVersions does not list", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(used, name) {
			t.Errorf("APIVersions lists %s, which no request carries", name)
		}
	}
}

func usedConstants(t *testing.T, files []string) []string {
	t.Helper()
	var used []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "URL" {
				if version, ok := call.Args[1].(*ast.Ident); ok && strings.HasPrefix(version.Name, "api") {
					used = append(used, version.Name)
				} else {
					t.Errorf("%s calls URL with an api-version that is no constant of this package", name)
				}
			}
			return true
		})
	}
	slices.Sort(used)
	return slices.Compact(used)
}

func listedConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "api_versions.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.CompositeLit); ok && l.Type == nil && len(l.Elts) == 2 {
			if version, ok := l.Elts[1].(*ast.Ident); ok {
				listed = append(listed, version.Name)
			}
		}
		return true
	})
	return listed
}
