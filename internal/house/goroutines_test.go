package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// A panic that is not recovered ends the process with the runtime's code, which is 2 and means something else here
// (see package crash). So every function that is handed to another goroutine begins with crash.ExitOnPanic.
func TestEveryGoroutineEndsTheProcessWhenItPanics(t *testing.T) {
	found := 0
	err := filepath.WalkDir(root(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || standsOutside(path) {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		for _, f := range handedOver(file) {
			found++
			if !exitsOnPanic(f) {
				t.Errorf("%s: what runs in a goroutine of its own is a function literal that begins with defer crash.ExitOnPanic()",
					files.Position(f.Pos()))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 10 {
		t.Errorf("only %d goroutines were found: the test looks in the wrong place", found)
	}
}

// standsOutside are files that are no part of the program: tools, and what only tests use.
func standsOutside(path string) bool {
	for _, part := range []string{"/internal/tools/", "/internal/conformance/", "/internal/simtest/", "/internal/crash/"} {
		if strings.Contains(filepath.ToSlash(path), part) {
			return true
		}
	}
	return false
}

// handedOver returns the expressions of a file that run in a goroutine of their own: what follows go, and the functions
// given to the Go and TryGo of the groups, to an AfterFunc, and to mpb, which draws in its own.
func handedOver(file *ast.File) []ast.Expr {
	var all []ast.Expr
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			all = append(all, n.Call.Fun)
		case *ast.CallExpr:
			called, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) == 0 {
				return true
			}
			switch called.Sel.Name {
			case "Go", "TryGo", "AfterFunc":
				all = append(all, n.Args[len(n.Args)-1])
			case "Any":
				if room, ok := called.X.(*ast.Ident); ok && room.Name == "decor" {
					all = append(all, n.Args[0])
				}
			}
		}
		return true
	})
	return all
}

// exitsOnPanic reports whether f is a literal whose first statement is defer crash.ExitOnPanic().
func exitsOnPanic(f ast.Expr) bool {
	literal, ok := f.(*ast.FuncLit)
	if !ok || len(literal.Body.List) == 0 {
		return false
	}
	first, ok := literal.Body.List[0].(*ast.DeferStmt)
	if !ok {
		return false
	}
	called, ok := first.Call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	room, ok := called.X.(*ast.Ident)
	return ok && room.Name == "crash" && called.Sel.Name == "ExitOnPanic"
}
