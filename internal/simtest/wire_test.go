package simtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sent is one request of ours and its reply.
type sent struct {
	number   int // the service's; 0 = it did not arrive
	walk     int
	run      string    // the correlation id: two programs may run in one walk
	at       time.Time // sent
	answered time.Time
	method   string
	path     string // folded, unescaped
	query    string
	body     string
	status   int // 0 = no reply
	retry    time.Duration
	quota    bool // the reply is a quota's refusal
	left     int  // the remaining quota of its action in the reply; negative = not reported
}

// item returns the item a request writes to: its container name, or "".
func (s sent) item() string {
	_, rest, found := strings.Cut(s.path, "/protectioncontainers/")
	if !found {
		return ""
	}
	container, _, _ := strings.Cut(rest, "/")
	_, name, _ := strings.Cut(container, ";")
	return name
}

func (s sent) putsItem() bool {
	return s.method == http.MethodPut && strings.Contains(s.path, "/protecteditems/")
}

func (s sent) startsBackup() bool {
	return s.method == http.MethodPost && strings.HasSuffix(s.path, "/backup")
}

func (s sent) pollsItem() bool {
	return s.method == http.MethodGet && (strings.Contains(s.path, "/operationsstatus/") || strings.Contains(s.path, "/operationresults/")) &&
		strings.Contains(s.path, "/protecteditems/")
}

// wire is the transport to the simulator. It records the requests, and can be cut: from then on no request passes, as
// if the program had been killed.
type wire struct {
	inner http.RoundTripper

	mu           sync.Mutex
	log          []sent
	walk         int
	requestsLeft int  // requests until it is cut; negative = never
	effect       bool // the last request still reaches the service
	isCut        bool
	onCut        context.CancelFunc
}

// numberKey is the context key of the variable that receives a request's number when it is handled.
type numberKey struct{}

var errKilled = errors.New("the program was killed")

// begin starts a walk that is cut at its n-th request (negative: not at all).
func (w *wire) begin(n int, effect bool, onCut context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.walk++
	w.requestsLeft, w.effect, w.isCut, w.onCut = n, effect, false, onCut
}

// cutNow cuts it at once.
func (w *wire) cutNow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	s := sent{at: time.Now(), method: r.Method, path: strings.ToLower(r.URL.Path), query: r.URL.RawQuery, body: string(body)}
	s.run, s.left = r.Header.Get("x-ms-correlation-request-id"), -1
	w.mu.Lock()
	if w.isCut {
		w.mu.Unlock()
		return nil, errKilled
	}
	s.walk = w.walk
	cut := w.requestsLeft == 0
	w.requestsLeft--
	if cut {
		w.isCut = true
	}
	reaches := !cut || w.effect
	w.mu.Unlock()

	var resp *http.Response
	err := errKilled
	if reaches {
		resp, err = w.inner.RoundTrip(r.WithContext(context.WithValue(r.Context(), numberKey{}, &s.number)))
		s.answered = time.Now()
		if err == nil {
			s.status = resp.StatusCode
			if s.quota = s.status == http.StatusTooManyRequests && resp.Header.Get("x-ms-failure-cause") == "gateway"; s.quota {
				s.left = 0
			}
			if n, bad := strconv.Atoi(resp.Header.Get("x-ms-ratelimit-remaining-subscription-resource-requests")); bad == nil {
				s.left = n
			}
			if n, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil {
				s.retry = time.Duration(n) * time.Second
			}
		}
		w.mu.Lock()
		w.log = append(w.log, s)
		w.mu.Unlock()
	}
	if cut {
		w.onCut()
		return nil, errKilled
	}
	return resp, err
}

// requests returns the requests of a walk, in the order of their replies.
func (w *wire) requests(walk int) []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []sent
	for _, s := range w.log {
		if walk < 0 || s.walk == walk {
			all = append(all, s)
		}
	}
	return all
}
