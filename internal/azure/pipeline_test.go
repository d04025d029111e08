package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

// The bearer token is sent to the endpoint's scheme, host and port, whichever response names another.
func TestTheTokenNeverLeavesTheEndpoint(t *testing.T) {
	var leaked atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked.Add(1)
		lists()(w, r)
	}))
	defer thief.Close()
	f := newFake()
	srv := httptest.NewServer(f)
	defer srv.Close()
	c := newClient(t, CommandApply, arm.Options{Endpoint: srv.URL, AccessToken: token})

	t.Run("nextLink", func(t *testing.T) {
		f.on("GET", vmList, says(200, `{"value":[],"nextLink":"`+thief.URL+vmList+`"}`))
		o := discover(t, c, plan.Scope{Subscriptions: []string{sub}})
		if d := cmp.Diff([]string{"vms Refused"}, gapKinds(o)); d != "" {
			t.Error(d)
		}
	})
	t.Run("redirect", func(t *testing.T) {
		f.on("GET", vmList, says(307, "", "Location", thief.URL+vmList))
		o := discover(t, c, plan.Scope{Subscriptions: []string{sub}})
		if len(o.Gaps) != 1 || o.Gaps[0].Status != 307 {
			t.Errorf("gaps %+v, want one for the redirect", o.Gaps)
		}
	})
	for name, op := range map[string]apply.Operation{
		"Azure-AsyncOperation": {Status: thief.URL + "/x"},
		"Location":             {Result: thief.URL + "/x"},
		"https for http":       {Result: strings.Replace(srv.URL, "http:", "https:", 1) + "/x"},
		"user info":            {Result: strings.Replace(thief.URL, "http://", "http://"+mustURL(t, srv.URL).Host+"@", 1) + "/x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Poll(t.Context(), op)
			if _, ok := errors.AsType[*arm.RefusedError](err); !ok {
				t.Errorf("got %v, want a RefusedError", err)
			}
		})
	}
	if leaked.Load() != 0 {
		t.Errorf("%d requests reached another host", leaked.Load())
	}
}

func TestEveryRequestIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake().on("GET", vmList, fails(500, "InternalServerError"), lists())
		c := f.client(t, CommandPlan)
		discover(t, c, plan.Scope{Subscriptions: []string{sub}})
		if len(f.sent) != 2 {
			t.Fatalf("%d requests, want 2", len(f.sent))
		}
		a, b := f.sent[0].header, f.sent[1].header
		if a.Get("x-ms-correlation-request-id") != c.CorrelationID() || b.Get("x-ms-correlation-request-id") != c.CorrelationID() {
			t.Error("the correlation id is not the run's")
		}
		if a.Get("x-ms-client-request-id") == "" || a.Get("x-ms-client-request-id") == b.Get("x-ms-client-request-id") {
			t.Error("two attempts share a client request id, or have none")
		}
		if got := a.Get("User-Agent"); got != "azbackup/1.2.3" {
			t.Errorf("user agent %q", got)
		}
		if a.Get("Authorization") != "Bearer "+token {
			t.Error("no bearer token")
		}
		if d := cmp.Diff(map[string]int{"virtual machines": 2}, c.Requests()); d != "" {
			t.Error(d)
		}
	})
}

func TestReadsAreRepeated(t *testing.T) {
	truncated := func(w http.ResponseWriter, r *http.Request) {
		lists(`{"id":"`+vm1+`"},{"id"`)(cutter{w}, r)
	}
	for name, bad := range map[string]http.HandlerFunc{
		"429":                  fails(429, "TooManyRequests"),
		"429 after 61 s":       says(429, `{}`, "Retry-After", "61"),
		"429 after 5 min":      says(429, `{}`, "Retry-After", "300"),
		"429 told in the text": says(429, `{"error":{"code":"ResourceRequestsThrottled","message":"Please try again after '324' seconds."}}`),
		"500":                  fails(500, "InternalServerError"),
		"502":                  fails(502, "InvalidGatewayHost"),
		"504":                  fails(504, "GatewayTimeout"),
		"reset":                resets,
		"truncated":            truncated,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake().on("GET", vmList, bad, bad, lists(rawVM("VM1")))
				start := time.Now()
				o := discover(t, f.client(t, CommandPlan), plan.Scope{Subscriptions: []string{sub}})
				if len(o.Gaps) != 0 || len(o.VMs) != 1 {
					t.Errorf("%d VMs, gaps %+v", len(o.VMs), o.Gaps)
				}
				took := time.Since(start)
				if strings.HasSuffix(name, "61 s") && took < 122*time.Second || strings.HasSuffix(name, "5 min") && took < 10*time.Minute ||
					strings.HasSuffix(name, "text") && took < 324*time.Second {
					t.Errorf("it waited %v only", took)
				}
			})
		})
	}
}

