package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/quota"
)

// request is one call of the service.
type request struct {
	op               string // "listing items of \"v1\"": names the operation in errors
	method           string
	url              string // absolute
	body             any    // marshalled to JSON; nil = none
	class            quota.Class
	permit           *quota.Permit // of a write with a reservation; nil = it waits for its quotas
	decode           bodyDecoder   // gets the body of a 200; nil = the body is returned whole
	acceptedStatuses []int         // further statuses that are no error, besides 200
}

// answer is a response with its body read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// buildURL returns a URL of this endpoint. path is unescaped; its segments are escaped one by one (";" as "%3B",
// docs/azure.md §0.4).
func (c *armClient) buildURL(path, apiVersion string, query ...string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(strings.ReplaceAll(s, "%3B", ";"))
	}
	parts := []string{"api-version=" + apiVersion}
	for i := 0; i+1 < len(query); i += 2 {
		parts = append(parts, url.QueryEscape(query[i])+"="+strings.ReplaceAll(url.QueryEscape(query[i+1]), "+", "%20"))
	}
	return c.endpoint.String() + "/" + strings.Join(segments, "/") + "?" + strings.Join(parts, "&")
}

// do sends a request. Errors are *apply.Error (around a [SignInError] where no token could be obtained),
// [RefusedError], or the context's cause when it ended.
func (c *armClient) do(ctx context.Context, r request) (*answer, error) {
	reads := r.method == http.MethodGet || r.class != quota.Write
	reqCtx := quota.WithClass(ctx, r.class)
	if !reads {
		reqCtx = policy.WithRetryOptions(reqCtx, noWriteRetry())
	}
	if r.permit != nil {
		reqCtx = quota.WithPermit(reqCtx, r.permit)
	}
	req, err := runtime.NewRequest(reqCtx, r.method, r.url)
	if err != nil {
		return nil, &apply.Error{Op: r.op, Message: "the URL is not usable: " + withoutURL(err).Error(), Err: err}
	}
	req.Raw().Header.Set("Accept", "application/json")
	if r.decode != nil {
		req.SetOperationValue(r.decode)
		runtime.SkipBodyDownload(req)
	}
	pipeline := c.pipeline
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.op, err)
		}
		if !reads && c.rules.needsAuxiliary(data) {
			pipeline = c.auxiliaryWrites
		}
		if err := req.SetBody(readSeekNopCloser{bytes.NewReader(data)}, "application/json"); err != nil {
			return nil, fmt.Errorf("%s: %w", r.op, err)
		}
	}
	sent := &sentRequest{method: r.method, path: req.Raw().URL.Path}
	resp, err := pipeline.Do(req)
	if err != nil {
		return nil, transportFailure(ctx, r.op, sent, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, transportFailure(ctx, r.op, sent, err)
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, body: body}
	if a.status != http.StatusOK && !slices.Contains(r.acceptedStatuses, a.status) {
		return nil, responseError(r.op, sent, a)
	}
	return a, nil
}

type readSeekNopCloser struct{ io.ReadSeeker }

func (readSeekNopCloser) Close() error { return nil }

// getDocument reads one document and returns its bytes; decode gets them too, and again where the read is repeated.
func (c *armClient) getDocument(ctx context.Context, op, u string, cl quota.Class, decode func(data []byte) error) ([]byte, error) {
	var raw []byte
	_, err := c.do(ctx, request{op: op, method: http.MethodGet, url: u, class: cl, decode: func(body io.Reader) (err error) {
		raw, err = readDocument(body, decode)
		return err
	}})
	return raw, err
}

// documentBody returns the decoder of a body that is one object.
func documentBody(decode func(data []byte) error) bodyDecoder {
	return func(body io.Reader) error {
		_, err := readDocument(body, decode)
		return err
	}
}

func readDocument(body io.Reader, decode func(data []byte) error) ([]byte, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return data, decodeDocument(data, decode)
}

// decodeDocument decodes an object. Any other value is malformed; one that ends too early broke off.
func decodeDocument(data []byte, decode func([]byte) error) error {
	trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(trimmed) > 0 && trimmed[0] != '{' {
		return &malformedError{why: "the answer is not a JSON object"}
	}
	if err := decode(trimmed); err != nil {
		if s := err.Error(); len(trimmed) == 0 || strings.Contains(s, "unexpected end") {
			return io.ErrUnexpectedEOF
		}
		return asMalformed(err)
	}
	return nil
}
