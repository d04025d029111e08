package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayAskTheMachine are the files that may ask the machine for the time. Everything else is given it: by cli, by the
// service, or by the test.
var mayAskTheMachine = []string{"apply/clock.go", "internal/cli/streams.go", "internal/simulator/clock.go"}

func TestOnlyListedFilesAskTheMachineForTheTime(t *testing.T) {
	top, asks := root(t), map[string]bool{}
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == "bin" || name == "internal/tools") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, where := range asksTheMachine(file) {
			asks[name] = true
			if !slices.Contains(mayAskTheMachine, name) {
				t.Errorf("%s:%d asks the machine for the time; take it as an argument or a func", name, files.Position(where).Line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range mayAskTheMachine {
		if !asks[name] {
			t.Errorf("%s no longer asks the machine for the time: take it off the list", name)
		}
	}
}

// asksTheMachine finds where a file uses time.Now, time.Since or time.Until, called or handed on, under any name of the
// package.
func asksTheMachine(file *ast.File) []token.Pos {
	name := ""
	for _, imp := range file.Imports {
		if imp.Path.Value == `"time"` {
			if name = "time"; imp.Name != nil {
				name = imp.Name.Name
			}
		}
	}
	var found []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && name != "" && x.Name == name && slices.Contains([]string{"Now", "Since", "Until"}, n.Sel.Name) {
				found = append(found, n.Pos())
			}
		case *ast.ImportSpec:
			if n.Path.Value == `"time"` && name == "." {
				found = append(found, n.Pos()) // its functions would stand without a name
			}
		}
		return true
	})
	return found
}
