package quota

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

const headerPrefix = "X-Ms-Ratelimit-Remaining-"

// readRemaining returns how many requests of a bucket are left by the headers of resp: the least of several.
func readRemaining(b Bucket, resp *http.Response) (int, bool) {
	switch b {
	case ARMReads, ARMWrites, ARMDeletes:
		kind := strings.TrimPrefix(string(b), "arm/")
		return minHeader(resp.Header,
			"Subscription-"+kind, "Subscription-Global-"+kind, "Tenant-"+kind, "Tenant-Global-"+kind)
	case ComputeReads:
		n, _, ok := readComputeRemaining(resp.Header)
		return n, ok
	case ResourceGraph:
		n, err := strconv.Atoi(resp.Header.Get("X-Ms-User-Quota-Remaining"))
		return n, err == nil && n >= 0
	default: // an action of Recovery Services
		return minHeader(resp.Header, "Subscription-Resource-Requests")
	}
}

func minHeader(h http.Header, names ...string) (int, bool) {
	least, ok := 0, false
	for _, name := range names {
		n, err := strconv.Atoi(strings.TrimSpace(h.Get(headerPrefix + name)))
		if err == nil && n >= 0 && (!ok || n < least) {
			least, ok = n, true
		}
	}
	return least, ok
}

// readComputeRemaining reads Compute's headers, one or several, each "Microsoft.Compute/HighCostGet3Min;159" or a
// list of those. A name that ends in minutes gives the interval of the limit.
func readComputeRemaining(h http.Header) (int, time.Duration, bool) {
	left, interval, ok := 0, time.Duration(0), false
	for _, value := range h.Values(headerPrefix + "Resource") {
		for entry := range strings.SplitSeq(value, ",") {
			name, count, found := strings.Cut(entry, ";")
			n, err := strconv.Atoi(strings.TrimSpace(count))
			if !found || err != nil || n < 0 || ok && n >= left {
				continue
			}
			left, interval, ok = n, parseMinutes(name), true
		}
	}
	return left, interval, ok
}

var minutesAtEnd = regexp.MustCompile(`(\d{1,3})Min$`)

func parseMinutes(name string) time.Duration {
	m := minutesAtEnd.FindStringSubmatch(strings.TrimSpace(name))
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // three digits at most
	return time.Duration(n) * time.Minute
}

// throttleResponse is a 429: the bucket it names, if any, and its hint.
type throttleResponse struct {
	retryHint
	action string // of Recovery Services
	arm    bool   // ARM's own buckets
}

// maxWait is the longest wait that a header may set.
const maxWait = day

// readThrottled reads a 429. The body stays readable.
func readThrottled(resp *http.Response) throttleResponse {
	t := throttleResponse{retryHint: retryHint{wait: readRetryAfter(resp.Header)}}
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	// A 429 with a broken body only has its headers.
	if raw, err := runtime.Payload(resp); err == nil {
		_ = json.Unmarshal(raw, &body)
	}
	message := body.Error.Message
	if s := submatch(message, `after '(\d{1,6})' seconds`); s != "" && t.wait == 0 {
		n, _ := strconv.Atoi(s)
		t.wait = min(time.Duration(n)*time.Second, maxWait)
	}
	t.action = submatch(message, `for action '([^']+)'`)
	t.arm = strings.EqualFold(body.Error.Code, "SubscriptionRequestsThrottled") || isARMExhausted(resp.Header)
	if s := submatch(message, `limit of '(\d{1,6})'`); s != "" && t.action != "" {
		t.limit, _ = strconv.Atoi(s)
	}
	t.interval = parseClock(submatch(message, `time interval '([\d:]+)'`))
	return t
}

func isARMExhausted(h http.Header) bool {
	for _, b := range []Bucket{ARMReads, ARMWrites, ARMDeletes} {
		if n, ok := readRemaining(b, &http.Response{Header: h}); ok && n == 0 {
			return true
		}
	}
	return false
}

func submatch(s, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// parseClock parses a time span "hh:mm:ss"; 0 = it is none.
func parseClock(s string) time.Duration {
	t, err := time.Parse("15:04:05", s)
	if err != nil {
		return 0
	}
	return t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
}

// readRetryAfter returns the wait of the retry headers, the finest unit first; 0 = none is set.
func readRetryAfter(h http.Header) time.Duration {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if n, err := strconv.Atoi(h.Get(name)); err == nil && n > 0 {
			return min(time.Duration(min(n, int(maxWait.Milliseconds())))*time.Millisecond, maxWait)
		}
	}
	value := h.Get("Retry-After")
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return time.Duration(min(n, int(maxWait.Seconds()))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil { // the clock that set it
			return min(max(0, at.Sub(date)), maxWait)
		}
	}
	return parseClock(h.Get("X-Ms-User-Quota-Resets-After"))
}
