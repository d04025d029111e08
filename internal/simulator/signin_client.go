package simulator

import (
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
	"strings"
	"time"
)

// How applications prove at the token endpoint who they are: by a secret, or by an assertion that they signed with
// their certificate or that another issuer made for them (docs/azure.md §28.1). Refusals are those of §28.2; statuses
// are UNVERIFIED there.

// client is the application that asks for a token, or why it gets none.
func (c *call) client(form url.Values) (id string, refused *reply) {
	refuse := func(status int, code string, number int, message string) (string, *reply) {
		r := c.signInError(status, code, number, message)
		return "", &r
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, basic := c.r.BasicAuth(); basic && id == "" {
		id, secret = user, password
	}
	set := c.s.set.SignIn
	if r := c.noTenant(); r != nil {
		return "", r
	}
	switch assertion := form.Get("client_assertion"); {
	case form.Get("grant_type") != "client_credentials":
		return refuse(http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+form.Get("grant_type")+"'.")
	case id == "":
		return refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.")
	case len(set.Applications) > 0 && !hasFold(set.Applications, id):
		return refuse(http.StatusBadRequest, "unauthorized_client", 700016,
			"Application with identifier '"+id+"' was not found in the directory '"+c.params["tenant"]+"'. This can happen if the application has not been installed by the administrator of the tenant.")
	case assertion != "":
		if number, code, message := c.badAssertion(form, id); number != 0 {
			return refuse(http.StatusUnauthorized, code, number, message)
		}
	case secret == "":
		return refuse(http.StatusUnauthorized, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
	case set.ExpiredSecret != "" && secret == set.ExpiredSecret:
		return refuse(http.StatusUnauthorized, "invalid_client", 7000222, "The provided client secret keys for app '"+id+"' are expired. Visit the Azure portal to create new keys for your app.")
	case c.s.set.ClientSecret != "" && secret != c.s.set.ClientSecret:
		return refuse(http.StatusUnauthorized, "invalid_client", 7000215,
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"+id+"'.")
	}
	if set.ConditionalAccess {
		return refuse(http.StatusBadRequest, "access_denied", 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.")
	}
	return id, nil
}

// noTenant is the refusal of a tenant that does not exist, or nil.
func (c *call) noTenant() *reply {
	tenant := c.params["tenant"]
	known := c.s.set.SignIn.Tenants
	if len(known) == 0 || hasFold(known, tenant) || c.tenant(tenant) != tenant {
		return nil
	}
	r := c.signInError(http.StatusBadRequest, "invalid_tenant", 90002,
		"Tenant '"+tenant+"' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.")
	return &r
}

// badAssertion says what is wrong with a client assertion; number 0: nothing.
func (c *call) badAssertion(form url.Values, id string) (number int, code, message string) {
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
	now, from, to := c.s.clock.wall(), unix(claims, "nbf"), unix(claims, "exp")
	if now.Add(skew).Before(from) || now.Add(-skew).After(to) {
		return 700024, "invalid_client", "Client assertion is not within its valid time range. Current time: " + stamp(now) + ", assertion valid from " + stamp(from) + ", expiry time of assertion " + stamp(to) + "."
	}
	if !strings.EqualFold(text(claims, "iss"), id) { // another issuer's
		if want := c.s.set.SignIn.Subject; want != "" && text(claims, "sub") != want {
			return 700213, "invalid_client", "No matching federated identity record found for presented assertion subject '" + text(claims, "sub") + "'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
		}
		return 0, "", ""
	}
	endpoint := c.authority() + "/" + c.params["tenant"] + "/oauth2/v2.0/token"
	if text(claims, "sub") != text(claims, "iss") || text(claims, "aud") != endpoint {
		return 700023, "invalid_client", "Client assertion audience claim does not match Realm issuer."
	}
	if !c.certified(head, signing, signature) {
		return 700027, "invalid_client", "The certificate with identifier used to sign the client assertion is not registered on application."
	}
	return 0, "", ""
}

// certified says that the application's certificate signed an assertion (RFC 7518 PS256, docs/azure.md §28.1).
func (c *call) certified(head json.RawMessage, signing, signature string) bool {
	if c.s.set.SignIn.Certificate == "" {
		return true
	}
	block, _ := pem.Decode([]byte(c.s.set.SignIn.Certificate))
	if block == nil || text(head, "alg") != "PS256" {
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
	said := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text(head, "x5t#S256")) // either base64
	return said == base64.RawURLEncoding.EncodeToString(thumbprint[:]) &&
		rsa.VerifyPSS(public, crypto.SHA256, sum[:], raw, nil) == nil
}

// capabilities are the claims about itself that a client asks for: that it can answer challenges.
func capabilities(form url.Values) []member {
	var asked struct {
		AccessToken struct {
			XmsCC struct{ Values []string } `json:"xms_cc"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(form.Get("claims")), &asked) != nil || len(asked.AccessToken.XmsCC.Values) == 0 {
		return nil
	}
	return obj("xms_cc", asked.AccessToken.XmsCC.Values)
}

// identity is the endpoint of a managed identity as App Service has it (docs/azure.md §28.3). Its numbers are strings.
func (c *call) identity() reply {
	query := c.r.URL.Query()
	header := c.r.Header.Get("X-Identity-Header")
	if want := c.s.set.SignIn.IdentityHeader; header == "" || want != "" && header != want {
		return answer(http.StatusUnauthorized, obj("statusCode", http.StatusUnauthorized, "message", "The X-IDENTITY-HEADER is missing or wrong.").bytes())
	}
	if c.version != "2019-08-01" || query.Get("resource") == "" {
		return answer(http.StatusBadRequest, obj("statusCode", http.StatusBadRequest, "message", "api-version or resource is missing or wrong.").bytes())
	}
	id := first(query.Get("client_id"), guidOf(c.s.digest("identity")))
	if known := c.s.set.SignIn.Applications; len(known) > 0 && !hasFold(known, id) && query.Has("client_id") {
		return answer(http.StatusBadRequest, obj("statusCode", http.StatusBadRequest, "message", "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.").bytes())
	}
	lifetime := c.s.tokenLifetime()
	token := c.s.issue(c.authority(), first(c.st.Tenant, "common"), id, query.Get("resource"), lifetime,
		obj("xms_mirid", "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/identity")...)
	return ok(obj("access_token", token, "expires_on", itoa(int(c.s.clock.wall().Add(lifetime).Unix())), "resource", query.Get("resource"),
		"token_type", "Bearer", "client_id", id).bytes())
}

func hasFold(list []string, s string) bool {
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

// jwtPart is the JSON of a part of a JWT; nil where there is none.
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
	return time.Unix(int64(number(claims, name)), 0)
}
