package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/plan"
)

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
			e, ok := errors.AsType[*arm.SignInError](err)
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

// wallet returns another token each time, after a delay.
type wallet struct {
	n     atomic.Int32
	delay time.Duration
}

func (w *wallet) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	time.Sleep(w.delay)
	return azcore.AccessToken{Token: fmt.Sprint("token-", w.n.Add(1)), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestATokenThatExpiresInTheMiddleIsReplaced(t *testing.T) {
	expired := fails(401, "ExpiredAuthenticationToken")
	f := newFake().on("GET", vmList, expired, lists(rawVM("VM1"))).
		on("POST", vaultID+"/backupFabrics/Azure/refreshContainers", expired)
	c := newClient(t, CommandApply, arm.Options{Endpoint: "https://arm.test", Credential: &wallet{}, Transport: inProcess{f}})
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

// Another request that is signed in at the moment of a challenge gets a token without its claims, and azcore sends the
// challenged request again with that one: what was challenged twice has met no answer to its claims yet.
func TestAChallengeThatMetTheTokenOfAnotherRequestIsAnsweredAgain(t *testing.T) {
	challenge := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ=="`)
		fails(401, "AuthenticationFailed")(w, r)
	}
	f := newFake().on("GET", vmList, challenge, challenge, lists(rawVM("VM1")))
	c := newClient(t, CommandPlan, arm.Options{Endpoint: "https://arm.test", Credential: &wallet{}, Transport: inProcess{f}})
	if o := discover(t, c, plan.Scope{Subscriptions: []string{sub}}); len(o.Gaps) != 0 || len(o.VMs) != 1 {
		t.Errorf("gaps %+v", o.Gaps)
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	f := newFake()
	c := newClient(t, "", arm.Options{Endpoint: "https://arm.test", Credential: noToken{}, Transport: inProcess{f}})
	_, err := c.Discover(t.Context(), plan.Scope{Subscriptions: []string{sub}, Vaults: []plan.VaultRef{{ID: vaultID}}})
	if e, ok := errors.AsType[*arm.SignInError](err); !ok || e.Message != "run az login and more" {
		t.Errorf("got %v", err)
	}
	if _, err := c.WhoAmI(t.Context()); err == nil {
		t.Error("WhoAmI knows somebody")
	}
	if len(f.sent) != 0 || len(c.Requests()) != 0 {
		t.Errorf("sent %+v", f.sent)
	}
}

// The who-am-I, the first requests and a refusal of all of them cause two token requests in all.
func TestARunAsksForOneTokenAndForOneMoreWhenAllAreRefused(t *testing.T) {
	expired := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			fails(401, "ExpiredAuthenticationToken")(w, r)
			return
		}
		lists()(w, r)
	}
	w := &wallet{delay: time.Second}
	f := newFake().on("GET", vmList, expired).on("GET", vaultID, expired)
	c := newClient(t, "", arm.Options{Endpoint: "https://arm.test", Credential: w, Transport: inProcess{f}})
	for range 2 {
		if _, err := c.WhoAmI(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	discover(t, c, plan.Scope{Subscriptions: []string{sub}, Vaults: []plan.VaultRef{{ID: vaultID}}})
	if n := w.n.Load(); n != 2 {
		t.Errorf("asked for %d tokens, want 2", n)
	}
}
