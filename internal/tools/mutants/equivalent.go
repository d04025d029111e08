package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// tunable is the word that a comment of a constant begins with whose exact value decides nothing.
const tunable = "Tunable:"

// equivalents returns the parts of n whose mutants no behavior can tell apart, which are not drawn:
//
//   - the capacity of a map, of a slice or of a buffer, which changes only when memory is taken. The capacity of a
//     channel is not among them: it decides who waits.
//   - the numbers of a constant whose comment begins with "Tunable:", such as the length of a timeout or the size of a
//     page: one more or less of them breaks no rule. The operators between the numbers are broken nevertheless (5 *
//     time.Minute is not 5 / time.Minute). Limits of Azure are rules, and not tunable.
func equivalents(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.ExprStmt:
		if call, is := n.X.(*ast.CallExpr); is && calls(call, "Grow") {
			return []ast.Node{n}
		}
	case *ast.CallExpr:
		return capacity(n)
	case *ast.GenDecl:
		if n.Tok == token.CONST {
			return tunables(n)
		}
	}
	return nil
}

// capacity returns the argument of a call that is the capacity of something that grows by itself.
func capacity(call *ast.CallExpr) []ast.Node {
	switch {
	case calls(call, "Grow"):
		return []ast.Node{call.Args[len(call.Args)-1]}
	case calls(call, "make") && len(call.Args) == 3:
		return []ast.Node{call.Args[2]}
	case calls(call, "make") && len(call.Args) == 2:
		if _, is := call.Args[0].(*ast.MapType); is {
			return []ast.Node{call.Args[1]}
		}
	}
	return nil
}

// calls reports whether a call is one of the function or method of that name.
func calls(call *ast.CallExpr, name string) bool {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name == name
	case *ast.SelectorExpr:
		return f.Sel.Name == name
	default:
		return false
	}
}

// tunables returns the numbers of the constants of a declaration that are tunable.
func tunables(d *ast.GenDecl) []ast.Node {
	var out []ast.Node
	for _, spec := range d.Specs {
		spec, is := spec.(*ast.ValueSpec)
		if !is || !isTunable(d.Doc) && !isTunable(spec.Doc) && !isTunable(spec.Comment) {
			continue
		}
		for _, value := range spec.Values {
			ast.Inspect(value, func(n ast.Node) bool {
				if number, is := n.(*ast.BasicLit); is {
					out = append(out, number)
				}
				return true
			})
		}
	}
	return out
}

func isTunable(comment *ast.CommentGroup) bool {
	return comment != nil && strings.HasPrefix(comment.Text(), tunable)
}
