package simulator

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// tokenRegistry counts the tokens that a server issued, and records the last revoked one and the reason.
type tokenRegistry struct {
	count, revokedUpTo int
	revocationKind     string
	revokedAt          int64 // when they were revoked, in Unix seconds
}

// next returns the number of a new token.
func (t *tokenRegistry) next() int {
	t.count++
	return t.count
}

func (t *tokenRegistry) revoke(why string, at time.Time) {
	t.revokedUpTo, t.revocationKind, t.revokedAt = t.count, why, at.Unix()
}

// revocationOf returns why a token is no longer valid; "" = it is valid.
func (t *tokenRegistry) revocationOf(number int) string {
	if number <= t.revokedUpTo {
		return t.revocationKind
	}
	return ""
}

// challenge returns a claims challenge for a token issued after the revocation (docs/azure.md §28.6).
func (rc *requestContext) challenge() string {
	claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, rc.s.tokens.revokedAt)
	return fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", error="insufficient_claims", claims="%s"`,
		rc.authority(), base64.StdEncoding.EncodeToString([]byte(claims)))
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
