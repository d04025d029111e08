package signin

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/seed"
)

// How applications authenticate at the token endpoint: by a secret, or by an assertion signed with their certificate
// or by another issuer (docs/azure.md §28.1). Refusals are those of §28.2; statuses are UNVERIFIED there.

// client returns the application that requests a token, or the reason for its refusal.
func (q Request) client(form url.Values) (id string, refused *reply.Reply) {
	refuse := func(status int, code string, number int, message string) (string, *reply.Reply) {
		r := q.signInError(status, code, number, message)
		return "", &r
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, basic := q.HTTP.BasicAuth(); basic && id == "" {
		id, secret = user, password
	}
	set := q.Provider.set.SignIn
	if r := q.tenantNotFound(); r != nil {
		return "", r
	}
	switch assertion := form.Get("client_assertion"); {
	case form.Get("grant_type") != "client_credentials":
		return refuse(http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+form.Get("grant_type")+"'.")
	case id == "":
		return refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.")
	case len(set.Applications) > 0 && !containsFold(set.Applications, id):
		return refuse(http.StatusBadRequest, "unauthorized_client", 700016,
			"Application with identifier '"+id+"' was not found in the directory '"+q.Tenant+"'. This can happen if the application has not been installed by the administrator of the tenant.")
	case assertion != "":
		if number, code, message := q.checkAssertion(form, id); number != 0 {
			return refuse(http.StatusUnauthorized, code, number, message)
		}
	case secret == "":
		return refuse(http.StatusUnauthorized, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
	case set.ExpiredSecret != "" && secret == set.ExpiredSecret:
		return refuse(http.StatusUnauthorized, "invalid_client", 7000222, "The provided client secret keys for app '"+id+"' are expired. Visit the Azure portal to create new keys for your app.")
	case q.Provider.set.ClientSecret != "" && secret != q.Provider.set.ClientSecret:
		return refuse(http.StatusUnauthorized, "invalid_client", 7000215,
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"+id+"'.")
	}
	if set.ConditionalAccess {
		return refuse(http.StatusBadRequest, "access_denied", 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.")
	}
	return id, nil
}

// tenantNotFound returns the error for an unknown tenant, or nil.
func (q Request) tenantNotFound() *reply.Reply {
	tenant := q.Tenant
	known := q.Provider.set.SignIn.Tenants
	if len(known) == 0 || containsFold(known, tenant) || q.resolve(tenant) != tenant {
		return nil
	}
	r := q.signInError(http.StatusBadRequest, "invalid_tenant", 90002,
		"Tenant '"+tenant+"' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.")
	return &r
}

// checkAssertion returns the error of a client assertion; number 0: none.
func (q Request) checkAssertion(form url.Values, id string) (number int, code, message string) {
	const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	if form.Get("client_assertion_type") != jwtBearer {
		return 900144, "invalid_request", "The request body must contain the following parameter: 'client_assertion_type'."
	}
	signing, signature, _ := cutLast(form.Get("client_assertion"))
	head, claims := jwtPart(signing, 0), jwtPart(signing, 1)
	if len(claims) == 0 {
		return 50027, "invalid_request", "JWT token is invalid or malformed."
	}
	// Clocks may differ by five minutes.
	const skew = 5 * time.Minute
	now, from, to := q.Provider.now(), unix(claims, "nbf"), unix(claims, "exp")
	if now.Add(skew).Before(from) || now.Add(-skew).After(to) {
		return 700024, "invalid_client", "Client assertion is not within its valid time range. Current time: " + rawjson.Time(now) + ", assertion valid from " + rawjson.Time(from) + ", expiry time of assertion " + rawjson.Time(to) + "."
	}
	if !strings.EqualFold(rawjson.TextAt(claims, "iss"), id) { // another issuer's
		if want := q.Provider.set.SignIn.Subject; want != "" && rawjson.TextAt(claims, "sub") != want {
			return 700213, "invalid_client", "No matching federated identity record found for presented assertion subject '" + rawjson.TextAt(claims, "sub") + "'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
		}
		return 0, "", ""
	}
	endpoint := q.Authority() + "/" + q.Tenant + "/oauth2/v2.0/token"
	if rawjson.TextAt(claims, "sub") != rawjson.TextAt(claims, "iss") || rawjson.TextAt(claims, "aud") != endpoint {
		return 700023, "invalid_client", "Client assertion audience claim does not match Realm issuer."
	}
	if !q.isSignedByCertificate(head, signing, signature) {
		return 700027, "invalid_client", "The certificate with identifier used to sign the client assertion is not registered on application."
	}
	return 0, "", ""
}

// isSignedByCertificate reports whether the application's certificate signed an assertion (RFC 7518 PS256,
// docs/azure.md §28.1).
func (q Request) isSignedByCertificate(head json.RawMessage, signing, signature string) bool {
	if q.Provider.set.SignIn.Certificate == "" {
		return true
	}
	block, _ := pem.Decode([]byte(q.Provider.set.SignIn.Certificate))
	if block == nil || rawjson.TextAt(head, "alg") != "PS256" {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	public, isRSA := cert.PublicKey.(*rsa.PublicKey)
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !isRSA {
		return false
	}
	thumbprint, sum := sha256.Sum256(cert.Raw), sha256.Sum256([]byte(signing))
	said := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(rawjson.TextAt(head, "x5t#S256")) // either base64
	return said == base64.RawURLEncoding.EncodeToString(thumbprint[:]) &&
		rsa.VerifyPSS(public, crypto.SHA256, sum[:], raw, nil) == nil
}

// capabilities returns the capability claims that a client requests: that it can handle claims challenges.
func capabilities(form url.Values) []rawjson.Member {
	var asked struct {
		AccessToken struct {
			XmsCC struct{ Values []string } `json:"xms_cc"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(form.Get("claims")), &asked) != nil || len(asked.AccessToken.XmsCC.Values) == 0 {
		return nil
	}
	return rawjson.NewObject("xms_cc", asked.AccessToken.XmsCC.Values)
}

// Identity handles a managed identity's endpoint in App Service's format (docs/azure.md §28.3), with numbers as
// strings.
func (q Request) Identity() reply.Reply {
	query := q.HTTP.URL.Query()
	header := q.HTTP.Header.Get("X-Identity-Header")
	if want := q.Provider.set.SignIn.IdentityHeader; header == "" || want != "" && header != want {
		return reply.New(http.StatusUnauthorized, rawjson.NewObject("statusCode", http.StatusUnauthorized, "message", "The X-IDENTITY-HEADER is missing or wrong.").Bytes())
	}
	if q.Version != "2019-08-01" || query.Get("resource") == "" {
		return reply.New(http.StatusBadRequest, rawjson.NewObject("statusCode", http.StatusBadRequest, "message", "api-version or resource is missing or wrong.").Bytes())
	}
	id := cmp.Or(query.Get("client_id"), seed.GUID(q.Provider.seed.Digest("identity")))
	if known := q.Provider.set.SignIn.Applications; len(known) > 0 && !containsFold(known, id) && query.Has("client_id") {
		return reply.New(http.StatusBadRequest, rawjson.NewObject("statusCode", http.StatusBadRequest, "message", "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.").Bytes())
	}
	lifetime := q.Provider.tokenLifetime()
	token := q.Provider.issue(q.Authority(), cmp.Or(q.Provider.tenant, "common"), id, query.Get("resource"), lifetime,
		rawjson.NewObject("xms_mirid", "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/identity")...)
	return reply.OK(rawjson.NewObject("access_token", token, "expires_on", strconv.Itoa(int(q.Provider.now().Add(lifetime).Unix())), "resource", query.Get("resource"),
		"token_type", "Bearer", "client_id", id).Bytes())
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// cutLast cuts a JWT in front of its signature.
func cutLast(token string) (signing, signature string, found bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return token, "", false
	}
	return token[:i], token[i+1:], true
}

// jwtPart returns the JSON of a part of a JWT; nil if it is missing.
func jwtPart(token string, n int) json.RawMessage {
	parts := strings.Split(token, ".")
	if n >= len(parts) {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[n], "="))
	if err != nil || !json.Valid(raw) {
		return nil
	}
	return raw
}

func unix(claims json.RawMessage, name string) time.Time {
	return time.Unix(int64(rawjson.Number(claims, name)), 0)
}
