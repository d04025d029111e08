package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

func itemURL(c *Client) string {
	return c.buildURL(vaultID+"/backupFabrics/Azure/protectionContainers/c;x;y/protectedItems/vm;x;y", apiBackup)
}

// writes returns one request of each kind that changes something, and some that no command may send.
func writes(c *Client) map[string]request {
	return map[string]request{
		"put vault":     {method: http.MethodPut, url: c.buildURL(vaultID, apiVault)},
		"patch vault":   {method: http.MethodPatch, url: c.buildURL(vaultID, apiVault)},
		"put policy":    {method: http.MethodPut, url: c.buildURL(vaultID+"/backupPolicies/p", apiBackup)},
		"refresh":       {method: http.MethodPost, url: c.buildURL(vaultID+"/backupFabrics/Azure/refreshContainers", apiBackup)},
		"put item":      {method: http.MethodPut, url: itemURL(c)},
		"post backup":   {method: http.MethodPost, url: strings.Replace(itemURL(c), "?", "/backup?", 1)},
		"post restore":  {method: http.MethodPost, url: strings.Replace(itemURL(c), "?", "/recoveryPoints/1/restore?", 1)},
		"check restore": {method: http.MethodPost, url: c.buildURL(vaultID+"/backupTriggerValidateOperation", apiBackup)},
		"delete disk":   {method: http.MethodDelete, url: c.buildURL(disksPath+"/d", apiDisks)},
		"delete item":   {method: http.MethodDelete, url: itemURL(c)},
		"delete vault":  {method: http.MethodDelete, url: c.buildURL(vaultID, apiVault)},
		"delete policy": {method: http.MethodDelete, url: c.buildURL(vaultID+"/backupPolicies/p", apiBackup)},
		"unlock delete": {method: http.MethodPost, url: c.buildURL(vaultID+"/backupResourceGuardProxies/VaultProxy/unlockDelete", apiBackup)},
		"register":      {method: http.MethodPost, url: c.buildURL("/subscriptions/"+sub+"/providers/Microsoft.RecoveryServices/register", apiVault)},
		"put vm":        {method: http.MethodPut, url: c.buildURL(vm1, apiCompute)},
		"cancel job":    {method: http.MethodPost, url: c.buildURL(vaultID+"/backupJobs/j/cancel", apiBackup)},
		"trigger stop":  {method: http.MethodPost, url: strings.Replace(itemURL(c), "?", "/restore?", 1)},
		"dots":          {method: http.MethodPut, url: c.endpoint.String() + vaultID + "/backupPolicies/..?api-version=1"},
		"hidden dots":   {method: http.MethodPut, url: c.endpoint.String() + vaultID + "/backupPolicies/%2e%2e?api-version=1"},
		"hidden slash":  {method: http.MethodPut, url: c.endpoint.String() + vaultID + "/backupPolicies/p%2f..%2f..?api-version=1"},
		"backslash":     {method: http.MethodPut, url: c.endpoint.String() + vaultID + "/backupPolicies/p%5c..?api-version=1"},
		"double slash":  {method: http.MethodPut, url: c.endpoint.String() + "/" + vaultID + "/backupPolicies/p?api-version=1"},
	}
}

