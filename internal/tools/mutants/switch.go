package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Most mutants of a room go into one binary, where the environment says which of them is on: building is what costs
// most. A mutant is switched without knowing types: each is a few insertions into the text. What the compiler refuses
// then (a constant, a number that is no int) gets a binary of its own.

// edit is a piece of text that is inserted, or put in the place of what is there. The sign § stands for the number of
// the mutant.
type edit struct {
	at, length int
	text       string
	closes     bool // what another edit opened
}

func (f *finder) replace(from, to token.Pos, text string) edit {
	return edit{at: f.offset(from), length: int(to - from), text: text}
}

func (f *finder) closing(n ast.Node, text string) edit {
	return edit{at: f.offset(n.End()), text: text, closes: true}
}

func (f *finder) wrap(n ast.Node, before, after string) []edit {
	return []edit{f.replace(n.Pos(), n.Pos(), before), f.closing(n, after)}
}

// switchOperator turns x && y into ((x) != m && (y) != m) != m, which is x || y when m is on, and a comparison c into
// its opposite by c != m. The others become calls.
func (f *finder) switchOperator(n *ast.BinaryExpr, is token.Token) []edit {
	comma := f.replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), ",")
	switch {
	case n.Op == token.LAND || n.Op == token.LOR:
		return slices.Concat(f.wrap(n, "((", ") != mutantIs(§))"), f.wrap(n.X, "(", ") != mutantIs(§) "), f.wrap(n.Y, "(", ") != mutantIs(§)"))
	case n.Op.Precedence() > token.EQL.Precedence():
		return append(f.wrap(n, map[token.Token]string{token.ADD: "mutantAdd", token.SUB: "mutantSub", token.MUL: "mutantMul", token.QUO: "mutantQuo"}[n.Op]+"(§, ", ")"), comma)
	case is == opposites(n.Op)[0]:
		return f.wrap(n, "((", ") != mutantIs(§))")
	case n.Op == token.LSS || n.Op == token.LEQ: // x < y is y > x
		return append(f.wrap(n, "mutantLess(§, "+strconv.FormatBool(n.Op == token.LEQ)+", ", ")"), comma)
	default:
		return append(f.wrap(n, "mutantMore(§, "+strconv.FormatBool(n.Op == token.GEQ)+", ", ")"), comma)
	}
}

// switchCall makes a call conditional; a panic ends a function for the compiler and cannot be.
func (f *finder) switchCall(call *ast.CallExpr) []edit {
	if calls(call, "panic") {
		return nil
	}
	return f.wrap(call, "if !mutantIs(§) {", "}")
}

const switchSource = `package %s

import (
	"cmp"
	"os"
	"strconv"
)

var mutantOn, _ = strconv.Atoi(os.Getenv("MUTANT"))

func mutantIs(n int) bool { return n == mutantOn }

func mutantBool(n int, v bool) bool { return v != mutantIs(n) }

func mutantInt(n, v int) int {
	if mutantIs(n) {
		return v + 1
	}
	return v
}

type mutantNumber interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

func mutantSign[T mutantNumber](n int, v T) T {
	if mutantIs(n) {
		return -v
	}
	return v
}

func mutantAdd[T mutantNumber](n int, a, b T) T { return a + mutantSign(n, b) }

func mutantSub[T mutantNumber](n int, a, b T) T { return a - mutantSign(n, b) }

func mutantMul[T mutantNumber](n int, a, b T) T {
	if mutantIs(n) {
		return a / b
	}
	return a * b
}

func mutantQuo[T mutantNumber](n int, a, b T) T {
	if mutantIs(n) {
		return a * b
	}
	return a / b
}

func mutantLess[T cmp.Ordered](n int, orEqual bool, a, b T) bool {
	return a < b || a == b && orEqual != mutantIs(n)
}

func mutantMore[T cmp.Ordered](n int, orEqual bool, a, b T) bool { return mutantLess(n, orEqual, b, a) }
`

