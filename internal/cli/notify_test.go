package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/report"
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

// answering returns the address of a server that answers each request with a text, whatever it is.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// Each way in which a post can fail is told of, without the URL or a part of it.
func TestNoFailureOfAPostShowsTheURL(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.CopyN(c, c, 200); _ = c.Close() }()
		}
	}()
	https := httptest.NewTLSServer(http.NotFoundHandler())
	defer https.Close()
	https.Config.ErrorLog = log.New(io.Discard, "", 0)
	redirect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere-secret?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	}))
	defer redirect.Close()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, r.URL.String(), http.StatusForbidden)
	}))
	defer refuses.Close()
	spells := answering(t, "%73ecret-path is no HTTP\r\n\r\n")
	sends := answering(t, "HTTP/1.1 302 Found\r\nLocation: http://%zz/%73ecret-value\r\n\r\n")
	ends := answering(t, "")
	for name, tt := range map[string]struct{ url, want string }{
		"repeats what it gets": {"http://" + echo.Addr().String(), "it answered what is not understood"},
		"spells it otherwise":  {"http://" + spells, "it answered what is not understood"},
		"sends it elsewhere":   {"http://" + sends, "it answered what is not understood"},
		"ends without a word":  {"http://" + ends, "the connection ended without an answer"},
		"has its status in it": {refuses.URL + "/answered/403", "answered 403"},
		"unknown authority":    {https.URL, "certificate"},
		"redirects":            {redirect.URL, "answered 307"},
		"refuses":              {refuses.URL, "answered 403"},
		"is not there":         {"http://127.0.0.1:1", "dial tcp 127.0.0.1:1"},
	} {
		for _, format := range []string{logText, logJSON} {
			w, err := (&notifyFlags{url: tt.url + "/secret-path?sig=secret-value"}).parse()
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			a := &app{exitConditions: exitConditions{}}
			a.log, _ = newLogger(&log, format, true, false)
			a.notify(t.Context(), w, notification{Items: []notifiedItem{}})
			if got := log.String(); strings.Contains(got, "ecret-") || !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("a webhook that %s: %s", name, got)
			}
			if a.exitConditions.code() != 0 {
				t.Errorf("a webhook that %s changes the exit code", name)
			}
		}
	}
}

func TestTheTemplatesMakeJSONOfWhateverThereIs(t *testing.T) {
	templates, err := filepath.Glob("../../examples/notify/*.tmpl")
	if err != nil || len(templates) < 2 {
		t.Fatalf("templates: %v, %v", templates, err)
	}
	odd := "\"},{\"a\":\u2028 </script> {{.}} \\ `*_<!channel>\x00\xff"
	for _, n := range []notification{
		{Text: "azbackup apply failed: x", Items: []notifiedItem{}}, {Text: odd, Items: []notifiedItem{{odd, odd, odd}, {"", "", ""}}, More: 7},
	} {
		var got []byte
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = io.ReadAll(r.Body) }))
		for _, file := range append(templates, "") {
			w, err := (&notifyFlags{url: hook.URL, template: file}).parse()
			if err != nil {
				t.Fatal(err)
			}
			got = nil
			var parsed map[string]any
			if err := w.post(t.Context(), n); err != nil || json.Unmarshal(got, &parsed) != nil {
				t.Errorf("%s: %v: %s", file, err, got)
			}
			if text, is := parsed["text"].(string); filepath.Base(file) == "slack.tmpl" && (!is || !strings.HasPrefix(text, strings.ToValidUTF8(n.Text, "\ufffd"))) {
				t.Errorf("%s: %q", file, parsed)
			}
			if parsed["type"] != "message" && filepath.Base(file) == "teams.tmpl" {
				t.Errorf("%s: %q", file, parsed)
			}
		}
		hook.Close()
	}
}

// A shard that did nothing has no result that could be listed: that it did nothing is what is posted.
func TestAMergedApplyWithAShardThatDidNothingIsPosted(t *testing.T) {
	n := applyNotification(report.Run{Error: "shard 1/2: refused: stops"}, nil)
	if n == nil || n.Text != "azbackup apply failed: shard 1/2: refused: stops" {
		t.Fatalf("posted is %+v", n)
	}
	if body, err := json.Marshal(n); err != nil || !bytes.Contains(body, []byte(`"summary":{}`)) {
		t.Errorf("the summary of a run that did nothing is no object: %s, %v", body, err)
	}
	if n := applyNotification(report.Run{}, nil); n != nil {
		t.Errorf("of a run that is all done %+v is posted", n)
	}
}
