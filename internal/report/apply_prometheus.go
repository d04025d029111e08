package report

import (
	"io"
	"maps"
	"math"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const metricLastSuccess = "azbackup_last_success_timestamp_seconds"

// ApplyPrometheus writes the metrics of a run for the textfile collector. It is written after a failed run
// too: an alert compares the time of the last success with the clock.
func ApplyPrometheus(w io.Writer, r Run) error {
	success := r.LastSuccess
	if r.ExitCode == 0 {
		success = r.Finished
	}
	families := []*dto.MetricFamily{
		newGauge("azbackup_last_run_timestamp_seconds", "When the last apply ended.", newMetric(unixSeconds(r.Finished))),
		newGauge("azbackup_last_run_exit_code", "The exit code of the last apply.", newMetric(float64(r.ExitCode))),
		newGauge("azbackup_last_run_duration_seconds", "How long the last apply took.",
			newMetric(r.Finished.Sub(r.Started).Seconds())),
		newGauge("azbackup_changes", "Changes of the last apply by outcome.", r.outcomeMetrics()...),
		newGauge("azbackup_gaps", "What the last apply could not read.", newMetric(float64(len(r.Plan.Gaps)))),
		newGauge("azbackup_refusals", "Guards that refused the last apply.", newMetric(float64(len(r.Plan.Refusals)))),
		newGauge("azbackup_throttled_seconds", "How long the last apply was held back by quotas.",
			newMetric(r.Throttled.Seconds())),
	}
	if !success.IsZero() {
		families = append(families, newGauge(metricLastSuccess, "When an apply last ended with exit code 0.", newMetric(unixSeconds(success))))
	}
	if len(r.Requests) > 0 {
		families = append(families, newGauge("azbackup_requests", "HTTP requests of the last apply by kind.", r.requestMetrics()...))
	}
	return writeFamilies(w, families, r.Plan.Shard)
}

// LastSuccess reads the time of the last success from the metrics that [ApplyPrometheus] wrote in an earlier run; zero
// when they have none, or when the text cannot be read as metrics.
func LastSuccess(r io.Reader) time.Time {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return time.Time{}
	}
	for _, m := range families[metricLastSuccess].GetMetric() {
		if at := m.GetGauge().GetValue() + m.GetUntyped().GetValue(); at > 0 && at < math.MaxInt32 {
			return time.UnixMilli(int64(at * 1000)).UTC()
		}
	}
	return time.Time{}
}

func (r Run) outcomeMetrics() []*dto.Metric {
	var metrics []*dto.Metric
	for _, o := range outcomeOrder() {
		metrics = append(metrics, newLabelledMetric("outcome", string(o), r.countOutcome(o)))
	}
	return metrics
}

func (r Run) requestMetrics() []*dto.Metric {
	var metrics []*dto.Metric
	for _, kind := range slices.Sorted(maps.Keys(r.Requests)) {
		metrics = append(metrics, newLabelledMetric("kind", kind, r.Requests[kind]))
	}
	return metrics
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func newGauge(name, help string, metrics ...*dto.Metric) *dto.MetricFamily {
	kind := dto.MetricType_GAUGE
	return &dto.MetricFamily{Name: &name, Help: &help, Type: &kind, Metric: metrics}
}

func newMetric(v float64) *dto.Metric { return &dto.Metric{Gauge: &dto.Gauge{Value: &v}} }

func newLabelledMetric(label, text string, n int) *dto.Metric {
	m := newMetric(float64(n))
	m.Label = []*dto.LabelPair{{Name: &label, Value: &text}}
	return m
}
