package arm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	armruntime "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"
)

const (
	headerClientRequestID = "x-ms-client-request-id"
	headerRequestID       = "x-ms-request-id"
	headerCorrelationID   = "x-ms-correlation-request-id"

	// maxBodySize bounds any body. The largest valid one is a page of a list: 100,000 items of 2 KB.
	maxBodySize = 256 << 20
	// Tunable: tryTimeout bounds one attempt, its body included. The wait for a quota comes earlier and does not
	// count.
	tryTimeout = 2 * time.Minute
	// readRetries is how often a read is repeated. Against 5xx that takes about 20 s; after a 429 each repeat waits for
	// its Retry-After.
	readRetries = 4
	// maxRetryAfter is the longest Retry-After waited for: Recovery Services' windows last an hour, and azcore's own
	// limit of 60 s turns them into errors (docs/azure.md §18).
	maxRetryAfter = 65 * time.Minute
	// Tunable: maxFaultDelay is the longest Retry-After waited for after any other answer: what failed for a moment may be
	// back long before, and no quota is spared by the wait.
	maxFaultDelay = time.Minute
)

// newPipeline returns the pipeline of a client's requests; further are policies that it has besides. A client has two
// pipelines: one for the writes that carry auxiliary tokens, one for all other requests. The order of the policies
// matters: a request is checked against the allow-list first, and only policies behind the retry policy see each
// attempt.
func (c *Client) newPipeline(conf cloud.Configuration, transport http.RoundTripper, further ...policy.Policy) (runtime.Pipeline, error) {
	return armruntime.NewPipeline("azbackup", c.version, c.tokens,
		runtime.PipelineOptions{
			PerCall: slices.Concat([]policy.Policy{policyFunc(c.allowlistPolicy)}, further,
				[]policy.Policy{policyFunc(c.correlationPolicy), policyFunc(c.tokenRefreshPolicy), c.quotas.CallPolicy()}),
			PerRetry: []policy.Policy{policyFunc(retryAfterPolicy), c.quotas.Policy(), policyFunc(perTryTimeoutPolicy), policyFunc(decodePolicy)},
		},
		&arm.ClientOptions{
			ClientOptions: policy.ClientOptions{
				Cloud:                           conf,
				Transport:                       newTransport(transport),
				InsecureAllowCredentialWithHTTP: c.endpoint.Scheme == "http" && isLoopback(c.endpoint.Hostname()),
				Retry:                           policy.RetryOptions{MaxRetries: readRetries, MaxRetryDelay: maxRetryAfter},
				// Behind the token: only requests that are really sent get an id and are counted.
				PerRetryPolicies: []policy.Policy{policyFunc(c.tokenRefusalPolicy), policyFunc(c.countPolicy)},
			},
			DisableRPRegistration: true,
		})
}

// noWriteRetry disables retries of writes (docs/azure.md §18: azcore's default sends a POST backup four times).
func noWriteRetry() policy.RetryOptions { return policy.RetryOptions{MaxRetries: -1} }

// retryAfterPolicy shortens the wait that the retry policy takes from the headers of an answer. A date is converted by the
// clock that set it, because the retry policy counts from the machine's.
func retryAfterPolicy(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	wait := parseRetryAfter(resp.Header, "")
	_, noDate := http.ParseTime(resp.Header.Get("Retry-After"))
	switch isThrottled := resp.StatusCode == http.StatusTooManyRequests; {
	case !isThrottled && wait > maxFaultDelay:
		wait = maxFaultDelay
	case noDate != nil:
		return resp, nil
	}
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms", "Retry-After"} {
		resp.Header.Del(name)
	}
	if wait > 0 {
		resp.Header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	return resp, nil
}

// perTryTimeoutPolicy bounds one attempt. By the time it returns the body has been read or buffered (decodePolicy).
func perTryTimeoutPolicy(req *policy.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Raw().Context(), tryTimeout)
	defer cancel()
	return req.Clone(ctx).Next()
}