func TestACommandSendsOnlyItsOwnWrites(t *testing.T) {
	allowed := map[Command][]string{
		CommandApply:       {"check restore", "patch vault", "post backup", "post restore", "put item", "put policy", "put vault", "refresh"},
		CommandBackup:      {"post backup"},
		CommandRestore:     {"post restore"},
		CommandRestoreTest: {"check restore", "post restore"},
		CommandPoints:      nil,
		CommandPlan:        nil, CommandAudit: nil, CommandExplain: nil, CommandExport: nil, CommandSnapshot: nil, "": nil, "APPLY": nil,
	}
	for command, want := range allowed {
		f := newFake()
		c := f.client(t, command)
		var got []string
		for _, name := range sortedKeys(writes(c)) {
			r := writes(c)[name]
			r.class = quota.Write
			before := len(f.sent)
			_, err := c.do(t.Context(), r)
			if len(f.sent) > before {
				got = append(got, name)
				continue
			}
			if refused, ok := errors.AsType[*RefusedError](err); !ok || strings.Contains(err.Error(), token) {
				t.Errorf("%s, %s: got %v (%v), want a RefusedError", command, name, err, refused)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("what %q sent (-want +got):\n%s", command, d)
		}
	}
}

func TestNoRouteDeletes(t *testing.T) {
	for _, r := range allowedRoutes() {
		if r.method == http.MethodDelete {
			t.Errorf("%s deletes", r.path)
		}
	}
}

func TestReadsByPostAreAllowed(t *testing.T) {
	f := newFake()
	for _, command := range Commands() {
		c := f.client(t, command)
		for path, isAllowed := range map[string]bool{
			"/subscriptions/" + sub + "/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus": true,
			"/providers/Microsoft.ResourceGraph/resources":                                                      command == CommandAudit, // its answers lag
		} {
			if _, err := c.checkAllowed(http.MethodPost, mustURL(t, c.buildURL(path, apiBackup))); (err == nil) != isAllowed {
				t.Errorf("%s: %s: %v", command, path, err)
			}
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

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
	c := newClient(t, CommandApply, Options{Endpoint: srv.URL, AccessToken: token})

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
			if _, ok := errors.AsType[*RefusedError](err); !ok {
				t.Errorf("got %v, want a RefusedError", err)
			}
		})
	}
	if leaked.Load() != 0 {
		t.Errorf("%d requests reached another host", leaked.Load())
	}
}

func TestEndpoints(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://management.azure.com":   "",
		"https://management.azure.com/":  "",
		"https://arm.local:30024":        "",
		"http://127.0.0.1:8080":          "",
		"http://[::1]:8080":              "",
		"http://localhost:8080":          "",
		"http://arm.local":               "loopback only",
		"http://127.0.0.1.evil.test":     "loopback only",
		"https://u:p@management.test":    "not of the form",
		"https://management.test/path":   "not of the form",
		"https://management.test?x=y":    "not of the form",
		"ftp://management.test":          "neither",
		"management.azure.com":           "not of the form",
		"https://management.test\x7f.io": "reading endpoint",
	} {
		_, err := New("", Options{Endpoint: endpoint, AccessToken: token, Now: time.Now})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", endpoint, err, want)
		}
	}
}

func TestAnAccessTokenGoesWithAnEndpointOnly(t *testing.T) {
	if _, err := New("", Options{AccessToken: token, Now: time.Now}); err == nil {
		t.Error("a token of one's own was accepted for a well-known cloud")
	}
}

