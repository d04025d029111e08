package arm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestATokenSaysWhatSignedIn(t *testing.T) {
	for name, tt := range map[string]struct {
		claims tokenClaims
		want   string
	}{
		"a managed identity":          {tokenClaims{ManagedID: "/x", Type: "app", AppID: "a"}, "managed identity"},
		"of type app":                 {tokenClaims{Type: "app"}, "service principal"},
		"an application without type": {tokenClaims{AppID: "a"}, "service principal"},
		"by its client's id":          {tokenClaims{ClientID: "a"}, "service principal"},
		"a user of an application":    {tokenClaims{AppID: "a", UPN: "u"}, "user"},
		"a user by preferred name":    {tokenClaims{AppID: "a", PreferredName: "u"}, "user"},
		"a user by unique name":       {tokenClaims{AppID: "a", UniqueName: "u"}, "user"},
		"nothing":                     {tokenClaims{}, "user"},
	} {
		if got := tt.claims.kind(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestWhoAmI(t *testing.T) {
	// {"tid":"t1","oid":"o1","appid":"a1","idtyp":"app","ver":1.0}
	const jwt = "e30.eyJ0aWQiOiJ0MSIsIm9pZCI6Im8xIiwiYXBwaWQiOiJhMSIsImlkdHlwIjoiYXBwIiwidmVyIjoxLjB9.sig"
	c := newTestClient(t, Options{Endpoint: "https://arm.test", Credential: staticToken(jwt)})
	got, err := c.WhoAmI(t.Context())
	want := Identity{
		Cloud: AzurePublic, Endpoint: "https://arm.test", Tenant: "t1", ObjectID: "o1", AppID: "a1", Name: "a1", Kind: "service principal",
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
	c = newTestClient(t, Options{Endpoint: "https://arm.test", AccessToken: "opaque"})
	if got, err := c.WhoAmI(t.Context()); err != nil || got.Kind != "access token" || got.Name != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
