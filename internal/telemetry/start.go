package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// The variables that name a collector, as the specification of OTLP has them.
const (
	endpointVariable        = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointVariable  = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	metricsEndpointVariable = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
)

// Variables returns the variables of which each turns telemetry on.
func Variables() []string {
	return []string{endpointVariable, tracesEndpointVariable, metricsEndpointVariable}
}

// Options describe a run.
type Options struct {
	// Env looks up a variable of the environment. The exporters read headers, certificates and timeouts there by
	// themselves.
	Env func(string) (string, bool)
	// Now is the machine's clock.
	Now                             func() time.Time
	Command, Version, CorrelationID string
	// Warn is told, once, that something could not be delivered. It may be called from any goroutine.
	Warn func(string)
}

// exporters send spans and metrics to the collector; nil = this kind of data is not sent.
type exporters struct {
	spans   trace.SpanExporter
	metrics metric.Exporter
}

// Start returns the recorder of a run, or nil where the environment names no collector or turns the SDK off. It waits for
// nothing, and what is wrong with the settings is a warning: telemetry never ends a run.
func Start(ctx context.Context, o Options) *Run {
	if disabled, _ := o.Env("OTEL_SDK_DISABLED"); strings.EqualFold(disabled, "true") {
		return nil
	}
	var e exporters
	var err, err2 error
	if o.isOn("OTEL_TRACES_EXPORTER", tracesEndpointVariable) {
		e.spans, err = o.newSpanExporter(ctx)
	}
	if o.isOn("OTEL_METRICS_EXPORTER", metricsEndpointVariable) {
		e.metrics, err2 = o.newMetricExporter(ctx)
	}
	if err = errors.Join(err, err2); err != nil {
		o.Warn("no telemetry is sent: " + describe(err))
		return nil
	}
	if e == (exporters{}) {
		return nil
	}
	return newRun(ctx, o, e)
}

// isOn reports whether one kind of data has a collector, and is not turned off by the variable of its exporter.
func (o Options) isOn(exporter, endpoint string) bool {
	if kind, set := o.Env(exporter); set && kind != "" && kind != "otlp" {
		return false
	}
	for _, name := range []string{endpointVariable, endpoint} {
		if v, _ := o.Env(name); v != "" {
			return true
		}
	}
	return false
}

const (
	protocolGRPC = "grpc"
	protocolHTTP = "http/protobuf"
)

// isGRPC reads the protocol for one kind of data. HTTP is the default of the specification. The SDK for Go cannot send
// its http/json, so that is an error: no other protocol replaces it.
func (o Options) isGRPC(variable string) (bool, error) {
	protocol, _ := o.Env(variable)
	if protocol == "" {
		variable = "OTEL_EXPORTER_OTLP_PROTOCOL"
		protocol, _ = o.Env(variable)
	}
	switch protocol {
	case protocolGRPC:
		return true, nil
	case "", protocolHTTP:
		return false, nil
	}
	return false, &settingError{fmt.Sprintf("%s is not %s or %s", variable, protocolGRPC, protocolHTTP)}
}

func (o Options) newSpanExporter(ctx context.Context) (trace.SpanExporter, error) {
	grpc, err := o.isGRPC("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	switch {
	case err != nil:
		return nil, err
	case grpc:
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

func (o Options) newMetricExporter(ctx context.Context) (metric.Exporter, error) {
	grpc, err := o.isGRPC("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL")
	switch {
	case err != nil:
		return nil, err
	case grpc:
		return otlpmetricgrpc.New(ctx)
	}
	return otlpmetrichttp.New(ctx)
}

// newRun makes the providers over the exporters, and begins the span of the run.
func newRun(ctx context.Context, o Options, e exporters) *Run {
	r := &Run{now: o.Now, command: o.Command, warn: warnOnce(o.Warn), changes: map[string]change{}}
	// The SDK reports what fails here only, for the whole process; its own log has values of the environment in it.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(r.warn))
	otel.SetLogger(logr.Discard())
	about, err := resource.New(ctx,
		resource.WithAttributes(text("service.name", "azbackup"), text("service.version", o.Version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		r.warn(&settingError{"OTEL_RESOURCE_ATTRIBUTES is not understood"})
	}
	if e.spans != nil {
		r.tracing = trace.NewTracerProvider(trace.WithResource(about), trace.WithBatcher(e.spans))
	}
	if e.metrics != nil {
		r.metering = metric.NewMeterProvider(metric.WithResource(about), metric.WithReader(metric.NewPeriodicReader(e.metrics)))
	}
	r.begin(o.CorrelationID)
	return r
}

// settingError is an error whose text holds no value of the environment.
type settingError struct{ text string }

func (e *settingError) Error() string { return e.text }

// warnOnce returns a function that tells of the first error only: a collector that is down fails each delivery.
func warnOnce(warn func(string)) func(error) {
	var once sync.Once
	return func(err error) {
		once.Do(func() { warn("telemetry was not delivered: " + describe(err)) })
	}
}

// describe returns what may be printed of an error of the exporters. They quote the collector's URL, its answer and
// values of the environment, which may hold secrets.
func describe(err error) string {
	if s, ok := errors.AsType[*settingError](err); ok {
		return s.text
	}
	if u, ok := errors.AsType[*url.Error](err); ok && u.Err != nil && u.Op != "parse" {
		return DescribeFailure(u.Err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return "the collector did not take it, or " + strings.Join(Variables(), ", ") + " and what goes with them are not understood"
}
