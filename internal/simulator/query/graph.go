package query

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// Resource Graph, for the little of its query language that clients of backup use (docs/azure.md §10): a table, then
// "where" with comparisons joined by "and", "project", "extend", "order by", "take", "limit" and "count". Any other
// query is answered with an error rather than with a guess.

// Graph is a parsed query of Resource Graph.
type Graph struct {
	Table string
	steps []func([]json.RawMessage) []json.RawMessage
	// columns are the columns that project selects; nil is all.
	columns []string
}

// HasID reports whether the rows have their ids.
func (q *Graph) HasID() bool { return q.columns == nil || slices.Contains(q.columns, "id") }

// Run returns what the query makes of the rows of its table.
func (q *Graph) Run(rows []json.RawMessage) []json.RawMessage {
	for _, step := range q.steps {
		rows = step(rows)
	}
	return rows
}

// ParseGraph reads a query.
func ParseGraph(s string) (*Graph, error) {
	stages := splitOutside(s, "|")
	q := &Graph{Table: strings.ToLower(strings.TrimSpace(stages[0]))}
	if q.Table != "resources" && q.Table != "recoveryservicesresources" {
		return nil, fmt.Errorf("the table %q is not known", q.Table)
	}
	for _, stage := range stages[1:] {
		verb, rest, _ := strings.Cut(strings.TrimSpace(stage), " ")
		if err := q.addStage(strings.ToLower(verb), strings.TrimSpace(rest)); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (q *Graph) addStage(verb, rest string) error {
	switch verb {
	case "where":
		return q.addWhere(rest)
	case "project", "extend":
		return q.addProject(verb == "extend", rest)
	case "order", "sort":
		return q.addOrder(rest)
	case "take", "limit":
		n := 0
		if _, err := fmt.Sscanf(rest, "%d", &n); err != nil || n < 0 {
			return fmt.Errorf("%q is no number of rows", rest)
		}
		q.steps = append(q.steps, func(rows []json.RawMessage) []json.RawMessage { return rows[:min(n, len(rows))] })
		return nil
	case "count":
		q.columns = []string{"Count"}
		q.steps = append(q.steps, func(rows []json.RawMessage) []json.RawMessage {
			return []json.RawMessage{rawjson.NewObject("Count", len(rows)).Bytes()}
		})
		return nil
	}
	return fmt.Errorf("the operator %q is not known to the simulator", verb)
}

var graphWhere = regexp.MustCompile(`(?s)^(.+?)\s*(=~|!~|==|!=|\bin~|\bcontains\b|\bstartswith\b|\bendswith\b|\bhas\b)\s*(.+)$`)

func (q *Graph) addWhere(rest string) error {
	var tests []func(json.RawMessage) bool
	for _, part := range splitOutside(rest, " and ") {
		m := graphWhere.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return fmt.Errorf("the condition %q is not known to the simulator", part)
		}
		left, err := parseTerm(m[1])
		if err != nil {
			return err
		}
		want, err := literals(m[3])
		if err != nil {
			return err
		}
		op := m[2]
		tests = append(tests, func(row json.RawMessage) bool { return compareGraph(op, left.text(row), want) })
	}
	q.steps = append(q.steps, func(rows []json.RawMessage) []json.RawMessage {
		return slices.DeleteFunc(slices.Clone(rows), func(row json.RawMessage) bool {
			return slices.ContainsFunc(tests, func(test func(json.RawMessage) bool) bool { return !test(row) })
		})
	})
	return nil
}

func compareGraph(op, got string, want []string) bool {
	fold := strings.ToLower(got)
	any := func(test func(string) bool) bool { return slices.ContainsFunc(want, test) }
	switch op {
	case "==":
		return got == want[0]
	case "!=":
		return got != want[0]
	case "!~":
		return fold != strings.ToLower(want[0])
	case "contains", "has":
		return any(func(w string) bool { return strings.Contains(fold, strings.ToLower(w)) })
	case "startswith":
		return any(func(w string) bool { return strings.HasPrefix(fold, strings.ToLower(w)) })
	case "endswith":
		return any(func(w string) bool { return strings.HasSuffix(fold, strings.ToLower(w)) })
	}
	return any(func(w string) bool { return fold == strings.ToLower(w) })
}

// literals reads 'a', "a", a bare word, or ('a','b').
func literals(s string) ([]string, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		s = s[1 : len(s)-1]
	}
	var out []string
	for _, part := range splitOutside(s, ",") {
		part = strings.TrimSpace(part)
		if n := len(part); n >= 2 && (part[0] == '\'' || part[0] == '"') && part[n-1] == part[0] {
			part = part[1 : n-1]
			if strings.ContainsAny(part, "'\"") {
				return nil, fmt.Errorf("the value %q is not known to the simulator", part)
			}
		} else if part == "" || strings.ContainsAny(part, " '\"()") {
			return nil, fmt.Errorf("the value %q is not known to the simulator", part)
		}
		out = append(out, part)
	}
	return out, nil
}

