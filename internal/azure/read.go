package azure

import (
	"context"
	"encoding/json"

	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
)

// into returns the function that decodes a document into v, a type of wire.
func into(v any) func(data []byte) error {
	return func(data []byte) error { return wire.Unmarshal(data, v) }
}

// getDocument reads one document into v and also returns its raw body. Errors are those of [arm.Client.Do].
func (c *Client) getDocument(ctx context.Context, op, u string, cl quota.Class, v any) ([]byte, error) {
	return c.arm.GetDocument(ctx, op, u, cl, into(v))
}

// listAll reads all pages of a list. With an error it returns the elements of the pages before, for their names alone: no
// other content of them may be relied on.
func listAll[T any](ctx context.Context, c *Client, op, u string, cl quota.Class, tee func(json.RawMessage)) ([]T, error) {
	return listAs(ctx, c, op, u, cl, tee, wire.NewRowFunc[T](c.rows))
}

// listAs is [listAll] with rows that read converts.
func listAs[T any](
	ctx context.Context, c *Client, op, u string, cl quota.Class, tee func(json.RawMessage), read func(raw []byte) (T, error),
) ([]T, error) {
	return arm.List(ctx, c.arm, arm.ListRequest{Op: op, URL: u, Class: cl, Tee: tee}, read)
}
