package arm

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// tokenCredentials is the variable that restricts which credentials azidentity tries (docs/azure.md §28.4).
const tokenCredentials = "AZURE_TOKEN_CREDENTIALS"

// CredentialChoices returns the values of AZURE_TOKEN_CREDENTIALS that azidentity accepts, in the order it tries them.
func CredentialChoices() []string {
	return []string{
		"dev", "prod", "EnvironmentCredential", "WorkloadIdentityCredential", "ManagedIdentityCredential",
		"AzureCLICredential", "AzureDeveloperCLICredential", "AzurePowerShellCredential",
	}
}

// newCredential returns a credential that signs in as azidentity's DefaultAzureCredential does: environment, workload
// identity, managed identity, Azure CLI, azd, Azure PowerShell. It supplies tokens of its own tenant and of those in
// further.
func newCredential(conf cloud.Configuration, tenant string, custom bool, further ...string) (azcore.TokenCredential, error) {
	cred, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: policy.ClientOptions{Cloud: conf},
		TenantID:      tenant,
		// Instance discovery asks Microsoft whether an authority is genuine; private authorities are unknown to it.
		DisableInstanceDiscovery:   custom,
		AdditionallyAllowedTenants: further,
	})
	if err == nil {
		return namedCredential{cred, credentialsTried()}, nil
	}
	message := oneLine(err.Error())
	if value, set := os.LookupEnv(tokenCredentials); set { // any other fault is reported by the attempt that fails
		message = fmt.Sprintf("%s is %q, but must be one of %s, or not be set", tokenCredentials, value, strings.Join(CredentialChoices(), ", "))
	}
	return nil, &SignInError{Message: message, Err: err}
}

// credentialsTried returns the names of the credentials that azidentity tries, in order.
func credentialsTried() []string {
	all := CredentialChoices()[2:]
	switch value := os.Getenv(tokenCredentials); strings.ToLower(value) {
	case "":
		return all
	case "prod":
		return all[:3]
	case "dev":
		return all[3:]
	default:
		for _, name := range all {
			if strings.EqualFold(name, value) {
				return []string{name}
			}
		}
		return nil
	}
}

// namedCredential says of each failure which credential it is of.
type namedCredential struct {
	azcore.TokenCredential

	names []string
}

// GetToken implements [azcore.TokenCredential]. An error is a [*SignInError], or the context's.
func (c namedCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.TokenCredential.GetToken(ctx, o)
	if err != nil && ctx.Err() == nil {
		err = signInError(err, c.names...)
	}
	return token, err
}

// staticToken is a bearer token obtained outside this program.
type staticToken string

func (t staticToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	// Its expiry is unknown; an expired token is reported by a 401.
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)}, nil
}

// Identity is the signed-in identity. Its texts come from a token: untrusted wherever they are printed.
type Identity struct {
	Cloud    string
	Endpoint string
	Tenant   string
	ObjectID string
	// Name is the user's name or, for anything else, the application's id; "" when the token has neither.
	Name  string
	AppID string
	// Kind is how the client signed in: "access token", "user", "service principal", "managed identity", "credential".
	Kind string
}

// WhoAmI returns the claims of the client's own token, which it sends nowhere. A token that is not a JWT leaves the
// claims empty. An error is a [*SignInError], or the context's cause.
func (c *Client) WhoAmI(ctx context.Context) (Identity, error) {
	id := Identity{Cloud: c.cloudName, Endpoint: c.endpoint.String(), Kind: "credential"}
	token, err := c.tokens.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}, EnableCAE: true})
	if err != nil {
		if ctx.Err() != nil {
			return id, context.Cause(ctx)
		}
		return id, err
	}
	claims, err := readClaims(token.Token)
	if err == nil {
		id.Tenant, id.ObjectID, id.AppID = claims.Tenant, claims.ObjectID, cmp.Or(claims.AppID, claims.ClientID)
		id.Name = cmp.Or(claims.UPN, claims.PreferredName, claims.UniqueName, claims.AppName, id.AppID)
		id.Kind = claims.kind()
	}
	if c.static {
		id.Kind = "access token"
	}
	return id, nil
}

// tokenClaims are the claims of a Microsoft Entra access token that identify its holder.
type tokenClaims struct {
	Tenant        string `json:"tid"`
	ObjectID      string `json:"oid"`
	UPN           string `json:"upn"`
	PreferredName string `json:"preferred_username"`
	UniqueName    string `json:"unique_name"`
	AppID         string `json:"appid"`
	ClientID      string `json:"azp"`
	AppName       string `json:"app_displayname"`
	Type          string `json:"idtyp"`
	ManagedID     string `json:"xms_mirid"`
}

func (t tokenClaims) kind() string {
	switch {
	case t.ManagedID != "":
		return "managed identity"
	case t.Type == "app", t.UPN == "" && t.PreferredName == "" && t.UniqueName == "" && t.AppID+t.ClientID != "":
		return "service principal"
	}
	return "user"
}

func readClaims(token string) (tokenClaims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return tokenClaims{}, errors.New("not a JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return tokenClaims{}, fmt.Errorf("decoding claims: %w", err)
	}
	var claims tokenClaims
	if err := unmarshalTolerant(payload, &claims); err != nil {
		return tokenClaims{}, fmt.Errorf("decoding claims: %w", err)
	}
	return claims, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(s)
}
