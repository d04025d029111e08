package azure

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/plan"
)

// buildVaultWrite returns the PUT that creates a vault, or the PATCH of a change's settings, with the current values
// that the service requires beside them: a PUT would reset omitted settings (docs/azure.md §7.3).
func (c *Client) buildVaultWrite(ch plan.Change) (write, error) {
	if ch.After.Vault == nil {
		return write{}, errMissingField(ch, "settings")
	}
	r := arm.Request{Op: fmt.Sprintf("creating vault %q", vaultName(ch.Target)), Method: http.MethodPut, URL: c.arm.URL(ch.Target, apiVault)}
	if ch.Action == plan.UpdateVault {
		r.Op, r.Method = fmt.Sprintf("updating vault %q", vaultName(ch.Target)), http.MethodPatch
	}
	return write{r, func(ctx context.Context, _ time.Duration) (preparedWrite, error) {
		return c.prepareVault(ctx, r.Op, ch)
	}}, nil
}
