package telemetry

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/crash"
)

// scope names this program as the source of spans and metrics.
const scope = "github.com/azbackup/azbackup"

const (
	// flushTimeout bounds the wait for a collector at the end of a run.
	flushTimeout = 5 * time.Second
	// leaveTimeout bounds it after an interrupt.
	leaveTimeout = time.Second
)

// Run records one run. A nil Run records nothing. It is safe for concurrent use.
type Run struct {
	now      func() time.Time
	command  string
	warn     func(error)
	tracing  *sdktrace.TracerProvider // nil = no spans are sent
	metering *sdkmetric.MeterProvider // nil = no metrics are sent
	tracer   trace.Tracer
	counters counters
	root     context.Context // holds the span of the run
	rootSpan trace.Span

	mu      sync.Mutex
	changes map[string]change // those that have begun and not ended, by id
}

// change is the open span of a change.
type change struct {
	ctx  context.Context // its requests are below it
	span trace.Span
}

// begin makes the tracer and the counters, and begins the span of the run.
func (r *Run) begin(correlationID string) {
	r.tracer = noop.NewTracerProvider().Tracer(scope)
	if r.tracing != nil {
		r.tracer = r.tracing.Tracer(scope)
	}
	r.counters = newCounters(r.metering)
	r.root, r.rootSpan = r.tracer.Start(context.Background(), "azbackup "+r.command, trace.WithTimestamp(r.now()),
		trace.WithAttributes(text("azbackup.command", r.command), text("azbackup.correlation_id", correlationID)))
}

// Exchange records an attempt of a request, below the change that it is for.
func (r *Run) Exchange(x arm.Exchange) {
	if r == nil {
		return
	}
	attrs := []attribute.KeyValue{text("http.request.method", x.Method), text("azbackup.request", x.Kind)}
	isFailed := x.Status == 0 || x.Status >= 400
	if x.Status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", x.Status))
	} else {
		attrs = append(attrs, text("error.type", "no answer"))
	}
	r.counters.requests.Add(r.root, 1, metric.WithAttributes(attrs...))
	parent := r.parentOf(x.Change)
	_, span := r.tracer.Start(parent, x.Method+" "+x.Kind, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(x.Started),
		trace.WithAttributes(attrs...), trace.WithAttributes(known(
			text("server.address", x.Host), text("url.path", x.Path), text("azbackup.subscription", x.Subscription), text("azbackup.vault", x.Vault),
			text("azbackup.change", x.Change), text("azure.service.request.id", x.RequestID), text("azure.client.request.id", x.ClientRequestID))...))
	if isFailed {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(x.Finished))
}

func (r *Run) parentOf(id string) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.changes[id]; ok {
		return c.ctx
	}
	return r.root
}

// Event records the beginning and the end of a change. It is an [apply.Observer].
func (r *Run) Event(e apply.Event) {
	if r == nil {
		return
	}
	switch e.Kind {
	case apply.EventStarted:
		r.started(e)
	case apply.EventFinished:
		r.counters.changes.Add(r.root, 1, metric.WithAttributes(text("azbackup.action", string(e.Action)), text("azbackup.outcome", string(e.Outcome))))
		c := r.started(e) // what is blocked never began
		c.span.SetAttributes(known(text("azbackup.outcome", string(e.Outcome)), text("azbackup.code", e.Code), text("azure.service.request.id", e.RequestID),
			text("azbackup.operation", e.Operation), text("azbackup.job", e.Job))...)
		if e.Outcome != apply.Done && e.Outcome != apply.AlreadyDone {
			c.span.SetStatus(codes.Error, "")
		}
		c.span.End(trace.WithTimestamp(r.now()))
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.changes, e.Change)
	default:
	}
}

// started returns the open span of a change, which it begins at its first event.
func (r *Run) started(e apply.Event) change {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.changes[e.Change]
	if !ok {
		c.ctx, c.span = r.tracer.Start(r.root, string(e.Action), trace.WithTimestamp(r.now()), trace.WithAttributes(known(
			text("azbackup.change", e.Change), text("azbackup.action", string(e.Action)), text("azbackup.target", e.Target), text("azbackup.vault", e.Vault),
			text("azbackup.subscription", armid.SubscriptionOf(cmp.Or(e.Target, e.Vault))))...))
		r.changes[e.Change] = c
	}
	return c
}

// Throttle records that a quota holds requests back.
func (r *Run) Throttle(t arm.Throttle) {
	if r == nil || t.IsForeseen() {
		return
	}
	attrs := metric.WithAttributes(text("azbackup.quota", t.Kind), text("azbackup.reason", t.Reason))
	r.counters.throttles.Add(r.root, 1, attrs)
	r.counters.throttled.Add(r.root, t.Wait.Seconds(), attrs)
}

// End records the exit code and delivers what is left, for [flushTimeout] at most and until ctx ends; for [leaveTimeout]
// where it has ended. A Run records nothing after it.
func (r *Run) End(ctx context.Context, exitCode int) {
	if r == nil {
		return
	}
	code := attribute.Int("process.exit.code", exitCode)
	r.counters.runs.Add(r.root, 1, metric.WithAttributes(text("azbackup.command", r.command), code)) //nolint:contextcheck // of the run, whatever ended it
	r.mu.Lock()
	for id, c := range r.changes { // those that were left
		c.span.End(trace.WithTimestamp(r.now()))
		delete(r.changes, id)
	}
	r.mu.Unlock()
	r.rootSpan.SetAttributes(code)
	r.rootSpan.End(trace.WithTimestamp(r.now()))
	timeout := flushTimeout
	if ctx.Err() != nil {
		ctx, timeout = context.WithoutCancel(ctx), leaveTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	delivered := make(chan error, 1)
	go func() {
		defer crash.ExitOnPanic()
		delivered <- r.shutdown(ctx)
	}()
	select {
	case err := <-delivered:
		if err != nil {
			r.warn(err)
		}
	case <-ctx.Done(): // the SDK may still be at work; the process does not wait for it
		r.warn(context.DeadlineExceeded)
	}
}

// shutdown ends both providers at the same time.
func (r *Run) shutdown(ctx context.Context) error {
	var wg sync.WaitGroup
	var spans, metrics error
	if r.tracing != nil {
		wg.Go(func() {
			defer crash.ExitOnPanic()
			spans = r.tracing.Shutdown(ctx)
		})
	}
	if r.metering != nil {
		wg.Go(func() {
			defer crash.ExitOnPanic()
			metrics = r.metering.Shutdown(ctx)
		})
	}
	wg.Wait()
	return errors.Join(spans, metrics)
}

// text returns an attribute. Text of Azure may hold bytes that the collector's protocol does not allow.
func text(key, value string) attribute.KeyValue {
	return attribute.String(key, strings.ToValidUTF8(value, "\ufffd"))
}

// known returns the attributes that have a value.
func known(attrs ...attribute.KeyValue) []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, a := range attrs {
		if a.Value.AsString() != "" {
			out = append(out, a)
		}
	}
	return out
}
