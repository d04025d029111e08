package quota

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// A 429 can give its wait in several headers; the finest unit counts, and no wait exceeds a day.
func TestRefusalSaysWhenToComeBack(t *testing.T) {
	const date = "Tue, 24 Nov 2026 12:00:00 GMT"
	for _, test := range []struct {
		name    string
		header  http.Header
		message string
		want    time.Duration
	}{
		{"seconds", http.Header{"Retry-After": {"17"}}, "", 17 * time.Second},
		{"HTTP date", http.Header{"Date": {date}, "Retry-After": {"Tue, 24 Nov 2026 12:05:24 GMT"}}, "", 324 * time.Second},
		{"a date that has passed", http.Header{"Date": {date}, "Retry-After": {"Tue, 24 Nov 2026 11:00:00 GMT"}}, "", 0},
		{"milliseconds before seconds", http.Header{"Retry-After-Ms": {"1500"}, "Retry-After": {"60"}}, "", 1500 * time.Millisecond},
		{"Microsoft's milliseconds", http.Header{"X-Ms-Retry-After-Ms": {"250"}}, "", 250 * time.Millisecond},
		{"Resource Graph's clock", http.Header{"X-Ms-User-Quota-Resets-After": {"00:00:05"}}, "", 5 * time.Second},
		{"the message", http.Header{}, "Please try again after '324' seconds.", 324 * time.Second},
		{"a header before the message", http.Header{"Retry-After": {"3"}}, "Please try again after '324' seconds.", 3 * time.Second},
		{"nothing", http.Header{}, "", 0},
		{"rubbish", http.Header{"Retry-After": {"-5"}}, "again after 'soon' seconds", 0},
		{"too long in seconds", http.Header{"Retry-After": {"99999999999"}}, "", day},
		{"too long in milliseconds", http.Header{"Retry-After-Ms": {"9223372036854775807"}}, "", day},
		{"too long in the message", http.Header{}, "Please try again after '999999' seconds.", day},
		{"an HTTP date, and nothing to count it from", http.Header{"Retry-After": {"Tue, 24 Nov 2026 12:05:24 GMT"}}, "", 0},
		{"a date too far", http.Header{"Date": {date}, "Retry-After": {"Tue, 24 Nov 2099 12:00:00 GMT"}}, "", day},
	} {
		resp := refused(test.header, test.message)
		if got := readThrottled(resp).wait; got != test.want {
			t.Errorf("%s: wait %s, want %s", test.name, got, test.want)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || (len(body) == 0) != (test.message == "") {
			t.Errorf("%s: the body is no longer readable: %q, %v", test.name, body, err)
		}
	}
}

// Of several headers of one bucket the least counts; a value that is no number is ignored.
func TestLeastRemainingCounts(t *testing.T) {
	for _, test := range []struct {
		name   string
		bucket Bucket
		header http.Header
		want   int
		ok     bool
	}{
		{"reads", ARMReads, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Reads": {"249"}}, 249, true},
		{"global is less", ARMWrites, http.Header{
			"X-Ms-Ratelimit-Remaining-Subscription-Writes":        {"199"},
			"X-Ms-Ratelimit-Remaining-Subscription-Global-Writes": {"12"},
		}, 12, true},
		{"tenant", ARMReads, http.Header{"X-Ms-Ratelimit-Remaining-Tenant-Reads": {"3"}}, 3, true},
		{"deletes are not writes", ARMWrites, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Deletes": {"3"}}, 0, false},
		{"hourly", ListJobs, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests": {"449"}}, 449, true},
		{"hourly is not ARM's", ARMReads, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests": {"449"}}, 0, false},
		{"empty", ListJobs, http.Header{}, 0, false},
		{"no number", ListJobs, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests": {"many"}}, 0, false},
		{"negative", ListJobs, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests": {"-1"}}, 0, false},
		{"compute, one header", ComputeReads, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/HighCostGetSubscriptionMaximum;899"}}, 899, true},
		{"compute, a list", ComputeReads, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/HighCostGet3Min;159,Microsoft.Compute/HighCostGet30Min;99"}}, 99, true},
		{"compute, many headers", ComputeReads, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/HighCostGet3Min;46", "Microsoft.Compute/HighCostGet30Min;391"}}, 46, true},
		{"graph", ResourceGraph, http.Header{"X-Ms-User-Quota-Remaining": {"14"}}, 14, true},
	} {
		got, ok := readRemaining(test.bucket, &http.Response{Header: test.header})
		if got != test.want || ok != test.ok {
			t.Errorf("%s: %d %v, want %d %v", test.name, got, ok, test.want, test.ok)
		}
	}
}

// Compute names the interval of its limit.
func TestComputeTellsItsInterval(t *testing.T) {
	h := http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/HighCostGet3Min;159,Microsoft.Compute/HighCostGet30Min;99"}}
	if _, got, _ := readComputeRemaining(h); got != 30*time.Minute {
		t.Errorf("interval is %s, want that of the scarcest: 30m", got)
	}
}
