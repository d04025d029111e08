package report

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
)

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

func TestEveryRuleInSARIFLinksToItsPage(t *testing.T) {
	for _, h := range audit.Codes() {
		if r := sarifRule(h); r.HelpURI == nil || *r.HelpURI != h.URL() {
			t.Errorf("the rule %s has the address %v, want %s", h.Code, r.HelpURI, h.URL())
		}
	}
}
