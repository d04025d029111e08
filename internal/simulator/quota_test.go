package simulator

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

const remaining = "X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests"

func TestHourlyBudgetCountsDownAndEndsIn429(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: settings.Settings{Quota: "150"}})
		list := testVault + "/backupJobs"
		if a := c.get(list); a.header.Get(remaining) != "149" || a.header.Get("X-Ms-Ratelimit-Remaining-Subscription-Reads") != "" {
			t.Errorf("headers %v", a.header)
		}
		time.Sleep(54*time.Minute + 36*time.Second)
		for range 149 {
			c.get(list)
		}
		a := c.do("GET", list, "", 429)
		want := "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded the limit of '150' for time interval '01:00:00'. Please try again after '324' seconds."
		if rawjson.TextAt(a.body, "error", "message") != want || a.code() != "ResourceRequestsThrottled" || a.header.Get("X-Ms-Failure-Cause") != "gateway" || a.header.Get("Retry-After") != "324" {
			t.Errorf("%v %s", a.header, a.body)
		}
		if b := c.get(testVault + "/backupProtectedItems"); b.header.Get(remaining) != "149" {
			t.Errorf("another action: %v", b.header)
		}
		if b := c.get(testVault); b.header.Get(remaining) != "" || b.header.Get("X-Ms-Ratelimit-Remaining-Subscription-Reads") == "" {
			t.Errorf("vault get: %v", b.header)
		}
		time.Sleep(325 * time.Second)
		if b := c.get(list); b.header.Get(remaining) != "149" {
			t.Errorf("after the window: %v", b.header)
		}
	})
}

func TestBudgetIsSharedByVaultsAndOtherClients(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, withSecondVault(t), Options{Settings: settings.Settings{Limits: map[string]int{"": 10}, OtherClients: 6, NoRetryAfterWhenThrottled: true}})
		c.get(testVault + "/backupJobs")
		c.get(otherVault + "/backupJobs")
		time.Sleep(30 * time.Minute)
		if a := c.get(testVault + "/backupJobs"); a.header.Get(remaining) != "4" {
			t.Errorf("remaining %s, want 4 (10 - 3 own - 3 others)", a.header.Get(remaining))
		}
		for range 4 {
			c.get(testVault + "/backupJobs")
		}
		if a := c.do("GET", testVault+"/backupJobs", "", 429); a.header.Get("Retry-After") != "" {
			t.Errorf("Retry-After %s with the setting", a.header.Get("Retry-After"))
		}
	})
}

func TestWritesAreBilledToARMsBucketWhichRefills(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: settings.Settings{Quota: "800", Durations: map[string]settings.Range{"": settings.Fixed(0)}}})
		put := func(want int) answered {
			t.Helper()
			return c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), want)
		}
		if a := put(202); a.header.Get("X-Ms-Ratelimit-Remaining-Subscription-Writes") != "199" || a.header.Get("X-Ms-Ratelimit-Remaining-Subscription-Global-Writes") != "2999" {
			t.Errorf("headers %v", a.header)
		}
		for range 199 {
			put(202)
		}
		a := put(429)
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("headers %v", a.header)
		}
		time.Sleep(time.Second)
		for range 10 {
			put(202)
		}
		put(429)
	})
}

func TestAnotherBucketHasItsOwnSizeAndRefill(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := map[string]int{"arm-writes": 3, "arm-writes-refill": 2}
		c := serve(t, estate(t), Options{Settings: settings.Settings{Limits: limits, Durations: map[string]settings.Range{"": settings.Fixed(0)}}})
		write := func(times, want int) {
			t.Helper()
			for range times {
				c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), want)
			}
		}
		write(3, 202)
		write(1, 429)
		time.Sleep(time.Second)
		write(2, 202)
		write(1, 429)
	})
}

func TestUnknownQuotaIsAnError(t *testing.T) {
	if _, err := New(estate(t), Options{Settings: settings.Settings{Quota: "plenty"}}); err == nil || !strings.Contains(err.Error(), "150") {
		t.Errorf("error %v", err)
	}
}

