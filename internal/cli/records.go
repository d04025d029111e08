package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/telemetry"
)

// Keys of log records for programs: the resource that a record is about, and the ids by which it is found in Azure's
// logs.
const (
	subscriptionKey = "subscription"
	vaultKey        = "vault"
	changeKey       = "change"
	requestIDKey    = "request_id"
	correlationKey  = "correlation_id"
)

// beginRecords adds the correlation id to every later record, and starts the telemetry where the environment names a
// collector.
func (a *app) beginRecords(ctx context.Context, command azure.Command, correlationID string) {
	a.log = a.log.With(correlationKey, correlationID)
	if a.telemetry == nil {
		a.telemetry = telemetry.Start(ctx, telemetry.Options{
			Env: a.Env, Now: a.Now, Command: string(command), Version: a.Version, CorrelationID: correlationID,
			Warn: func(text string) { a.log.Warn(oneLine(text)) },
		})
	}
}

// onExchange records one attempt of a request: in the telemetry, and with -v for programs.
func (a *app) onExchange(x arm.Exchange) {
	a.telemetry.Exchange(x)
	if !a.verbose || a.logFormat != logJSON {
		return
	}
	a.log.Debug(fmt.Sprintf("%s %s: %d", x.Method, x.Kind, x.Status), known(
		"event", "request", "method", x.Method, "kind", x.Kind, "path", x.Path, subscriptionKey, x.Subscription, vaultKey, x.Vault, changeKey, x.Change,
		requestIDKey, x.RequestID, "client_request_id", x.ClientRequestID, "status", x.Status, "seconds", x.Finished.Sub(x.Started).Seconds())...)
}

// eventArgs returns the keys and values of the record of an event.
func eventArgs(e apply.Event) []any {
	return append(known(
		"event", string(e.Kind), changeKey, e.Change, "action", string(e.Action), "target", e.Target, vaultKey, e.Vault,
		subscriptionKey, armid.SubscriptionOf(cmp.Or(e.Target, e.Vault)), "outcome", string(e.Outcome), "code", e.Code, requestIDKey, e.RequestID,
		"operation", e.Operation, "job", e.Job),
		"done", e.Done, "running", e.Running, "total", e.Total)
}

// known returns the pairs of keys and values without those whose value is an empty text.
func known(pairs ...any) []any {
	var out []any
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i], pairs[i+1])
		}
	}
	return out
}
