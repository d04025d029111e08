package audit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/plan"
)

const (
	sub     = "11111111-1111-1111-1111-111111111111"
	vmList  = "/subscriptions/" + sub + "/providers/Microsoft.Compute/virtualMachines"
	vaultID = "/subscriptions/" + sub + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults"
)

// armPages is an Azure that answers GET by path, without case; the key of a further page is path + "#2". A missing key is
// an empty list, or 404 for a single resource.
type armPages map[string]string

// RoundTrip implements http.RoundTripper, so that discovery runs over HTTP without a network.
func (a armPages) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	path := strings.ToLower(r.URL.Path)
	if page := r.URL.Query().Get("page"); page != "" {
		path += "#" + page
	}
	body, ok := a[path]
	status := http.StatusOK
	switch {
	case !ok && single(path):
		status, body = http.StatusNotFound, `{"error":{"code":"ResourceNotFound","message":"not there"}}`
	case !ok:
		body = `{"value":[]}`
	case len(body) > 4 && body[3] == ' ': // "403 {…}"
		fmt.Sscan(body[:3], &status)
		body = body[4:]
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-ms-request-id", "request-1")
	w.WriteHeader(status)
	_, _ = w.WriteString(body)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// single reports whether a path names one resource, as a path that ends in type and name does.
func single(path string) bool {
	_, rest, ok := strings.Cut(path, "/providers/")
	return ok && strings.Count(rest, "/")%2 == 0
}

// discover reads an Azure as the audit command does, at now.
func discover(t *testing.T, a armPages, scope plan.Scope, now time.Time) plan.Observed {
	t.Helper()
	client, err := azure.New(azure.CommandAudit, arm.Options{
		Endpoint: "https://arm.invalid", AccessToken: "token", Transport: a,
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := client.Discover(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// scopeOf returns the scope of an audit: everything in the subscriptions.
func scopeOf(c *config.Config) plan.Scope {
	scope := plan.Scope{Subscriptions: []string{sub}}
	if c != nil {
		scope = plan.ScopeOf(c)
	}
	scope.AllVaults, scope.Hidden, scope.Protectable, scope.Guards = true, true, false, false
	return scope
}

// list returns an ARM list of one page.
func list(bodies ...any) string {
	if bodies == nil {
		bodies = []any{}
	}
	page, err := json.Marshal(map[string]any{"value": bodies})
	if err != nil {
		panic(err)
	}
	return string(page)
}

func mustTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
