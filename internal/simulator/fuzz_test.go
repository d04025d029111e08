package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/query"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// FuzzRouter sends arbitrary requests: the simulator answers each with JSON or an empty body.
func FuzzRouter(f *testing.F) {
	for _, r := range routes() {
		path := strings.NewReplacer("{sub}", testSub, "{group}", "rg-backup", "{vault}", "vault1", "{fabric}", "Azure",
			"{container}", "IaasVMContainer;iaasvmcontainerv2;rg-app;vm1", "{item}", "VM;iaasvmcontainerv2;rg-app;vm1",
			"{policy}", "daily", "{vm}", "VM1", "{op}", "x", "{job}", "y", "{point}", "1", "{location}", "westeurope",
			"{namespace}", "Microsoft.Compute", "{tenant}", "common", "{guard}", "VaultProxy", "{setting}", "default").Replace(r.pattern)
		f.Add(r.method, path, "api-version="+testAPI+"&$filter=backupManagementType eq 'AzureIaasVM'", protectBody("VM1", "daily"))
	}
	f.Add("PUT", policyPath("p"), "api-version=2021-01-01", `{"properties":`+policyProps("V2")+`}`)
	f.Add("PATCH", testVault, "api-version=2025-02-01", `{"properties":{"securitySettings":null,"redundancySettings":{"a":[]}}}`)
	f.Add("POST", "/providers/Microsoft.ResourceGraph/resources", "api-version=2021-03-01", `{"query":"resources | where a =~ 'b' | project c = tolower(d)"}`)
	e := estate(f)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		s, err := New(e, Options{Settings: at0()})
		if err != nil {
			t.Fatal(err)
		}
		target := "http://localhost/" + strings.TrimLeft(path, "/")
		r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL.RawQuery = query
		for range 2 { // the second time, the operations of the first have ended
			r.Body = http.NoBody
			if body != "" {
				r.Body = readCloser{strings.NewReader(body)}
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s: %d, not JSON: %q", method, target, w.Code, w.Body)
			}
			if w.Code == http.StatusInternalServerError {
				t.Errorf("%s %s: %s", method, target, w.Body)
			}
		}
	})
}

type readCloser struct{ *strings.Reader }

// Close implements io.Closer.
func (readCloser) Close() error { return nil }

// FuzzFilter reads arbitrary filters: each is refused, or holds only comparisons, and a filter built from those parses
// equally.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"", "a eq 'b'", "a eq 'b' and c eq 'd'", "a eq 'it''s'", "startTime eq '2026-11-01 12:00:00 AM'", "a eq", "eq eq eq", "a eq 'b' or c", "a eq 1 and b ne true"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := query.ParseFilter(s)
		if err != nil {
			return
		}
		var parts []string
		for _, c := range got {
			parts = append(parts, c.Name+" "+c.Op+" '"+strings.ReplaceAll(c.Value, "'", "''")+"'")
		}
		again, err := query.ParseFilter(strings.Join(parts, " and "))
		if err != nil || len(again) != len(got) {
			t.Fatalf("%q read as %q, which reads as %q (%v)", s, got, again, err)
		}
		for i := range got {
			if got[i] != again[i] {
				t.Errorf("%q read as %q and then as %q", s, got[i], again[i])
			}
		}
		if _, err := parseJobWindow(got, time.Now()); err != nil {
			return
		}
	})
}

// FuzzEstate loads any file: it is refused with an error, or it can be served and written and read again.
func FuzzEstate(f *testing.F) {
	f.Add(`{"format_version":"1"}`)
	f.Add(`{"format_version":"1","subscriptions":["a",{"id":"/subscriptions/b"}],"settings":{"durations":{"":"1s..2s"},"retryAfter":0},"operations":[{"id":"x","action":"purge","target":"y"}]}`)
	f.Add(`{"format_version":"1","protectedItems":[{"id":"` + testVault + `/backupFabrics/Azure/protectionContainers/c/protectedItems/VM;a;b;c","properties":{"isScheduledForDeferredDelete":true,"deferredDeleteTimeInUTC":"2024-01-01T00:00:00Z"}}],` +
		`"vaults":[{"id":"` + testVault + `"}],"jobs":[{"id":"` + testVault + `/backupJobs/1","properties":{"status":"InProgress","operation":"Backup"}}],` +
		`"recoveryPoints":[{"id":"` + testVault + `/x/protectedItems/y/recoveryPoints/1","properties":{}}],"policies":[{"id":"` + testVault + `/backupPolicies/p","properties":{"backupManagementType":"AzureIaasVM"}}]}`)
	f.Add(`{"format_version":"2"}`)
	f.Add(`{"format_version":"1","virtualMachines":[{"id":"\ud800","properties":{"a":[1e5,-0.1,null,true]}}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := state.Read(strings.NewReader(s))
		if err != nil {
			return
		}
		if !json.Valid([]byte(s)) {
			t.Fatalf("a file that is not JSON was read: %q", s)
		}
		server, err := New(e, Options{})
		if err != nil {
			return
		}
		list := "http://localhost" + testVault
		for _, path := range []string{list, list + "/backupProtectedItems", list + "/backupJobs", list + "/backupPolicies", "http://localhost/subscriptions"} {
			w := httptest.NewRecorder()
			server.ServeHTTP(w, httptest.NewRequest("GET", path+"?api-version="+testAPI, nil))
			if !json.Valid(w.Body.Bytes()) || w.Code == http.StatusInternalServerError {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		var b strings.Builder
		if err := server.st.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := state.Read(strings.NewReader(b.String())); err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, b.String())
		}
	})
}

// FuzzScan compares the scanner with encoding/json.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,2.5,-3e+7,true,false,null,"x\u00e9\n"]}`, `{"a":01}`, `{"a":"` + "\x01" + `"}`, `{"a":1,}`, `{"a":{"a":{}}} x`, ` { } `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := json.Valid([]byte(s)) && strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "{")
		if got := rawjson.CheckObject([]byte(s)) == nil; got != want {
			t.Errorf("%q: valid %v, encoding/json says %v", s, got, want)
		}
	})
}
