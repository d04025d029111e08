package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// RowDecoder decodes the rows of a list into T, a struct, as json.Unmarshal would, and treats values of an unexpected
// type as [tolerate] does. Only the fields of T are decoded and copied: a row is much larger than that, and rows are
// nearly all that a discovery reads. It is for the reader of one list, not for concurrent use.
type RowDecoder[T any] struct {
	of    *rowType
	texts *textCache
}

// NewRowDecoder returns the decoder of one list's rows; known may be nil.
func NewRowDecoder[T any](known *RowTypes) RowDecoder[T] {
	return RowDecoder[T]{known.of(reflect.TypeFor[T]()), newTextCache()}
}

// NewRowFunc returns a function that decodes the rows of one list into T; known may be nil.
func NewRowFunc[T any](known *RowTypes) func(raw []byte) (T, error) {
	d := NewRowDecoder[T](known)
	return func(raw []byte) (v T, err error) {
		err = d.Decode(raw, &v)
		return v, err
	}
}

// Decode decodes one row. raw is one JSON value that is known to be valid, without white space around it; it is not
// retained.
func (d RowDecoder[T]) Decode(raw []byte, v *T) error {
	r := rowReader{raw: raw, texts: d.texts}
	if err := r.value(reflect.ValueOf(v).Elem(), d.of); err != nil {
		return err
	}
	if r.wrong != nil {
		return tolerate(r.wrong, v)
	}
	return nil
}

// rowType describes how to decode a type.
type rowType struct {
	kind   rowKind
	path   string              // its path in the row, as errors show it
	fields map[string]rowField // of a struct, by the folded name
	elem   *rowType            // of a slice
}

type rowKind int

const (
	rowWhole  rowKind = iota // json.Unmarshal decodes it
	rowSelf                  // it decodes itself
	rowText                  // a field
	rowTags                  // a tagField
	rowStruct                // by its fields
	rowSlice                 // of structs
)

type rowField struct {
	index []int
	*rowType
}

func newRowType(t reflect.Type, path string) *rowType {
	switch {
	case t == reflect.TypeFor[Field]():
		return &rowType{kind: rowText, path: path}
	case t == reflect.TypeFor[tagField]():
		return &rowType{kind: rowTags, path: path}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return &rowType{kind: rowSelf, path: path}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return &rowType{kind: rowSlice, path: path, elem: newRowType(t.Elem(), path)}
	case t.Kind() != reflect.Struct:
		return &rowType{kind: rowWhole, path: path}
	}
	made := &rowType{kind: rowStruct, path: path, fields: map[string]rowField{}}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		name = cmp.Or(name, f.Name)
		made.fields[strings.ToLower(name)] = rowField{f.Index, newRowType(f.Type, strings.TrimPrefix(path+"."+name, "."))}
	}
	return made
}

// rowReader reads one valid JSON value.
type rowReader struct {
	raw   []byte
	at    int
	texts *textCache
	wrong *json.UnmarshalTypeError // the first value of an unexpected type
}

// value decodes the value at the current position and moves past it.
func (r *rowReader) value(v reflect.Value, t *rowType) error {
	switch first := r.raw[r.at]; {
	case t.kind == rowText:
		text, err := r.texts.field(r.take())
		v.SetString(string(text))
		return err
	case t.kind == rowTags:
		v.SetString(r.texts.text(r.take()))
		return nil
	case t.kind == rowSelf:
		return v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(r.take())
	case t.kind == rowWhole:
		err := json.Unmarshal(r.take(), v.Addr().Interface())
		if wrong, is := err.(*json.UnmarshalTypeError); is { //nolint:errorlint // json returns it bare
			wrong.Field = strings.Trim(t.path+"."+wrong.Field, ".")
			r.misread(wrong)
			return nil
		}
		return err
	case first == 'n':
		r.take()
		if t.kind == rowSlice {
			v.SetZero()
		}
	case t.kind == rowStruct && first == '{':
		return r.object(v, t)
	case t.kind == rowSlice && first == '[':
		return r.list(v, t)
	default:
		r.take()
		r.misread(&json.UnmarshalTypeError{Value: typeName(first), Type: v.Type(), Field: t.path})
	}
	return nil
}

func (r *rowReader) misread(wrong *json.UnmarshalTypeError) {
	if r.wrong == nil {
		r.wrong = wrong
	}
}

// typeName returns encoding/json's name for the type of a value that begins with this byte.
func typeName(first byte) string {
	switch first {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

func (r *rowReader) object(v reflect.Value, t *rowType) error {
	r.at++
	for r.more('}') {
		name := r.take()
		r.more('}') // skip the colon
		f, asked := t.field(name)
		if !asked {
			r.take()
			continue
		}
		if err := r.value(v.FieldByIndex(f.index), f.rowType); err != nil {
			return err
		}
	}
	return nil
}

// longestName exceeds the length of any field's name: a longer key is no field.
const longestName = 64

// field returns the field for a key in the row, with its quotes. Case is ignored.
func (t *rowType) field(quoted []byte) (rowField, bool) {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var plain string
		if json.Unmarshal(quoted, &plain) != nil {
			return rowField{}, false
		}
		name = []byte(plain)
	}
	var folded [longestName]byte
	if len(name) > len(folded) {
		return rowField{}, false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	f, ok := t.fields[string(folded[:len(name)])]
	return f, ok
}

func (r *rowReader) list(v reflect.Value, t *rowType) error {
	list := reflect.MakeSlice(v.Type(), 0, 0)
	r.at++
	for r.more(']') {
		list = reflect.Append(list, reflect.Zero(v.Type().Elem()))
		if err := r.value(list.Index(list.Len()-1), t.elem); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// more moves to the next value of an object or a list, and reports whether there is one; else it moves past the end.
func (r *rowReader) more(end byte) bool {
	for {
		switch r.raw[r.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			r.at++
		case end:
			r.at++
			return false
		default:
			return true
		}
	}
}

// take returns the value at the current position and moves past it.
func (r *rowReader) take() []byte {
	from := r.at
	switch r.raw[r.at] {
	case '"':
		r.text()
	case '{', '[':
		r.nested()
	default:
		for r.at < len(r.raw) && bytes.IndexByte([]byte(" \t\r\n,:]}"), r.raw[r.at]) < 0 {
			r.at++
		}
	}
	return r.raw[from:r.at]
}

// text moves past the string at the current position.
func (r *rowReader) text() {
	for r.at++; ; r.at++ {
		switch r.raw[r.at] {
		case '\\':
			r.at++
		case '"':
			r.at++
			return
		}
	}
}

// nested moves past the object or the list at the current position.
func (r *rowReader) nested() {
	depth := 0
	for {
		switch r.raw[r.at] {
		case '"':
			r.text()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				r.at++
				return
			}
		}
		r.at++
	}
}

// RowTypes keeps the decoding plans of types, so that each type is analysed once and not for every list. It is safe for
// concurrent use; a nil one keeps nothing.
type RowTypes struct {
	mu    sync.Mutex
	known map[reflect.Type]*rowType
}

// NewRowTypes returns an empty store, for all lists of a run.
func NewRowTypes() *RowTypes { return &RowTypes{known: map[reflect.Type]*rowType{}} }

// of returns how to decode t.
func (k *RowTypes) of(t reflect.Type) *rowType {
	if k == nil {
		return newRowType(t, "")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	made := k.known[t]
	if made == nil {
		made = newRowType(t, "")
		k.known[t] = made
	}
	return made
}
