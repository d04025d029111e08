package azure

import (
	"context"
	"sync/atomic"
)

// pagesKey is the key of the page counter in a context.
type pagesKey struct{}

// withPageCounter returns a context whose lists add their pages to n: the cost of a snapshot of a vault.
func withPageCounter(ctx context.Context, n *atomic.Int32) context.Context {
	return context.WithValue(ctx, pagesKey{}, n)
}

func countPage(ctx context.Context) {
	if n, ok := ctx.Value(pagesKey{}).(*atomic.Int32); ok {
		n.Add(1)
	}
}
