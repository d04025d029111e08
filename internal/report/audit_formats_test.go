package report

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jstemmer/go-junit-report/v2/junit"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

func written(t testing.TB, format string, r audit.Result) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteAudit(&b, format, r, Style{}); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

// samples returns audits of many sizes, the smallest ones included.
func samples() map[string]audit.Result {
	all := map[string]audit.Result{}
	for _, n := range []int{0, 1, 2, 3, 5, 8, 10, 13, 21, 34, 55, 89, 99, 100, 101, 137, 1000} {
		all[fmt.Sprint(n)] = sampleAudit(n)
	}
	none := audit.Assess(nil, plan.Observed{Gaps: []plan.Gap{{Kind: plan.GapVMs, Subscription: sampleSub1, Code: "AuthorizationFailed", Status: 403}}}, audit.Options{Now: sampleNow})
	all["nothing but a gap"] = none
	return all
}

// counts are the numbers that every format must agree on.
type auditCounts struct {
	VMs, Findings, Gaps int
	States              map[string]int
}

func countsOf(r audit.Result) auditCounts {
	c := auditCounts{VMs: len(r.VMs), Findings: len(r.Findings), Gaps: len(r.Gaps), States: map[string]int{}}
	for _, vm := range r.VMs {
		c.States[string(vm.State)]++
	}
	return c
}

func TestAuditFormatsAgree(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			want := countsOf(r)
			var back audit.Result
			if err := json.Unmarshal(written(t, "json", r), &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, countsOf(back)); diff != "" {
				t.Errorf("json (-want +got)\n%s", diff)
			}
			csvAgrees(t, r, want)
			junitAgrees(t, r, want)
			prometheusAgrees(t, r, want)
			sarifAgrees(t, r, want)
			textAgrees(t, r, want)
			dataAgrees(t, r, want)
		})
	}
}

func csvAgrees(t *testing.T, r audit.Result, want auditCounts) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(written(t, "csv", r))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, row := range rows[1:] {
		got[row[slices.Index(rows[0], "state")]]++
	}
	if diff := cmp.Diff(want.States, got); diff != "" || len(rows)-1 != want.VMs {
		t.Errorf("csv has %d rows for %d VMs (-want +got)\n%s", len(rows)-1, want.VMs, diff)
	}
}

func junitAgrees(t *testing.T, r audit.Result, want auditCounts) {
	t.Helper()
	var suites junit.Testsuites
	if err := xml.Unmarshal(written(t, "junit", r), &suites); err != nil {
		t.Fatal(err)
	}
	vms := suites.Suites[0]
	leftOut := want.States["excluded"] + want.States["unsupported"]
	if vms.Tests != want.VMs || vms.Errors != want.States["unknown"] || vms.Skipped != leftOut || len(vms.Testcases) != want.VMs {
		t.Errorf("junit: %d tests, %d errors, %d skipped; want %d, %d, %d", vms.Tests, vms.Errors, vms.Skipped, want.VMs, want.States["unknown"], leftOut)
	}
	failing := map[armid.Key]bool{}
	left := map[armid.Key]bool{}
	for _, vm := range r.VMs {
		left[armid.Of(vm.ID)] = vm.State.IsLeftOut()
	}
	others := 0
	for _, f := range r.FailingFindings() {
		if out, isVM := left[armid.Of(f.Target)]; !isVM {
			others++
		} else if !out {
			failing[armid.Of(f.Target)] = true
		}
	}
	if vms.Failures != len(failing) || suites.Failures != len(failing)+others {
		t.Errorf("junit: %d VMs of %d failures fail, want %d of %d", vms.Failures, suites.Failures, len(failing), len(failing)+others)
	}
	if got := suites.Errors - vms.Errors; got != want.Gaps {
		t.Errorf("junit: %d failed reads, want %d", got, want.Gaps)
	}
}

func families(t testing.TB, text []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return all
}

