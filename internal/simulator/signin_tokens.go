package simulator

import (
	"encoding/base64"
	"fmt"
	"time"
)

// What becomes of tokens that a Fault revokes (docs/azure.md §28.6).
const (
	tokenExpired    = "expired"
	tokenChallenged = "challenged"
)

// issued counts the tokens that a server issued, and knows up to which of them are good no more, and why.
type issued struct {
	n, bad int
	why    string
	since  int64 // when they were revoked, in Unix seconds
}

// next is the number of a new token.
func (t *issued) next() int {
	t.n++
	return t.n
}

func (t *issued) revoke(why string, at time.Time) { t.bad, t.why, t.since = t.n, why, at.Unix() }

// revoked is why a token is good no more; "" = it is.
func (t *issued) revoked(number int) string {
	if number <= t.bad {
		return t.why
	}
	return ""
}

// challenge asks for a token that was made after the others were revoked (docs/azure.md §28.6).
func (c *call) challenge() string {
	claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, c.s.tokens.since)
	return fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", error="insufficient_claims", claims="%s"`,
		c.authority(), base64.StdEncoding.EncodeToString([]byte(claims)))
}
