package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPagesAreDecodedInAnyOrderOfKeys(t *testing.T) {
	type element struct{ ID string }
	for body, want := range map[string]page[element]{
		`{"value":[]}`: {},
		"\xef\xbb\xbf" + `{"value":[{"id":"a"}]}`:                                            {value: []element{{"a"}}},
		`{"value":[{"id":"a"},{"id":"b","x":[{}]}],"nextLink":"n"}`:                          {value: []element{{"a"}, {"b"}}, next: "n"},
		`{"nextLink":"n","count":{"a":[1,{"b":null}]},"value":[{"id":"a"}]}`:                 {value: []element{{"a"}}, next: "n"},
		"\n{ \"nextLink\" : null , \"value\" : [ {\"id\":7} ] }\n":                           {value: []element{{""}}},
		`{"value":[{"id":"a"}],"error":{"code":"x"},"nextLink":""}`:                          {value: []element{{"a"}}},
		`{"Value":[{"id":"a"}],"NextLink":"nor here"}`:                                       {value: []element{{"a"}}, next: "nor here"},
		`{"value":[{"ID":"case does not count"}]}`:                                           {value: []element{{"case does not count"}}},
		`{"value":[{"id":"` + strings.Repeat("long", 1<<15) + `"}]}`:                         {value: []element{{strings.Repeat("long", 1<<15)}}},
		`{"@odata.nextLink":"not ours","value":[{"id":"a","nextLink":"nor this"}]}`:          {value: []element{{"a"}}},
		`{"value":[{"id":"a"}],"value2":[{"id":"b"}]}`:                                       {value: []element{{"a"}}},
		`{"value":[{"id":"a","properties":{"value":[1],"nextLink":"x"}}],"nextLink":"real"}`: {value: []element{{"a"}}, next: "real"},
	} {
		got, err := decodePage(strings.NewReader(body), 0, false, readRow[element])
		if d := cmp.Diff(want, got, cmp.AllowUnexported(page[element]{})); d != "" || err != nil {
			t.Errorf("%.80s: %v %s", body, err, d)
		}
		kept, err := decodePage(strings.NewReader(body), 0, true, readRow[element])
		if err != nil || len(kept.raw) != len(want.value) || cmp.Diff(want.value, kept.value) != "" {
			t.Errorf("%.80s, raw kept: %v, %d of %d", body, err, len(kept.raw), len(want.value))
		}
	}
}

func TestAnAnswerOfAnotherFormIsNotMistakenForOneThatBrokeOff(t *testing.T) {
	broken := errors.New("the connection broke")
	for body, want := range map[string]string{`5`: "another form", `{"a"`: "unexpected EOF", `{]`: "not JSON"} {
		var v struct{ A string }
		if err := asMalformed(json.NewDecoder(strings.NewReader(body)).Decode(&v)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	if err := asMalformed(broken); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// A page that is accepted is whole: any truncation is an error.
func FuzzPages(f *testing.F) {
	f.Add(`{"value":[{"id":"a","x":1}],"nextLink":"n"}`, 7)
	f.Add(`{"value":[]}`, 1)
	f.Add(`{"value":[null,{"id":3}]}`, 3)
	f.Fuzz(func(t *testing.T, body string, cut int) {
		type element struct{ ID string }
		got, err := decodePage(strings.NewReader(body), 0, false, readRow[element])
		if err != nil {
			return
		}
		kept, err := decodePage(strings.NewReader(body), 0, true, readRow[element])
		if err != nil || kept.next != got.next || cmp.Diff(got.value, kept.value) != "" {
			t.Fatalf("read twice: %v, %+v and %+v", err, got, kept)
		}
		whole := strings.TrimRight(body, " \t\r\n")
		end := bytes.LastIndexByte([]byte(whole), '}')
		if cut < 1 || cut > end {
			return
		}
		if _, err := decodePage(strings.NewReader(whole[:end+1-cut]), 0, false, readRow[element]); err == nil && !json.Valid([]byte(whole[:end+1-cut])) {
			t.Errorf("%d bytes fewer were taken for a whole page", cut)
		}
	})
}

func TestAnEndlessBodyIsAGap(t *testing.T) {
	var b io.Reader = &boundedBody{body: io.NopCloser(strings.NewReader("too long")), left: 3}
	got, err := io.ReadAll(b)
	if _, ok := errors.AsType[*malformedError](err); !ok || string(got) != "too" {
		t.Errorf("read %q, %v", got, err)
	}
}

// readRow reads a row and leaves out fields of an unexpected type.
func readRow[T any](raw []byte) (v T, err error) {
	err = unmarshalTolerant(raw, &v)
	return v, err
}