func prometheusAgrees(t *testing.T, r audit.Result, want auditCounts) {
	t.Helper()
	all := families(t, written(t, "prometheus", r))
	got := map[string]int{}
	for _, m := range all["azbackup_audit_vms"].GetMetric() {
		if n := int(m.GetGauge().GetValue()); n > 0 {
			got[m.GetLabel()[0].GetValue()] = n
		}
	}
	if diff := cmp.Diff(want.States, got); diff != "" {
		t.Errorf("prometheus (-want +got)\n%s", diff)
	}
	findings := 0
	for _, m := range all["azbackup_audit_findings"].GetMetric() {
		findings += int(m.GetGauge().GetValue())
	}
	if gaps := int(all["azbackup_audit_gaps"].GetMetric()[0].GetGauge().GetValue()); findings != want.Findings || gaps != want.Gaps {
		t.Errorf("prometheus: %d findings, %d gaps; want %d, %d", findings, gaps, want.Findings, want.Gaps)
	}
	coverage := all["azbackup_audit_coverage_ratio"]
	if (coverage == nil) != (r.Summary.Coverage == nil) || coverage != nil && coverage.GetMetric()[0].GetGauge().GetValue() != *r.Summary.Coverage {
		t.Errorf("prometheus: coverage %v, want %v", coverage, r.Summary.Coverage)
	}
}

func sarifAgrees(t *testing.T, r audit.Result, want auditCounts) {
	t.Helper()
	report := sarifOf(t, r)
	run := report.Runs[0]
	if len(run.Results) != want.Findings || len(run.Invocations[0].ToolExecutionNotifications) != want.Gaps {
		t.Errorf("sarif: %d results, %d notifications; want %d, %d", len(run.Results), len(run.Invocations[0].ToolExecutionNotifications), want.Findings, want.Gaps)
	}
	if got := *run.Invocations[0].ExecutionSuccessful; got == r.IsIncomplete() {
		t.Errorf("sarif: successful is %v over an incomplete (%v) audit", got, r.IsIncomplete())
	}
	for _, result := range run.Results {
		if id := *run.Tool.Driver.Rules[result.RuleIndex].ID; id != *result.RuleID {
			t.Fatalf("sarif: rule index %d is %s, not %s", result.RuleIndex, id, *result.RuleID)
		}
	}
}

// sarifOf reads a SARIF file back and holds it against the schema of the standard.
func sarifOf(t testing.TB, r audit.Result) *sarif.Report {
	t.Helper()
	report, err := sarif.FromBytes(written(t, "sarif", r), sarif.WithStrictValidation())
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Validate(); err != nil {
		t.Fatalf("sarif against its schema: %v", err)
	}
	return report
}

func textAgrees(t *testing.T, r audit.Result, want auditCounts) {
	t.Helper()
	for _, format := range []string{"text", "markdown"} {
		text := string(written(t, format, r))
		if !strings.Contains(text, describeCoverage(r.Summary)) {
			t.Errorf("%s does not say %q", format, describeCoverage(r.Summary))
		}
		for s, n := range want.States {
			if format == "text" && !strings.Contains(text, formatNumber(n)+" "+s) {
				t.Errorf("text does not say %d %s", n, s)
			}
		}
	}
	if r.Summary.States[audit.Unknown] > 0 && !strings.Contains(strings.SplitN(string(written(t, "text", r)), "\n\n", 2)[0], "unknown") {
		t.Error("the summary does not say what the percentage leaves out")
	}
}

func dataAgrees(t *testing.T, r audit.Result, want auditCounts) {
	t.Helper()
	page := string(written(t, "html", r))
	_, rest, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	text, _, ok := strings.Cut(rest, "</script>")
	var d struct {
		htmlHead
		Rows [][]any
	}
	if err := json.Unmarshal([]byte(text), &d); !ok || err != nil {
		t.Fatalf("html: the data of the table: %v", err)
	}
	got := map[string]int{}
	for _, row := range d.Rows {
		if len(row) != len(d.Fields) {
			t.Fatalf("html: a row has %d of %d fields", len(row), len(d.Fields))
		}
		got[d.States[int(row[slices.Index(d.Fields, "state")].(float64))].ID]++
	}
	if diff := cmp.Diff(want.States, got); diff != "" {
		t.Errorf("html (-want +got)\n%s", diff)
	}
}

