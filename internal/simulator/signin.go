package simulator

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/seed"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// The sign-in endpoints of a tenant. Tokens have Azure's format, expire, and are valid only here: their signature is
// the simulator's own.

// authority returns the base URL clients sign in at.
func (rc *requestContext) authority() string {
	return strings.TrimRight(cmp.Or(rc.s.opt.Authority, rc.base), "/")
}

// openIDConfiguration returns the OpenID Connect discovery document. An unknown tenant fails here already
// (docs/azure.md §28.2).
func (rc *requestContext) openIDConfiguration() reply.Reply {
	tenant := rc.params["tenant"]
	if r := rc.tenantNotFound(); r != nil {
		return *r
	}
	base := rc.authority() + "/" + tenant
	return reply.OK(rawjson.NewObject(
		"token_endpoint", base+"/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported", []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"jwks_uri", base+"/discovery/v2.0/keys",
		"response_modes_supported", []string{"query", "fragment", "form_post"},
		"subject_types_supported", []string{"pairwise"},
		"id_token_signing_alg_values_supported", []string{"RS256"},
		"response_types_supported", []string{"code", "id_token", "code id_token", "id_token token"},
		"scopes_supported", []string{"openid", "profile", "email", "offline_access"},
		"issuer", rc.authority()+"/"+rc.tenant(tenant)+"/v2.0",
		"authorization_endpoint", base+"/oauth2/v2.0/authorize",
		"device_authorization_endpoint", base+"/oauth2/v2.0/devicecode",
		"tenant_region_scope", "EU",
		"cloud_instance_name", "microsoftonline.com",
	).Bytes())
}

// instanceDiscovery confirms to MSAL that it may use this authority.
func (rc *requestContext) instanceDiscovery() reply.Reply {
	host := strings.TrimPrefix(strings.TrimPrefix(rc.authority(), "https://"), "http://")
	tenant := cmp.Or(rc.st.Tenant, "common")
	return reply.OK(rawjson.NewObject("tenant_discovery_endpoint", rc.authority()+"/"+tenant+"/v2.0/.well-known/openid-configuration",
		"api-version", "1.1",
		"metadata", []rawjson.Object{rawjson.NewObject("preferred_network", host, "preferred_cache", host, "aliases", []string{host})}).Bytes())
}

// emptyKeySet returns a key set without keys: the tokens are signed with a secret.
func (rc *requestContext) emptyKeySet() reply.Reply {
	return reply.OK(rawjson.NewObject("keys", []string{}).Bytes())
}

// tenant resolves "common" and "organizations" to the estate's tenant.
func (rc *requestContext) tenant(named string) string {
	switch named {
	case "common", "organizations":
		return cmp.Or(rc.st.Tenant, named)
	}
	return named
}

// token handles the token endpoint for client credentials: v2.0 with a scope, v1 with a resource.
func (rc *requestContext) token() reply.Reply {
	form, err := url.ParseQuery(string(rc.body))
	if err != nil {
		return rc.signInError(http.StatusBadRequest, "invalid_request", 900144, "The request body is not a form.")
	}
	id, refused := rc.client(form)
	if refused != nil {
		return *refused
	}
	scope, _, _ := strings.Cut(form.Get("scope"), " ") // MSAL requests openid, offline_access and profile, too (§28.1)
	audience := cmp.Or(form.Get("resource"), strings.TrimSuffix(scope, "/.default"))
	lifetime := rc.s.tokenLifetime()
	// Azure returns one second less than it grants (3599); claims hold whole seconds, and no client may use a token
	// too long.
	seconds := max(int(lifetime/time.Second)-1, 0)
	token := rc.s.issue(rc.authority(), rc.tenant(rc.params["tenant"]), id, audience, lifetime, capabilities(form)...)
	if strings.HasSuffix(strings.ToLower(rc.path), "/oauth2/token") {
		// v1 writes numbers as strings.
		now := rc.s.clock.wallTime()
		return reply.OK(rawjson.NewObject("token_type", "Bearer", "expires_in", strconv.Itoa(seconds), "ext_expires_in", strconv.Itoa(seconds),
			"expires_on", fmt.Sprint(now.Add(lifetime).Unix()), "not_before", fmt.Sprint(now.Unix()), "resource", audience, "access_token", token).Bytes())
	}
	return reply.OK(rawjson.NewObject("token_type", "Bearer", "expires_in", seconds, "ext_expires_in", seconds, "access_token", token).Bytes())
}

