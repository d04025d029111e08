package arm

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

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
		_, err := New(Options{Endpoint: endpoint, AccessToken: "secret", Now: time.Now}, Rules{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", endpoint, err, want)
		}
	}
}

func TestAnAccessTokenGoesWithAnEndpointOnly(t *testing.T) {
	if _, err := New(Options{AccessToken: "secret", Now: time.Now}, Rules{}); err == nil {
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
		c := newTestClient(t, Options{Cloud: name})
		if got := c.endpoint.String(); got != want {
			t.Errorf("%+v: endpoint %s, want %s", name, got, want)
		}
	}
	c := newTestClient(t, Options{Cloud: Cloud{Endpoint: "https://arm.test", Audience: "https://aud.test/"}})
	if c.scope != "https://aud.test/.default" {
		t.Errorf("scope %q", c.scope)
	}
	if _, err := New(Options{Cloud: Cloud{Name: "AzureMoon"}, Now: time.Now}, Rules{}); err == nil {
		t.Error("AzureMoon was accepted")
	}
}

// newTestClient returns a client that may send anything.
// Only the authority of a custom cloud is not looked up in Microsoft's list.
func TestACloudWithoutANameIsCustomWhereItHasAnEndpoint(t *testing.T) {
	for c, want := range map[Cloud]bool{
		{}:                                false,
		{Name: AzurePublic}:               false,
		{Endpoint: "https://arm.test"}:    true,
		{Authority: "https://login.test"}: false,
		{Name: "AzureChina", Endpoint: "https://arm.test"}: false,
	} {
		if got := c.isCustom(); got != want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

func newTestClient(t *testing.T, o Options) *Client {
	t.Helper()
	o.Now = time.Now
	c, err := New(o, Rules{Allow: func(string, *url.URL) (string, error) { return "jobs", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
