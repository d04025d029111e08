package config

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// walker decodes nodes into the structs of the format, strictly, and remembers where each value stands. It
// reports and goes on, so that one run shows everything that is wrong.
type walker struct {
	out     *collector
	formats map[string]format
	pattern map[string]*regexp.Regexp
	structs map[reflect.Type][]field
	// where maps a pointer to a decoded field, or to an element of a list, to its node.
	where map[any]*node
	zones *zones // made when the first one is met
}

func newWalker(out *collector) *walker {
	f := formats()
	return &walker{
		out: out, formats: f, pattern: compile(f),
		structs: map[reflect.Type][]field{}, where: map[any]*node{},
	}
}

// path names a value in a message, from the nearest list element down.
type path struct {
	up  *path
	key string // "" for a list element
}

func (p *path) String() string {
	if p == nil {
		return "the file"
	}
	var keys []string
	for ; p != nil && p.key != ""; p = p.up {
		keys = append([]string{p.key}, keys...)
	}
	if len(keys) > 0 {
		return strings.Join(keys, ".")
	}
	if p.up == nil {
		return "an entry"
	}
	return "an entry of " + p.up.String()
}

// fail reports a problem about a value, once.
func (w *walker) fail(n *node, r rule, hint, format string, args ...any) {
	if n.bad {
		return
	}
	n.bad = true
	w.out.fail(n, r, hint, format, args...)
}

func (w *walker) wrongType(n *node, p *path, want string) {
	hint := ""
	switch {
	case n.kind == mapping && n.startsWith("?"):
		hint = "YAML takes a ? here for the start of a key: put the value in quotes"
	case n.isNull():
		hint = "give it a value, or leave the key out"
	case n.kind == scalar && !n.isText() && strings.HasPrefix(want, "a text"):
		hint = "put it in quotes"
	case n.quoted && (want == wantBool && isBool(n.text) || want == wantInt && isNumber(n.text)):
		hint = "leave the quotes out"
	case n.kind == scalar && want == wantBool:
		hint = "write true or false"
	}
	w.fail(n, "wrong-type", hint, "%s must be %s, not %s", p, want, n.describe())
}

// The kinds of values, as messages name them.
const (
	wantMapping = "a mapping"
	wantList    = "a list"
	wantText    = "a text"
	wantInt     = "a whole number"
	wantBool    = "true or false"
)

// decode puts a node into v, which must be addressable.
func (w *walker) decode(n *node, v reflect.Value, l limits, p *path) {
	w.where[v.Addr().Interface()] = n
	if n.bad || w.out.full() {
		return
	}
	if w.decodeForm(n, v.Addr().Interface(), l, p) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		w.decode(n, v.Elem(), l, p)
	case reflect.Struct:
		w.decodeStruct(n, v, p)
	case reflect.Slice:
		w.decodeList(n, v, l, p)
	case reflect.String:
		if text, ok := w.text(n, l, p); ok {
			v.SetString(text)
		}
	case reflect.Int:
		if i, ok := w.number(n, l, p); ok {
			v.SetInt(int64(i))
		}
	case reflect.Bool:
		if b, ok := w.boolean(n, p); ok {
			v.SetBool(b)
		}
	default:
		panic("config: no decoder for " + v.Type().String()) // a test walks the whole format
	}
}

func (w *walker) decodeStruct(n *node, v reflect.Value, p *path) {
	if n.kind != mapping {
		w.wrongType(n, p, wantMapping)
		return
	}
	if pos := v.FieldByName("Pos"); pos.IsValid() {
		pos.Set(reflect.ValueOf(n.pos()))
	}
	fields := w.fieldsOf(v.Type())
	for _, pair := range n.pairs {
		if f, ok := find(fields, pair.key.text); ok {
			w.decode(pair.value, v.Field(f.index), f.limits, &path{up: p, key: f.key})
			continue
		}
		w.fail(pair.key, "unknown-key", didYouMean(pair.key.text, keysOf(fields)),
			"key %s is unknown in %s", quote(pair.key.text), p)
		if near, ok := nearest(pair.key.text, keysOf(fields)); ok {
			n.nearMisses = append(n.nearMisses, near)
		}
	}
	for _, f := range fields {
		if f.required && n.get(f.key) == nil && !n.meant(f.key) {
			w.out.fail(n, "missing-key", "", "%s lacks the key %s", p, quote(f.key))
		}
	}
}

