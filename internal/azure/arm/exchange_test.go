package arm

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestEachAttemptIsReportedWithoutTokenBodyAndQuery(t *testing.T) {
	var mu sync.Mutex
	var seen []Exchange
	attempts := 0
	rt := roundTrip(func(r *http.Request) (*http.Response, error) {
		attempts++
		if attempts == 1 {
			return nil, http.ErrServerClosed
		}
		h := http.Header{"Content-Type": {"application/json"}, "X-Ms-Request-Id": {"of-the-service"}}
		return &http.Response{StatusCode: 200, Header: h, Body: http.NoBody, Request: r}, nil
	})
	c := newTestClient(t, Options{
		Endpoint: "https://arm.invalid", AccessToken: "secret-token", Transport: rt,
		OnExchange: func(x Exchange) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, x)
		},
	})
	vault := "/subscriptions/s1/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
	_, _ = c.Do(ForChange(t.Context(), "c1"), Request{Op: "x", Method: http.MethodGet, URL: c.URL(vault+"/backupJobs", "2025-08-01", "$skipToken", "secret-link")})
	if len(seen) != 2 || attempts != 2 {
		t.Fatalf("%d of %d attempts were reported: %+v", len(seen), attempts, seen)
	}
	for i, x := range seen {
		want := Exchange{
			Method: "GET", Kind: "jobs", Host: "arm.invalid", Path: vault + "/backupJobs", Subscription: "s1", Vault: vault, Change: "c1",
			Status: []int{0, 200}[i], ClientRequestID: x.ClientRequestID, RequestID: []string{x.ClientRequestID, "of-the-service"}[i],
			Started: x.Started, Finished: x.Finished,
		}
		if x != want || x.ClientRequestID == "" || x.Finished.Before(x.Started) {
			t.Errorf("attempt %d:\n got %+v\nwant %+v", i+1, x, want)
		}
		if strings.Contains(x.Path, "secret") {
			t.Errorf("the query is in %q", x.Path)
		}
	}
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
