package report

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

const (
	sarifSchema      = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifFingerprint = "azbackup/v1"
)

// AuditSARIF writes the findings of an audit as SARIF 2.1.0. A finding stands at the line of the config that it
// concerns, else at line 1 of the config, else it has the resource id as its only, logical location. Reads that
// failed are notifications, and the run then did not end successfully.
func AuditSARIF(w io.Writer, r audit.Result) error {
	run := sarif.NewRun()
	run.Tool = sarif.NewTool().WithDriver(sarifDriver(r))
	run.AutomationDetails = sarif.NewRunAutomationDetails().WithID("azbackup/audit/")
	run.Invocations = []*sarif.Invocation{sarifInvocation(r)}
	index := map[string]int{}
	for i, h := range r.Codes() {
		index[h.Code] = i
	}
	if err := sarifResults(run, r, index); err != nil {
		return err
	}
	report := sarif.NewReport()
	report.Schema = sarifSchema
	report.AddRun(run)
	return WriteJSON(w, report)
}

// GitHub refuses an upload with more results than sarifMaxResults, and one that is larger than 10 MB when compressed;
// sarifMaxBytes is the part of these for results, in bytes.
const (
	sarifMaxResults = 25_000
	sarifMaxBytes   = 9 << 20
)

// sarifResults adds as many findings as GitHub accepts, in their order (the gravest first), and a notification with the
// number of the others.
func sarifResults(run *sarif.Run, r audit.Result, index map[string]int) error {
	size := &countWriter{}
	packed := gzip.NewWriter(size)
	enc := json.NewEncoder(packed)
	for _, f := range r.Findings[:min(len(r.Findings), sarifMaxResults)] {
		result := sarifResult(f, r, index[f.Code])
		if err := enc.Encode(result); err != nil {
			return err
		}
		if size.n > sarifMaxBytes {
			break
		}
		run.Results = append(run.Results, result)
	}
	if n := len(r.Findings) - len(run.Results); n > 0 {
		s := fmt.Sprintf("%s of %d are left out, the gravest are here: GitHub takes no larger file. The other formats of the audit have them all",
			formatCount(n, "finding"), len(r.Findings))
		run.Invocations[0].ToolExecutionNotifications = append(run.Invocations[0].ToolExecutionNotifications,
			sarif.NewNotification().WithLevel("warning").WithMessage(sarif.NewMessage().WithText(sarifText(s))))
	}
	return nil
}

// countWriter counts what is written.
type countWriter struct{ n int }

// Write implements [io.Writer].
func (c *countWriter) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

func sarifDriver(r audit.Result) *sarif.ToolComponent {
	driver := sarif.NewToolComponent().WithName("azbackup").WithInformationURI("https://github.com/azbackup/azbackup")
	if r.Made.Version != "" {
		driver.WithVersion(r.Made.Version)
	}
	for _, h := range r.Codes() {
		driver.Rules = append(driver.Rules, sarifRule(h))
	}
	return driver
}

func sarifRule(h audit.CodeHelp) *sarif.ReportingDescriptor {
	help := h.Means + "\n\nWhat to do: " + h.Hint + "."
	markdown := h.Means + "\n\n**What to do:** " + h.Hint + "."
	if len(h.Controls) > 0 {
		help += "\n\nEvidence for: " + strings.Join(h.Controls, ", ") + "."
		markdown += "\n\n**Evidence for:** " + strings.Join(h.Controls, ", ") + "."
	}
	text := func(s string) *sarif.MultiformatMessageString {
		return sarif.NewMultiformatMessageString().WithText(sarifText(s))
	}
	properties := sarif.NewPropertyBag().WithTags(append([]string{"backup", "security"}, h.Controls...))
	properties.Add("security-severity", securitySeverity(h.Severity))
	return sarif.NewReportingDescriptor().WithID(h.Code).WithName(h.Name).WithHelpURI(h.URL()).
		WithShortDescription(text(h.Title)).WithFullDescription(text(h.Means)).
		WithHelp(text(help).WithMarkdown(sarifText(markdown))).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(sarifLevel(h.Severity))).
		WithProperties(properties)
}