func (q *Graph) addProject(keep bool, rest string) error {
	type column struct {
		name string
		term term
	}
	var columns []column
	for _, part := range splitOutside(rest, ",") {
		name, expression, assigned := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		if !assigned {
			expression = name
		}
		t, err := parseTerm(expression)
		if err != nil {
			return err
		}
		if !assigned {
			name = t.name(len(columns) + 1)
		}
		columns = append(columns, column{name, t})
	}
	if !keep {
		q.columns = nil
		for _, c := range columns {
			q.columns = append(q.columns, c.name)
		}
	}
	q.steps = append(q.steps, func(rows []json.RawMessage) []json.RawMessage {
		out := make([]json.RawMessage, len(rows))
		for i, row := range rows {
			o := rawjson.Object{}
			if keep {
				o = rawjson.Parse(row)
			}
			for _, c := range columns {
				o.Put(c.name, c.term.value(row))
			}
			out[i] = o.Bytes()
		}
		return out
	})
	return nil
}

func (q *Graph) addOrder(rest string) error {
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "by "))
	expression, direction, _ := strings.Cut(rest, " ")
	t, err := parseTerm(expression)
	if err != nil {
		return err
	}
	q.steps = append(q.steps, func(rows []json.RawMessage) []json.RawMessage {
		out := slices.Clone(rows)
		slices.SortStableFunc(out, func(a, b json.RawMessage) int {
			if strings.EqualFold(strings.TrimSpace(direction), "asc") {
				return strings.Compare(t.text(a), t.text(b))
			}
			return strings.Compare(t.text(b), t.text(a)) // desc is the default
		})
		return out
	})
	return nil
}

// term is a column with functions around it: tolower(tostring(properties.sourceResourceId)).
type term struct {
	functions []string // outermost first
	path      []string
}

var graphColumn = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*|\['[^']+'\])*$`)

func parseTerm(s string) (term, error) {
	var t term
	s = strings.TrimSpace(s)
	for {
		name, rest, call := strings.Cut(s, "(")
		if !call || !strings.HasSuffix(rest, ")") {
			break
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains([]string{"tolower", "toupper", "tostring", "todatetime"}, name) {
			return t, fmt.Errorf("the function %q is not known to the simulator", name)
		}
		t.functions = append(t.functions, name)
		s = strings.TrimSpace(rest[:len(rest)-1])
	}
	if !graphColumn.MatchString(s) {
		return t, fmt.Errorf("the expression %q is not known to the simulator", s)
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "['", "."), "']", "")
	t.path = strings.Split(s, ".")
	return t, nil
}

func (t term) name(n int) string {
	if len(t.functions) > 0 {
		return fmt.Sprintf("Column%d", n)
	}
	return strings.Join(t.path, "_")
}

// value returns the term's value in a row, null when there is none.
func (t term) value(row json.RawMessage) json.RawMessage {
	raw := rawjson.RawAt(row, t.path...)
	if len(t.functions) == 0 {
		if raw == nil {
			return json.RawMessage("null")
		}
		return slices.Clone(raw)
	}
	return rawjson.Encode(t.text(row))
}

func (t term) text(row json.RawMessage) string {
	raw := rawjson.RawAt(row, t.path...)
	s := rawjson.Unquote(raw)
	if s == "" && len(raw) > 0 && raw[0] != '"' && string(raw) != "null" {
		s = string(raw)
	}
	for _, f := range slices.Backward(t.functions) {
		switch f {
		case "tolower":
			s = strings.ToLower(s)
		case "toupper":
			s = strings.ToUpper(s)
		}
	}
	return s
}

// splitOutside splits at each sep outside quotes and brackets.
func splitOutside(s, sep string) []string {
	var parts []string
	depth, quote, from := 0, byte(0), 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
			continue
		case c == '\'' || c == '"':
			quote = c
			continue
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		if depth == 0 && i >= from && len(s)-i >= len(sep) && strings.EqualFold(s[i:i+len(sep)], sep) {
			parts = append(parts, s[from:i])
			from = i + len(sep)
			i = from - 1
		}
	}
	return append(parts, s[from:])
}
