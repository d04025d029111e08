package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/jstemmer/go-junit-report/v2/junit"
	nethtml "golang.org/x/net/html"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// poisonedAudit returns an audit in which every text that comes from outside is s.
func poisonedAudit(s string) audit.Result {
	id := armid.VM(clean(s), clean(s), clean(s))
	share, days, age := 0.5, 3, int64(7200)
	at := sampleNow.Add(-2 * time.Hour)
	ref, gap := &plan.RuleRef{Name: s, File: s, Line: 1}, plan.Gap{Kind: plan.GapItems, Subscription: s, Location: s, Vault: s, Target: s, Code: s, Message: s, RequestID: s, Status: 403}
	changes := []audit.Change{{ID: id, Before: audit.Protected, After: audit.Stopped}}
	r := audit.Result{
		FormatVersion: audit.FormatVersion,
		Made:          audit.Provenance{At: sampleNow, By: s, Cloud: s, Tenant: s, Version: s, Source: s, FailOn: audit.Low},
		Scope: audit.Scope{
			Files: []string{s}, Subscriptions: []audit.Subscription{{ID: s, Name: s}}, LeftOut: []audit.Subscription{{ID: s, Name: s}},
		},
		Summary: audit.Summary{
			VMs: 3, States: map[audit.State]int{audit.Unknown: 1, audit.Stopped: 1, audit.Excluded: 1}, Counted: 1, Coverage: &share,
			Findings: map[audit.Severity]int{audit.High: 2}, Gaps: 1,
			RestoreProven: &audit.RestoreSummary{VMs: 1, Due: 1, Covered: 3, Unknown: 1, Failed: 1, Share: &share, MedianSeconds: &age, SlowestSeconds: &age, FullSeconds: &age, FullVMs: 3, InFlight: 2},
		},
		Gaps: []plan.Gap{gap},
		Baseline: &audit.Comparison{
			At: at, Before: &share, After: &share, Unprotected: changes, Protected: changes, BecameUnknown: changes, Added: changes, Removed: changes,
		},
	}
	for i, state := range []audit.State{audit.Unknown, audit.Stopped, audit.Excluded} {
		r.VMs = append(r.VMs, audit.VM{
			ID: id + fmt.Sprint(i), Name: s, ResourceGroup: s, Subscription: s, Location: s, Tags: map[string]string{s: s}, State: state, Also: []audit.State{},
			Because: s, Reason: s, Vault: s, Policy: s, ProtectionState: s, LastRecoveryPoint: &at, AgeSeconds: &age, LastBackup: &at, LastBackupStatus: s,
			Health: s, DaysLeft: &days, Rule: ref, Gap: &gap, Notes: []string{s, s},
			RestoreTest:   &audit.RestoreTest{Name: s, State: testStates()[2*i], Why: s},
			RestoreProven: &plan.RestoreProof{Time: at, Job: s, Seconds: age}, RestoreFailed: &plan.RestoreFailure{Time: at, Job: s, Code: s, Message: s},
		})
	}
	for i, code := range []string{"BKP103", "BKP202"} {
		r.Findings = append(r.Findings, audit.Finding{
			Code: code, Severity: audit.High, Target: id + fmt.Sprint(i), Message: s + ": " + s, Hint: "do it", Evidence: map[string]string{"policy": s}, Rule: ref,
			Position: &config.Position{File: "x" + clean(s), Line: 3}, Fingerprint: fmt.Sprint(i), New: true,
		})
	}
	return r
}

func TestAuditMarkdownKeepsUntrustedTextDead(t *testing.T) {
	for _, s := range nasty() {
		t.Run(truncate(fmt.Sprintf("%q", s), 40), func(t *testing.T) {
			root := render(t, written(t, "markdown", poisonedAudit(s)))
			mustBeDead(t, root)
			for _, rows := range tables(root) {
				for _, cells := range rows {
					if cells != rows[0] {
						t.Errorf("a row has %d cells, the head has %d", cells, rows[0])
					}
				}
			}
		})
	}
}

func TestAuditTextIsHarmlessOnATerminal(t *testing.T) {
	lines := strings.Count(string(written(t, "text", poisonedAudit("x"))), "\n")
	for _, s := range nasty() {
		var b bytes.Buffer
		if err := AuditText(&b, poisonedAudit(s), Style{All: true, Verbose: true}); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%q: %U reaches the terminal", truncate(s, 40), r)
				break
			}
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			if strings.HasPrefix(line, "::") || strings.Contains(line, "##vso[") || strings.Contains(line, "##[") {
				t.Errorf("%q: the line %q is a command for a CI system", truncate(s, 40), line)
			}
		}
		if got := strings.Count(string(written(t, "text", poisonedAudit(s))), "\n"); got != lines {
			t.Errorf("%q makes %d lines of %d", truncate(s, 40), got, lines)
		}
	}
}

func TestAuditCSVKeepsUntrustedTextInItsCell(t *testing.T) {
	for _, s := range nasty() {
		rows, err := csv.NewReader(bytes.NewReader(written(t, "csv", poisonedAudit(s)))).ReadAll()
		if err != nil || len(rows) != 4 {
			t.Fatalf("%q: %d rows, %v", truncate(s, 40), len(rows), err)
		}
		for _, row := range rows[1:] {
			for _, cell := range row {
				if trimmed := strings.TrimLeft(cell, " \"'"); cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") || strings.HasPrefix(trimmed, "=") && !strings.Contains(cell, "'=") {
					t.Errorf("the cell %q is a formula", truncate(cell, 60))
				}
			}
		}
	}
}

