package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// sink takes the body of a 200. It may be called again for the same request: it starts from nothing each time.
type sink func(io.Reader) error

// malformedError is a 200 whose body is not what it should be.
type malformedError struct{ why string }

func (e *malformedError) Error() string { return e.why }

// decodeInside hands the body of a 200 to the request's sink inside the retry loop: a body that breaks off is a
// failed attempt, not a shorter list.
func decodeInside(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil {
		return resp, err
	}
	var take sink
	if !req.OperationValue(&take) || resp.StatusCode != http.StatusOK {
		_, err := runtime.Payload(resp) // small; from here on it is in memory
		return resp, err
	}
	defer resp.Body.Close()
	if err := checkJSON(resp.Header); err != nil {
		return nil, &finalError{err}
	}
	if err := take(resp.Body); err != nil {
		if _, syntax := errors.AsType[*malformedError](err); syntax {
			return nil, &finalError{err}
		}
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	resp.Body = http.NoBody
	return resp, nil
}

// finalError is an error that azcore must not retry.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }
func (e *finalError) NonRetriable() {}

// checkJSON refuses anything that is not JSON: a proxy's login page is a 200, too.
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
	raw   []json.RawMessage // only when asked for
	next  string
}

// decodePage reads {"value": […], "nextLink": …} element by element. Keys it does not know are skipped. An
// object without a value array is malformed: it must not be taken for an empty list.
func decodePage[T any](r io.Reader, keepRaw bool) (page[T], error) {
	var p page[T]
	dec := json.NewDecoder(r)
	if err := expect(dec, '{'); err != nil {
		return p, err
	}
	found := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return p, err
		}
		switch key {
		case "value":
			if err := decodeValue(dec, &p, keepRaw); err != nil {
				return p, err
			}
			found = true
		case "nextLink":
			var next *string
			if err := dec.Decode(&next); err != nil {
				return p, asMalformed(err)
			}
			if next != nil {
				p.next = *next
			}
		default:
			var skip json.RawMessage
			if err := dec.Decode(&skip); err != nil {
				return p, asMalformed(err)
			}
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace: without it the body broke off
		return p, asMalformed(unexpected(err))
	}
	if !found {
		return p, &malformedError{why: "the answer has no list in it"}
	}
	return p, nil
}

func decodeValue[T any](dec *json.Decoder, p *page[T], keepRaw bool) error {
	if err := expect(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var v T
		if keepRaw {
			var raw json.RawMessage
			if err := dec.Decode(&raw); err != nil {
				return asMalformed(err)
			}
			if err := unmarshalTolerant(raw, &v); err != nil {
				return asMalformed(err)
			}
			p.raw = append(p.raw, raw)
		} else if err := tolerate(dec.Decode(&v), &v); err != nil {
			return asMalformed(err)
		}
		p.value = append(p.value, v)
	}
	return expect(dec, ']')
}

func expect(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err != nil {
		return asMalformed(unexpected(err))
	}
	if t != want {
		return &malformedError{why: fmt.Sprintf("the answer has %v where %v should stand", t, want)}
	}
	return nil
}

// unexpected is the end of a body where it may not end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// asMalformed tells what can never be decoded from what only broke off.
func asMalformed(err error) error {
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &malformedError{why: "the answer is not JSON: " + s.Error()}
	}
	if wrongType(err) {
		return &malformedError{why: "the answer has another form than expected: " + err.Error()}
	}
	return unexpected(err)
}
