package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mutant is one break: the text between two offsets of a file, and its replacement.
type mutant struct {
	room, file string
	line       int
	function   string
	kind       string // which operator was applied
	ordinal    int    // of this kind and text in the function, from 0
	start, end int
	was, is    string
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d %s: %s: %q becomes %q", filepath.ToSlash(m.file), m.line, m.function, m.kind, m.was, m.is)
}

// drawOrder returns the mutant's rank in the draw: it does not depend on lines, so that edits elsewhere do not change
// it.
func (m mutant) drawOrder() uint64 {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s\x00%d", filepath.ToSlash(m.file), m.function, m.kind, m.was, m.is, m.ordinal))
	return binary.BigEndian.Uint64(h[:8])
}

// sortByDraw sorts the mutants into the order of the trials.
func sortByDraw(all []mutant) {
	slices.SortStableFunc(all, func(a, b mutant) int {
		if x, y := a.drawOrder(), b.drawOrder(); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return 0
	})
}

// findRoom lists the mutants of a folder's Go files; generated files and tests have none.
func findRoom(room string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(room, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		found, err := findFile(room, file)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("folder %q has nothing to break", room)
	}
	return all, nil
}

func findFile(room, file string) ([]mutant, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(tree) {
		return nil, nil
	}
	f := finder{room: room, file: file, fset: fset, source: source, seen: map[string]int{}}
	for _, d := range tree.Decls {
		f.function = nameOf(d)
		ast.Inspect(d, f.visit)
	}
	return f.found, nil
}

// nameOf returns the name of a function or method; other declarations share the name of their keyword.
func nameOf(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || len(d.Recv.List) == 0 {
			return d.Name.Name
		}
		t := d.Recv.List[0].Type
		if star, is := t.(*ast.StarExpr); is {
			t = star.X
		}
		if id, is := t.(*ast.Ident); is {
			return id.Name + "." + d.Name.Name
		}
		return d.Name.Name
	case *ast.GenDecl:
		return d.Tok.String()
	default:
		return "?"
	}
}

type finder struct {
	room, file, function string
	fset                 *token.FileSet
	source               []byte
	seen                 map[string]int
	found                []mutant
}

func (f *finder) add(kind string, from, to token.Pos, is string) {
	start, end := f.fset.Position(from), f.fset.Position(to)
	was := string(f.source[start.Offset:end.Offset])
	key := strings.Join([]string{f.function, kind, was, is}, "\x00")
	f.found = append(f.found, mutant{
		room: f.room, file: f.file, line: start.Line, function: f.function, kind: kind, ordinal: f.seen[key],
		start: start.Offset, end: end.Offset, was: was, is: is,
	})
	f.seen[key]++
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.fset.Position(n.Pos()).Offset:f.fset.Position(n.End()).Offset])
}

// replacements returns the operators that may replace op. A comparison has two: its boundary moved, and its opposite.
func replacements(op token.Token) []token.Token {
	switch op {
	case token.EQL:
		return []token.Token{token.NEQ}
	case token.NEQ:
		return []token.Token{token.EQL}
	case token.LSS:
		return []token.Token{token.LEQ, token.GEQ}
	case token.LEQ:
		return []token.Token{token.LSS, token.GTR}
	case token.GTR:
		return []token.Token{token.GEQ, token.LEQ}
	case token.GEQ:
		return []token.Token{token.GTR, token.LSS}
	case token.LAND:
		return []token.Token{token.LOR}
	case token.LOR:
		return []token.Token{token.LAND}
	case token.ADD:
		return []token.Token{token.SUB}
	case token.SUB:
		return []token.Token{token.ADD}
	case token.MUL:
		return []token.Token{token.QUO}
	case token.QUO:
		return []token.Token{token.MUL}
	case token.ADD_ASSIGN:
		return []token.Token{token.SUB_ASSIGN}
	case token.SUB_ASSIGN:
		return []token.Token{token.ADD_ASSIGN}
	case token.INC:
		return []token.Token{token.DEC}
	case token.DEC:
		return []token.Token{token.INC}
	default:
		return nil
	}
}

func (f *finder) addReplacements(kind string, at token.Pos, op token.Token) {
	for _, is := range replacements(op) {
		f.add(kind, at, at+token.Pos(len(op.String())), is.String())
	}
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.BinaryExpr:
		f.addReplacements("operator", n.OpPos, n.Op)
	case *ast.IncDecStmt:
		f.addReplacements("step", n.TokPos, n.Tok)
	case *ast.AssignStmt:
		f.addReplacements("assignment", n.TokPos, n.Tok)
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			f.add("negation", n.OpPos, n.OpPos+1, "")
		}
	case *ast.IfStmt:
		switch n.Cond.(type) {
		case *ast.BinaryExpr, *ast.UnaryExpr: // their operators are broken
		default:
			f.add("condition", n.Cond.Pos(), n.Cond.End(), "!("+f.text(n.Cond)+")")
		}
	case *ast.Ident:
		switch n.Name {
		case "true":
			f.add("literal", n.Pos(), n.End(), "false")
		case "false":
			f.add("literal", n.Pos(), n.End(), "true")
		}
	case *ast.BasicLit:
		if v, err := strconv.Atoi(n.Value); err == nil && n.Kind == token.INT {
			f.add("literal", n.Pos(), n.End(), strconv.Itoa(v+1))
		}
	case *ast.ExprStmt:
		if call, is := n.X.(*ast.CallExpr); is {
			f.add("call left out", call.Pos(), call.End(), "_ = 0")
		}
	}
	return true
}