func TestAuditMachineFormatsSurviveUntrustedText(t *testing.T) {
	for _, s := range nasty() {
		r := poisonedAudit(s)
		var back audit.Result
		if err := json.Unmarshal(written(t, "json", r), &back); err != nil {
			t.Fatalf("%q: json: %v", truncate(s, 40), err)
		}
		if got := back.VMs[0].Because; got != string([]rune(s)) {
			t.Errorf("json: %q came back as %q", s, got)
		}
		var suites junit.Testsuites
		if err := xml.Unmarshal(written(t, "junit", r), &suites); err != nil || suites.Tests != 7 {
			t.Errorf("%q: junit: %d tests, %v", truncate(s, 40), suites.Tests, err)
		}
		families(t, written(t, "prometheus", r))
		sarifOf(t, r)
	}
}

// TestAuditHTMLKeepsUntrustedTextDead compares the page's elements and attributes with those of a harmless one.
func TestAuditHTMLKeepsUntrustedTextDead(t *testing.T) {
	want := skeleton(t, poisonedAudit("x"))
	for _, s := range nasty() {
		if diff := cmp.Diff(want, skeleton(t, poisonedAudit(s))); diff != "" && s != "" && strings.TrimSpace(s) != "" {
			t.Errorf("%q changes the page (-harmless +with it)\n%s", truncate(s, 40), diff)
		}
	}
}

// skeleton returns the page without its text: elements with the names of their attributes. What a text may add by being
// longer or empty (a "more" line, an optional fact) is not part of the sample.
func skeleton(t *testing.T, r audit.Result) []string {
	t.Helper()
	root, err := nethtml.Parse(bytes.NewReader(written(t, "html", r)))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	walk(root, false, func(n *nethtml.Node, _ bool) {
		if n.Type == nethtml.CommentNode {
			all = append(all, "a comment")
		}
		if n.Type != nethtml.ElementNode {
			return
		}
		var names []string
		for _, a := range n.Attr {
			names = append(names, a.Key)
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && !isOwnTarget(a.Val) {
				t.Errorf("<%s %s=%q> acts or loads", n.Data, a.Key, a.Val)
			}
		}
		slices.Sort(names)
		all = append(all, n.Data+" "+strings.Join(names, " "))
	})
	return all
}

// isOwnTarget reports whether a link leads into the page, or to a page of the project whose address is a constant.
func isOwnTarget(url string) bool {
	own := strings.HasPrefix(url, "#") || strings.HasPrefix(url, "data:image/svg+xml,")
	for _, h := range audit.Codes() {
		own = own || url == h.URL()
	}
	for _, h := range apply.Codes() {
		for _, code := range h.Codes {
			own = own || url == apply.HelpURL(code)
		}
	}
	return own
}

func TestAFindingAndAReadThatFailedLeadToTheirPages(t *testing.T) {
	r := sampleAudit(10)
	r.Gaps = append(r.Gaps, plan.Gap{Kind: plan.GapItems, Subscription: "s", Code: `AuthorizationFailed"><img src=x>`, Message: "no"}, plan.Gap{Kind: plan.GapItems, Subscription: "s", Code: "Odd", Message: "no"})
	page := string(written(t, "html", r))
	want := []string{`<td><a href="https://github.com/azbackup/azbackup/blob/main/docs/errors.md#authorizationfailed" rel="noreferrer">AuthorizationFailed`, "<td>Odd</td>"}
	for _, f := range r.Findings {
		code := f.Code
		want = append(want, `<a href="https://github.com/azbackup/azbackup/blob/main/docs/findings.md#`+strings.ToLower(code)+`" rel="noreferrer">All about `+code+"</a>")
	}
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("the page lacks %s", w)
		}
	}
	if markdown := string(written(t, "markdown", r)); !strings.Contains(markdown, "([what that means](https://github.com/azbackup/azbackup/blob/main/docs/errors.md#authorizationfailed))\n") {
		t.Errorf("the Markdown does not lead to the code's page:\n%s", markdown)
	}
	if text := string(written(t, "text", r)); !strings.Contains(text, "  azbackup help errors explains AuthorizationFailed\n") {
		t.Errorf("the text does not say where the code is explained:\n%s", text)
	}
}

func TestAuditHTMLRunsNothingButItsOwnScript(t *testing.T) {
	page := string(written(t, "html", sampleAudit(10)))
	for _, tag := range []string{"script", "style"} {
		_, rest, _ := strings.Cut(page, "<"+tag+">")
		body, _, ok := strings.Cut(rest, "</"+tag+">")
		if !ok || !strings.Contains(page, tag+"-src &#39;sha256-"+strings.ReplaceAll(cspHash([]byte(body)), "+", "&#43;")+"&#39;") {
			t.Errorf("the policy does not name the hash of <%s>", tag)
		}
	}
	if !strings.Contains(page, `content="default-src &#39;none&#39;; img-src data:; `) {
		t.Error("the policy lets the page load something")
	}
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("%d scripts, want the data and the program", n)
	}
}
