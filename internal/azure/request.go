package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"github.com/azbackup/azbackup/internal/azure/wire"
)

// The api-versions of this program. The version is behaviour, not only shape: Trusted Launch VMs need 2025-01-01 or
// later (docs/azure.md §0.3). URLs returned by the service carry their own.
const (
	apiBackup        = "2025-08-01"
	apiVault         = "2025-08-01"
	apiCompute       = "2025-04-01"
	apiSubscriptions = "2022-12-01"
	apiGroups        = "2021-04-01"
	apiDisks         = "2024-03-02"
	apiStorage       = "2023-01-01"
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
func (c *Client) buildURL(path, apiVersion string, query ...string) string {
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
func (c *Client) do(ctx context.Context, r request) (*answer, error) {
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
		if !reads && namesGuardRequest(data) {
			pipeline = c.guardedWrites
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

// getDocument reads one document into v and also returns its raw body.
func (c *Client) getDocument(ctx context.Context, op, u string, cl quota.Class, v any) ([]byte, error) {
	var raw []byte
	_, err := c.do(ctx, request{op: op, method: http.MethodGet, url: u, class: cl, decode: documentDecoder(v, &raw)})
	return raw, err
}

// documentDecoder returns a decoder for one object.
func documentDecoder(v any, raw *[]byte) bodyDecoder {
	return func(body io.Reader) error {
		data, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		*raw = data
		return decodeDocument(data, v)
	}
}

// decodeDocument decodes an object. Any other value is malformed; one that ends too early broke off.
func decodeDocument(data []byte, v any) error {
	trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(trimmed) > 0 && trimmed[0] != '{' {
		return &malformedError{why: "the answer is not a JSON object"}
	}
	if err := wire.Unmarshal(trimmed, v); err != nil {
		if s := err.Error(); len(trimmed) == 0 || strings.Contains(s, "unexpected end") {
			return io.ErrUnexpectedEOF
		}
		return asMalformed(err)
	}
	return nil
}

// listAll reads all pages of a list. It is all or nothing: with an error it returns the elements of the pages before,
// for their names, and none of them may be relied on.
func listAll[T any](ctx context.Context, c *Client, op, u string, cl quota.Class, tee func(json.RawMessage)) ([]T, error) {
	return listPages(ctx, c, op, u, cl, tee, wire.NewRowFunc[T](c.rows), 0)
}

// listAs is listAll with rows converted by read. Rows are large: they are converted as they arrive.
func listAs[T any](ctx context.Context, c *Client, op, u string, cl quota.Class, tee func(json.RawMessage), read rowReadFunc[T]) ([]T, error) {
	return listPages(ctx, c, op, u, cl, tee, read, 0)
}

// errTooManyPages ends a list that has more pages than allowed.
var errTooManyPages = fmt.Errorf("the list has more pages than it may cost")

// listPages is listAs that gives up after maxPages pages (0 = never) with errTooManyPages.
func listPages[T any](
	ctx context.Context, c *Client, op, u string, cl quota.Class, tee func(json.RawMessage), read rowReadFunc[T], maxPages int,
) ([]T, error) {
	var all []T
	first := u
	seen, rows := map[string]bool{}, 0
	for pages := 0; u != ""; pages++ {
		if maxPages > 0 && pages == maxPages {
			return all, errTooManyPages
		}
		if seen[u] {
			return all, brokenReadError(op, first, "RepeatedNextLink", errors.New("the list leads back to a page that was read"))
		}
		seen[u] = true
		var p page[T]
		_, err := c.do(ctx, request{op: op, method: http.MethodGet, url: u, class: cl, decode: func(body io.Reader) (err error) {
			p, err = decodePage(body, rows, tee != nil, read)
			return err
		}})
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			return all, brokenReadError(op, first, "Refused", refused)
		}
		if err != nil {
			return all, err
		}
		countPage(ctx)
		if p.next != "" {
			rows = len(p.value) // the next has about as many
		}
		if all == nil {
			all = p.value // most lists have one page
		} else {
			all = append(all, p.value...)
		}
		for _, raw := range p.raw {
			tee(raw)
		}
		if u, err = resolveLink(u, p.next); err != nil {
			return all, brokenReadError(op, first, "UnusableNextLink", err)
		}
	}
	return all, nil
}

// brokenReadError returns the error for pages that do not form one list; first is the URL of the first.
func brokenReadError(op, first, code string, err error) error {
	path := first
	if u, bad := url.Parse(first); bad == nil {
		path = u.Path
	}
	return &apply.Error{Op: op, Code: code, Message: err.Error(), Err: &sentRequest{method: http.MethodGet, path: path, err: err}}
}

// resolveLink follows an opaque link from a page; the allow-list decides whether its host may be reached.
func resolveLink(from, link string) (string, error) {
	if link == "" {
		return "", nil
	}
	if u, err := url.Parse(link); err == nil && u.IsAbs() {
		return link, nil // verbatim: decoding and encoding again would change it (docs/azure.md §33.25)
	}
	base, err := url.Parse(from)
	if err != nil {
		return "", withoutURL(err)
	}
	u, err := base.Parse(link)
	if err != nil {
		return "", fmt.Errorf("the link to the next page is not a URL")
	}
	return u.String(), nil
}
