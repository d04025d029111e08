package azure

import (
	"context"
	"sync/atomic"
)

// pagesKey finds the counter of pages in a context.
type pagesKey struct{}

// withPageCounter has the pages of all lists read under the context counted in n: what a look at a vault costs.
func withPageCounter(ctx context.Context, n *atomic.Int32) context.Context {
	return context.WithValue(ctx, pagesKey{}, n)
}

func countPage(ctx context.Context) {
	if n, ok := ctx.Value(pagesKey{}).(*atomic.Int32); ok {
		n.Add(1)
	}
}
