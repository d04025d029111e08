package telemetry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/arm"
)

// deaf takes spans and metrics, and neither answers nor heeds its context until it is released.
type deaf struct {
	metric.Exporter
	released chan struct{}
}

func (d deaf) ExportSpans(context.Context, []trace.ReadOnlySpan) error { <-d.released; return nil }

func (d deaf) Export(context.Context, *metricdata.ResourceMetrics) error { <-d.released; return nil }

func (d deaf) Shutdown(context.Context) error   { <-d.released; return nil }
func (d deaf) ForceFlush(context.Context) error { return nil }
func (d deaf) Temporality(k metric.InstrumentKind) metricdata.Temporality {
	return metric.DefaultTemporalitySelector(k)
}

func (d deaf) Aggregation(k metric.InstrumentKind) metric.Aggregation {
	return metric.DefaultAggregationSelector(k)
}

func newOptions(warn func(string)) Options {
	return Options{Env: func(string) (string, bool) { return "", false }, Now: time.Now, Command: "plan", Warn: warn}
}

func TestADeafCollectorDelaysTheEndByTheBoundAtMost(t *testing.T) {
	for name, tt := range map[string]struct {
		isLeaving bool
		want      time.Duration
	}{"at the end": {false, flushTimeout}, "somebody leaves": {true, leaveTimeout}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := deaf{released: make(chan struct{})}
				defer func() { close(d.released) }()
				var warnings []string
				r := newRun(t.Context(), newOptions(func(s string) { warnings = append(warnings, s) }), exporters{spans: d, metrics: d})
				r.Exchange(arm.Exchange{Method: "GET", Kind: "vaults", Status: 200, Started: time.Now(), Finished: time.Now()})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.isLeaving {
					cancel()
				}
				began := time.Now()
				r.End(ctx, 0)
				if took := time.Since(began); took != tt.want {
					t.Errorf("the end took %v, want %v", took, tt.want)
				}
				if len(warnings) != 1 || warnings[0] != "telemetry was not delivered: no answer in time" {
					t.Errorf("warnings: %q", warnings)
				}
			})
		})
	}
}

func TestWhoeverLeavesMeanwhileWaitsForNoCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deaf{released: make(chan struct{})}
		defer func() { close(d.released) }()
		r := newRun(t.Context(), newOptions(func(string) {}), exporters{spans: d})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Second, cancel)
		began := time.Now()
		r.End(ctx, 0)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}

func TestARunThatIsNotRecordedCostsNothing(t *testing.T) {
	r := Start(t.Context(), newOptions(nil))
	if r != nil {
		t.Fatal("it is on without a collector")
	}
	allocated := testing.AllocsPerRun(100, func() {
		r.Exchange(arm.Exchange{})
		r.Event(apply.Event{Kind: apply.EventFinished})
		r.Throttle(arm.Throttle{})
		r.End(t.Context(), 0)
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestChangesThatNeverBeganAndThoseThatWereLeftHaveASpan(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	r := newRun(t.Context(), newOptions(func(s string) { t.Error(s) }), exporters{spans: keeping{spans}})
	r.Event(apply.Event{Kind: apply.EventStarted, Change: "left", Action: "protect", Target: "/subscriptions/s/\xff"})
	r.Exchange(arm.Exchange{Method: "PUT", Kind: "write item", Change: "left"})
	r.Event(apply.Event{Kind: apply.EventFinished, Change: "blocked", Action: "blocked", Outcome: apply.Blocked})
	r.End(t.Context(), 3)
	got := map[string]codes.Code{}
	for _, s := range spans.GetSpans() {
		got[s.Name] = s.Status.Code
		for _, a := range s.Attributes {
			if a.Key == "azbackup.target" && a.Value.AsString() != "/subscriptions/s/\ufffd" {
				t.Errorf("a target that no collector takes: %q", a.Value.AsString())
			}
		}
	}
	want := map[string]codes.Code{"azbackup plan": codes.Unset, "protect": codes.Unset, "blocked": codes.Error, "PUT write item": codes.Error}
	for name, code := range want {
		if have, ok := got[name]; !ok || have != code {
			t.Errorf("span %s: %v (is there: %v), want %v", name, have, ok, code)
		}
	}
	if len(got) != len(want) {
		t.Errorf("spans: %v", got)
	}
}

// keeping keeps the spans of its exporter past the end.
type keeping struct{ *tracetest.InMemoryExporter }

func (keeping) Shutdown(context.Context) error { return nil }
