package report

import (
	"cmp"
	"io"
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/azbackup/azbackup/internal/audit"
)

// AuditPrometheus writes an audit for node_exporter's textfile collector. Labels are bounded: states, codes,
// kinds of gap, and pairs of subscription and region, never VMs.
func AuditPrometheus(w io.Writer, r audit.Result) error {
	families := []*dto.MetricFamily{
		newGauge("azbackup_audit_timestamp_seconds", "When the audit was made.", newMetric(unixSeconds(r.Made.At))),
		newGauge("azbackup_audit_vms", "VMs by state.", vmMetrics(r)...),
		newGauge("azbackup_audit_findings", "Findings by code and severity.", findingMetrics(r)...),
		newGauge("azbackup_audit_gaps", "Reads that failed; what they hide is unknown.", newMetric(float64(len(r.Gaps)))),
		ageMetrics(r),
		ageHistogram(r),
	}
	if c := r.Summary.Coverage; c != nil {
		families = append(families, newGauge("azbackup_audit_coverage_ratio",
			"VMs covered by backup, of all but unknown, excluded and unsupported ones.", newMetric(*c)))
	}
	if lag := r.Made.ListLag; lag > 0 {
		families = append(families, newGauge("azbackup_audit_list_lag_seconds", "How far the list of VMs may be behind.", newMetric(float64(lag))))
	}
	families = append(families, restoreFamilies(r)...)
	return writeFamilies(w, families, r.Shard)
}

func vmMetrics(r audit.Result) []*dto.Metric {
	var metrics []*dto.Metric
	for _, s := range audit.States() {
		metrics = append(metrics, newLabelledMetric("state", string(s), r.Summary.States[s]))
	}
	return metrics
}

// findingMetrics returns a sample for every code, also for those without a finding (0), so that an alert sees a finding
// come and go.
func findingMetrics(r audit.Result) []*dto.Metric {
	type key struct{ code, severity string }
	n := map[key]int{}
	for _, h := range r.Codes() {
		n[key{h.Code, string(h.Severity)}] = 0
	}
	for _, f := range r.Findings {
		n[key{f.Code, string(f.Severity)}]++
	}
	keys := slices.SortedFunc(maps.Keys(n), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.severity, b.severity))
	})
	var metrics []*dto.Metric
	for _, k := range keys {
		metrics = append(metrics, newSample(float64(n[k]), "code", k.code, "severity", k.severity))
	}
	return metrics
}

// ageMetrics returns the age of the worst last recovery point among the VMs that are backed up.
func ageMetrics(r audit.Result) *dto.MetricFamily {
	type key struct{ subscription, location string }
	oldest := map[key]int64{}
	for _, vm := range r.VMs {
		if age, ok := liveAge(vm); ok {
			k := key{vm.Subscription, vm.Location}
			oldest[k] = max(oldest[k], age)
		}
	}
	keys := slices.SortedFunc(maps.Keys(oldest), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.subscription, b.subscription), cmp.Compare(a.location, b.location))
	})
	var metrics []*dto.Metric
	for _, k := range keys {
		metrics = append(metrics, newSample(float64(oldest[k]), "subscription", k.subscription, "location", k.location))
	}
	return newGauge("azbackup_audit_oldest_recovery_point_age_seconds",
		"Age of the last recovery point of the VM where it is oldest, of VMs that are backed up.", metrics...)
}

// liveAge returns the age of the last recovery point of a VM that is being backed up.
func liveAge(vm audit.VM) (int64, bool) {
	live := vm.State.IsCovered() || vm.State == audit.Stale || vm.State == audit.Failing
	if vm.AgeSeconds == nil || !live {
		return 0, false
	}
	return *vm.AgeSeconds, true
}

func ageHistogram(r audit.Result) *dto.MetricFamily {
	h := &dto.Histogram{SampleCount: new(uint64), SampleSum: new(float64)}
	for _, b := range ageBounds() {
		limit := float64(b.seconds)
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: &limit, CumulativeCount: new(uint64)})
	}
	for _, vm := range r.VMs {
		age, ok := liveAge(vm)
		if !ok {
			continue
		}
		*h.SampleCount++
		*h.SampleSum += float64(age)
		for _, b := range h.Bucket {
			if float64(age) <= b.GetUpperBound() {
				*b.CumulativeCount++
			}
		}
	}
	name, help, kind := "azbackup_audit_recovery_point_age_seconds",
		"Ages of the last recovery points of VMs that are backed up.", dto.MetricType_HISTOGRAM
	return &dto.MetricFamily{Name: &name, Help: &help, Type: &kind, Metric: []*dto.Metric{{Histogram: h}}}
}

// ageBound is the upper end of a class of ages.
type ageBound struct {
	seconds int64
	label   string
}

// ageBounds returns the classes of ages in charts and histograms: around the schedules that policies have.
func ageBounds() []ageBound {
	const hour, day = 3600, 24 * 3600
	return []ageBound{
		{6 * hour, "6 h"},
		{12 * hour, "12 h"},
		{day, "24 h"},
		{30 * hour, "30 h"},
		{2 * day, "2 d"},
		{3 * day, "3 d"},
		{7 * day, "7 d"},
		{14 * day, "14 d"},
		{30 * day, "30 d"},
	}
}

// newSample returns a value with labels, given as name, value, name, value.
func newSample(v float64, labels ...string) *dto.Metric {
	m := newMetric(v)
	for i := 0; i < len(labels); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: &labels[i], Value: &labels[i+1]})
	}
	return m
}
