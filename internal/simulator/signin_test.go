package simulator

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

const signInAt = "https://login.example/tenant1"

// signIn requests a token, with these form fields besides the usual ones.
func (c *client) signIn(fields ...string) answered {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "scope": {"https://management.example/.default openid offline_access profile"}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	a, _ := c.try("POST", signInAt+"/oauth2/v2.0/token", form.Encode())
	return a
}

// assertionOf returns an unsigned assertion with these claims, issued age ago and valid for five minutes.
func assertionOf(c *client, iss, sub, aud string, age time.Duration) string {
	made := c.s.clock.wallTime().Add(-age)
	claims := fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":%q,"nbf":%d,"exp":%d}`, iss, sub, aud, made.Unix(), made.Add(5*time.Minute).Unix())
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"PS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("x"))
}

// docs/azure.md §28.2
func TestTheSignInRefusesAsMicrosoftEntraDoes(t *testing.T) {
	const jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: settings.Settings{ClientSecret: "right", SignIn: settings.SignIn{
			Tenants: []string{"tenant1"}, Applications: []string{"app", "blocked"}, ExpiredSecret: "old", Subject: "repo",
		}}})
		assert := func(iss, sub, aud string, age time.Duration) []string {
			return []string{"client_assertion_type", jwt, "client_assertion", assertionOf(c, iss, sub, aud, age)}
		}
		for name, test := range map[string]struct {
			fields []string
			status int
			code   int
			name   string
		}{
			"a good secret":              {[]string{"client_secret", "right"}, 200, 0, ""},
			"a wrong secret":             {[]string{"client_secret", "x"}, 401, 7000215, "invalid_client"},
			"an old secret":              {[]string{"client_secret", "old"}, 401, 7000222, "invalid_client"},
			"no secret":                  {nil, 401, 7000216, "invalid_client"},
			"an unknown application":     {[]string{"client_secret", "right", "client_id", "x"}, 400, 700016, "unauthorized_client"},
			"an unknown grant":           {[]string{"grant_type", "pin"}, 400, 70003, "unsupported_grant_type"},
			"a good assertion":           {assert("app", "app", signInAt+"/oauth2/v2.0/token", 0), 200, 0, ""},
			"an assertion for others":    {assert("app", "app", "https://other.example", 0), 401, 700023, "invalid_client"},
			"an old assertion":           {assert("app", "app", signInAt+"/oauth2/v2.0/token", time.Hour), 401, 700024, "invalid_client"},
			"an assertion to come":       {assert("app", "app", signInAt+"/oauth2/v2.0/token", -time.Hour), 401, 700024, "invalid_client"},
			"an assertion of another":    {assert("https://ci.example", "repo", "api://x", time.Minute), 200, 0, ""},
			"an assertion about another": {assert("https://ci.example", "x", "api://x", time.Minute), 401, 700213, "invalid_client"},
			"no assertion":               {[]string{"client_assertion_type", jwt, "client_assertion", "x"}, 401, 50027, "invalid_request"},
		} {
			r := c.signIn(test.fields...)
			code := fmt.Sprintf("[%d]", test.code)
			switch {
			case r.status != test.status:
				t.Errorf("%s: %d %s", name, r.status, r.body)
			case test.code == 0 && rawjson.TextAt(r.body, "access_token") == "":
				t.Errorf("%s: no token in %s", name, r.body)
			case test.code != 0 && (string(rawjson.RawAt(r.body, "error_codes")) != code || rawjson.TextAt(r.body, "error") != test.name ||
				!strings.HasPrefix(rawjson.TextAt(r.body, "error_description"), fmt.Sprintf("AADSTS%d: ", test.code)) ||
				!strings.Contains(rawjson.TextAt(r.body, "error_description"), " Trace ID: ")):
				t.Errorf("%s: %s", name, r.body)
			}
		}
		a, _ := c.try("GET", "https://login.example/nobody/v2.0/.well-known/openid-configuration", "")
		if a.status != 400 || string(rawjson.RawAt(a.body, "error_codes")) != "[90002]" {
			t.Errorf("an unknown tenant: %d %s", a.status, a.body)
		}
		c.do("GET", "https://login.example/common/v2.0/.well-known/openid-configuration", "", 200)
		c = serve(t, estate(t), Options{Settings: settings.Settings{SignIn: settings.SignIn{ConditionalAccess: true}}})
		if r := c.signIn("client_secret", "x"); string(rawjson.RawAt(r.body, "error_codes")) != "[53003]" {
			t.Errorf("conditional access: %s", r.body)
		}
	})
}