func TestSARIFStandsWhereTheConfigSaysSo(t *testing.T) {
	result := audit.Result{
		Findings: []audit.Finding{
			{Code: "BKP101", Severity: audit.High, Target: armid.VM(sampleSub1, "rg", "vm"), Message: "a", Position: &config.Position{File: "conf/my rules.yaml", Line: 12, Column: 5}},
			{Code: "BKP202", Severity: audit.Medium, Target: armid.Vault(sampleSub1, "rg", "v"), Message: "b"},
		},
	}
	for _, c := range []struct {
		files []string
		want  []string
	}{
		{[]string{"azbackup.yaml", "other.yaml"}, []string{"conf/my%20rules.yaml:12", "azbackup.yaml:1"}},
		{nil, []string{"conf/my%20rules.yaml:12", ""}},
		{[]string{"/etc/azbackup.yaml"}, []string{"conf/my%20rules.yaml:12", "file:///etc/azbackup.yaml:1"}},
	} {
		result.Scope.Files = c.files
		var got []string
		for _, r := range sarifOf(t, result).Runs[0].Results {
			l := r.Locations[0]
			if *l.LogicalLocations[0].FullyQualifiedName == "" {
				t.Error("a finding has no logical location")
			}
			if l.PhysicalLocation == nil {
				got = append(got, "")
				continue
			}
			got = append(got, fmt.Sprintf("%s:%d", *l.PhysicalLocation.ArtifactLocation.URI, *l.PhysicalLocation.Region.StartLine))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("files %v (-want +got)\n%s", c.files, diff)
		}
	}
}

func TestSARIFFingerprintsOutliveTheNight(t *testing.T) {
	prints := func(at time.Time) map[string]string {
		o, c := sampleEstate(60)
		all := map[string]string{}
		for _, r := range sarifOf(t, audit.Assess(c, o, audit.Options{Now: at})).Runs[0].Results {
			print := r.PartialFingerprints[sarifFingerprint]
			if print == "" || all[print] != "" {
				t.Fatalf("the fingerprint %q is empty or stands twice", print)
			}
			all[print] = *r.RuleID
		}
		return all
	}
	tonight, tomorrow := prints(sampleNow), prints(sampleNow.Add(time.Hour))
	for print, code := range tonight {
		if code != "BKP106" && tomorrow[print] != code {
			t.Errorf("%s lost its fingerprint in an hour", code)
		}
	}
}

