package simulator

import (
	"bytes"
	"encoding/json"
	"slices"
)

// object is a JSON object that keeps the order of its keys and unknown values. Bodies are edited through it, so that
// fields without a rule in the simulator are returned as sent.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

// newObject builds an object from key, value pairs in order.
func newObject(pairs ...any) object {
	o := make(object, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		o = append(o, member{pairs[i].(string), encode(pairs[i+1])})
	}
	return o
}

// parse reads raw, which must be a valid JSON object; anything else gives an empty object. The values are pieces of raw:
// bodies never change.
func parse(raw []byte) object {
	var o object
	i := skipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return nil
	}
	_, _ = walkObject(raw, i, 0, func(key, value []byte) bool {
		if name := unquote(key); !o.has(name) {
			o = append(o, member{name, slices.Clip(value)})
		}
		return true
	})
	return o
}

// encode is encoding/json without the escaping of <, > and &, which Azure does not do either.
func encode(v any) json.RawMessage {
	switch v := v.(type) {
	case json.RawMessage:
		return v
	case object:
		return v.bytes()
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

func (o object) bytes() json.RawMessage {
	n := 2
	for _, m := range o {
		n += len(m.key) + len(m.value) + 4
	}
	b := append(make([]byte, 0, n), '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		if isPlain(m.key) {
			b = appendPlain(b, m.key)
		} else {
			b = append(b, encode(m.key)...)
		}
		b = append(append(b, ':'), m.value...)
	}
	return append(b, '}')
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) { return o.bytes(), nil }

func (o object) index(key string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.key == key })
}

func (o object) has(key string) bool { return o.index(key) >= 0 }

func (o object) raw(key string) json.RawMessage {
	if i := o.index(key); i >= 0 {
		return o[i].value
	}
	return nil
}

func (o object) text(key string) string { return unquote(o.raw(key)) }

// object returns the object under key, empty when it is absent, null or no object.
func (o object) object(key string) object { return parse(o.raw(key)) }

func (o *object) put(key string, value json.RawMessage) {
	if i := o.index(key); i >= 0 {
		(*o)[i].value = value
		return
	}
	*o = append(*o, member{key, value})
}

// set puts v under key, keeping the key's place.
func (o *object) set(key string, v any) { o.put(key, encode(v)) }

// setBefore is like set, but inserts a new key in front of next.
func (o *object) setBefore(next, key string, v any) {
	if i := o.index(next); i >= 0 && !o.has(key) {
		*o = slices.Insert(*o, i, member{key, encode(v)})
		return
	}
	o.set(key, v)
}

func (o *object) del(keys ...string) {
	*o = slices.DeleteFunc(*o, func(m member) bool { return slices.Contains(keys, m.key) })
}

// edit returns raw with change applied to the object at path; missing objects on the path are created.
func edit(raw []byte, change func(*object), path ...string) json.RawMessage {
	o := parse(raw)
	if len(path) == 0 {
		change(&o)
	} else {
		o.put(path[0], edit(o.raw(path[0]), change, path[1:]...))
	}
	return o.bytes()
}

// merge applies a JSON merge patch (RFC 7386), as PATCH of a vault does.
func merge(target, patch []byte) json.RawMessage {
	if i := skipSpace(patch, 0); i >= len(patch) || patch[i] != '{' {
		return slices.Clone(patch)
	}
	o := parse(target)
	for _, m := range parse(patch) {
		if string(m.value) == "null" {
			o.del(m.key)
			continue
		}
		o.put(m.key, merge(o.raw(m.key), m.value))
	}
	return o.bytes()
}
