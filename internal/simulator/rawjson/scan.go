package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth bounds the nesting of a body, as encoding/json does.
const maxDepth = 1000

// errSyntax is a position in a text that is not JSON.
type errSyntax struct {
	at   int
	want string
}

func (e errSyntax) Error() string { return fmt.Sprintf("byte %d: expected %s", e.at, e.want) }

// errIncomplete reports that the text ends inside a value; a loader reads more and tries again.
var errIncomplete = io.ErrUnexpectedEOF

// SkipSpace returns the offset of the first byte from b[i] on that is no white space.
func SkipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the offset behind the JSON value that starts at b[i]. It is as strict as encoding/json; it
// exists because an estate of 200,000 bodies is indexed by looking at five fields of each, and decoding each
// body into maps costs twenty times as much.
func skipValue(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, errIncomplete
	}
	switch c := b[i]; {
	case c == '"':
		return skipString(b, i)
	case c == '{':
		return skipObject(b, i, depth)
	case c == '[':
		return skipArray(b, i, depth)
	case c == 't':
		return skipWord(b, i, "true")
	case c == 'f':
		return skipWord(b, i, "false")
	case c == 'n':
		return skipWord(b, i, "null")
	case c == '-' || '0' <= c && c <= '9':
		return skipNumber(b, i)
	}
	return i, errSyntax{i, "a JSON value"}
}

func skipWord(b []byte, i int, word string) (int, error) {
	rest := b[i:]
	if len(rest) < len(word) {
		if string(rest) == word[:len(rest)] {
			return i, errIncomplete
		}
		return i, errSyntax{i, word}
	}
	if string(rest[:len(word)]) != word {
		return i, errSyntax{i, word}
	}
	return i + len(word), nil
}

func skipString(b []byte, i int) (int, error) {
	for i++; i < len(b); i++ {
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
			i++
		}
		if i == len(b) {
			break
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, nil
		case c < 0x20:
			return i, errSyntax{i, "no control character in a string"}
		case c == '\\':
			i++
			if i >= len(b) {
				return i, errIncomplete
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					i++
					if i >= len(b) {
						return i, errIncomplete
					}
					if !isHex(b[i]) {
						return i, errSyntax{i, "a hexadecimal digit"}
					}
				}
			default:
				return i, errSyntax{i, "an escape"}
			}
		}
	}
	return i, errIncomplete
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// skipNumber treats a number at the very end of b as incomplete: numbers are always inside objects here, so a text
// that ends with one is cut off.
func skipNumber(b []byte, i int) (int, error) {
	if b[i] == '-' {
		i++
	}
	if i >= len(b) {
		return i, errIncomplete
	}
	switch {
	case b[i] == '0':
		i++
	case '1' <= b[i] && b[i] <= '9':
		i = skipDigits(b, i)
	default:
		return i, errSyntax{i, "a digit"}
	}
	if i < len(b) && b[i] == '.' {
		if j := skipDigits(b, i+1); j > i+1 {
			i = j
		} else if j >= len(b) {
			return j, errIncomplete
		} else {
			return j, errSyntax{j, "a digit"}
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		j := skipDigits(b, i)
		if j == i {
			if j >= len(b) {
				return j, errIncomplete
			}
			return j, errSyntax{j, "a digit"}
		}
		i = j
	}
	return i, nil
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

func skipObject(b []byte, i, depth int) (int, error) {
	end, err := WalkObject(b, i, depth, nil)
	return end, err
}

func skipArray(b []byte, i, depth int) (int, error) {
	end, err := WalkArray(b, i, depth, nil)
	return end, err
}

// WalkObject calls visit for each member with the quoted key and the value until it returns false; visit may be nil.
func WalkObject(b []byte, i, depth int, visit func(key, value []byte) bool) (int, error) {
	if depth > maxDepth {
		return i, errSyntax{i, "less nesting"}
	}
	i = SkipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(b) {
			return i, errIncomplete
		}
		if b[i] != '"' {
			return i, errSyntax{i, "a key"}
		}
		keyEnd, err := skipString(b, i)
		if err != nil {
			return keyEnd, err
		}
		key := b[i:keyEnd]
		i = SkipSpace(b, keyEnd)
		if i >= len(b) {
			return i, errIncomplete
		}
		if b[i] != ':' {
			return i, errSyntax{i, "':'"}
		}
		i = SkipSpace(b, i+1)
		end, err := skipValue(b, i, depth+1)
		if err != nil {
			return end, err
		}
		if visit != nil && !visit(key, b[i:end]) {
			return end, nil
		}
		i = SkipSpace(b, end)
		if i >= len(b) {
			return i, errIncomplete
		}
		switch b[i] {
		case '}':
			return i + 1, nil
		case ',':
			i = SkipSpace(b, i+1)
		default:
			return i, errSyntax{i, "',' or '}'"}
		}
	}
}

// WalkArray calls visit for each element; visit may be nil.
func WalkArray(b []byte, i, depth int, visit func(value []byte)) (int, error) {
	if depth > maxDepth {
		return i, errSyntax{i, "less nesting"}
	}
	i = SkipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		end, err := skipValue(b, i, depth+1)
		if err != nil {
			return end, err
		}
		if visit != nil {
			visit(b[i:end])
		}
		i = SkipSpace(b, end)
		if i >= len(b) {
			return i, errIncomplete
		}
		switch b[i] {
		case ']':
			return i + 1, nil
		case ',':
			i = SkipSpace(b, i+1)
		default:
			return i, errSyntax{i, "',' or ']'"}
		}
	}
}

