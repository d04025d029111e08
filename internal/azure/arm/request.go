package arm

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

// Request is one call of the service. A GET, and a request of a class other than [quota.Write], is repeated where it fails;
// any other is sent once.
type Request struct {
	Op               string // "listing items of \"v1\"": names the operation in errors
	Method           string
	URL              string // absolute
	Body             any    // marshalled to JSON; nil = none
	Class            quota.Class
	Permit           *quota.Permit // of a write with a reservation; nil = it waits for its quotas
	Decode           BodyDecoder   // gets the body of a 200; nil = the body is returned whole
	AcceptedStatuses []int         // further statuses that are no error, besides 200
}

// Answer is a response whose body was read. Body is nil where the request's decoder got it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// URL returns a URL of this endpoint. path is unescaped; its segments are escaped one by one (";" as "%3B",
// docs/azure.md §0.4).
func (c *Client) URL(path, apiVersion string, query ...string) string {
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

// Do sends a request. It waits for the request's quotas, and repeats it as [Request] says. An error is an *apply.Error
// (around a [*SignInError] where no token could be obtained), a [*RefusedError], or the context's cause where the
// context ended.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	reads := r.Method == http.MethodGet || r.Class != quota.Write
	reqCtx := quota.WithClass(ctx, r.Class)
	if !reads {
		reqCtx = policy.WithRetryOptions(reqCtx, noWriteRetry())
	}
	if r.Permit != nil {
		reqCtx = quota.WithPermit(reqCtx, r.Permit)
	}
	req, err := runtime.NewRequest(reqCtx, r.Method, r.URL)
	if err != nil {
		return nil, &apply.Error{Op: r.Op, Message: "the URL is not usable: " + withoutURL(err).Error(), Err: err}
	}
	req.Raw().Header.Set("Accept", "application/json")
	if r.Decode != nil {
		req.SetOperationValue(r.Decode)
		runtime.SkipBodyDownload(req)
	}
	pipeline := c.pipeline
	if r.Body != nil {
		data, err := json.Marshal(r.Body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Op, err)
		}
		if !reads && c.rules.NeedsAuxiliary(data) {
			pipeline = c.auxiliaryWrites
		}
		if err := req.SetBody(readSeekNopCloser{bytes.NewReader(data)}, "application/json"); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Op, err)
		}
	}
	sent := &SentRequest{Method: r.Method, Path: req.Raw().URL.Path}
	resp, err := pipeline.Do(req)
	if err != nil {
		return nil, transportFailure(ctx, r.Op, sent, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, transportFailure(ctx, r.Op, sent, err)
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	if a.Status != http.StatusOK && !slices.Contains(r.AcceptedStatuses, a.Status) {
		return nil, responseError(r.Op, sent, a)
	}
	return a, nil
}

type readSeekNopCloser struct{ io.ReadSeeker }

func (readSeekNopCloser) Close() error { return nil }

// GetDocument reads one document and returns its bytes; decode gets them too, and again where the read is repeated.
func (c *Client) GetDocument(ctx context.Context, op, u string, cl quota.Class, decode func(data []byte) error) ([]byte, error) {
	var raw []byte
	_, err := c.Do(ctx, Request{Op: op, Method: http.MethodGet, URL: u, Class: cl, Decode: func(body io.Reader) (err error) {
		raw, err = readDocument(body, decode)
		return err
	}})
	return raw, err
}

// DecodeDocument returns the decoder of a body that is one object.
func DecodeDocument(decode func(data []byte) error) BodyDecoder {
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
