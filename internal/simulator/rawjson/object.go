package rawjson

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Object is a JSON object that keeps the order of its keys and unknown values. Bodies are edited through it, so that
// fields without a rule in the simulator are returned as sent.
type Object []Member

// Member is a key of an Object with its value.
type Member struct {
	Key   string
	Value json.RawMessage
}

// NewObject builds an object from key, value pairs in order.
func NewObject(pairs ...any) Object {
	o := make(Object, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		o = append(o, Member{pairs[i].(string), Encode(pairs[i+1])})
	}
	return o
}

// Parse reads raw, which must be a valid JSON object; anything else gives an empty object. The values are pieces of raw:
// bodies never change.
func Parse(raw []byte) Object {
	var o Object
	i := SkipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return nil
	}
	_, _ = WalkObject(raw, i, 0, func(key, value []byte) bool {
		if name := Unquote(key); !o.Has(name) {
			o = append(o, Member{name, slices.Clip(value)})
		}
		return true
	})
	return o
}

// Encode is encoding/json without the escaping of <, > and &, which Azure does not do either.
func Encode(v any) json.RawMessage {
	switch v := v.(type) {
	case json.RawMessage:
		return v
	case Object:
		return v.Bytes()
	case string:
		if isPlain(v) {
			return appendPlain(make([]byte, 0, len(v)+2), v)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		// Only values of this package are encoded here; JSON can represent all of them.
		panic(err)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// isPlain reports whether a text needs no escaping in JSON.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendPlain(b []byte, s string) []byte {
	return append(append(append(b, '"'), s...), '"')
}

// Bytes returns the object as JSON.
func (o Object) Bytes() json.RawMessage {
	n := 2
	for _, m := range o {
		n += len(m.Key) + len(m.Value) + 4
	}
	b := append(make([]byte, 0, n), '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		if isPlain(m.Key) {
			b = appendPlain(b, m.Key)
		} else {
			b = append(b, Encode(m.Key)...)
		}
		b = append(append(b, ':'), m.Value...)
	}
	return append(b, '}')
}

// MarshalJSON implements json.Marshaler.
func (o Object) MarshalJSON() ([]byte, error) { return o.Bytes(), nil }

func (o Object) index(key string) int {
	return slices.IndexFunc(o, func(m Member) bool { return m.Key == key })
}

// Has reports whether there is a value under key.
func (o Object) Has(key string) bool { return o.index(key) >= 0 }

// Raw returns the value under key; nil when it is absent.
func (o Object) Raw(key string) json.RawMessage {
	if i := o.index(key); i >= 0 {
		return o[i].Value
	}
	return nil
}

// Text returns the text under key; empty when it is absent or no text.
func (o Object) Text(key string) string { return Unquote(o.Raw(key)) }

// Object returns the object under key, empty when it is absent, null or no object.
func (o Object) Object(key string) Object { return Parse(o.Raw(key)) }

// Put puts value under key, keeping the key's place.
func (o *Object) Put(key string, value json.RawMessage) {
	if i := o.index(key); i >= 0 {
		(*o)[i].Value = value
		return
	}
	*o = append(*o, Member{key, value})
}

// Set puts v under key, keeping the key's place.
func (o *Object) Set(key string, v any) { o.Put(key, Encode(v)) }

// SetBefore is like Set, but inserts a new key in front of next.
func (o *Object) SetBefore(next, key string, v any) {
	if i := o.index(next); i >= 0 && !o.Has(key) {
		*o = slices.Insert(*o, i, Member{key, Encode(v)})
		return
	}
	o.Set(key, v)
}

// Del removes keys.
func (o *Object) Del(keys ...string) {
	*o = slices.DeleteFunc(*o, func(m Member) bool { return slices.Contains(keys, m.Key) })
}

// Edit returns raw with change applied to the object at path; missing objects on the path are created.
func Edit(raw []byte, change func(*Object), path ...string) json.RawMessage {
	o := Parse(raw)
	if len(path) == 0 {
		change(&o)
	} else {
		o.Put(path[0], Edit(o.Raw(path[0]), change, path[1:]...))
	}
	return o.Bytes()
}

// Merge applies a JSON merge patch (RFC 7386), as PATCH of a vault does.
func Merge(target, patch []byte) json.RawMessage {
	if i := SkipSpace(patch, 0); i >= len(patch) || patch[i] != '{' {
		return slices.Clone(patch)
	}
	o := Parse(target)
	for _, m := range Parse(patch) {
		if string(m.Value) == "null" {
			o.Del(m.Key)
			continue
		}
		o.Put(m.Key, Merge(o.Raw(m.Key), m.Value))
	}
	return o.Bytes()
}

// DecodeStrict decodes raw into a value and rejects unknown keys: people write these parts by hand.
func DecodeStrict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