func TestSignInGivesATokenThatExpires(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: settings.Settings{RequireToken: true, ClientSecret: "s3cret", TokenLifetime: settings.Duration(10 * time.Minute)}})
		if a := c.do("GET", testVault, "", 401); a.code() != "AuthenticationFailed" || !strings.Contains(a.header.Get("WWW-Authenticate"), "authorization_uri") {
			t.Errorf("%v %s", a.header, a.body)
		}
		form := "grant_type=client_credentials&client_id=app&client_secret=s3cret&scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
		token := c.do("POST", "https://login.example/tenant1/oauth2/v2.0/token", form, 200)
		if rawjson.Number(token.body, "expires_in") != 599 || strings.Count(rawjson.TextAt(token.body, "access_token"), ".") != 2 {
			t.Errorf("%s", token.body)
		}
		claims, issued := c.s.identity.Claims(rawjson.TextAt(token.body, "access_token"))
		if !issued || rawjson.TextAt(claims, "tid") != "tenant1" || rawjson.TextAt(claims, "appid") != "app" || rawjson.TextAt(claims, "aud") != "https://management.azure.com" || len(rawjson.TextAt(claims, "oid")) != 36 {
			t.Errorf("claims %s", claims)
		}
		for form, want := range map[string]int{
			strings.Replace(form, "s3cret", "wrong", 1):           401,
			strings.Replace(form, "client_id=app", "x=1", 1):      400,
			strings.Replace(form, "client_credentials", "pin", 1): 400,
		} {
			a, _ := c.try("POST", "https://login.example/tenant1/oauth2/v2.0/token", form)
			if a.status != want || !strings.Contains(rawjson.TextAt(a.body, "error_description"), "AADSTS") {
				t.Errorf("%s: %d %s", form, a.status, a.body)
			}
		}
		call := func() (int, string) {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", c.base+testVault+"?api-version="+testAPI, nil)
			r.Header.Set("Authorization", "Bearer "+rawjson.TextAt(token.body, "access_token"))
			resp, err := c.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			return resp.StatusCode, resp.Header.Get("WWW-Authenticate")
		}
		if status, _ := call(); status != 200 {
			t.Errorf("status %d with a token", status)
		}
		time.Sleep(11 * time.Minute)
		if status, why := call(); status != 401 || !strings.Contains(why, "ExpiredAuthenticationToken") {
			t.Errorf("status %d %s with an expired token", status, why)
		}
	})
}

func TestDiscoveryDocumentsPointAtThisServer(t *testing.T) {
	c := serve(t, estate(t), Options{})
	c.base = "https://localhost:8443"
	old := c.get("/metadata/endpoints?api-version=2019-05-01")
	if !strings.HasPrefix(string(old.body), "[{") {
		t.Errorf("2019-05-01: %.80s", old.body)
	}
	now := c.get("/metadata/endpoints?api-version=2022-09-01")
	if rawjson.TextAt(now.body, "resourceManager") != "https://localhost:8443/" || rawjson.TextAt(now.body, "authentication", "loginEndpoint") != "https://localhost:8443" {
		t.Errorf("2022-09-01: %s", now.body)
	}
	oidc := c.do("GET", "https://localhost:8443/common/v2.0/.well-known/openid-configuration", "", 200)
	if rawjson.TextAt(oidc.body, "token_endpoint") != "https://localhost:8443/common/oauth2/v2.0/token" {
		t.Errorf("%s", oidc.body)
	}
	inst := c.do("GET", "https://localhost:8443/common/discovery/instance?api-version=1.1", "", 200)
	if !strings.Contains(string(inst.body), `"aliases":["localhost:8443"]`) {
		t.Errorf("%s", inst.body)
	}
}

func TestSubscriptionsGroupsAndProviders(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: settings.Settings{UnregisteredProviders: []string{"Microsoft.RecoveryServices"}}})
	if subs := values(c.get("/subscriptions")); len(subs) != 1 || rawjson.TextAt(subs[0], "tenantId") == "" {
		t.Errorf("%s", subs)
	}
	sub := "/subscriptions/" + testSub
	c.get(sub)
	groups := values(c.get(sub + "/resourceGroups"))
	if len(groups) != 2 {
		t.Errorf("%s", groups)
	}
	c.do("PUT", sub+"/resourcegroups/new", `{"location":"westeurope","tags":{"a":"b"}}`, 201)
	c.do("PUT", sub+"/resourcegroups/new", `{"location":"westeurope"}`, 200)
	c.do("HEAD", sub+"/resourcegroups/NEW", "", 204)
	c.do("HEAD", sub+"/resourcegroups/nothing", "", 404)
	c.do("DELETE", sub+"/resourcegroups/rg-app", "", 409)
	c.do("DELETE", sub+"/resourcegroups/new", "", 200)
	if n := len(values(c.get(sub + "/resourceGroups/rg-app/resources"))); n != 4 {
		t.Errorf("%d resources", n)
	}
	if a := c.do("PUT", newVaultPath, newVaultBody, 409); a.code() != "MissingSubscriptionRegistration" {
		t.Errorf("%s", a.body)
	}
	c.do("POST", sub+"/providers/microsoft.recoveryservices/register", "", 200)
	if a := c.get(sub + "/providers/Microsoft.RecoveryServices"); rawjson.TextAt(a.body, "registrationState") != "Registered" {
		t.Errorf("%s", a.body)
	}
	c.do("PUT", newVaultPath, newVaultBody, 201)
	if a := c.do("PUT", strings.Replace(newVaultPath, "rg-backup", "nowhere", 1), newVaultBody, 404); a.code() != "ResourceGroupNotFound" {
		t.Errorf("%s", a.body)
	}
}