func find(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func (w *walker) fieldsOf(t reflect.Type) []field {
	fields, ok := w.structs[t]
	if !ok {
		fields = fieldsOf(t)
		w.structs[t] = fields
	}
	return fields
}

// decodeList decodes a list; a single value is a list of one, unless the elements are mappings.
func (w *walker) decodeList(n *node, v reflect.Value, l limits, p *path) {
	items := n.items
	if n.kind != list {
		if n.isNull() || v.Type().Elem().Kind() == reflect.Struct || n.kind == mapping {
			w.wrongType(n, p, wantList)
			return
		}
		items = []*node{n}
	}
	if len(items) < l.minItems {
		w.fail(n, "value", "name at least one, or leave the key out", "%s must not be an empty list", p)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		w.decode(item, v.Index(i), l, &path{up: p})
	}
	if l.unique {
		w.unique(items, p)
	}
	w.where[v.Addr().Interface()] = n
}

// unique refuses a scalar that stands twice in a list.
func (w *walker) unique(items []*node, p *path) {
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		if item.kind != scalar || item.bad {
			continue
		}
		if seen[item.text] {
			w.fail(item, "duplicate-value", "", "%s stands twice in %s", clip(item.text), p)
		}
		seen[item.text] = true
	}
}

// text is the text of a scalar that must be one.
func (w *walker) text(n *node, l limits, p *path) (string, bool) {
	if !n.isText() {
		want := wantText
		if f := w.formats[l.format]; f.want != "" {
			want = f.want
		}
		w.wrongType(n, p, want)
		return "", false
	}
	if n.text == "" {
		w.fail(n, "value", "", "%s must not be empty", p)
		return "", false
	}
	return n.text, w.allowed(n, l, p)
}

// allowed checks a scalar against the closed sets of its limits.
func (w *walker) allowed(n *node, l limits, p *path) bool {
	f := w.formats[l.format]
	if words := slices.Concat(l.enum, f.words); len(words) > 0 {
		if slices.Contains(words, n.text) {
			return true
		}
		w.fail(n, "value", didYouMean(n.text, words), "%s cannot be %s", p, quote(n.text))
		return false
	}
	if l.format == formatTimeZone {
		return w.timeZone(n, p)
	}
	if l.format == "" || w.pattern[l.format].MatchString(n.text) {
		return true
	}
	w.fail(n, f.rule, f.hint, "%s must be %s, not %s", p, f.want, quote(n.text))
	return false
}

func (w *walker) timeZone(n *node, p *path) bool {
	if w.zones == nil {
		w.zones = newZones()
	}
	if _, ok := w.zones.windows[n.text]; ok {
		return true
	}
	w.fail(n, "time-zone", w.zones.hint(n.text), "%s cannot be %s: Azure knows the time zones of Windows", p, quote(n.text))
	return false
}

// number is a whole number within its limits, written in decimal digits.
func (w *walker) number(n *node, l limits, p *path) (int, bool) {
	if n.kind != scalar || (n.tag != tagInt || n.quoted) && !n.variable {
		w.wrongType(n, p, wantInt)
		return 0, false
	}
	i, err := strconv.Atoi(n.text)
	if !isNumber(n.text) || err != nil {
		w.fail(n, "wrong-type", "write plain decimal digits", "%s must be %s, not %s", p, wantInt, quote(n.text))
		return 0, false
	}
	return i, w.inRange(n, i, l, p)
}

func (w *walker) inRange(n *node, i int, l limits, p *path) bool {
	switch {
	case l.min != nil && l.max != nil && (i < *l.min || i > *l.max):
		w.fail(n, "range", "", "%s must be from %d to %d, not %d", p, *l.min, *l.max, i)
	case l.min != nil && i < *l.min:
		w.fail(n, "range", "", "%s must be at least %d, not %d", p, *l.min, i)
	case l.max != nil && i > *l.max:
		w.fail(n, "range", "", "%s must be at most %d, not %d", p, *l.max, i)
	default:
		return true
	}
	return false
}

func (w *walker) boolean(n *node, p *path) (value, ok bool) {
	if n.kind == scalar && (n.tag == tagBool && !n.quoted || n.variable) && isBool(n.text) {
		return strings.EqualFold(n.text, "true"), true
	}
	w.wrongType(n, p, wantBool)
	return false, false
}

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

// isNumber says whether s is spelled the one way in which a whole number is.
func isNumber(s string) bool {
	i, err := strconv.Atoi(s)
	return err == nil && strconv.Itoa(i) == s
}
