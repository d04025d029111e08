package arm

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azbackup/azbackup/internal/armid"
)

// Exchange is one attempt of a request and its answer, for logs and traces. It holds no token, no body and no query of
// the URL: signed links have their secret in the query.
type Exchange struct {
	// Started and Finished are by the machine's clock; Finished is when the body was read.
	Started, Finished time.Time
	// Kind is that of [Client.Requests].
	Method, Kind, Host, Path string
	// Subscription and Vault are those that the path names, the vault by its id; "" = none.
	Subscription, Vault string
	// Change is the id of the change that the request is for; "" = it serves several, or none.
	Change string
	Status int // 0 = no answer
	// RequestID is the service's id of the request, or else the one that was sent, which is ClientRequestID.
	RequestID, ClientRequestID string
}

// changeKey is the key of a change's id in a context.
type changeKey struct{}

// ForChange returns a context whose requests are reported with the id of a change ([Exchange.Change]).
func ForChange(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, changeKey{}, id)
}

// report passes an attempt to the observer once its body was closed, or the attempt failed.
func (c *Client) report(req *policy.Request, kind, clientRequestID string, started time.Time, resp *http.Response) {
	if c.onExchange == nil {
		return
	}
	raw := req.Raw()
	x := Exchange{
		Started: started, Method: raw.Method, Kind: kind, Host: raw.URL.Host, Path: raw.URL.Path,
		Subscription: armid.SubscriptionOf(raw.URL.Path), Vault: armid.VaultOf(raw.URL.Path),
		RequestID: clientRequestID, ClientRequestID: clientRequestID,
	}
	x.Change, _ = raw.Context().Value(changeKey{}).(string)
	if resp == nil {
		x.Finished = c.clock.machineNow()
		c.onExchange(x)
		return
	}
	x.Status, x.RequestID = resp.StatusCode, cmp.Or(resp.Header.Get(headerRequestID), clientRequestID)
	resp.Body = &reportedBody{ReadCloser: resp.Body, report: sync.OnceFunc(func() {
		x.Finished = c.clock.machineNow()
		c.onExchange(x)
	})}
}

// reportedBody calls report when the body is closed, as every reader of a body does.
type reportedBody struct {
	io.ReadCloser
	report func()
}

func (b *reportedBody) Close() error {
	defer b.report()
	return b.ReadCloser.Close()
}
