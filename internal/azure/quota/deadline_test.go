package quota

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azbackup/azbackup/internal/deadline"
)

var errWorkTime = errors.New("the work took too long")

// An hour's wait for a budget does not end work that has ten minutes, and what the work takes itself still ends it.
func TestAWaitForABudgetDoesNotCountAsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := NewLimiter(Options{Now: time.Now}), newService(12)
		s.window(ListJobs, 150, time.Hour, time.Hour)
		ctx, cancel := deadline.WithTimeout(t.Context(), time.Now, 10*time.Minute, errWorkTime)
		defer cancel()
		for i := range 200 {
			p, err := g.Acquire(ctx, Other, ListJobs)
			if err != nil {
				t.Fatalf("request %d: %v", i, err)
			}
			p.Observe(s.trip(ListJobs))
		}
		time.Sleep(10 * time.Minute)
		if _, err := g.Acquire(ctx, Other, ListJobs); !errors.Is(err, errWorkTime) {
			t.Errorf("after ten minutes of work: %v", err)
		}
	})
}

// The wait for another request's answer is one for the service, not for a budget: it counts. So does the time after a wait that
// was cut.
func TestAWaitForAProbeCountsAsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(Options{Now: time.Now})
		probe, err := g.Acquire(t.Context(), Other, ListJobs)
		if err != nil {
			t.Fatal(err)
		}
		defer probe.Release()
		began := time.Now()
		ctx, cancel := deadline.WithTimeout(t.Context(), time.Now, windowProbeTimeout/2, errWorkTime)
		defer cancel()
		if _, err := g.Acquire(ctx, Other, ListJobs); !errors.Is(err, errWorkTime) || time.Since(began) != windowProbeTimeout/2 {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(Options{Now: time.Now})
		refuseOnce(t, g, ListJobs, http.Header{"Retry-After": {"3600"}})
		ctx, cancel := deadline.WithTimeout(t.Context(), time.Now, 10*time.Minute, errWorkTime)
		defer cancel()
		cut, end := context.WithTimeout(ctx, 30*time.Minute)
		defer end()
		if _, err := g.Acquire(cut, Other, ListJobs); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the wait was cut with %v", err)
		}
		began := time.Now()
		<-ctx.Done()
		if took := time.Since(began); took != 10*time.Minute {
			t.Errorf("%s were left after the cut", took)
		}
	})
}

// From a 429 to the next try, for which the retry policy waits, the time does not count either; after the last try it does.
func TestTheWaitAfterARefusalDoesNotCountAsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := NewLimiters(Options{Now: time.Now})
		tries := 0
		to := transport(func(r *http.Request) (*http.Response, error) {
			tries++
			resp := ok(ListJobs, 100)
			if tries <= 2 || strings.HasSuffix(r.URL.Path, "/refused") {
				resp = refused(http.Header{"Retry-After": {"1800"}}, "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded")
			}
			resp.Request = r
			return resp, nil
		})
		pipeline := runtime.NewPipeline("test", "v0",
			runtime.PipelineOptions{PerCall: []policy.Policy{set.CallPolicy()}, PerRetry: []policy.Policy{set.Policy()}},
			&policy.ClientOptions{Transport: to, Retry: policy.RetryOptions{MaxRetryDelay: time.Hour, MaxRetries: 3}})
		ctx, cancel := deadline.WithTimeout(t.Context(), time.Now, 10*time.Minute, errWorkTime)
		defer cancel()
		read := func(path string) int {
			req, err := runtime.NewRequest(ctx, http.MethodGet, "https://management.azure.com"+testVault+path)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := pipeline.Do(req)
			if err != nil {
				t.Fatalf("after %d tries: %v", tries, err)
			}
			return resp.StatusCode
		}
		if status := read("/backupJobs/1"); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
		if status := read("/backupJobs/refused"); status != http.StatusTooManyRequests {
			t.Errorf("status %d", status)
		}
		began := time.Now()
		<-ctx.Done()
		if took := time.Since(began); took > 10*time.Minute || took < 9*time.Minute {
			t.Errorf("%s were left", took)
		}
	})
}
