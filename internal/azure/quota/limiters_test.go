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
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) Do(r *http.Request) (*http.Response, error) { return f(r) }

// send makes one request through azcore's pipeline with the set's policy behind its retry policy.
func send(ctx context.Context, s *Limiters, to transport, method, path string) (*http.Response, error) {
	pipeline := runtime.NewPipeline("test", "v0", runtime.PipelineOptions{PerRetry: []policy.Policy{s.Policy()}},
		&policy.ClientOptions{Transport: to, Retry: policy.RetryOptions{MaxRetryDelay: time.Hour}})
	req, err := runtime.NewRequest(ctx, method, "https://management.azure.com"+path)
	if err != nil {
		return nil, err
	}
	return pipeline.Do(req)
}

// A 429 delays this request's next try and every other request of its bucket, and nothing else.
func TestPolicyHoldsBackAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := NewLimiters(Options{Now: time.Now})
		start := time.Now()
		tries := map[string][]time.Duration{}
		to := transport(func(r *http.Request) (*http.Response, error) {
			tries[r.URL.Path] = append(tries[r.URL.Path], time.Since(start))
			resp := ok(ListJobs, 100)
			if len(tries) == 1 && len(tries[r.URL.Path]) == 1 {
				resp = refused(http.Header{"Retry-After": {"324"}}, "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded")
			}
			resp.Request = r
			return resp, nil
		})
		refusedPath := testVault + "/backupJobs"
		done := make(chan error)
		go func() {
			_, err := send(t.Context(), set, to, http.MethodGet, refusedPath)
			done <- err
		}()
		synctest.Wait()
		sameBucket := strings.Replace(testVault, "V1", "V2", 1) + "/backupJobs/1"
		go func() {
			_, err := send(t.Context(), set, to, http.MethodGet, sameBucket)
			done <- err
		}()
		otherSubscription := strings.Replace(testVault, "S1", "S2", 1) + "/backupJobs"
		otherBucket := testVault + "/backupProtectedItems"
		for _, path := range []string{otherSubscription, otherBucket} {
			if _, err := send(t.Context(), set, to, http.MethodGet, path); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		for path, want := range map[string][]time.Duration{
			refusedPath: {0, 325 * time.Second}, sameBucket: {325 * time.Second}, otherSubscription: {0}, otherBucket: {0},
		} {
			for i, at := range tries[path] {
				if off := at - want[i]; off < -time.Second || off > time.Second {
					t.Errorf("%s was tried at %v, want about %v", path, tries[path], want)
				}
			}
		}
	})
}

// A wait ends with the cause of the request's context.
func TestPolicyWaitEndsWithTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := NewLimiters(Options{Now: time.Now})
		refuseOnce(t, set.For("s1"), ARMWrites, http.Header{"Retry-After": {"60"}})
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the run's time is over"))
		defer cancel()
		never := transport(func(*http.Request) (*http.Response, error) {
			t.Error("sent in a pause")
			return nil, errors.New("sent")
		})
		if _, err := send(ctx, set, never, http.MethodPut, testItem); err == nil {
			t.Error("want an error")
		}
	})
}

// A request whose connection breaks returns its permit.
func TestPolicySettlesBrokenConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := NewLimiters(Options{Now: time.Now})
		broken := transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("reset") })
		ctx := policy.WithRetryOptions(t.Context(), policy.RetryOptions{MaxRetries: -1})
		for range 300 {
			if _, err := send(ctx, set, broken, http.MethodPut, testItem); err == nil {
				t.Fatal("want an error")
			}
		}
		time.Sleep(time.Minute)
		if got := set.For("S1").Budget(ARMWrites).Remaining; got < 190 {
			t.Errorf("%d remain a minute later, want the bucket full again", got)
		}
	})
}

// The class is the context's; without one it follows from the method and the path.
func TestClassOfARequest(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         Class
	}{
		{http.MethodGet, testVault + "/backupJobs", Other},
		{http.MethodPut, testItem, Write},
		{http.MethodPost, testItem + "/backup", Write},
		{http.MethodPost, "/subscriptions/s/providers/Microsoft.RecoveryServices/locations/we/backupStatus", Other},
		{http.MethodPost, "/providers/Microsoft.ResourceGraph/resources", Other},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, "https://x"+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := classOf(r); got != test.want {
			t.Errorf("%s %s is %s, want %s", test.method, test.path, got, test.want)
		}
		if got := classOf(r.WithContext(WithClass(t.Context(), Confirm))); got != Confirm {
			t.Errorf("%s %s is %s with a context that says confirm", test.method, test.path, got)
		}
	}
}

// Subscriptions are compared without case, and their delays are summed.
func TestSetKeepsOneGovernorPerSubscription(t *testing.T) {
	s := NewLimiters(Options{Now: time.Now})
	if s.For("AB") != s.For("ab") {
		t.Error("one subscription in two letter cases has two governors")
	}
	if s.For("ab") == s.For("cd") {
		t.Error("two subscriptions share a governor")
	}
}

const itemPath = "/subscriptions/s1/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure/protectionContainers/c/protectedItems/i"

func answersWith(status int) transport {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}, nil
	}
}

// A write with a reserved permit is sent at once, and an unused permit is released.
func TestAReservedWriteGoesWithoutWaitingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewLimiters(Options{Now: time.Now})
		places := s.For("s1").Budget(ARMWrites).Remaining
		var throttled []*Permit
		for range places {
			p, err := s.Reserve(t.Context(), http.MethodPut, "https://management.azure.com"+itemPath)
			if err != nil {
				t.Fatal(err)
			}
			throttled = append(throttled, p)
		}
		if left := s.For("s1").Budget(ARMWrites).Remaining; left > 0 || places < 10 {
			t.Fatalf("%d places are left of %d that are reserved", left, places)
		}
		took := func(ctx context.Context) time.Duration {
			began := time.Now()
			resp, err := send(ctx, s, answersWith(http.StatusOK), http.MethodPut, itemPath)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			return time.Since(began)
		}
		if d := took(WithPermit(t.Context(), throttled[0])); d != 0 {
			t.Errorf("a reserved write waited %v", d)
		}
		if d := took(t.Context()); d == 0 {
			t.Error("a write took a place that another has reserved")
		}
		for _, p := range throttled[1:] {
			p.Release()
			p.Release() // the second time does nothing
		}
		if d := took(t.Context()); d != 0 {
			t.Errorf("places that were given back are waited for %v", d)
		}
	})
}

func TestA429TakesAReservedPlaceAway(t *testing.T) {
	s := NewLimiters(Options{Now: time.Now})
	first, err1 := s.Reserve(t.Context(), http.MethodPut, "https://management.azure.com"+itemPath)
	second, err2 := s.Reserve(t.Context(), http.MethodPut, "https://management.azure.com"+itemPath)
	if err1 != nil || err2 != nil || !first.IsValid() {
		t.Fatal(err1, err2)
	}
	second.Observe(&http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: http.NoBody})
	if first.IsValid() {
		t.Error("a place reserved before a 429 is still good after it")
	}
	first.Release()
}