type policyFunc func(*policy.Request) (*http.Response, error)

func (f policyFunc) Do(req *policy.Request) (*http.Response, error) { return f(req) }

// requestKind is the kind under which a request is counted.
type requestKind string

// allowlistPolicy refuses requests that may not be sent. It comes before the token.
func (c *Client) allowlistPolicy(req *policy.Request) (*http.Response, error) {
	method, u := req.Raw().Method, req.Raw().URL
	if !isSameOrigin(u, c.endpoint) {
		return nil, &RefusedError{Method: method, Where: u.Scheme + "://" + u.Host, Why: "requests go to " + c.endpoint.String() + " only"}
	}
	kind, err := c.rules.Allow(method, u)
	if err != nil {
		return nil, err
	}
	req.SetOperationValue(requestKind(kind))
	return req.Next()
}

func (c *Client) correlationPolicy(req *policy.Request) (*http.Response, error) {
	h := req.Raw().Header
	// It replaces azcore's own, which names the SDK and the platform.
	h.Set("User-Agent", "azbackup/"+c.version)
	h.Set(headerCorrelationID, c.correlation)
	h.Set("x-ms-return-client-request-id", "true")
	return req.Next()
}

// tokenRefreshPolicy repeats a request that was refused with 401, once: azcore drops its token at a 401 and requests
// another (docs/azure.md §28.6). A write refused so was not done, so it may be sent once more too. A challenge for claims
// azcore has answered by itself; one that is still there met the token that another request had got meanwhile, without
// the claims.
func (c *Client) tokenRefreshPolicy(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusUnauthorized || c.static {
		return resp, err
	}
	runtime.Drain(resp)
	return req.Next()
}

// tokenRefusalPolicy marks a refused token, so that the next request gets another.
func (c *Client) tokenRefusalPolicy(req *policy.Request) (*http.Response, error) {
	if c.static {
		return req.Next()
	}
	round := c.tokens.currentRound()
	resp, err := req.Next()
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		c.tokens.markRefused(strings.TrimPrefix(req.Raw().Header.Get("Authorization"), "Bearer "), round)
	}
	return resp, err
}

func (c *Client) countPolicy(req *policy.Request) (*http.Response, error) {
	var kind requestKind
	req.OperationValue(&kind)
	c.counts.add(string(kind))
	id, started := uuid.NewString(), c.clock.machineNow()
	req.Raw().Header.Set(headerClientRequestID, id)
	resp, err := req.Next()
	c.report(req, string(kind), id, started, resp)
	if err != nil {
		return nil, &transportError{clientRequestID: id, err: err}
	}
	c.clock.synchronize(resp.Header, started)
	return resp, nil
}

// transportError is a request without an answer, with its request id.
type transportError struct {
	clientRequestID string
	err             error
}

func (e *transportError) Error() string { return e.err.Error() }
func (e *transportError) Unwrap() error { return e.err }

// transport sends requests to the network: no redirects (a token must not follow them), no unbounded bodies.
type transport struct{ client *http.Client }

func newTransport(rt http.RoundTripper) transport {
	if rt == nil {
		rt = networkTransport()
	}
	return transport{client: &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (t transport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	resp.Body = &boundedBody{body: resp.Body, left: maxBodySize}
	return resp, nil
}

// withoutURL drops the URL from net/http's errors: the URLs are signed and up to 4 KB long.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &nonRetriableError{err} // a retry brings the same certificate
	}
	return err
}

// networkTransport returns Go's default transport with enough idle connections for the polls of a large run to one host.
func networkTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 100, 64
	return t
}

var errBodyTooLarge = errors.New("the answer is too large")

// boundedBody fails, rather than ends, when a body exceeds the limit.
type boundedBody struct {
	body io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &malformedError{why: fmt.Sprintf("%v (over %d MB)", errBodyTooLarge, maxBodySize>>20)}
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }
