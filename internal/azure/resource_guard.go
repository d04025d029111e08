package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// guardRequestsKey is the property of a write that names the requests of resource guards (docs/azure.md §20).
const guardRequestsKey = "resourceGuardOperationRequests"

// headerAuxiliary carries the tokens of further tenants (docs/azure.md §20).
const headerAuxiliary = "x-ms-authorization-auxiliary"

// guardRequestIDs returns the ids that the write of a change names, as the vault's proxies list them.
func guardRequestIDs(ch plan.Change) []string {
	var ids []string
	for _, g := range ch.ResourceGuard {
		ids = append(ids, g.Request)
	}
	return ids
}

// guardError returns the error of a write that named a guard's request. No code of a guard's refusal is known, so any
// 403 is taken for one, and a 400 whose text has the guard's id (docs/azure.md §26). Its message says which guard did
// not let what through; the hint of the engine says whom to ask.
func guardError(ch plan.Change, err error) error {
	e, ok := errors.AsType[*apply.Error](err)
	if !ok || len(ch.ResourceGuard) == 0 {
		return err
	}
	var words []string
	isNamed := false
	for _, g := range ch.ResourceGuard {
		words = append(words, fmt.Sprintf("resource guard %s did not let %s through", g.Guard, g.Operation))
		isNamed = isNamed || strings.Contains(strings.ToLower(e.Message), strings.ToLower(g.Guard))
	}
	if e.Status != http.StatusForbidden && (e.Status != http.StatusBadRequest || !isNamed) {
		return err
	}
	refused := *e
	refused.Message = strings.Join(words, ", ") + ": " + e.Message
	return &refused
}

// namesGuardRequest reports whether the body of a write names a request of a resource guard.
func namesGuardRequest(body []byte) bool {
	var b struct {
		Properties struct {
			Requests []string `json:"resourceGuardOperationRequests"`
		} `json:"properties"`
	}
	return json.Unmarshal(body, &b) == nil && len(b.Properties.Requests) > 0
}

// auxiliarySource supplies the tokens of one tenant besides the client's own.
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

// auxiliaryPolicy adds the tokens of the auxiliary tenants. It is part of the pipeline of guarded writes alone, so no other
// request can carry them (docs/azure.md §26), and stands behind the allow-list: the request goes to this endpoint.
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