// One odd header holds no read back for hours: only a quota may ask for a long wait.
func TestAFaultOfTheServiceIsNotWaitedForByTheHour(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"an hour":                   says(503, "", "Retry-After", "3600"),
		"an hour in milliseconds":   says(500, "", "x-ms-retry-after-ms", "3600000"),
		"more than a read may wait": says(503, "", "Retry-After", "864000"),
		"until a date":              says(503, "", "Retry-After", "Sat, 01 Jan 2000 01:00:00 GMT", "Date", "Sat, 01 Jan 2000 00:00:00 GMT"),
		"by another clock":          says(429, "", "Retry-After", "Sat, 01 Jan 2000 01:00:10 GMT", "Date", "Sat, 01 Jan 2000 01:00:00 GMT"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake().on("GET", vmList, bad, lists(rawVM("VM1")))
				start := time.Now()
				o := discover(t, f.client(t, CommandPlan), plan.Scope{Subscriptions: []string{sub}})
				if took := time.Since(start); len(o.Gaps) != 0 || took < 9*time.Second || took > 2*time.Minute {
					t.Errorf("it took %v, gaps %+v", took, o.Gaps)
				}
			})
		})
	}
}

// cutter drops the end of a body written through it.
type cutter struct{ http.ResponseWriter }

func (c cutter) Write(p []byte) (int, error) {
	_, err := c.ResponseWriter.Write(p[:len(p)-2])
	return len(p), err
}

func TestAWriteIsSentOnce(t *testing.T) {
	change := plan.Change{ID: "backup:vm1", Action: plan.Backup, Target: vm1, Vault: vaultID}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		unknown bool
		status  int
	}{
		"reset after the effect": {resets, true, 0},
		"500":                    {fails(500, "InternalServerError"), true, 500},
		"504":                    {fails(504, "GatewayTimeout"), true, 504},
		"408":                    {fails(408, "RequestTimeout"), true, 408},
		"429":                    {says(429, `{"error":{"code":"TooManyRequests"}}`, "Retry-After", "7"), false, 429},
		"409":                    {fails(409, "BMSUserErrorObjectLocked"), false, 409},
		"unregistered":           {fails(409, "MissingSubscriptionRegistration"), false, 409},
		"redirect":               {says(308, "", "Location", "https://arm.test/elsewhere"), false, 308},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				path := vaultID + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;RG-App;VM1/protectedItems/VM;iaasvmcontainerv2;RG-App;VM1/backup"
				f.on("POST", path, c.answer)
				_, err := f.client(t, CommandApply).Start(t.Context(), change)
				e, ok := errors.AsType[*apply.Error](err)
				if !ok || e.Unknown != c.unknown || e.Status != c.status {
					t.Errorf("got %#v", err)
				}
				if ok && e.RequestID == "" {
					t.Error("no request id")
				}
				if name == "429" && e.RetryAfter != 7*time.Second {
					t.Errorf("Retry-After %v", e.RetryAfter)
				}
				if len(f.sent) != 1 {
					t.Errorf("%d requests, want 1: %+v", len(f.sent), f.sent)
				}
			})
		})
	}
}

func TestAWriteWithoutAnAnswerEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := newClient(t, CommandApply, arm.Options{Endpoint: "https://arm.test", AccessToken: token, Transport: hang})
		start := time.Now()
		_, err := c.Start(t.Context(), plan.Change{Action: plan.Refresh, Target: vaultID, Vault: vaultID})
		if e, ok := errors.AsType[*apply.Error](err); !ok || !e.Unknown || time.Since(start) != 2*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// Whoever looks after writes that may have had an effect must not be sent after one that never left.
