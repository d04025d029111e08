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
	room, file  string
	packageName string
	at          token.Position
	function    string         // or the keyword of another declaration
	from, to    token.Position // of the whole declaration
	isFunction  bool
	kind        string // which operator was applied
	ordinal     int    // of this kind and text in the function, from 0
	end         int    // offset
	was, is     string
	visited     int    // its place among those of the file, in the order of the tree
	edits       []edit // which make it one of many in a binary; none where that is not possible
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d %s: %s: %q becomes %q", filepath.ToSlash(m.file), m.at.Line, m.function, m.kind, m.was, m.is)
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
	f := finder{room: room, file: file, packageName: tree.Name.Name, fset: fset, source: source, equivalent: map[ast.Node]bool{}, seen: map[string]int{}}
	for _, d := range tree.Decls {
		f.decl = d
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
	room, file, packageName string
	fset                    *token.FileSet
	source                  []byte
	decl                    ast.Decl // that is visited
	equivalent              map[ast.Node]bool
	seen                    map[string]int
	found                   []mutant
}

func (f *finder) add(kind string, from, to token.Pos, is string, edits ...edit) {
	start, end := f.fset.Position(from), f.fset.Position(to)
	was := string(f.source[start.Offset:end.Offset])
	_, isFunction := f.decl.(*ast.FuncDecl)
	function := nameOf(f.decl)
	key := strings.Join([]string{function, kind, was, is}, "\x00")
	f.found = append(f.found, mutant{
		room: f.room, file: f.file, packageName: f.packageName, visited: len(f.found), at: start, function: function, isFunction: isFunction, kind: kind, ordinal: f.seen[key],
		from: f.fset.Position(f.decl.Pos()), to: f.fset.Position(f.decl.End()), end: end.Offset, was: was, is: is, edits: edits,
	})
	f.seen[key]++
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *finder) visit(n ast.Node) bool {
	for _, same := range equivalents(n) {
		f.equivalent[same] = true
	}
	if f.equivalent[n] {
		return false
	}
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.BinaryExpr:
		if n.Op == token.ADD && (isText(n.X) || isText(n.Y)) {
			return true // texts have no difference
		}
		for _, is := range opposites(n.Op) {
			f.add("operator", n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), is.String(), f.switchOperator(n, is)...)
		}
	case *ast.IncDecStmt:
		is := map[token.Token]token.Token{token.INC: token.DEC, token.DEC: token.INC}[n.Tok]
		f.add("step", n.TokPos, n.TokPos+2, is.String(), f.replace(n.TokPos, n.TokPos+2, " "+n.Tok.String()[:1]+"= mutantSign(§, 1)"))
	case *ast.AssignStmt:
		is, has := map[token.Token]token.Token{token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN}[n.Tok]
		if has && !isText(n.Rhs[0]) {
			f.add("assignment", n.TokPos, n.TokPos+2, is.String(), f.wrap(n.Rhs[0], "mutantSign(§, ", ")")...)
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			f.add("negation", n.OpPos, n.OpPos+1, "", f.replace(n.OpPos, n.OpPos+1, "(("), f.closing(n, ") != !mutantIs(§))"))
		}
	case *ast.IfStmt:
		switch n.Cond.(type) {
		case *ast.BinaryExpr, *ast.UnaryExpr: // their operators are broken
		default:
			f.add("condition", n.Cond.Pos(), n.Cond.End(), "!("+f.text(n.Cond)+")", f.wrap(n.Cond, "((", ") != mutantIs(§))")...)
		}
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			f.add("literal", n.Pos(), n.End(), strconv.FormatBool(n.Name == "false"), f.wrap(n, "mutantBool(§, ", ")")...)
		}
	case *ast.BasicLit:
		if v, err := strconv.Atoi(n.Value); err == nil && n.Kind == token.INT {
			f.add("literal", n.Pos(), n.End(), strconv.Itoa(v+1), f.wrap(n, "mutantInt(§, ", ")")...)
		}
	case *ast.ExprStmt:
		if call, is := n.X.(*ast.CallExpr); is {
			f.add("call left out", call.Pos(), call.End(), "_ = 0", f.switchCall(call)...)
		}
	}
	return true
}

// isText reports whether an expression is a text that is written out, or a sum that begins or ends with one.
func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (isText(e.X) || isText(e.Y))
	default:
		return false
	}
}

// opposites returns the operators that replace op. A comparison has two: its opposite, and its boundary moved.
func opposites(op token.Token) []token.Token {
	switch op {
	case token.EQL:
		return []token.Token{token.NEQ}
	case token.NEQ:
		return []token.Token{token.EQL}
	case token.LSS:
		return []token.Token{token.GEQ, token.LEQ}
	case token.LEQ:
		return []token.Token{token.GTR, token.LSS}
	case token.GTR:
		return []token.Token{token.LEQ, token.GEQ}
	case token.GEQ:
		return []token.Token{token.LSS, token.GTR}
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
	default:
		return nil
	}
}