// docs/azure.md §28.6
func TestAFaultRevokesTheTokensIssuedSoFar(t *testing.T) {
	for how, says := range map[string]string{
		"challenged": `error="insufficient_claims", claims="`, "expired": `error_description="ExpiredAuthenticationToken"`,
	} {
		bubble(t, func(t *testing.T) {
			c := serve(t, estate(t), Options{Settings: settings.Settings{RequireToken: true, Faults: []settings.Fault{{Name: "f", Kind: "vault.get", Nth: 2, Token: how}}}})
			with := func(token string) (int, string) {
				r, _ := http.NewRequestWithContext(t.Context(), "GET", c.base+testVault+"?api-version="+testAPI, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				resp, err := c.http.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				return resp.StatusCode, resp.Header.Get("WWW-Authenticate")
			}
			first := rawjson.TextAt(c.signIn("client_secret", "x").body, "access_token")
			other := rawjson.TextAt(c.signIn("client_secret", "x").body, "access_token")
			if status, _ := with(first); status != 200 {
				t.Errorf("%s: before: %d", how, status)
			}
			for _, token := range []string{first, other, first} {
				if status, why := with(token); status != 401 || !strings.Contains(why, says) {
					t.Errorf("%s: %d %s", how, status, why)
				}
			}
			later := c.signIn("client_secret", "x", "claims", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`)
			if status, why := with(rawjson.TextAt(later.body, "access_token")); status != 200 {
				t.Errorf("%s: a later token: %d %s", how, status, why)
			}
			if claims, _ := c.s.identity.Claims(rawjson.TextAt(later.body, "access_token")); string(rawjson.RawAt(claims, "xms_cc")) != `["CP1"]` {
				t.Errorf("%s: claims %s", how, claims)
			}
		})
	}
	if _, err := New(estate(t), Options{Settings: settings.Settings{Faults: []settings.Fault{{Name: "f", Token: "lost"}}}}); err == nil {
		t.Error("a fault may do to tokens what nobody knows")
	}
}

// docs/azure.md §28.3
func TestAManagedIdentityNeedsItsHeader(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: settings.Settings{SignIn: settings.SignIn{IdentityHeader: "right", Applications: []string{"mine"}}}})
	ask := func(query, header string) (int, []byte) {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", c.base+"/msi/token?"+query, nil)
		r.Header.Set("X-IDENTITY-HEADER", header)
		resp, err := c.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, body
	}
	const good = "api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure.com"
	for _, test := range []struct {
		query, header string
		status        int
	}{
		{good, "right", 200},
		{good + "&client_id=mine", "right", 200},
		{good + "&client_id=theirs", "right", 400},
		{good, "wrong", 401},
		{good, "", 401},
		{"api-version=2019-08-01", "right", 400},
		{"resource=x", "right", 400},
	} {
		status, body := ask(test.query, test.header)
		if status != test.status {
			t.Errorf("%s, %q: %d %s", test.query, test.header, status, body)
		}
		if status == 200 {
			claims, issued := c.s.identity.Claims(rawjson.TextAt(body, "access_token"))
			if !issued || rawjson.TextAt(claims, "aud") != "https://management.azure.com" || rawjson.TextAt(claims, "xms_mirid") == "" || rawjson.TextAt(body, "expires_on") == "" {
				t.Errorf("%s: %s, claims %s", test.query, body, claims)
			}
		}
	}
}
