package arm

import (
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// headerAuxiliary carries the tokens of further tenants (docs/azure.md §20).
const headerAuxiliary = "x-ms-authorization-auxiliary"

// auxiliarySource supplies the tokens of one auxiliary tenant.
type auxiliarySource struct {
	tenant string
	tokens *tokenSource
}

// newAuxiliarySources returns a source for each auxiliary tenant, over a credential of their own.
func (o Options) newAuxiliarySources(conf cloud.Configuration) ([]auxiliarySource, error) {
	if len(o.AuxiliaryTenants) == 0 {
		return nil, nil
	}
	anew := func() (azcore.TokenCredential, error) {
		return newCredential(conf, o.Tenant, o.Cloud.Name == "" && o.Cloud.Endpoint != "", o.AuxiliaryTenants...)
	}
	var credential azcore.TokenCredential
	var err error
	switch {
	case o.AccessToken != "":
		credential, anew = staticToken(o.AuxiliaryToken), nil
	case o.Credential != nil:
		credential, anew = o.Credential, nil
	default:
		if credential, err = anew(); err != nil {
			return nil, err
		}
	}
	sources := make([]auxiliarySource, len(o.AuxiliaryTenants))
	for i, t := range o.AuxiliaryTenants {
		sources[i] = auxiliarySource{t, newTokenSource(credential, anew, o.Now)}
	}
	return sources, nil
}

// auxiliaryPolicy adds the tokens of the auxiliary tenants. Only the pipeline of the writes that need them has it, so
// no other request can carry them (docs/azure.md §26). It comes after the allow-list, so the request goes to the
// client's endpoint.
func (c *Client) auxiliaryPolicy(req *policy.Request) (*http.Response, error) {
	if len(c.auxiliary) == 0 {
		return req.Next()
	}
	tokens, err := c.auxiliaryTokens(req.Raw().Context())
	if err != nil {
		return nil, err
	}
	req.Raw().Header.Set(headerAuxiliary, strings.Join(tokens, ", "))
	return req.Next()
}

func (c *Client) auxiliaryTokens(ctx context.Context) ([]string, error) {
	var all []string
	for _, a := range c.auxiliary {
		token, err := a.tokens.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}, TenantID: a.tenant})
		if err == nil && token.Token == "" {
			err = &SignInError{Message: "there is no token of tenant " + a.tenant + ", in which a resource guard is"}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, "Bearer "+token.Token)
	}
	return all, nil
}
