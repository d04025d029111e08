package cli

import (
	"encoding/json"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// records checks the JSON lines on stderr of the last command: each is an object with a time, a level and a message; from
// the first about Azure on each has the correlation id; what is about a request has its id, and what is about a
// subscription, a vault or a change names it. Its arguments are the kinds of event that must be among them.
func records(ts *testscript.TestScript, _ bool, args []string) {
	seen := map[string]int{}
	correlation := ""
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
		text := func(key string) string { s, _ := r[key].(string); return s }
		for _, key := range []string{"time", "level", "msg"} {
			if text(key) == "" {
				ts.Fatalf("no %s: %s", key, line)
			}
		}
		switch id := text(correlationKey); {
		case correlation == "":
			correlation = id
		case id != correlation:
			ts.Fatalf("another correlation id than %s: %s", correlation, line)
		}
		event := text("event")
		seen[event]++
		want := map[string][]string{
			"request": {requestIDKey, "client_request_id", "method", "kind", "path"}, "subscription-read": {subscriptionKey},
			"subscription-finished": {subscriptionKey}, "started": {subscriptionKey, vaultKey, changeKey, "action", "target"},
			"finished": {subscriptionKey, vaultKey, changeKey, "action", "target", "outcome"}, "gap": {subscriptionKey, "kind", "code", requestIDKey},
		}[event]
		if path := text("path"); strings.HasPrefix(path, "/subscriptions/") {
			want = append(want, subscriptionKey)
			if strings.Contains(path, "/vaults/") {
				want = append(want, vaultKey)
			}
		}
		if text("method") == "PUT" || text("code") != "" && event == "finished" {
			want = append(want, changeKey, requestIDKey)
		}
		for _, key := range want {
			if text(key) == "" {
				ts.Fatalf("no %s: %s", key, line)
			}
		}
	}
	for _, kind := range args {
		if seen[kind] == 0 {
			ts.Fatalf("no record of %q: %v", kind, seen)
		}
	}
}
