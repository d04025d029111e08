package azure

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

const (
	sub     = azuretest.Subscription
	vaultID = azuretest.VaultID
	otherID = azuretest.OtherVaultID
	vm1     = azuretest.VMID
	vmList  = "/subscriptions/" + sub + "/providers/Microsoft.Compute/virtualMachines"
	vaults  = "/subscriptions/" + sub + "/providers/Microsoft.RecoveryServices/vaults"
	token   = "secret-token"
)

// fake answers requests by method and path, ignoring case and query; the last of several answers is repeated.
type fake struct {
	mu      sync.Mutex
	answers map[string][]http.HandlerFunc
	sent    []request1
}

// request1 is one request that arrived.
type request1 struct {
	method, path, query, body string
	header                    http.Header
}

func newFake() *fake { return &fake{answers: map[string][]http.HandlerFunc{}} }

func (f *fake) on(method, path string, answers ...http.HandlerFunc) *fake {
	f.answers[method+" "+strings.ToLower(path)] = answers
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	key := r.Method + " " + strings.ToLower(r.URL.Path)
	f.mu.Lock()
	f.sent = append(f.sent, request1{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Clone()})
	list := f.answers[key]
	if len(list) > 1 {
		f.answers[key] = list[1:]
	}
	f.mu.Unlock()
	if len(list) == 0 {
		says(http.StatusBadRequest, `{"error":{"code":"NotInTheTest","message":"`+key+`"}}`)(w, r)
		return
	}
	list[0](w, r)
}

// count returns the number of requests of a method whose paths end in suffix.
func (f *fake) count(method, suffix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, r := range f.sent {
		if r.method == method && strings.HasSuffix(strings.ToLower(r.path), strings.ToLower(suffix)) {
			n++
		}
	}
	return n
}

func (f *fake) last() request1 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[len(f.sent)-1]
}

// says answers with a status, a JSON body and headers, given as name and value.
func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if body != "" {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
		}
		w.Header().Set("x-ms-request-id", "request-1")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func fails(status int, code string) http.HandlerFunc {
	return says(status, fmt.Sprintf(`{"error":{"code":%q,"message":"in words"}}`, code))
}

// lists answers with a one-page list.
func lists(bodies ...string) http.HandlerFunc {
	return says(http.StatusOK, `{"value":[`+strings.Join(bodies, ",")+`]}`)
}

// resets accepts the request and breaks the connection.
func resets(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// inProcess calls a handler without a network, so that time can be virtual.
type inProcess struct{ http.Handler }

var errReset = errors.New("read: connection reset by peer")

func (p inProcess) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	defer func() {
		if recover() != nil {
			resp, err = nil, errReset
		}
	}()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

// client returns a client of the fake, without a network.
func (f *fake) client(t *testing.T, c Command) *Client {
	t.Helper()
	return newClient(t, c, arm.Options{
		Endpoint: "https://arm.test", AccessToken: token, Transport: inProcess{f}, Version: "1.2.3",
	})
}

func newClient(t *testing.T, command Command, o arm.Options) *Client {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	c, err := New(command, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func discover(t *testing.T, c *Client, s plan.Scope) plan.Observed {
	t.Helper()
	o, err := c.Discover(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// gapKinds returns the kinds of gaps, as a sorted set.
func gapKinds(o plan.Observed) []string {
	var out []string
	for _, g := range o.Gaps {
		out = append(out, string(g.Kind)+" "+g.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