func sarifResult(f audit.Finding, r audit.Result, rule int) *sarif.Result {
	properties := sarif.NewPropertyBag().WithTags(slices.Clone(f.Controls))
	properties.Add("severity", string(f.Severity))
	for name, v := range f.Evidence {
		properties.Add("evidence."+name, v)
	}
	result := sarif.NewResult().WithRuleID(f.Code).WithRuleIndex(rule).WithLevel(sarifLevel(f.Severity)).
		WithMessage(sarif.NewMessage().WithText(sarifText(escapeInvisible(f.Message) + ". What to do: " + f.Hint + "."))).
		WithPartialFingerprints(map[string]string{sarifFingerprint: f.Fingerprint}).
		WithProperties(properties)
	result.Locations = []*sarif.Location{sarifLocation(f, r.Scope.Files)}
	if r.Baseline != nil {
		state := "unchanged"
		if f.New {
			state = "new"
		}
		result.WithBaselineState(state)
	}
	return result
}

func sarifLocation(f audit.Finding, files []string) *sarif.Location {
	location := sarif.NewLocation()
	location.LogicalLocations = []*sarif.LogicalLocation{
		sarif.NewLogicalLocation().WithName(escapeInvisible(lastName(f.Target))).WithFullyQualifiedName(escapeInvisible(f.Target)).WithKind("resource"),
	}
	at := config.Position{Line: 1}
	switch {
	case f.Position != nil:
		at = *f.Position
	case len(files) > 0:
		at.File = files[0]
	default:
		return location
	}
	region := sarif.NewRegion().WithStartLine(max(1, at.Line))
	if at.Column > 0 {
		region.WithStartColumn(at.Column)
	}
	return location.WithPhysicalLocation(sarif.NewPhysicalLocation().WithArtifactLocation(sarifFile(at.File)).WithRegion(region))
}

// sarifFile returns a file as a URI: relative to the checkout, which is what CI systems look for, unless the path is
// absolute.
func sarifFile(path string) *sarif.ArtifactLocation {
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(p), ":", "%3A")
	}
	uri := strings.Join(parts, "/")
	if filepath.IsAbs(path) {
		return sarif.NewArtifactLocation().WithURI("file://" + uri)
	}
	return sarif.NewArtifactLocation().WithURI(strings.TrimPrefix(uri, "./")).WithURIBaseID("%SRCROOT%")
}

func sarifInvocation(r audit.Result) *sarif.Invocation {
	inv := sarif.NewInvocation().WithExecutionSuccessful(!r.IsIncomplete()).WithEndTimeUtc(r.Made.At.UTC().Format(time.RFC3339))
	names := namesakesOfAudit(r, idsOfComparison(nil))
	for _, g := range r.Gaps {
		inv.ToolExecutionNotifications = append(inv.ToolExecutionNotifications, sarifGap(names, g))
	}
	return inv
}

func sarifGap(names namesakes, g plan.Gap) *sarif.Notification {
	s := fmt.Sprintf("could not read %s of %s: %s", g.Kind, names.gapPlace(g), describeGapCause(g))
	return sarif.NewNotification().WithLevel("error").WithMessage(sarif.NewMessage().WithText(sarifText(escapeInvisible(s))))
}

// sarifText makes text one that a viewer shows as it is: braces would be placeholders and brackets links
// (SARIF 2.1.0 §3.11.5, §3.11.6).
func sarifText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(s)
}

func sarifLevel(s audit.Severity) string {
	switch s {
	case audit.Critical, audit.High:
		return "error"
	case audit.Medium:
		return "warning"
	default:
		return "note"
	}
}

// securitySeverity returns the score by which GitHub shows critical, high, medium and low.
func securitySeverity(s audit.Severity) string {
	switch s {
	case audit.Critical:
		return "9.5"
	case audit.High:
		return "8.0"
	case audit.Medium:
		return "5.5"
	case audit.Low:
		return "2.5"
	default:
		return "0.5"
	}
}
