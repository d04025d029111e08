package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
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

// Revoke has every token issued so far refused: why is [settings.TokenExpired] or [settings.TokenChallenged].
func (p *Provider) Revoke(why string) { p.tokens.revoke(why, p.now()) }

// revocationOf returns why a token is no longer valid; "" = it is valid.
func (t *tokenRegistry) revocationOf(number int) string {
	if number <= t.revokedUpTo {
		return t.revocationKind
	}
	return ""
}

// challenge returns a claims challenge for a token issued after the revocation (docs/azure.md §28.6).
func (q Request) challenge() string {
	claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, q.Provider.tokens.revokedAt)
	return fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", error="insufficient_claims", claims="%s"`,
		q.Authority(), base64.StdEncoding.EncodeToString([]byte(claims)))
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Principal identifies the caller: by the object id of a token this simulator issued, else by the token itself.
func (q Request) Principal() string {
	token := bearer(q.HTTP)
	if claims, issued := q.Provider.Claims(token); issued {
		return rawjson.TextAt(claims, "oid")
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:4])
}
