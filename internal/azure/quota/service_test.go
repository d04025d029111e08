package quota

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// service is a strict Azure: it counts by its own clock, refuses every request over a limit, and reports the remaining
// number in headers. It shares nothing with the models under test.
type service struct {
	mu      sync.Mutex
	rand    *rand.Rand
	latency time.Duration // of a request, each way, at most

	arm     serverBucket
	windows map[Bucket]*serverWindow
	silent  bool // sends no headers

	served, refused map[Bucket]int
	theirs          int // refusals of another client
}

type serverBucket struct {
	burst, rate, level float64
	at                 time.Time
}

type serverWindow struct {
	limit    int
	interval time.Duration
	ends     time.Time
	used     int
}

func newService(seed uint64) *service {
	return &service{
		rand:    rand.New(rand.NewPCG(seed, 1)),
		latency: 100 * time.Millisecond,
		arm:     serverBucket{burst: 200, rate: 10, level: 200, at: time.Now()},
		windows: map[Bucket]*serverWindow{},
		served:  map[Bucket]int{}, refused: map[Bucket]int{},
	}
}

// window adds a limit whose present window ends after first.
func (s *service) window(b Bucket, limit int, interval, first time.Duration) {
	s.windows[b] = &serverWindow{limit: limit, interval: interval, ends: time.Now().Add(first)}
}

func (s *service) travel() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.rand.Float64() * float64(s.latency))
}

// do sends one request through g as class c, as the pipeline would.
func (s *service) do(t *testing.T, g *Limiter, c Class, b Bucket) *http.Response {
	t.Helper()
	permit, err := g.Acquire(t.Context(), c, b)
	if err != nil {
		t.Fatalf("acquiring %s: %v", b, err)
	}
	resp := s.trip(b)
	permit.Observe(resp)
	return resp
}

// trip takes one request to the service and returns its answer, after the latency of both ways.
func (s *service) trip(b Bucket) *http.Response {
	time.Sleep(s.travel())
	resp := s.answer(b)
	time.Sleep(s.travel())
	return resp
}

// answer counts one request, ours or another client's, and answers it.
func (s *service) answer(b Bucket) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var left int
	var wait time.Duration
	header := "Subscription-Resource-Requests"
	if w := s.windows[b]; w != nil {
		left, wait = w.count(now)
	} else {
		left, wait = s.arm.count(now)
		header = "Subscription-" + strings.TrimPrefix(string(b), "arm/")
	}
	resp := &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: http.NoBody}
	if !s.silent {
		resp.Header.Set(headerPrefix+header, strconv.Itoa(left))
	}
	if wait > 0 {
		s.refused[b]++
		return refuse(resp, b, s.windows[b], wait)
	}
	s.served[b]++
	return resp
}

func refuse(resp *http.Response, b Bucket, w *serverWindow, wait time.Duration) *http.Response {
	resp.StatusCode = http.StatusTooManyRequests
	seconds := int(wait/time.Second) + 1
	body := fmt.Sprintf(`{"error":{"code":"SubscriptionRequestsThrottled","message":"Number of 'write' requests exceeded. Please try again after '%d' seconds after additional tokens are available."}}`, seconds)
	if w != nil {
		body = fmt.Sprintf(`{"error":{"code":"ResourceRequestsThrottled","message":"Number of requests for action '%s' exceeded the limit of '%d' for time interval '01:00:00'. Please try again after '%d' seconds."}}`, b, w.limit, seconds)
	}
	resp.Body = io.NopCloser(strings.NewReader(body))
	return resp
}

func (s *serverBucket) count(now time.Time) (left int, wait time.Duration) {
	s.level = min(s.burst, s.level+s.rate*now.Sub(s.at).Seconds())
	s.at = now
	if s.level < 1-1e-9 {
		return 0, time.Duration((1 - s.level) / s.rate * float64(time.Second))
	}
	s.level--
	return int(s.level + 1e-9), 0
}

func (w *serverWindow) count(now time.Time) (left int, wait time.Duration) {
	for !now.Before(w.ends) {
		w.ends = w.ends.Add(w.interval)
		w.used = 0
	}
	if w.used >= w.limit {
		return 0, w.ends.Sub(now)
	}
	w.used++
	return w.limit - w.used, 0
}

// draw makes n requests as another client, one per every.
func (s *service) draw(b Bucket, n int, every time.Duration) {
	for range n {
		if s.answer(b).StatusCode == http.StatusTooManyRequests {
			s.mu.Lock()
			s.theirs++
			s.mu.Unlock()
		}
		time.Sleep(every)
	}
}

// refusedOurs returns the number of refusals that were not another client's.
func (s *service) refusedOurs(b Bucket) int {
	_, refused := s.counts(b)
	return refused - s.theirs
}

// ok returns an accepted answer with left requests left in b.
func ok(b Bucket, left int) *http.Response {
	h := http.Header{}
	switch b {
	case ARMReads, ARMWrites, ARMDeletes:
		h.Set(headerPrefix+"Subscription-"+strings.TrimPrefix(string(b), "arm/"), strconv.Itoa(left))
	default:
		h.Set(headerPrefix+"Subscription-Resource-Requests", strconv.Itoa(left))
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody}
}

// refused returns a 429 with a message in ARM's envelope, or without a body.
func refused(h http.Header, message string) *http.Response {
	body := ""
	if message != "" {
		body = fmt.Sprintf(`{"error":{"code":"ResourceRequestsThrottled","message":%q}}`, message)
	}
	return &http.Response{StatusCode: http.StatusTooManyRequests, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func (s *service) counts(b Bucket) (served, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served[b], s.refused[b]
}
