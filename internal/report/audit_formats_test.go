package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

func written(t testing.TB, format string, r audit.Result) []byte {
	t.Helper()
	return formatted(t, WriteAudit, format, r, Style{})
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
		if err := WriteJSON(&whole, r); err != nil {
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