func TestSARIFSaysWhatIsNew(t *testing.T) {
	states := map[string]int{}
	for _, r := range sarifOf(t, sampleAudit(137)).Runs[0].Results {
		states[*r.BaselineState]++
	}
	if states["new"] == 0 || states["unchanged"] == 0 {
		t.Errorf("baseline states %v, want some new and some unchanged", states)
	}
	for _, r := range sarifOf(t, sampleAudit(0)).Runs[0].Results {
		if r.BaselineState != nil {
			t.Error("a baseline state without a baseline")
		}
	}
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

func TestCSVHoldsNoFormula(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", " =1": " '=1", "\t=1": `\t=1`, "\r=1": `\r=1`,
		`"=1`: `"'=1`, "a;=1": "a;'=1", "a, -b": "a, '-b", "a|=1": "a|'=1", "＝1": "'＝1", "env=prod": "env=prod", "rg-app": "rg-app", "": "", "2026-11-24": "2026-11-24",
	} {
		if got := csvCell(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestPercentNeverSaysMoreThanIsTrue(t *testing.T) {
	for _, c := range []struct {
		covered, of int
		want        string
	}{
		{0, 0, "–"}, {0, 5, "0 %"}, {5, 5, "100 %"}, {9999, 10000, "99.9 %"}, {1, 100000, "< 0.1 %"}, {93, 98, "94.8 %"}, {1, 1000, "0.1 %"}, {2, 3, "66.6 %"},
	} {
		var share *float64
		if c.of > 0 {
			s := float64(c.covered) / float64(c.of)
			share = &s
		}
		if got := formatPercent(share); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.covered, c.of, got, c.want)
		}
	}
}

func TestAuditMarkdownIsCutVisibly(t *testing.T) {
	for _, n := range []int{0, 10, 137, 3000} {
		r := sampleAudit(n)
		text := written(t, "markdown", r)
		if len(text) > mdLimit {
			t.Errorf("%d VMs: %d bytes", n, len(text))
		}
		shown := 0
		for _, rows := range tables(render(t, text)) {
			if rows[0] == 3 {
				shown += len(rows) - 1
			}
		}
		left := 0
		for _, m := range regexp.MustCompile(`\*\*([\d,]+) more findings?\*\* not shown`).FindAllSubmatch(text, -1) {
			var more int
			fmt.Sscan(strings.ReplaceAll(string(m[1]), ",", ""), &more)
			left += more
		}
		if shown+left != len(r.Findings) {
			t.Errorf("%d VMs: %d rows and %d said to be left out, of %d findings", n, shown, left, len(r.Findings))
		}
	}
}

func TestSameAuditSameBytes(t *testing.T) {
	for _, format := range AuditFormats() {
		if a, b := written(t, format, sampleAudit(137)), written(t, format, sampleAudit(137)); !bytes.Equal(a, b) {
			t.Errorf("%s differs from run to run", format)
		}
	}
}

func TestWriteAuditKnowsItsFormats(t *testing.T) {
	if err := WriteAudit(&bytes.Buffer{}, "pdf", audit.Result{}, Style{}); err == nil {
		t.Error("pdf was written")
	}
}

// The JSON of an audit is written row by row, and looks as if it had been written at once.
func TestJSONByRowsIsJSON(t *testing.T) {
	for name, r := range samples() {
		var whole bytes.Buffer
		if err := writeJSON(&whole, r); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(whole.String(), string(written(t, "json", r))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Writing fails where the writer does, and stops there.
func TestWritingStopsWhereTheWriterFails(t *testing.T) {
	r := sampleAudit(1000)
	for _, format := range AuditFormats() {
		whole := len(written(t, format, r))
		for _, room := range []int{0, whole / 2, whole - 1} {
			w := &narrow{left: room}
			if err := WriteAudit(w, format, r, Style{}); !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d of %d bytes: %v", format, room, whole, err)
			}
		}
	}
}

var errFull = errors.New("no room")

// narrow takes so many bytes.
type narrow struct{ left int }

func (n *narrow) Write(p []byte) (int, error) {
	if len(p) > n.left {
		return 0, errFull
	}
	n.left -= len(p)
	return len(p), nil
}

// GitHub refuses a file of more than 25,000 results or 10 MB compressed; the gravest are worth the most.
func TestSARIFStaysWithinWhatGitHubTakes(t *testing.T) {
	finding := func(i int, severity audit.Severity, evidence string) audit.Finding {
		return audit.Finding{
			Code: "BKP101", Severity: severity, Target: fmt.Sprintf("/subscriptions/s/vm%d", i), Message: "m", Hint: "h",
			Fingerprint: fmt.Sprint(i), Evidence: map[string]string{"e": evidence},
		}
	}
	var many, large audit.Result
	for i := range 25_010 {
		many.Findings = append(many.Findings, finding(i, audit.High, ""))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		noise := make([]byte, 32<<10)
		for j := range noise {
			noise[j] = byte(random.IntN(256))
		}
		large.Findings = append(large.Findings, finding(i, audit.High, hex.EncodeToString(noise)))
	}
	for name, c := range map[string]struct {
		result audit.Result
		want   func(results int) bool
	}{
		"many":  {many, func(n int) bool { return n == 25_000 }},
		"large": {large, func(n int) bool { return n > 200 && n < 400 }},
	} {
		raw := written(t, "sarif", c.result)
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(raw); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		var doc struct {
			Runs []struct {
				Results []struct {
					Fingerprints map[string]string `json:"partialFingerprints"`
				}
				Invocations []struct {
					Notifications []struct {
						Message struct{ Text string }
					} `json:"toolExecutionNotifications"`
				}
			}
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		run := doc.Runs[0]
		left := fmt.Sprintf("%d findings of %d are left out", len(c.result.Findings)-len(run.Results), len(c.result.Findings))
		if !c.want(len(run.Results)) || packed.Len() > 10<<20 {
			t.Errorf("%s: %d results in %d bytes compressed", name, len(run.Results), packed.Len())
		}
		if run.Results[0].Fingerprints[sarifFingerprint] != "0" || !strings.HasPrefix(run.Invocations[0].Notifications[0].Message.Text, left) {
			t.Errorf("%s: %+v, and the notes %+v do not say %q", name, run.Results[0], run.Invocations[0], left)
		}
	}
}
