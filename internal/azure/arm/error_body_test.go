package arm

import "testing"

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