func (s *Server) tokenLifetime() time.Duration {
	if d := time.Duration(s.set.TokenLifetime); d > 0 {
		return d
	}
	return time.Hour
}

// signInError returns the error of a token endpoint, whose format differs from ARM's (docs/azure.md §28.2).
func (rc *requestContext) signInError(status int, code string, number int, message string) reply.Reply {
	at := rc.s.clock.wallTime().UTC().Format("2006-01-02 15:04:05Z")
	trace, correlation := seed.GUID(rc.s.seed.Digest("trace", at)), seed.GUID(rc.s.seed.Digest("correlation", at))
	r := reply.New(status, rawjson.NewObject("error", code,
		"error_description", fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, message, trace, correlation, at),
		"error_codes", []int{number}, "timestamp", at, "trace_id", trace, "correlation_id", correlation,
		"error_uri", rc.authority()+"/error?code="+strconv.Itoa(number)).Bytes())
	r.Code = code
	return r
}

// issue returns a token, with the extra claims if any. Its times are the machine's, not the estate's: clients compare
// them with their own.
func (s *Server) issue(authority, tenant, client, audience string, lifetime time.Duration, more ...rawjson.Member) string {
	now := s.clock.wallTime()
	oid := seed.GUID(s.seed.Digest("principal", tenant, client))
	claims := rawjson.NewObject("aud", audience, "iss", authority+"/"+tenant+"/", "iat", now.Unix(), "nbf", now.Unix(),
		"exp", now.Add(lifetime+time.Second-1).Unix(), "appid", client, "appidacr", "1", "idp", authority+"/"+tenant+"/", "idtyp", "app",
		"oid", oid, "sub", oid, "tid", tenant, "uti", s.tokens.next(), "ver", "1.0")
	claims = append(claims, more...)
	head := rawjson.NewObject("typ", "JWT", "alg", "HS256", "kid", "simulator")
	signing := base64.RawURLEncoding.EncodeToString(head.Bytes()) + "." + base64.RawURLEncoding.EncodeToString(claims.Bytes())
	return signing + "." + s.signature(signing)
}

func (s *Server) signature(signing string) string {
	secret := s.seed.Digest("token secret")
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write([]byte(signing)) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// claims returns the claims of a token that this simulator (or one with the same seed) issued, expired or not.
func (s *Server) claims(token string) (json.RawMessage, bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !hmac.Equal([]byte(s.signature(token[:i])), []byte(token[i+1:])) {
		return nil, false
	}
	_, payload, _ := strings.Cut(token[:i], ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	return raw, err == nil
}

// unauthenticated refuses an expired or revoked token, and with Settings.RequireToken a missing or foreign one.
func (rc *requestContext) unauthenticated() *reply.Reply {
	claims, issued := rc.s.claims(bearer(rc.r))
	expires := time.Unix(int64(rawjson.Number(claims, "exp")), 0)
	now := rc.s.clock.wallTime()
	revoked := ""
	if issued {
		revoked = rc.s.tokens.revocationOf(rawjson.Number(claims, "uti"))
	}
	var r reply.Reply
	switch {
	case revoked == settings.TokenChallenged:
		r = reply.ARMError(http.StatusUnauthorized, "AuthenticationFailed", "The access token does not meet the claims that are asked for.")
		r.Set("WWW-Authenticate", rc.challenge())
		return &r
	case revoked == settings.TokenExpired, issued && !now.Before(expires):
		r = reply.ARMError(http.StatusUnauthorized, "ExpiredAuthenticationToken",
			"The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", expires.UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))
	case !rc.s.set.RequireToken || issued:
		return nil
	case bearer(rc.r) == "":
		r = reply.ARMError(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	default:
		r = reply.ARMError(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	}
	r.Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`,
		rc.authority(), cmp.Or(rc.st.Tenant, "common"), r.Code))
	return &r
}
