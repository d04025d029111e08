package rawjson

import (
	"errors"
	"fmt"
	"io"
)

// Reader reads one JSON document value by value without holding more of it than the value at hand.
type Reader struct {
	r    io.Reader
	buf  []byte
	pos  int
	base int64 // offset of buf[0] in the document
	eof  bool
}

// NewReader returns a reader of the document in r, which it reads ahead.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

const (
	// BufferSize is how much of a document a Reader reads ahead, in bytes.
	BufferSize = 1 << 20
	// maxBody bounds one body of an estate; ARM's own limit on a response is 8 MB.
	maxBody = 64 << 20
)

// fill drops the consumed bytes and reads more.
func (w *Reader) fill() error {
	if w.eof {
		return errIncomplete
	}
	if len(w.buf)-w.pos > maxBody {
		return errors.New("a value is larger than 64 MiB")
	}
	w.base += int64(w.pos)
	grown := w.buf
	if cap(w.buf)-(len(w.buf)-w.pos) < BufferSize {
		grown = make([]byte, 0, 2*cap(w.buf)+BufferSize)
	}
	w.buf = append(grown[:0], w.buf[w.pos:]...)
	w.pos = 0
	n, err := io.ReadFull(w.r, w.buf[len(w.buf):min(cap(w.buf), len(w.buf)+BufferSize)])
	w.buf = w.buf[:len(w.buf)+n]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		w.eof = true
		return nil
	}
	return err
}

// Peek returns the next byte that is not space.
func (w *Reader) Peek() (byte, error) {
	for {
		w.pos = SkipSpace(w.buf, w.pos)
		if w.pos < len(w.buf) {
			return w.buf[w.pos], nil
		}
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
}

func (w *Reader) expect(want byte) error {
	c, err := w.Peek()
	if err != nil {
		return err
	}
	if c != want {
		return errSyntax{w.pos, fmt.Sprintf("%q", want)}
	}
	w.pos++
	return nil
}

// Value returns the next value and its offset. The bytes are good until the next call.
func (w *Reader) Value() (raw []byte, off int64, err error) {
	if _, err := w.Peek(); err != nil {
		return nil, 0, err
	}
	for {
		end, err := skipValue(w.buf, w.pos, 0)
		// A number may continue beyond the window.
		if errors.Is(err, errIncomplete) && !w.eof || err == nil && end == len(w.buf) && !w.eof {
			if err := w.fill(); err != nil {
				return nil, 0, err
			}
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		raw, off = w.buf[w.pos:end], w.base+int64(w.pos)
		w.pos = end
		return raw, off, nil
	}
}

// List calls visit for each element of the next array.
func (w *Reader) List(visit func(raw []byte, off int64) error) error {
	if err := w.expect('['); err != nil {
		return err
	}
	if c, err := w.Peek(); err != nil || c == ']' {
		w.pos++
		return err
	}
	for n := 0; ; n++ {
		raw, off, err := w.Value()
		if err == nil {
			err = visit(raw, off)
		}
		if err != nil {
			return fmt.Errorf("element %d: %w", n, err)
		}
		if isEnd, err := w.separator(']'); isEnd || err != nil {
			return err
		}
	}
}

// Object calls visit with each key of the next object; visit consumes the value.
func (w *Reader) Object(visit func(name string) error) error {
	if err := w.expect('{'); err != nil {
		return err
	}
	if c, err := w.Peek(); err != nil || c == '}' {
		w.pos++
		return err
	}
	for {
		if c, err := w.Peek(); err != nil || c != '"' {
			return errors.Join(err, errSyntax{w.pos, "a key"})
		}
		raw, _, err := w.Value()
		if err != nil {
			return err
		}
		name := Unquote(raw)
		if err := w.expect(':'); err != nil {
			return err
		}
		if err := visit(name); err != nil {
			return fmt.Errorf("reading %q: %w", name, err)
		}
		if isEnd, err := w.separator('}'); isEnd || err != nil {
			return err
		}
	}
}

// separator consumes what stands behind an element: a comma, or the end of the list or object.
func (w *Reader) separator(end byte) (isEnd bool, err error) {
	c, err := w.Peek()
	if err != nil {
		return false, err
	}
	w.pos++
	if c != ',' && c != end {
		return false, errSyntax{w.pos - 1, fmt.Sprintf("',' or %q", end)}
	}
	return c == end, nil
}
