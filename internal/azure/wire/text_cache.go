package wire

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"unicode/utf8"
)

// textCache returns the texts of rows without allocating those again that the rows before had: words, regions,
// policies, and the id that a row has twice. A text that hashes to the place of another one takes it, so that the cache
// stays small in lists where every row has texts of its own. It is for the reader of one list, not for concurrent use.
type textCache struct {
	seed  maphash.Seed
	texts [textCacheSize]string
}

// Tunable: textCacheSize is a power of two. A row has up to twenty texts, of which five to ten are its own.
const textCacheSize = 256

func newTextCache() *textCache { return &textCache{seed: maphash.MakeSeed()} }

// place returns where a text with these bytes is kept.
func (c *textCache) place(b []byte) *string {
	return &c.texts[maphash.Bytes(c.seed, b)%textCacheSize]
}

// text returns b as a text.
func (c *textCache) text(b []byte) string {
	at := c.place(b)
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}

// field returns what field.UnmarshalJSON makes of b.
func (c *textCache) field(b []byte) (Field, error) {
	if len(b) == 0 || b[0] != '"' {
		var f Field
		switch string(b) {
		case "null":
		case "0":
			f = notText + "0"
		case "true":
			f = notText + "true"
		case "false":
			f = notText + "false"
		default:
			at := c.place(b)
			if len(*at) != len(notText)+len(b) || (*at)[:len(notText)] != notText || (*at)[len(notText):] != string(b) {
				*at = notText + string(b)
			}
			f = Field(*at)
		}
		return f, nil
	}
	plain := b[1 : len(b)-1]
	at := c.place(plain)
	if *at == string(plain) { // no text of an answer begins as what is no text
		return Field(*at), nil
	}
	if bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		*at = string(plain)
		return Field(*at), nil
	}
	var f Field
	err := json.Unmarshal(b, (*string)(&f))
	return f, err
}
