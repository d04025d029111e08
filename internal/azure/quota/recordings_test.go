package quota

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// exchange is one recorded exchange with the real service, reduced to what a limiter reads.
type exchange struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
}

func recorded(t *testing.T) map[string][]exchange {
	t.Helper()
	files, err := filepath.Glob("../../../../shared/recordings/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("SKIPPED: the recorded exchanges are not here")
	}
	all := map[string][]exchange{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var exchanges []exchange
		if err := json.Unmarshal(raw, &exchanges); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(file)] = exchanges
	}
	return all
}

// Exactly the requests that BucketOf counts there have the header of the hourly limit.
func TestRecordedHeadersAgreeWithTheBuckets(t *testing.T) {
	for file, exchanges := range recorded(t) {
		for i, e := range exchanges {
			r, err := http.NewRequestWithContext(t.Context(), e.Method, e.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if parsePath(r.URL.Path).vault == "" {
				continue
			}
			hourly := false
			for _, b := range BucketOf(r) {
				_, ok := newModel(b, false).(*window)
				hourly = hourly || ok
			}
			_, got := e.Headers["x-ms-ratelimit-remaining-subscription-resource-requests"]
			if got != hourly {
				t.Errorf("%s #%d: %s %s: header %v, bucket %v: %v", file, i, e.Method, r.URL.Path, got, hourly, BucketOf(r))
			}
		}
	}
}

// The service never refused the requests at their recorded pace, so a limiter must not delay them, although the
// headers jump between the counters of several front ends.
func TestRecordedPaceIsNotHeldBack(t *testing.T) {
	for file, exchanges := range recorded(t) {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewLimiter(Options{Now: time.Now, Confirms: true, OnThrottle: func(e Throttle) { t.Errorf("held back: %+v", e) }})
				var began, start time.Time
				for _, e := range exchanges {
					at, err := http.ParseTime(e.Headers["date"])
					if err != nil {
						continue
					}
					if began.IsZero() {
						began, start = at, time.Now()
					}
					time.Sleep(time.Until(start.Add(at.Sub(began))))
					r, err := http.NewRequestWithContext(t.Context(), e.Method, e.URL, nil)
					if err != nil {
						t.Fatal(err)
					}
					permit, err := g.Acquire(t.Context(), Confirm, BucketOf(r)...)
					if err != nil {
						t.Fatal(err)
					}
					resp := &http.Response{StatusCode: e.Status, Header: http.Header{}, Body: http.NoBody}
					for name, value := range e.Headers {
						resp.Header.Set(name, value)
					}
					time.Sleep(300 * time.Millisecond)
					permit.Observe(resp)
				}
				if throttled := g.Throttled(); throttled > 0 {
					t.Errorf("requests were held back for %s", throttled)
				}
			})
		})
	}
}