// RawAt returns the raw value at path in the object raw, or nil. Of duplicate keys the first one counts. raw must be
// valid JSON.
func RawAt(raw []byte, path ...string) []byte {
	for _, name := range path {
		i := SkipSpace(raw, 0)
		if i >= len(raw) || raw[i] != '{' {
			return nil
		}
		var found []byte
		_, _ = WalkObject(raw, i, 0, func(key, value []byte) bool {
			if keyIs(key, name) {
				found = value
			}
			return found == nil
		})
		if found == nil {
			return nil
		}
		raw = found
	}
	return raw
}

func keyIs(quoted []byte, name string) bool {
	if len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name {
		return true
	}
	return bytes.IndexByte(quoted, '\\') >= 0 && Unquote(quoted) == name
}

// TextAt returns the string at path in raw, or "" when there is none.
func TextAt(raw []byte, path ...string) string { return Unquote(RawAt(raw, path...)) }

// Unquote returns the text of a JSON string; empty for any other value.
func Unquote(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return ""
	}
	return s
}

// BoolAt returns the boolean at path in raw; absent is false.
func BoolAt(raw []byte, path ...string) bool { return string(RawAt(raw, path...)) == "true" }

// CheckObject returns an error unless raw is exactly one JSON object.
func CheckObject(raw []byte) error {
	i := SkipSpace(raw, 0)
	if i >= len(raw) {
		return errIncomplete
	}
	if raw[i] != '{' {
		return errSyntax{i, "an object"}
	}
	end, err := skipValue(raw, i, 0)
	if err != nil {
		return err
	}
	if SkipSpace(raw, end) != len(raw) {
		return errors.New("text behind the object")
	}
	return nil
}

// Number returns the integer at path, or 0.
func Number(raw []byte, path ...string) int {
	n := 0
	_ = json.Unmarshal(RawAt(raw, path...), &n)
	return n
}

// Elements returns the elements of an array; none for any other value.
func Elements(raw json.RawMessage) []json.RawMessage {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}

// WalkMembers calls visit for each member of an object, with the quoted key; none for any other value.
func WalkMembers(raw []byte, visit func(key, value []byte)) {
	if i := SkipSpace(raw, 0); i < len(raw) && raw[i] == '{' {
		_, _ = WalkObject(raw, i, 0, func(k, v []byte) bool { visit(k, v); return true })
	}
}
