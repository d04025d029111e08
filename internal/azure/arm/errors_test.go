package arm

import (
	"net/http"
	"testing"
	"time"
)

// The text of a throttled answer is the last resort, where no header says a time.
func TestARetryAfterIsTheFirstThatSaysATime(t *testing.T) {
	const text = "try again after '17' seconds"
	for name, tt := range map[string]struct {
		headers map[string]string
		message string
		want    time.Duration
	}{
		"nothing":                      {nil, "", 0},
		"seconds":                      {map[string]string{"Retry-After": "5"}, text, 5 * time.Second},
		"one second":                   {map[string]string{"Retry-After": "1"}, text, time.Second},
		"no seconds":                   {map[string]string{"Retry-After": "0"}, text, 17 * time.Second},
		"milliseconds":                 {map[string]string{"retry-after-ms": "1", "Retry-After": "5"}, text, time.Millisecond},
		"milliseconds of another name": {map[string]string{"x-ms-retry-after-ms": "1", "Retry-After": "5"}, text, time.Millisecond},
		"no milliseconds":              {map[string]string{"retry-after-ms": "0", "Retry-After": "5"}, text, 5 * time.Second},
		"a date after that of now":     {map[string]string{"Retry-After": "Wed, 18 Nov 2026 10:00:30 GMT", "Date": "Wed, 18 Nov 2026 10:00:00 GMT"}, text, 30 * time.Second},
		"a date that is over":          {map[string]string{"Retry-After": "Wed, 18 Nov 2026 09:00:00 GMT", "Date": "Wed, 18 Nov 2026 10:00:00 GMT"}, text, 0},
		"a text":                       {nil, text, 17 * time.Second},
		"a negative number":            {map[string]string{"Retry-After": "-5"}, text, 17 * time.Second},
		"more than a minute":           {map[string]string{"Retry-After": "61"}, text, 61 * time.Second},
	} {
		h := http.Header{}
		for name, value := range tt.headers {
			h.Set(name, value)
		}
		if got := parseRetryAfter(h, tt.message); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestErrorEnvelopes(t *testing.T) {
	for body, want := range map[string][2]string{
		`{"error":{"code":"A","message":"b","target":null,"details":null,"innererror":{}}}`: {"A", "b"},
		`{"error":{"code":"A","message":"","details":[{"code":"C","message":"d"}]}}`:        {"A", "d"},
		`{"ErrorCode":"A","Message":{"Language":"en","Value":"b"}}`:                         {"A", "b"},
		`{"code":"A","message":"b"}`:                                                                                 {"A", "b"},
		`{"error":{"code":400239,"message":"b"}}`:                                                                    {"400239", "b"},
		`{"error":{"code":"A","message":{"lang":"en-US","value":"b"}}}`:                                              {"A", "b"},
		`{"odata.error":{"code":"A","message":{"lang":"en-US","value":"b"}}}`:                                        {"A", "b"},
		"\xef\xbb\xbf" + `{"odata.error":{"code":"A","message":"b"}}`:                                                {"A", "b"},
		`<?xml version="1.0" encoding="utf-8"?><Error><Code>A</Code><Message>b &amp; c` + "\n</Message></Error>":     {"A", "b & c"},
		`<m:error xmlns:m="http://x/metadata"><m:code>A</m:code><m:message xml:lang="en-US">b</m:message></m:error>`: {"A", "b"},
		`<Error xmlns="http://x"><Code>A</Code><Inner><Code>C</Code></Inner><Message>b</Message><Detail>`:            {"A", "b"},
		`<html><head><title>502</title></head><body><error><code>A</code></error></body></html>`:                     {"", ""},

		`{"error":"invalid_token"}`: {"", ""},
		`<html>`:                    {"", ""},
		``:                          {"", ""},
	} {
		code, message := parseErrorBody([]byte(body))
		if code != want[0] || message != want[1] {
			t.Errorf("%s: %q, %q", body, code, message)
		}
	}
}
