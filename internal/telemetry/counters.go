package telemetry

import (
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// counters are the metrics of a run. Their names are an interface: dashboards rely on them.
type counters struct {
	changes, requests, throttles, runs metric.Int64Counter
	throttled                          metric.Float64Counter
}

// newCounters makes the counters; without a provider they count nothing.
func newCounters(provider *sdk.MeterProvider) counters {
	meter := noop.NewMeterProvider().Meter(scope)
	if provider != nil {
		meter = provider.Meter(scope)
	}
	counter := func(name, unit, what string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
		if err != nil {
			return noop.Int64Counter{} // the names are constants, and valid
		}
		return c
	}
	c := counters{
		changes:   counter("azbackup.changes", "{change}", "Changes that ended, by action and outcome."),
		requests:  counter("azbackup.requests", "{request}", "Requests to Azure Resource Manager, each attempt, by kind and status."),
		throttles: counter("azbackup.throttles", "{throttle}", "Times that a quota held requests back, by quota and reason."),
		runs:      counter("azbackup.runs", "{run}", "Runs that ended, by command and exit code."),
		throttled: noop.Float64Counter{},
	}
	if f, err := meter.Float64Counter("azbackup.throttled.time", metric.WithUnit("s"), metric.WithDescription("How long quotas held requests back.")); err == nil {
		c.throttled = f
	}
	return c
}
