package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/quota"
)

// answers returns a transport that gives the same answer to each request, and the last request that it got.
func answers(status int, body string) (roundTrip, *http.Request) {
	last := &http.Request{}
	return func(r *http.Request) (*http.Response, error) {
		*last = *r
		h := http.Header{"Content-Type": {"application/json"}, "X-Ms-Request-Id": {"request-1"}}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}, last
}

func TestARequestIsNamedAfterTheProgramAndItsRun(t *testing.T) {
	rt, sent := answers(200, `{}`)
	c := newTestClient(t, Options{Endpoint: "https://arm.test", AccessToken: "secret", Transport: rt, Version: "1.2.3", CorrelationID: "run-1"})
	if _, err := c.Do(t.Context(), Request{Op: "x", Method: http.MethodGet, URL: c.URL("/a", "2025-08-01")}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"User-Agent": "azbackup/1.2.3", headerCorrelationID: "run-1", "x-ms-return-client-request-id": "true",
		"Authorization": "Bearer secret", "Accept": "application/json",
	} {
		if got := sent.Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A document that is no object, or not JSON, is malformed; one that ends too early broke off and is read again.
func TestADocumentIsReadByItsDecoder(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":"b"}`:              "",
		"\ufeff \n{\"a\":\"b\"}": "",
		`[]`:                     "MalformedAnswer",
		`"b"`:                    "MalformedAnswer",
		`{"a":oops}`:             "MalformedAnswer",
		`{"a":"b"`:               "no code",
		``:                       "no code",
	} {
		synctest.Test(t, func(t *testing.T) {
			rt, _ := answers(200, body)
			c := newTestClient(t, Options{Endpoint: "https://arm.test", AccessToken: "secret", Transport: rt})
			var got struct{ A string }
			raw, err := c.GetDocument(t.Context(), "reading", c.URL("/a", "2025-08-01"), quota.Other, func(data []byte) error { return json.Unmarshal(data, &got) })
			e, failed := errors.AsType[*apply.Error](err)
			switch {
			case want == "":
				if err != nil || got.A != "b" || string(raw) != body {
					t.Errorf("%q: read %+v from %q, %v", body, got, raw, err)
				}
			case !failed || e.Code != want && (want != "no code" || e.Code != ""):
				t.Errorf("%q: %#v, want %s", body, err, want)
			}
		})
	}
}

// What decides is whether the request was sent: nobody has to look after one that was not.
func TestARequestWithoutAnAnswerSaysWhetherItMayHaveHadAnEffect(t *testing.T) {
	broken := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset\nand more") })
	for name, c := range map[string]struct {
		credential azcore.TokenCredential
		want       apply.Error
	}{
		"nobody is signed in":   {refusing{}, apply.Error{Status: http.StatusUnauthorized, Code: CodeNotSignedIn, Message: "run az login"}},
		"the connection breaks": {staticToken("t"), apply.Error{Message: "connection reset", Unknown: true}},
	} {
		client := newTestClient(t, Options{Endpoint: "https://arm.test", Credential: c.credential, Transport: broken})
		_, err := client.Do(t.Context(), Request{Op: "x", Method: http.MethodPut, URL: client.URL("/a", "2025-08-01"), Class: quota.Write})
		e, ok := errors.AsType[*apply.Error](err)
		if !ok || e.Op != "x" || e.Status != c.want.Status || e.Code != c.want.Code || e.Unknown != c.want.Unknown || e.Message != c.want.Message {
			t.Errorf("%s: %#v", name, err)
		}
		if ok && (e.RequestID != "") != c.want.Unknown {
			t.Errorf("%s: request id %q", name, e.RequestID)
		}
	}
}

type refusing struct{}

func (refusing) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("run az login")
}

func TestAnErrorSaysWhatTheServiceSaysElseItsStatus(t *testing.T) {
	for _, c := range []struct {
		status        int
		body          string
		code, message string
		unknown       bool
	}{
		{409, `{"error":{"code":"Conflict","message":"in words"}}`, "Conflict", "in words", false},
		{409, `{"error":{"code":"Conflict"}}`, "Conflict", "the service answered 409 Conflict", false},
		{403, ``, "", "the service answered 403 Forbidden", false},
		{408, ``, "", "the service answered 408 Request Timeout", true},
		{499, ``, "", "the service answered 499 ", false},
		{500, `{"error":{"code":"A","message":"b"}}`, "A", "b", true},
	} {
		rt, _ := answers(c.status, c.body)
		client := newTestClient(t, Options{Endpoint: "https://arm.test", AccessToken: "t", Transport: rt})
		_, err := client.Do(t.Context(), Request{Op: "x", Method: http.MethodPut, URL: client.URL("/a", "2025-08-01"), Class: quota.Write})
		got, ok := errors.AsType[*apply.Error](err)
		want := fmt.Sprint(c.status, c.code, c.message, c.unknown, "request-1")
		if !ok || fmt.Sprint(got.Status, got.Code, got.Message, got.Unknown, got.RequestID) != want {
			t.Errorf("%d %s: %#v", c.status, c.body, err)
		}
		if sent, is := errors.AsType[*SentRequest](err); !is || sent.Method != http.MethodPut || sent.Path != "/a" || string(sent.Body) != c.body {
			t.Errorf("%d %s: the request is %#v", c.status, c.body, sent)
		}
	}
}
