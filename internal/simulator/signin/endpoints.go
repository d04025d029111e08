package signin

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

// Provider issues and judges tokens. It is not safe for concurrent use.
type Provider struct {
	set       settings.Settings
	seed      seed.Seed
	tenant    string
	authority string
	now       func() time.Time
	tokens    tokenRegistry
}

// NewProvider returns a provider for an estate's tenant, or for none. authority is the base URL at which clients
// sign in; empty: the one they call. now is the machine's time: clients compare the lifetimes of tokens with their own
// clocks.
func NewProvider(set settings.Settings, tenant, authority string, now func() time.Time) *Provider {
	return &Provider{set: set, seed: seed.Seed(set.Seed), tenant: tenant, authority: authority, now: now}
}

// Request is a request at one of the endpoints.
type Request struct {
	Provider *Provider
	HTTP     *http.Request
	// Base is the scheme and host the client called; Path and Tenant are in its spelling; Version is the api-version.
	Base, Path, Tenant, Version string
	Body                        []byte
}

// Authority returns the base URL clients sign in at.
func (q Request) Authority() string {
	return strings.TrimRight(cmp.Or(q.Provider.authority, q.Base), "/")
}

// OpenIDConfiguration returns the OpenID Connect discovery document. An unknown tenant fails here already
// (docs/azure.md §28.2).
func (q Request) OpenIDConfiguration() reply.Reply {
	tenant := q.Tenant
	if r := q.tenantNotFound(); r != nil {
		return *r
	}
	base := q.Authority() + "/" + tenant
	return reply.OK(rawjson.NewObject(
		"token_endpoint", base+"/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported", []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"jwks_uri", base+"/discovery/v2.0/keys",
		"response_modes_supported", []string{"query", "fragment", "form_post"},
		"subject_types_supported", []string{"pairwise"},
		"id_token_signing_alg_values_supported", []string{"RS256"},
		"response_types_supported", []string{"code", "id_token", "code id_token", "id_token token"},
		"scopes_supported", []string{"openid", "profile", "email", "offline_access"},
		"issuer", q.Authority()+"/"+q.resolve(tenant)+"/v2.0",
		"authorization_endpoint", base+"/oauth2/v2.0/authorize",
		"device_authorization_endpoint", base+"/oauth2/v2.0/devicecode",
		"tenant_region_scope", "EU",
		"cloud_instance_name", "microsoftonline.com",
	).Bytes())
}

// InstanceDiscovery confirms to MSAL that it may use this authority.
func (q Request) InstanceDiscovery() reply.Reply {
	host := strings.TrimPrefix(strings.TrimPrefix(q.Authority(), "https://"), "http://")
	tenant := cmp.Or(q.Provider.tenant, "common")
	return reply.OK(rawjson.NewObject("tenant_discovery_endpoint", q.Authority()+"/"+tenant+"/v2.0/.well-known/openid-configuration",
		"api-version", "1.1",
		"metadata", []rawjson.Object{rawjson.NewObject("preferred_network", host, "preferred_cache", host, "aliases", []string{host})}).Bytes())
}

// EmptyKeySet returns a key set without keys: the tokens are signed with a secret.
func (q Request) EmptyKeySet() reply.Reply {
	return reply.OK(rawjson.NewObject("keys", []string{}).Bytes())
}

// resolve resolves "common" and "organizations" to the estate's tenant.
func (q Request) resolve(named string) string {
	switch named {
	case "common", "organizations":
		return cmp.Or(q.Provider.tenant, named)
	}
	return named
}

// Token handles the token endpoint for client credentials: v2.0 with a scope, v1 with a resource.
func (q Request) Token() reply.Reply {
	form, err := url.ParseQuery(string(q.Body))
	if err != nil {
		return q.signInError(http.StatusBadRequest, "invalid_request", 900144, "The request body is not a form.")
	}
	id, refused := q.client(form)
	if refused != nil {
		return *refused
	}
	scope, _, _ := strings.Cut(form.Get("scope"), " ") // MSAL requests openid, offline_access and profile, too (§28.1)
	audience := cmp.Or(form.Get("resource"), strings.TrimSuffix(scope, "/.default"))
	lifetime := q.Provider.tokenLifetime()
	// Azure returns one second less than it grants (3599); claims hold whole seconds, and no client may use a token
	// too long.
	seconds := max(int(lifetime/time.Second)-1, 0)
	token := q.Provider.issue(q.Authority(), q.resolve(q.Tenant), id, audience, lifetime, capabilities(form)...)
	if strings.HasSuffix(strings.ToLower(q.Path), "/oauth2/token") {
		// v1 writes numbers as strings.
		now := q.Provider.now()
		return reply.OK(rawjson.NewObject("token_type", "Bearer", "expires_in", strconv.Itoa(seconds), "ext_expires_in", strconv.Itoa(seconds),
			"expires_on", fmt.Sprint(now.Add(lifetime).Unix()), "not_before", fmt.Sprint(now.Unix()), "resource", audience, "access_token", token).Bytes())
	}
	return reply.OK(rawjson.NewObject("token_type", "Bearer", "expires_in", seconds, "ext_expires_in", seconds, "access_token", token).Bytes())
}

