package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule is one piece of code that implements a rule.
type rule struct {
	file         string // from the folder
	line, column int
	name, source string
}

func (r rule) String() string {
	return fmt.Sprintf("%-22s %-30s %s", r.file+":"+strconv.Itoa(r.line), r.source, r.name)
}

var citation = regexp.MustCompile(`docs/azure\.md ((?:§[\d.]+(?:-[\d.]+)?(?:, )?)+)`)

// citationOf returns a comment's citation; empty: none.
func citationOf(comment string) string {
	var out []string
	for _, m := range citation.FindAllString(comment, -1) {
		out = append(out, strings.TrimRight(strings.TrimPrefix(m, "docs/azure.md "), ".,-: "))
	}
	return strings.Join(out, "; ")
}

var parenthesis = regexp.MustCompile(`\s*\([^()]*docs/azure\.md[^()]*\)`)

// firstSentence returns a comment's first sentence without its citations.
func firstSentence(comment string) string {
	text := strings.Join(strings.Fields(parenthesis.ReplaceAllString(comment, "")), " ")
	if first, _, more := strings.Cut(text, ". "); more {
		text = first
	}
	return strings.TrimRight(text, ".")
}

// find reads the rules of the Go files of a folder and those below it, tests aside, in the order of the code.
func find(folder string) ([]rule, error) {
	files, err := sources(folder)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", folder, err)
	}
	var rules []rule
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parsing: %w", err)
		}
		for _, d := range f.Decls {
			if fn, is := d.(*ast.FuncDecl); is && fn.Body != nil && len(fn.Body.List) > 0 {
				for _, r := range findInFunction(set, f, fn, strings.Split(string(source), "\n")) {
					r.file = strings.TrimPrefix(filepath.ToSlash(r.file), filepath.ToSlash(folder)+"/")
					rules = append(rules, r)
				}
			}
		}
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("folder %s: no code here cites a source", folder)
	}
	slices.SortStableFunc(rules, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	return rules, nil
}

// sources lists the Go files of a folder and of those below it, without tests.
func sources(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files = append(files, name)
		}
		return err
	})
	return files, err
}

// findInFunction finds the rules of one function: its own, those of comments in its body, and its refusals.
func findInFunction(set *token.FileSet, f *ast.File, fn *ast.FuncDecl, lines []string) []rule {
	var rules []rule
	add := func(at token.Pos, name, source string) {
		p := set.Position(at)
		rules = append(rules, rule{p.Filename, p.Line, p.Column, name, source})
	}
	whole := citationOf(fn.Doc.Text())
	if whole != "" {
		add(fn.Body.List[0].Pos(), firstSentence(fn.Doc.Text()), whole)
	}
	for _, group := range f.Comments {
		source := citationOf(group.Text())
		if source == "" || group.Pos() < fn.Body.Pos() || group.End() > fn.Body.End() {
			continue
		}
		if at := annotatedStatement(set, fn, group); at != nil {
			name := firstSentence(group.Text())
			if strings.Trim(citation.ReplaceAllString(name, ""), "; ") == "" { // it only cites: use the code
				name, _, _ = strings.Cut(strings.TrimSpace(lines[set.Position(group.Pos()).Line-1]), " //")
			}
			add(firstPosition(at), fn.Name.Name+": "+name, source)
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if call, is := n.(*ast.CallExpr); is {
			if code := errorCodeOf(call); code != "" {
				add(call.Pos(), fn.Name.Name+": refuses with "+code, whole)
			}
		}
		return true
	})
	return rules
}

// annotatedStatement returns the innermost statement that a comment describes: on its own line, or on the line below.
func annotatedStatement(set *token.FileSet, fn *ast.FuncDecl, comment *ast.CommentGroup) ast.Stmt {
	line := func(p token.Pos) int { return set.Position(p).Line }
	on := func(want int) (found ast.Stmt) {
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			s, is := n.(ast.Stmt)
			if _, block := n.(*ast.BlockStmt); is && !block && line(s.Pos()) <= want && want <= line(s.End()) &&
				(found == nil || line(found.Pos()) < want) {
				found = s
			}
			return true
		})
		return found
	}
	if s := on(line(comment.Pos())); s != nil && line(s.Pos()) == line(comment.Pos()) {
		return s
	}
	return on(line(comment.End()) + 1)
}

// firstPosition is where a statement's rule begins to act: within the branch, not at its condition.
func firstPosition(s ast.Stmt) token.Pos {
	var body []ast.Stmt
	switch s := s.(type) {
	case *ast.IfStmt:
		body = s.Body.List
	case *ast.CaseClause:
		body = s.Body
	case *ast.ForStmt:
		body = s.Body.List
	case *ast.RangeStmt:
		body = s.Body.List
	}
	if len(body) > 0 {
		return body[0].Pos()
	}
	return s.Pos()
}

// errorCodeOf returns the error code of a call that builds an error reply; empty: it builds none, or passes a code on.
func errorCodeOf(call *ast.CallExpr) string {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	at, known := map[string]int{"Error": 1, "ARMError": 1, "unverified": 0, "signInError": 1}[name]
	if !known || len(call.Args) <= at {
		return ""
	}
	literal, is := call.Args[at].(*ast.BasicLit)
	if !is {
		return ""
	}
	code, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return code
}
