package azure

import "testing"

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