// numbered is a mutant with its number in a binary.
type numbered struct {
	mutant
	n int
}

// switched returns the text of a file with the switches of its mutants. Edits of an outer expression enclose those of
// an inner one: the mutants are in the order of the tree, parents first.
func switched(source []byte, mutants []numbered) string {
	type placed struct {
		edit
		rank int
	}
	var all []placed
	for _, m := range mutants {
		for _, e := range m.edits {
			e.text = strings.ReplaceAll(e.text, "§", strconv.Itoa(m.n))
			rank := len(all) // texts that open: outer first
			switch {
			case e.closes:
				rank = -1<<20/2 - len(all) // before those, inner first
			case e.length > 0:
				rank = 1 << 20 // behind all that is inserted before it
			}
			all = append(all, placed{e, rank})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank)) })
	var b strings.Builder
	from := 0
	for _, e := range all {
		b.Write(source[from:e.at])
		b.WriteString(e.text)
		from = e.at + e.length
	}
	b.Write(source[from:])
	return b.String()
}

var compilerError = regexp.MustCompile(`([^/\s]+\.go):(\d+):\d+: (.*)`)

// buildSwitched builds a binary with those of the mutants that can be switched and returns them by their numbers. It
// also returns those that do not compile in any way, and sees that the binary passes with no mutant on.
func (r *room) buildSwitched(ctx context.Context, dir string, mutants []mutant) (in map[string]int, not []mutant, err error) {
	var left []numbered
	for i, m := range mutants {
		if len(m.edits) > 0 {
			left = append(left, numbered{m, i + 1})
		}
	}
	for len(left) > 0 {
		overlay, err := r.writeSwitched(dir, left)
		if err != nil {
			return nil, nil, err
		}
		out, err := compile(ctx, r.path, r.binary, "-gcflags=-e", "-overlay", overlay)
		if err == nil {
			break
		}
		before := len(left)
		for _, e := range compilerError.FindAllStringSubmatch(out, -1) {
			line, _ := strconv.Atoi(e[2]) // digits
			left = slices.DeleteFunc(left, func(m numbered) bool {
				refused := filepath.Base(m.file) == e[1] && m.at.Line == line
				if refused && strings.HasPrefix(m.was, "+") && strings.Contains(e[3], "satisfy mutantNumber") {
					not = append(not, m.mutant) // a sum of texts
				}
				return refused
			})
		}
		if len(left) == before {
			return nil, nil, fmt.Errorf("the mutants of %s do not compile together: %w\n%s", r.path, cmp.Or(ctx.Err(), err), out)
		}
	}
	in = map[string]int{}
	for _, m := range left {
		in[m.key()] = m.n
	}
	if len(left) > 0 {
		if out, err := r.run(ctx, r.binary, timeout(r.Tests)); err != nil {
			return nil, nil, fmt.Errorf("the tests of %s fail with all mutants off: %w\n%s", r.path, err, out)
		}
	}
	return in, not, nil
}

// writeSwitched writes the files with switches and returns the list that puts them in the place of the real ones.
func (r *room) writeSwitched(dir string, mutants []numbered) (overlay string, err error) {
	byFile := map[string][]numbered{}
	for _, m := range mutants {
		byFile[m.file] = append(byFile[m.file], m)
	}
	replace := map[string]string{}
	put := func(file, content string) error {
		whole, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		replace[whole] = filepath.Join(dir, filepath.Base(file))
		return os.WriteFile(replace[whole], []byte(content), 0o600)
	}
	for file, in := range byFile {
		source, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		for _, m := range in {
			if err := m.check(source); err != nil {
				return "", err
			}
		}
		slices.SortStableFunc(in, func(a, b numbered) int { return cmp.Compare(a.visited, b.visited) })
		if err := put(file, switched(source, in)); err != nil {
			return "", err
		}
	}
	if err := put(filepath.Join(r.path, "mutants_switch.go"), fmt.Sprintf(switchSource, mutants[0].packageName)); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}
