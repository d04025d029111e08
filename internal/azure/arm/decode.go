package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/go-json-experiment/json/jsontext"
)

// BodyDecoder decodes the body of a 200. It is called again where a request is repeated, and discards what an earlier
// call decoded.
type BodyDecoder func(io.Reader) error

// malformedError reports a 200 with a malformed body.
type malformedError struct{ why string }

func (e *malformedError) Error() string { return e.why }

// decodePolicy passes the body of a 200 to the request's decoder inside the retry loop: a body that breaks off is a
// failed attempt, not a shorter list.
func decodePolicy(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil {
		return resp, err
	}
	var take BodyDecoder
	if !req.OperationValue(&take) || resp.StatusCode != http.StatusOK {
		_, err := runtime.Payload(resp) // small; from here on the body is in memory
		return resp, err
	}
	defer resp.Body.Close()
	if err := checkJSON(resp.Header); err != nil {
		return nil, &nonRetriableError{err}
	}
	if err := take(resp.Body); err != nil {
		if _, syntax := errors.AsType[*malformedError](err); syntax {
			return nil, &nonRetriableError{err}
		}
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	resp.Body = http.NoBody
	return resp, nil
}

// nonRetriableError is an error that azcore must not retry.
type nonRetriableError struct{ error }

func (e *nonRetriableError) Unwrap() error { return e.error }
func (e *nonRetriableError) NonRetriable() {}

// checkJSON refuses any content that is not JSON: a proxy's login page is a 200, too.
func checkJSON(h http.Header) error {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err == nil && (t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json")) {
		return nil
	}
	return &malformedError{why: fmt.Sprintf("the answer is %q, not JSON", h.Get("Content-Type"))}
}

// page is one page of a list.
type page[T any] struct {
	value []T
	raw   []json.RawMessage // only on request
	next  string
}

// decodePage reads {"value": […], "nextLink": …} row by row. Unknown keys are skipped. An object without a value array
// is malformed: it must not be taken for an empty list. rows is how many rows it is expected to have. read converts a row,
// one valid JSON value, which it must not retain.
func decodePage[T any](r io.Reader, rows int, keepRaw bool, read func(raw []byte) (T, error)) (page[T], error) {
	var p page[T]
	if rows > 0 {
		p.value = make([]T, 0, rows)
	}
	r, err := withoutBOM(r)
	if err != nil {
		return p, asMalformed(err)
	}
	// As in encoding/json, the last of duplicate keys counts, and invalid UTF-8 is replaced where it is decoded.
	dec := jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := expectDelim(dec, '{'); err != nil {
		return p, err
	}
	found := false
	for dec.PeekKind() != '}' {
		key, err := dec.ReadToken()
		if err != nil {
			return p, asMalformed(err)
		}
		switch strings.ToLower(key.String()) { // as in rows; a link that is not seen would make the rest of the list absent
		case "value":
			if err := decodeRows(dec, &p, keepRaw, read); err != nil {
				return p, err
			}
			found = true
		case "nextlink":
			var next *string
			raw, err := dec.ReadValue()
			if err == nil {
				err = json.Unmarshal(raw, &next)
			}
			if err != nil {
				return p, asMalformed(err)
			}
			if next != nil {
				p.next = *next
			}
		default:
			if err := dec.SkipValue(); err != nil {
				return p, asMalformed(err)
			}
		}
	}
	if _, err := dec.ReadToken(); err != nil { // the closing brace: without it the body broke off
		return p, asMalformed(err)
	}
	if !found {
		return p, &malformedError{why: "the answer has no list in it"}
	}
	return p, nil
}

// withoutBOM skips a byte order mark, which some of Azure's services send and no JSON has.
func withoutBOM(r io.Reader) (io.Reader, error) {
	head := make([]byte, len(bom))
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(bytes.TrimPrefix(head[:n], []byte(bom))), r), nil
}

const bom = "\xef\xbb\xbf"

func decodeRows[T any](dec *jsontext.Decoder, p *page[T], keepRaw bool, read func(raw []byte) (T, error)) error {
	if err := expectDelim(dec, '['); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		raw, err := dec.ReadValue()
		if err != nil {
			return asMalformed(err)
		}
		v, err := read(raw)
		if err != nil {
			return asMalformed(err)
		}
		if keepRaw {
			p.raw = append(p.raw, json.RawMessage(raw.Clone()))
		}
		p.value = append(p.value, v)
	}
	return expectDelim(dec, ']')
}

func expectDelim(dec *jsontext.Decoder, want jsontext.Kind) error {
	if kind := dec.PeekKind(); kind != want && kind != 0 {
		return &malformedError{why: fmt.Sprintf("the answer has %s where %q should stand", kind, string(want))}
	}
	if _, err := dec.ReadToken(); err != nil {
		return asMalformed(err)
	}
	return nil
}

// asMalformed returns err as a malformed body, which is not read again, unless the body only broke off.
func asMalformed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return &malformedError{why: "the answer is not JSON: " + s.Err.Error()}
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &malformedError{why: "the answer is not JSON: " + s.Error()}
	}
	if isTypeError(err) {
		return &malformedError{why: "the answer has another form than expected: " + err.Error()}
	}
	return err
}

// unmarshalTolerant is json.Unmarshal that leaves out fields of an unexpected type.
func unmarshalTolerant(data []byte, v any) error {
	if err := json.Unmarshal(data, v); !isTypeError(err) {
		return err
	}
	return nil
}

func isTypeError(err error) bool {
	_, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return ok
}