func (p *Provider) tokenLifetime() time.Duration {
	if d := time.Duration(p.set.TokenLifetime); d > 0 {
		return d
	}
	return time.Hour
}

// signInError returns the error of a token endpoint, whose format differs from ARM's (docs/azure.md §28.2).
func (q Request) signInError(status int, code string, number int, message string) reply.Reply {
	at := q.Provider.now().UTC().Format("2006-01-02 15:04:05Z")
	trace, correlation := seed.GUID(q.Provider.seed.Digest("trace", at)), seed.GUID(q.Provider.seed.Digest("correlation", at))
	r := reply.New(status, rawjson.NewObject("error", code,
		"error_description", fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, message, trace, correlation, at),
		"error_codes", []int{number}, "timestamp", at, "trace_id", trace, "correlation_id", correlation,
		"error_uri", q.Authority()+"/error?code="+strconv.Itoa(number)).Bytes())
	r.Code = code
	return r
}

// issue returns a token, with the extra claims if any. Its times are the machine's, not the estate's: clients compare
// them with their own.
func (p *Provider) issue(authority, tenant, client, audience string, lifetime time.Duration, more ...rawjson.Member) string {
	now := p.now()
	oid := seed.GUID(p.seed.Digest("principal", tenant, client))
	claims := rawjson.NewObject("aud", audience, "iss", authority+"/"+tenant+"/", "iat", now.Unix(), "nbf", now.Unix(),
		"exp", now.Add(lifetime+time.Second-1).Unix(), "appid", client, "appidacr", "1", "idp", authority+"/"+tenant+"/", "idtyp", "app",
		"oid", oid, "sub", oid, "tid", tenant, "uti", p.tokens.next(), "ver", "1.0")
	claims = append(claims, more...)
	head := rawjson.NewObject("typ", "JWT", "alg", "HS256", "kid", "simulator")
	signing := base64.RawURLEncoding.EncodeToString(head.Bytes()) + "." + base64.RawURLEncoding.EncodeToString(claims.Bytes())
	return signing + "." + p.signature(signing)
}

func (p *Provider) signature(signing string) string {
	secret := p.seed.Digest("token secret")
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write([]byte(signing)) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Claims returns the claims of a token that this simulator (or one with the same seed) issued, expired or not.
func (p *Provider) Claims(token string) (json.RawMessage, bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !hmac.Equal([]byte(p.signature(token[:i])), []byte(token[i+1:])) {
		return nil, false
	}
	_, payload, _ := strings.Cut(token[:i], ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	return raw, err == nil
}

// Unauthenticated refuses an expired or revoked token, and with Settings.RequireToken a missing or foreign one.
func (q Request) Unauthenticated() *reply.Reply {
	claims, issued := q.Provider.Claims(bearer(q.HTTP))
	expires := time.Unix(int64(rawjson.Number(claims, "exp")), 0)
	now := q.Provider.now()
	revoked := ""
	if issued {
		revoked = q.Provider.tokens.revocationOf(rawjson.Number(claims, "uti"))
	}
	var r reply.Reply
	switch {
	case revoked == settings.TokenChallenged:
		r = reply.ARMError(http.StatusUnauthorized, "AuthenticationFailed", "The access token does not meet the claims that are asked for.")
		r.Set("WWW-Authenticate", q.challenge())
		return &r
	case revoked == settings.TokenExpired, issued && !now.Before(expires):
		r = reply.ARMError(http.StatusUnauthorized, "ExpiredAuthenticationToken",
			"The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", expires.UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))
	case !q.Provider.set.RequireToken || issued:
		return nil
	case bearer(q.HTTP) == "":
		r = reply.ARMError(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	default:
		r = reply.ARMError(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	}
	r.Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`,
		q.Authority(), cmp.Or(q.Provider.tenant, "common"), r.Code))
	return &r
}
