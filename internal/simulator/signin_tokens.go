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

// tokenRegistry counts the tokens that a server issued, and knows up to which of them are good no more, and why.
type tokenRegistry struct {
	count, revokedUpTo int
	revocationKind     string
	revokedAt          int64 // when they were revoked, in Unix seconds
}

// next is the number of a new token.
func (t *tokenRegistry) next() int {
	t.count++
	return t.count
}

func (t *tokenRegistry) revoke(why string, at time.Time) {
	t.revokedUpTo, t.revocationKind, t.revokedAt = t.count, why, at.Unix()
}

// revocationOf is why a token is good no more; "" = it is.
func (t *tokenRegistry) revocationOf(number int) string {
	if number <= t.revokedUpTo {
		return t.revocationKind
	}
	return ""
}

// challenge asks for a token that was made after the others were revoked (docs/azure.md §28.6).
func (rc *requestContext) challenge() string {
	claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, rc.s.tokens.revokedAt)
	return fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", error="insufficient_claims", claims="%s"`,
		rc.authority(), base64.StdEncoding.EncodeToString([]byte(claims)))
}