func TestClouds(t *testing.T) {
	for name, want := range map[Cloud]string{
		{}:                          "https://management.azure.com",
		{Name: "AzurePublic"}:       "https://management.azure.com",
		{Name: "AzureUSGovernment"}: "https://management.usgovcloudapi.net",
		{Name: "AzureChina"}:        "https://management.chinacloudapi.cn",
		{Endpoint: "https://arm.test", Audience: "https://aud.test", Authority: "https://login.test"}: "https://arm.test",
	} {
		c := newClient(t, "", Options{Cloud: name})
		if got := c.endpoint.String(); got != want {
			t.Errorf("%+v: endpoint %s, want %s", name, got, want)
		}
	}
	c := newClient(t, "", Options{Cloud: Cloud{Endpoint: "https://arm.test", Audience: "https://aud.test/"}})
	if c.scope != "https://aud.test/.default" {
		t.Errorf("scope %q", c.scope)
	}
	if _, err := New("", Options{Cloud: Cloud{Name: "AzureMoon"}, Now: time.Now}); err == nil {
		t.Error("AzureMoon was accepted")
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
		if a.Get(headerCorrelationID) != c.CorrelationID() || b.Get(headerCorrelationID) != c.CorrelationID() {
			t.Error("the correlation id is not the run's")
		}
		if a.Get(headerClientRequestID) == "" || a.Get(headerClientRequestID) == b.Get(headerClientRequestID) {
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
		c := newClient(t, CommandApply, Options{Endpoint: "https://arm.test", AccessToken: token, Transport: hang})
		start := time.Now()
		_, err := c.Start(t.Context(), plan.Change{Action: plan.Refresh, Target: vaultID, Vault: vaultID})
		if e, ok := errors.AsType[*apply.Error](err); !ok || !e.Unknown || time.Since(start) != tryTimeout {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
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

func TestAnEndlessBodyIsAGap(t *testing.T) {
	var b io.Reader = &boundedBody{body: io.NopCloser(strings.NewReader("too long")), left: 3}
	got, err := io.ReadAll(b)
	if _, ok := errors.AsType[*malformedError](err); !ok || string(got) != "too" {
		t.Errorf("read %q, %v", got, err)
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

func TestNobodyIsSignedIn(t *testing.T) {
	scope := plan.Scope{Subscriptions: []string{sub}, Vaults: []plan.VaultRef{{ID: vaultID}}}
	for name, c := range map[string]struct {
		vms, vault http.HandlerFunc
		signIn     bool
	}{
		"401 everywhere":          {fails(401, "ExpiredAuthenticationToken"), fails(401, "ExpiredAuthenticationToken"), true},
		"401 and 403":             {fails(401, "ExpiredAuthenticationToken"), fails(403, "AuthorizationFailed"), true},
		"403 everywhere":          {fails(403, "AuthorizationFailed"), fails(403, "AuthorizationFailed"), true},
		"403 here, 404 there":     {fails(403, "AuthorizationFailed"), fails(404, "ResourceNotFound"), false},
		"403 here, no such 404":   {fails(403, "AuthorizationFailed"), fails(404, "SubscriptionNotFound"), false},
		"403 here, a list there":  {lists(), fails(403, "AuthorizationFailed"), false},
		"a conflict, not refused": {fails(409, "Conflict"), fails(403, "AuthorizationFailed"), false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake().on("GET", vmList, c.vms).on("GET", vaultID, c.vault)
			_, err := f.client(t, CommandPlan).Discover(t.Context(), scope)
			e, ok := errors.AsType[*SignInError](err)
			if ok != c.signIn || err != nil && !ok {
				t.Errorf("got %v, want a SignInError: %v", err, c.signIn)
			}
			if ok && e.RequestID == "" {
				t.Error("no request id")
			}
		})
	}
}

type noToken struct{}

func (noToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("run az login\nand more")
}

// wallet returns another token each time.
type wallet struct{ n atomic.Int32 }

func (w *wallet) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: fmt.Sprint("token-", w.n.Add(1)), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestATokenThatExpiresInTheMiddleIsReplaced(t *testing.T) {
	expired := fails(401, "ExpiredAuthenticationToken")
	f := newFake().on("GET", vmList, expired, lists(rawVM("VM1"))).
		on("POST", vaultID+"/backupFabrics/Azure/refreshContainers", expired)
	c := newClient(t, CommandApply, Options{Endpoint: "https://arm.test", Credential: &wallet{}, Transport: inProcess{f}})
	if o := discover(t, c, plan.Scope{Subscriptions: []string{sub}}); len(o.Gaps) != 0 || len(o.VMs) != 1 {
		t.Errorf("gaps %+v", o.Gaps)
	}
	if got := f.last().header.Get("Authorization"); got != "Bearer token-2" {
		t.Errorf("sent again with %q", got)
	}
	// A write refused with 401 was not done, so it is sent once more; a second 401 is its answer.
	_, err := c.Start(t.Context(), plan.Change{Action: plan.Refresh, Target: vaultID, Vault: vaultID})
	if e, ok := errors.AsType[*apply.Error](err); !ok || e.Status != 401 || e.Unknown || f.count("POST", "") != 2 {
		t.Errorf("a write: %v, sent %d times", err, f.count("POST", ""))
	}
	if got := f.last().header.Get("Authorization"); got != "Bearer token-3" {
		t.Errorf("a write was sent again with %q", got)
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	f := newFake()
	c := newClient(t, "", Options{Endpoint: "https://arm.test", Credential: noToken{}, Transport: inProcess{f}})
	_, err := c.Discover(t.Context(), plan.Scope{Subscriptions: []string{sub}, Vaults: []plan.VaultRef{{ID: vaultID}}})
	if e, ok := errors.AsType[*SignInError](err); !ok || e.Message != "run az login and more" {
		t.Errorf("got %v", err)
	}
	if _, err := c.WhoAmI(t.Context()); err == nil {
		t.Error("WhoAmI knows somebody")
	}
	if len(f.sent) != 0 || len(c.Requests()) != 0 {
		t.Errorf("sent %+v", f.sent)
	}
}

func TestWhoAmI(t *testing.T) {
	// {"tid":"t1","oid":"o1","appid":"a1","idtyp":"app","ver":1.0}
	const jwt = "e30.eyJ0aWQiOiJ0MSIsIm9pZCI6Im8xIiwiYXBwaWQiOiJhMSIsImlkdHlwIjoiYXBwIiwidmVyIjoxLjB9.sig"
	c := newClient(t, "", Options{Endpoint: "https://arm.test", Credential: staticToken(jwt)})
	got, err := c.WhoAmI(t.Context())
	want := Identity{
		Cloud: AzurePublic, Endpoint: "https://arm.test", Tenant: "t1", ObjectID: "o1", AppID: "a1", Name: "a1", Kind: "service principal",
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
	c = newClient(t, "", Options{Endpoint: "https://arm.test", AccessToken: "opaque"})
	if got, err := c.WhoAmI(t.Context()); err != nil || got.Kind != "access token" || got.Name != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestErrorEnvelopes(t *testing.T) {
	for body, want := range map[string][2]string{
		`{"error":{"code":"A","message":"b","target":null,"details":null,"innererror":{}}}`: {"A", "b"},
		`{"error":{"code":"A","message":"","details":[{"code":"C","message":"d"}]}}`:        {"A", "d"},
		`{"ErrorCode":"A","Message":{"Language":"en","Value":"b"}}`:                         {"A", "b"},
		`{"code":"A","message":"b"}`:                                                                                 {"A", "b"},
		`{"error":{"code":400239,"message":"b"}}`:                                                                    {"400239", "b"},
		`{"error":{"code":"A","message":{"lang":"en-US","value":"b"}}}`:                                              {"A", "b"},
		`{"odata.error":{"code":"A","message":{"lang":"en-US","value":"b"}}}`:                                        {"A", "b"},
		"\xef\xbb\xbf" + `{"odata.error":{"code":"A","message":"b"}}`:                                                {"A", "b"},
		`<?xml version="1.0" encoding="utf-8"?><Error><Code>A</Code><Message>b &amp; c` + "\n</Message></Error>":     {"A", "b & c"},
		`<m:error xmlns:m="http://x/metadata"><m:code>A</m:code><m:message xml:lang="en-US">b</m:message></m:error>`: {"A", "b"},
		`<Error xmlns="http://x"><Code>A</Code><Inner><Code>C</Code></Inner><Message>b</Message><Detail>`:            {"A", "b"},
		`<html><head><title>502</title></head><body><error><code>A</code></error></body></html>`:                     {"", ""},

		`{"error":"invalid_token"}`: {"", ""},
		`<html>`:                    {"", ""},
		``:                          {"", ""},
	} {
		code, message := parseErrorBody([]byte(body))
		if code != want[0] || message != want[1] {
			t.Errorf("%s: %q, %q", body, code, message)
		}
	}
}
