package config

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// decoder decodes nodes into the structs of the format, strictly, and remembers where each value stands. It
// reports and goes on, so that one run shows everything that is wrong.
type decoder struct {
	out          *diagnostics
	formats      map[string]format
	pattern      map[string]*regexp.Regexp
	fieldsByType map[reflect.Type][]field
	// positions maps a pointer to a decoded field, or to an element of a list, to its node.
	positions map[any]*node
	zones     *zones // made when the first one is met
	// subscriptionQuery is the form of `subscriptions` that is no list.
	subscriptionQuery *SubscriptionQuery
}

func newDecoder(out *diagnostics) *decoder {
	f := formats()
	return &decoder{
		out: out, formats: f, pattern: compile(f),
		fieldsByType: map[reflect.Type][]field{}, positions: map[any]*node{},
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

// fail reports a problem about a value; of a value with several problems only the first is reported.
func (dec *decoder) fail(n *node, r code, hint, format string, args ...any) {
	if n.isInvalid {
		return
	}
	n.isInvalid = true
	dec.out.fail(n, r, hint, format, args...)
}

func (dec *decoder) wrongType(n *node, p *path, want string) {
	hint := ""
	switch {
	case n.kind == mapping && n.startsWith("?"):
		hint = "YAML takes a ? here for the start of a key: put the value in quotes"
	case n.isNull():
		hint = "give it a value, or leave the key out"
	case n.kind == scalar && !n.isText() && strings.HasPrefix(want, "a text"):
		hint = "put it in quotes"
	case n.isQuoted && (want == wantBool && isBool(n.text) || want == wantInt && isNumber(n.text)):
		hint = "leave the quotes out"
	case n.kind == scalar && want == wantBool:
		hint = "write true or false"
	}
	dec.fail(n, "wrong-type", hint, "%s must be %s, not %s", p, want, n.describe())
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
func (dec *decoder) decode(n *node, v reflect.Value, l fieldLimits, p *path) {
	dec.positions[v.Addr().Interface()] = n
	if n.isInvalid || dec.out.isFull() {
		return
	}
	if dec.decodeForm(n, v.Addr().Interface(), l, p) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		dec.decode(n, v.Elem(), l, p)
	case reflect.Struct:
		dec.decodeStruct(n, v, p)
	case reflect.Slice:
		dec.decodeList(n, v, l, p)
	case reflect.String:
		if text, ok := dec.decodeText(n, l, p); ok {
			v.SetString(text)
		}
	case reflect.Int:
		if i, ok := dec.decodeNumber(n, l, p); ok {
			v.SetInt(int64(i))
		}
	case reflect.Bool:
		if b, ok := dec.decodeBool(n, p); ok {
			v.SetBool(b)
		}
	default:
		panic("config: no decoder for " + v.Type().String()) // a test walks the whole format
	}
}

func (dec *decoder) decodeStruct(n *node, v reflect.Value, p *path) {
	if n.kind != mapping {
		dec.wrongType(n, p, wantMapping)
		return
	}
	if pos := v.FieldByName("Pos"); pos.IsValid() {
		pos.Set(reflect.ValueOf(n.pos()))
	}
	fields := dec.fieldsOf(v.Type())
	for _, pair := range n.pairs {
		if f, ok := findField(fields, pair.key.text); ok {
			dec.decode(pair.value, v.Field(f.index), f.limits, &path{up: p, key: f.key})
			continue
		}
		dec.fail(pair.key, "unknown-key", hintFor(pair.key.text, keysOf(fields)),
			"key %s is unknown in %s", quote(pair.key.text), p)
		if near, ok := nearestName(pair.key.text, keysOf(fields)); ok {
			n.suggest(near)
		}
	}
	for _, f := range fields {
		if f.required && n.get(f.key) == nil && !n.suggests(f.key) && (f.unless == "" || n.get(f.unless) == nil && !n.suggests(f.unless)) {
			dec.out.fail(n, "missing-key", "", "%s lacks the key %s", p, quote(f.key))
		}
	}
}

func findField(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func (dec *decoder) fieldsOf(t reflect.Type) []field {
	fields, ok := dec.fieldsByType[t]
	if !ok {
		fields = fieldsOf(t)
		dec.fieldsByType[t] = fields
	}
	return fields
}

// decodeList decodes a list; a single value is a list of one, unless the elements are mappings.
func (dec *decoder) decodeList(n *node, v reflect.Value, l fieldLimits, p *path) {
	items := n.items
	if n.kind != list {
		if n.isNull() || v.Type().Elem().Kind() == reflect.Struct || n.kind == mapping {
			dec.wrongType(n, p, wantList)
			return
		}
		items = []*node{n}
	}
	if len(items) < l.minItems {
		dec.fail(n, "value", "name at least one, or leave the key out", "%s must not be an empty list", p)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		dec.decode(item, v.Index(i), l, &path{up: p})
	}
	if l.unique {
		dec.checkUnique(items, p)
	}
	dec.positions[v.Addr().Interface()] = n
}

// checkUnique refuses a scalar that stands twice in a list.
func (dec *decoder) checkUnique(items []*node, p *path) {
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		if item.kind != scalar || item.isInvalid {
			continue
		}
		if seen[item.text] {
			dec.fail(item, "duplicate-value", "", "%s stands twice in %s", clip(item.text), p)
		}
		seen[item.text] = true
	}
}

// decodeText returns the text of a scalar that must be one.
func (dec *decoder) decodeText(n *node, l fieldLimits, p *path) (string, bool) {
	if !n.isText() {
		want := wantText
		if f := dec.formats[l.format]; f.want != "" {
			want = f.want
		}
		dec.wrongType(n, p, want)
		return "", false
	}
	if n.text == "" {
		dec.fail(n, "value", "", "%s must not be empty", p)
		return "", false
	}
	return n.text, dec.isAllowed(n, l, p)
}

// isAllowed checks a scalar against the closed sets of its limits.
func (dec *decoder) isAllowed(n *node, l fieldLimits, p *path) bool {
	f := dec.formats[l.format]
	if len(l.enum)+len(f.words) > 0 {
		if slices.Contains(l.enum, n.text) || slices.Contains(f.words, n.text) {
			return true
		}
		dec.fail(n, "value", hintFor(n.text, slices.Concat(l.enum, f.words)), "%s cannot be %s", p, quote(n.text))
		return false
	}
	if l.format == formatTimeZone {
		return dec.checkTimeZone(n, p)
	}
	if l.format == "" || dec.pattern[l.format].MatchString(n.text) {
		return true
	}
	dec.fail(n, f.code, f.hint, "%s must be %s, not %s", p, f.want, quote(n.text))
	return false
}

func (dec *decoder) checkTimeZone(n *node, p *path) bool {
	if dec.zones == nil {
		dec.zones = newZones()
	}
	if _, ok := dec.zones.windows[n.text]; ok {
		return true
	}
	dec.fail(n, "time-zone", dec.zones.hint(n.text), "%s cannot be %s: Azure knows the time zones of Windows", p, quote(n.text))
	return false
}

// decodeNumber returns a whole number within its limits, written in decimal digits.
func (dec *decoder) decodeNumber(n *node, l fieldLimits, p *path) (int, bool) {
	if n.kind != scalar || (n.tag != tagInt || n.isQuoted) && !n.hasVariable {
		dec.wrongType(n, p, wantInt)
		return 0, false
	}
	i, err := strconv.Atoi(n.text)
	if !isNumber(n.text) || err != nil {
		dec.fail(n, "wrong-type", "write plain decimal digits", "%s must be %s, not %s", p, wantInt, quote(n.text))
		return 0, false
	}
	return i, dec.isInRange(n, i, l, p)
}

func (dec *decoder) isInRange(n *node, i int, l fieldLimits, p *path) bool {
	switch {
	case l.min != nil && l.max != nil && *l.min == *l.max && i != *l.min:
		dec.fail(n, "range", "", "%s must be %d, not %d", p, *l.min, i)
	case l.min != nil && l.max != nil && (i < *l.min || i > *l.max):
		dec.fail(n, "range", "", "%s must be from %d to %d, not %d", p, *l.min, *l.max, i)
	case l.min != nil && i < *l.min:
		dec.fail(n, "range", "", "%s must be at least %d, not %d", p, *l.min, i)
	case l.max != nil && i > *l.max:
		dec.fail(n, "range", "", "%s must be at most %d, not %d", p, *l.max, i)
	default:
		return true
	}
	return false
}

func (dec *decoder) decodeBool(n *node, p *path) (value, ok bool) {
	if n.kind == scalar && (n.tag == tagBool && !n.isQuoted || n.hasVariable) && isBool(n.text) {
		return strings.EqualFold(n.text, "true"), true
	}
	dec.wrongType(n, p, wantBool)
	return false, false
}

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

// isNumber reports whether s is spelled the one way in which a whole number is.
func isNumber(s string) bool {
	i, err := strconv.Atoi(s)
	return err == nil && strconv.Itoa(i) == s
}
