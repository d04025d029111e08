package report

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func families(t testing.TB, text []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return all
}

func TestPrometheusSeriesAreBounded(t *testing.T) {
	small, large := series(t, 137), series(t, 3000)
	if large > small+6 { // places: two subscriptions in three regions
		t.Errorf("137 VMs make %d series, 3,000 make %d", small, large)
	}
}

func series(t *testing.T, n int) int {
	total := 0
	for _, f := range families(t, written(t, "prometheus", sampleAudit(n))) {
		total += len(f.GetMetric())
	}
	return total
}

// TestPrometheusIsCleanByPromtoolsRules holds the rules of promtool's linter that concern gauges and histograms, and
// asks promtool itself where there is one.
func TestPrometheusIsCleanByPromtoolsRules(t *testing.T) {
	text := written(t, "prometheus", sampleAudit(1000))
	for name, f := range families(t, text) {
		switch {
		case f.GetHelp() == "":
			t.Errorf("%s has no help", name)
		case !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(name):
			t.Errorf("%s is not snake_case", name)
		case regexp.MustCompile(`_(total|count|sum|bucket|info)$`).MatchString(name):
			t.Errorf("%s ends in a suffix that is reserved", name)
		case regexp.MustCompile(`(minute|hour|day|milli|kilo)`).MatchString(name):
			t.Errorf("%s is not in base units", name)
		}
		seen := map[string]bool{}
		for _, m := range f.GetMetric() {
			if key := fmt.Sprint(m.GetLabel()); seen[key] {
				t.Errorf("%s has the sample %s twice", name, key)
			} else {
				seen[key] = true
			}
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("PROMTOOL NOT ASKED: it is not on this machine")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestPrometheusHistogramAddsUp(t *testing.T) {
	h := families(t, written(t, "prometheus", sampleAudit(1000)))["azbackup_audit_recovery_point_age_seconds"].GetMetric()[0].GetHistogram()
	var last uint64
	for _, b := range h.GetBucket() {
		if b.GetCumulativeCount() < last {
			t.Errorf("bucket %v is smaller than the one before", b.GetUpperBound())
		}
		last = b.GetCumulativeCount()
	}
	if last != h.GetSampleCount() || last == 0 || h.GetSampleSum() <= 0 {
		t.Errorf("+Inf holds %d of %d, sum %v", last, h.GetSampleCount(), h.GetSampleSum())
	}
}
