package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/azbackup/azbackup/internal/azure/quota"
)

// pagesKey is the key of the page counter in a context.
type pagesKey struct{}

// WithPageCounter returns a context whose lists add the number of their pages, which is that of their requests, to n.
func WithPageCounter(ctx context.Context, n *atomic.Int32) context.Context {
	return context.WithValue(ctx, pagesKey{}, n)
}

func countPage(ctx context.Context) {
	if n, ok := ctx.Value(pagesKey{}).(*atomic.Int32); ok {
		n.Add(1)
	}
}

// ListRequest is one read of a list.
type ListRequest struct {
	Op    string // as in [Request]
	URL   string // of the first page
	Class quota.Class
	// Tee gets the raw rows of each page that was read; nil = they are not kept.
	Tee      func(json.RawMessage)
	MaxPages int // 0 = all
}

// ErrTooManyPages ends a list that has more pages than allowed.
var ErrTooManyPages = errors.New("the list has more pages than it may cost")

// maxEmptyPages is how many pages in a row may be empty. Azure filters pages by the caller's rights, so that some are; a list
// that never ends would hold a plan for ever.
const maxEmptyPages = 1000

// List reads all pages of a list; read converts each row as it arrives, because rows are large. With an error it
// returns the elements of the pages before, for their names alone: no other content of them may be relied on. Errors
// are those of [Client.Do], that of [NewReadError] where the pages do not form one list, and [ErrTooManyPages].
func List[T any](ctx context.Context, c *Client, l ListRequest, read func(raw []byte) (T, error)) ([]T, error) {
	var all []T
	u, first := l.URL, l.URL
	seen, rows, empty := map[string]bool{}, 0, 0
	for pages := 0; u != ""; pages++ {
		if l.MaxPages > 0 && pages == l.MaxPages {
			return all, ErrTooManyPages
		}
		if seen[u] {
			return all, NewReadError(l.Op, first, "RepeatedNextLink", errors.New("the list leads back to a page that was read"))
		}
		seen[u] = true
		var p page[T]
		_, err := c.Do(ctx, Request{Op: l.Op, Method: http.MethodGet, URL: u, Class: l.Class, Decode: func(body io.Reader) (err error) {
			p, err = decodePage(body, rows, l.Tee != nil, read)
			return err
		}})
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			return all, NewReadError(l.Op, first, "Refused", refused)
		}
		if err != nil {
			return all, err
		}
		countPage(ctx)
		if empty++; len(p.value) > 0 {
			empty = 0
		}
		if empty > maxEmptyPages && p.next != "" {
			return all, NewReadError(l.Op, first, "EndlessList", fmt.Errorf("the list has more than %d empty pages in a row", maxEmptyPages))
		}
		if p.next != "" {
			rows = len(p.value) // the next has about as many
		}
		if all == nil {
			all = p.value // most lists have one page
		} else {
			all = append(all, p.value...)
		}
		for _, raw := range p.raw {
			l.Tee(raw)
		}
		if u, err = ResolveLink(u, p.next); err != nil {
			return all, NewReadError(l.Op, first, "UnusableNextLink", err)
		}
	}
	return all, nil
}

// ResolveLink follows an opaque link that the answer to a request of the URL from gave, to a further page or to an
// operation; the allow-list decides whether its host may be reached.
func ResolveLink(from, link string) (string, error) {
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
