package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestASummaryIsPostedAndAFailedPostIsOnlyAWarningWithoutTheURL(t *testing.T) {
	var got []byte
	status := http.StatusOK
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	}))
	defer hook.Close()
	n := notification{
		FormatVersion: "1", Command: "apply", ExitCode: 3, Text: `1 change failed: "quoted" <b>`, Summary: map[string]int{"failed": 1},
		Items: []notifiedItem{{"failed protect", "rg/web", "X: no"}},
	}
	templates, err := filepath.Glob("../../examples/notify/*.tmpl")
	if err != nil || len(templates) < 2 {
		t.Fatalf("templates: %v, %v", templates, err)
	}
	for _, file := range append(templates, "") {
		f := notifyFlags{url: hook.URL + "/secret-path?sig=secret", template: file}
		w, err := f.parse()
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		a := &app{exitConditions: exitConditions{}}
		a.log, _ = newLogger(&log, "text", true, false)
		got, status = nil, http.StatusOK
		if a.notify(t.Context(), w, n); !json.Valid(got) || !strings.Contains(string(got), "rg/web") {
			t.Errorf("%s: posted %s", file, got)
		}
		status = http.StatusForbidden
		a.notify(t.Context(), w, n)
		if !strings.Contains(log.String(), "warning: the summary could not be posted to 127.0.0.1") || strings.Contains(log.String(), "secret") || a.exitConditions.code() != 0 {
			t.Errorf("%s: %s", file, log.String())
		}
	}
	many := n
	for range 50 {
		many.Items = append(many.Items, n.Items[0])
	}
	w, err := (&notifyFlags{url: hook.URL}).parse()
	if err != nil {
		t.Fatal(err)
	}
	a := &app{}
	a.log, _ = newLogger(io.Discard, "text", false, false)
	a.notify(t.Context(), w, many)
	var sent notification
	if err := json.Unmarshal(got, &sent); err != nil || len(sent.Items) != maxNotified || sent.More != 31 {
		t.Errorf("sent %d and %d more: %v", len(sent.Items), sent.More, err)
	}
}

func TestAWebhookThatIsNoHTTPSIsRefusedWithoutShowingIt(t *testing.T) {
	for _, u := range []string{"http://hooks.example/secret", "secret", "https://[secret", "ftp://hooks.example/secret"} {
		f := notifyFlags{url: u}
		if _, err := f.parse(); err == nil || strings.Contains(err.Error(), "secret.") || strings.Contains(err.Error(), "/secret") || strings.Contains(err.Error(), "[secret") {
			t.Errorf("%s: %v", u, err)
		}
	}
}
