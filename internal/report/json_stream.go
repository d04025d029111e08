package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
)

// streamJSON writes v, a struct without embedded ones, just as [WriteJSON] does, but row by row: the text of a list of
// a large estate is never in memory as a whole.
func streamJSON(w io.Writer, v any) error {
	s := jsonStream{w: bufio.NewWriterSize(w, 1<<16)}
	s.text("{")
	of := reflect.ValueOf(v)
	between := "\n  "
	for i := range of.NumField() {
		name, options, _ := strings.Cut(of.Type().Field(i).Tag.Get("json"), ",")
		if field := of.Field(i); options != "omitempty" || !isEmpty(field) {
			s.text(between + `"` + name + `": `)
			s.field(field)
			between = ",\n  "
		}
	}
	s.text("\n}\n")
	if s.err != nil {
		return s.err
	}
	return s.w.Flush()
}

// isEmpty reports whether omitempty leaves a value out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // structs are never empty, all others where they are zero
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// jsonStream keeps the first error and writes nothing after it.
type jsonStream struct {
	w   *bufio.Writer
	row bytes.Buffer
	err error
}

func (s *jsonStream) text(t string) {
	if s.err == nil {
		_, s.err = s.w.WriteString(t)
	}
}

func (s *jsonStream) field(v reflect.Value) {
	if v.Kind() != reflect.Slice || v.Len() == 0 {
		s.value(v.Interface(), "  ")
		return
	}
	between := "[\n    "
	for i := 0; i < v.Len() && s.err == nil; i++ {
		s.text(between)
		s.value(v.Index(i).Addr().Interface(), "    ")
		between = ",\n    "
	}
	s.text("\n  ]")
}

// value writes one value whose further lines begin with indent.
func (s *jsonStream) value(v any, indent string) {
	s.row.Reset()
	enc := json.NewEncoder(&s.row)
	enc.SetEscapeHTML(false)
	enc.SetIndent(indent, "  ")
	if err := enc.Encode(v); err != nil {
		s.err = err
		return
	}
	if s.err == nil {
		_, s.err = s.w.Write(bytes.TrimSuffix(s.row.Bytes(), []byte("\n")))
	}
}