func TestAWriteThatEndsBeforeItIsSentSaysSo(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	change := plan.Change{
		Action: plan.Resume, Risk: plan.RiskReducesRetention, Target: vm1, Vault: vaultID, Item: itemID,
		Before: &plan.State{State: plan.StateProtectionStopped}, After: &plan.State{State: plan.StateProtected, Policy: policyID},
	}
	stopped := azuretest.Item(vaultID, "VM1", `"protectionState":"ProtectionStopped","policyId":""`)
	for name, tt := range map[string]struct {
		ctx    context.Context
		read   http.HandlerFunc
		unsent bool
		puts   int
	}{
		"the read right before it is refused": {t.Context(), fails(http.StatusForbidden, "AuthorizationFailed"), true, 0},
		"its time is over before its turn":    {over, nil, true, 0},
		"it was sent":                         {t.Context(), says(http.StatusOK, stopped), false, 1},
	} {
		f := newFake().on("GET", itemID, tt.read).on("PUT", itemID, fails(http.StatusInternalServerError, "InternalServerError"))
		_, err := f.client(t, CommandApply).Start(tt.ctx, change)
		if _, is := errors.AsType[*apply.UnsentError](err); err == nil || is != tt.unsent {
			t.Errorf("%s: %#v", name, err)
		}
		if n := f.count("PUT", itemID[len(vaultID):]); n != tt.puts {
			t.Errorf("%s: %d writes, want %d", name, n, tt.puts)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheEndOfAContextIsReportedByItsCause(t *testing.T) {
	cause := errors.New("the run may take 6 h")
	var ctx context.Context
	var cancel context.CancelCauseFunc
	f := newFake().on("GET", vmList, func(http.ResponseWriter, *http.Request) { cancel(cause); resets(nil, nil) })
	c := f.client(t, CommandApply)
	f.on("POST", vaultID+"/backupFabrics/Azure/refreshContainers", f.answers["GET "+strings.ToLower(vmList)]...)
	calls := map[string]func(context.Context) error{
		"Discover": func(ctx context.Context) error {
			_, err := c.Discover(ctx, plan.Scope{Subscriptions: []string{sub}})
			return err
		},
		"Start": func(ctx context.Context) error {
			_, err := c.Start(ctx, plan.Change{Action: plan.Refresh, Target: vaultID, Vault: vaultID})
			return err
		},
		"List": func(ctx context.Context) error { _, err := c.List(ctx, vaultID); return err },
		"Poll": func(ctx context.Context) error {
			_, err := c.Poll(ctx, apply.Operation{Status: "https://arm.test" + vmList})
			return err
		},
	}
	for name, call := range calls {
		ctx, cancel = context.WithCancelCause(t.Context())
		if err := call(ctx); name != "List" && !errors.Is(err, cause) {
			t.Errorf("%s: got %v, want the cause", name, err)
		}
		// From here on the context has ended before anything is sent.
		cancel(cause)
		if err := call(ctx); !errors.Is(err, cause) {
			t.Errorf("%s, over: got %v, want the cause", name, err)
		}
	}
}

func TestABodyThatIsNotAListIsAGap(t *testing.T) {
	pages := 0
	endless := func(w http.ResponseWriter, r *http.Request) {
		pages++
		says(200, fmt.Sprintf(`{"value":[],"nextLink":"?$skiptoken=%d"}`, pages))(w, r)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"a login page":           {says(200, "<html>", "Content-Type", "text/html"), "MalformedAnswer"},
		"no content type":        {says(200, `{"value":[]}`, "Content-Type", ""), "MalformedAnswer"},
		"an object without list": {says(200, `{}`), "MalformedAnswer"},
		"a null list":            {says(200, `{"value":null}`), "MalformedAnswer"},
		"a list of nothing":      {says(200, `[]`), "MalformedAnswer"},
		"an empty body":          {says(200, "", "Content-Type", "application/json"), ""},
		"half a list":            {says(200, `{"value":[{"id":"`+vm1+`"}`), ""},
		"no JSON":                {says(200, `{"value":[oops]}`), "MalformedAnswer"},
		"202":                    {says(202, `{"value":[]}`), ""},
		"an entry without id":    {lists(`{"name":"x"}`), "MalformedAnswer"},
		"a null entry":           {lists(`null`), "MalformedAnswer"},
		"a nextLink that loops":  {says(200, `{"value":[],"nextLink":"https://arm.test`+vmList+`?api-version=`+apiCompute+`"}`), "RepeatedNextLink"},
		"a list without end":     {endless, "EndlessList"},
		"a nextLink of no URL":   {says(200, `{"value":[],"nextLink":"https://%zz"}`), "UnusableNextLink"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake().on("GET", vmList, c.answer)
				o := discover(t, f.client(t, CommandPlan), plan.Scope{Subscriptions: []string{sub}})
				if len(o.Gaps) != 1 || o.Gaps[0].Kind != plan.GapVMs || o.Gaps[0].Code != c.code {
					t.Errorf("gaps %+v, want one with code %q", o.Gaps, c.code)
				}
			})
		})
	}
}

func TestPagesAreFollowedVerbatim(t *testing.T) {
	const skip = "&%24skiptoken=A%2fb%2BC%3d%3d"
	f := newFake().on("GET", vmList,
		says(200, `{"value":[`+rawVM("VM1")+`],"nextLink":"https://ARM.test:443`+vmList+`?api-version=2099-01-01`+skip+`"}`),
		says(200, `{"nextLink":null,"value":[`+rawVM("VM2")+`]}`))
	o := discover(t, f.client(t, CommandPlan), plan.Scope{Subscriptions: []string{sub}})
	if len(o.VMs) != 2 || len(o.Gaps) != 0 {
		t.Errorf("%d VMs, gaps %+v", len(o.VMs), o.Gaps)
	}
	if got := f.last().query; got != "api-version=2099-01-01"+skip {
		t.Errorf("the second page was asked with %q", got)
	}
}
