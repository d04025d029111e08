package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

//go:embed html
var htmlFiles embed.FS

// AuditHTML writes an audit as one page that needs nothing else: no network, no other file. Its own policy
// (CSP) lets it load nothing and run only the script and style that it was written with, so that code in a name or a tag
// would not run even if it were not escaped.
func AuditHTML(w io.Writer, r audit.Result) error {
	page, err := newPage(r)
	if err != nil {
		return err
	}
	t, err := template.New("audit.html").ParseFS(htmlFiles, "html/audit.html")
	if err != nil {
		return err
	}
	var whole bytes.Buffer // without the data, which is nearly all of a large page
	if err := t.Execute(&whole, page); err != nil {
		return err
	}
	const element = `<script type="application/json" id="data">`
	before, after, found := bytes.Cut(whole.Bytes(), []byte(element+`null`))
	if !found {
		return errors.New("the page has no place for its data")
	}
	out := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprintf(out, "%s%s", before, element)
	if err := writeHTMLData(out, r); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s", after)
	return out.Flush()
}

// htmlPage is what the template needs, in words and numbers that are ready to be shown.
type htmlPage struct {
	CSP string
	CSS template.CSS
	JS  template.JS

	Result   audit.Result
	Percent  string
	Counts   htmlCounts
	Sentence string
	Verdict  string // good, bad or unsure
	Made     []htmlFact
	Donut    []htmlArc
	Bar      []htmlSegment
	States   []htmlState
	Baseline *htmlBaseline
	Findings []htmlFindings
	Shares   []htmlShares
	Ages     htmlAges
	Gaps     []htmlGap
	Controls []htmlControl
	Restores *htmlRestores // nil = the file has no restore tests
}

// htmlCounts are the numbers beside the ring.
type htmlCounts struct{ Covered, Risk, Bad, Unknown, Excluded, Unsupported, Findings string }

func newCounts(r audit.Result) htmlCounts {
	s, risk := r.Summary, countAtRisk(r.Summary)
	return htmlCounts{
		formatNumber(s.Covered), formatNumber(risk), formatNumber(s.Counted - s.Covered - risk),
		formatNumber(s.States[audit.Unknown]), formatNumber(s.States[audit.Excluded]), formatNumber(s.States[audit.Unsupported]),
		formatCount(len(r.Findings), "finding"),
	}
}

// htmlFact is a line of "what, value".
type htmlFact struct{ Name, Value string }

type htmlState struct {
	State   audit.State
	Label   string
	Count   string
	Number  int
	Meaning string
	LeftOut bool
}

type htmlBaseline struct {
	At, Trend, Delta string
	Better, Worse    bool
	Lists            []htmlChanges
}

type htmlChanges struct {
	Title   string
	Count   string
	Changes []htmlChange
	More    int
}

// htmlChange is the change of one VM, by its name.
type htmlChange struct {
	Name          string
	Before, After audit.State
}

type htmlFindings struct {
	Code, Title, Means, Hint string
	URL                      string // of the page that explains the code
	Severity                 audit.Severity
	Count                    string
	New                      int
	Controls                 []string
	Targets                  []htmlTarget
	More                     int
}

type htmlTarget struct {
	Name, ID, About, Rule string
	New                   bool
}

type htmlGap struct {
	What, Where, Status, Cause, RequestID string
	URL                                   string // of the page that explains the code; "" = there is none
}

// htmlControl is a control of a framework and the findings that are evidence against it.
type htmlControl struct {
	Name  string
	Codes []string
	Count int
}

// htmlTargets is how many targets a finding names; the table of VMs has them all.
const htmlTargets = 12

func newPage(r audit.Result) (htmlPage, error) {
	css, err := htmlFiles.ReadFile("html/audit.css")
	if err != nil {
		return htmlPage{}, err
	}
	js, err := htmlFiles.ReadFile("html/audit.js")
	if err != nil {
		return htmlPage{}, err
	}
	js = pageScript(js, r)
	p := htmlPage{
		CSP: fmt.Sprintf("default-src 'none'; img-src data:; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'", cspHash(css), cspHash(js)),
		CSS: template.CSS(css), JS: template.JS(js), //nolint:gosec // both are files of this program
		Result: r, Percent: formatPercent(r.Summary.Coverage), Counts: newCounts(r), Sentence: htmlSentence(r), Verdict: pageVerdict(r),
		Made: provenanceFacts(r), Donut: donutArcs(r.Summary), Bar: stateBar(r.Summary), States: htmlStates(r.Summary),
		Shares: htmlAllShares(r), Ages: htmlAgesOf(r), Controls: htmlControls(r), Restores: newRestores(r),
	}
	names := namesakesOfAudit(r, idsOfComparison(r.Baseline))
	if r.Baseline != nil {
		p.Baseline = newBaseline(names, r)
	}
	for _, g := range groupByCode(r.Findings) {
		p.Findings = append(p.Findings, newFindings(g))
	}
	for _, g := range r.Gaps {
		p.Gaps = append(p.Gaps, newGap(names, g))
	}
	return p, nil
}

func cspHash(file []byte) string {
	sum := sha256.Sum256(file)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func pageVerdict(r audit.Result) string {
	switch {
	case r.IsIncomplete() || r.Summary.Coverage == nil:
		return "unsure"
	case r.Summary.Covered < r.Summary.Counted:
		return "bad"
	default:
		return "good"
	}
}

// htmlSentence puts the number in words.
func htmlSentence(r audit.Result) string {
	s := r.Summary
	switch {
	case s.VMs == 0 && !s.Complete:
		return "No virtual machine could be read."
	case s.VMs == 0:
		return "There is no virtual machine in this scope."
	case s.Counted == 0:
		return "No virtual machine could be counted."
	case s.Covered == s.Counted && s.Counted < s.VMs: // of the others it may be known that they cannot be, or nothing at all
		are := "are"
		if s.Counted == 1 {
			are = "is"
		}
		return fmt.Sprintf("All %s that %s counted can be restored from a fresh backup.", describeVMCount(s.Counted), are)
	case s.Covered == s.Counted:
		return fmt.Sprintf("All %s can be restored from a fresh backup.", describeVMCount(s.Counted))
	default:
		return fmt.Sprintf("%s of %s can be restored from a fresh backup; %s cannot.",
			formatNumber(s.Covered), describeVMCount(s.Counted), formatNumber(s.Counted-s.Covered))
	}
}

func describeVMCount(n int) string { return formatCount(n, "virtual machine") }

func provenanceFacts(r audit.Result) []htmlFact {
	facts := []htmlFact{{"Made", r.Made.At.UTC().Format("2 January 2006, 15:04 UTC")}}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, htmlFact{name, escapeInvisible(value)})
		}
	}
	add("Signed in as", r.Made.By)
	add("Cloud", r.Made.Cloud)
	add("Tenant", r.Made.Tenant)
	add("Looked at", formatCount(len(r.Scope.Subscriptions), "subscription")+", "+formatCount(r.Scope.Vaults, "vault")+", "+describeVMCount(len(r.VMs)))
	add("Part", describeShard(r.Shard))
	add("Config", strings.Join(r.Scope.Files, ", "))
	add("VM list", r.Made.Source)
	add("Stale after", describeMaxAge(r.Made))
	add("azbackup", r.Made.Version)
	return facts
}

func describeMaxAge(m audit.Provenance) string {
	if m.MaxAge > 0 {
		return formatDuration(time.Duration(m.MaxAge) * time.Second)
	}
	return "the policy's longest pause + " + formatDuration(time.Duration(m.Tolerance)*time.Second)
}

func newBaseline(names namesakes, r audit.Result) *htmlBaseline {
	c := r.Baseline
	b := &htmlBaseline{At: c.At.UTC().Format("2 January 2006, 15:04 UTC"), Trend: describeTrend(r)}
	if c.Before != nil && c.After != nil && r.Shard == nil {
		delta := (*c.After - *c.Before) * 100
		b.Delta, b.Better, b.Worse = fmt.Sprintf("%+.1f", delta), delta > 0, delta < 0
	}
	for _, l := range []struct {
		title   string
		changes []audit.Change
	}{
		{"newly unprotected", c.Unprotected},
		{"newly protected", c.Protected},
		{"became unknown", c.BecameUnknown},
		{"new", c.Added},
		{"gone", c.Removed},
	} {
		var shown []htmlChange
		for _, c := range l.changes[:min(len(l.changes), htmlTargets)] {
			shown = append(shown, htmlChange{escapeInvisible(names.name(c.ID)), c.Before, c.After})
		}
		b.Lists = append(b.Lists, htmlChanges{l.title, formatNumber(len(l.changes)), shown, len(l.changes) - len(shown)})
	}
	return b
}

func newFindings(g codeGroup) htmlFindings {
	h := htmlFindings{
		Code: g.Code, Title: g.Title, Means: g.Means, Hint: upperFirst(g.Hint) + ".", URL: g.URL(), Severity: g.severity,
		Count: formatNumber(len(g.findings)), Controls: g.Controls,
	}
	for i, f := range g.findings {
		if f.New {
			h.New++
		}
		if i >= htmlTargets {
			h.More++
			continue
		}
		h.Targets = append(h.Targets, htmlTarget{escapeInvisible(targetName(f)), escapeInvisible(f.Target), escapeInvisible(messageWithoutTarget(f)), escapeInvisible(describeRule(f.Rule)), f.New})
	}
	return h
}

func newGap(names namesakes, g plan.Gap) htmlGap {
	h := htmlGap{What: string(g.Kind), Where: escapeInvisible(names.gapPlace(g)), Cause: escapeInvisible(g.Message), RequestID: escapeInvisible(g.RequestID), URL: apply.HelpURL(g.Code)}
	h.Status = escapeInvisible(g.Code)
	if g.Status != 0 {
		h.Status = escapeInvisible(strings.TrimSpace(fmt.Sprintf("%d %s", g.Status, g.Code)))
	}
	return h
}

// htmlControls lists the controls that findings are evidence for, with how many there are.
func htmlControls(r audit.Result) []htmlControl {
	n := map[string]int{}
	for _, f := range r.Findings {
		n[f.Code]++
	}
	var controls []htmlControl
	at := map[string]int{}
	for _, h := range r.Codes() {
		for _, name := range h.Controls {
			i, ok := at[name]
			if !ok {
				i = len(controls)
				at[name] = i
				controls = append(controls, htmlControl{Name: name})
			}
			if n[h.Code] > 0 {
				controls[i].Codes = append(controls[i].Codes, h.Code)
				controls[i].Count += n[h.Code]
			}
		}
	}
	return controls
}

func htmlStates(s audit.Summary) []htmlState {
	var states []htmlState
	for _, state := range htmlOrder() {
		states = append(states, htmlState{state, stateLabel(state), formatNumber(s.States[state]), s.States[state], stateMeaning(state), state.IsLeftOut()})
	}
	return states
}

// htmlOrder returns the states as a reader wants them: what needs action first, what is well or decided last.
func htmlOrder() []audit.State {
	return []audit.State{
		audit.SoftDeleted, audit.Unprotected, audit.Stopped, audit.Suspended, audit.Stale, audit.Failing, audit.Pending, audit.Unknown,
		audit.OtherVault, audit.OtherPolicy, audit.Protected, audit.Unsupported, audit.Excluded,
	}
}

func stateLabel(s audit.State) string {
	if s == audit.SoftDeleted {
		return "Soft-deleted"
	}
	return upperFirst(strings.ReplaceAll(string(s), "-", " "))
}

// stateMeaning explains a state in one line, for a reader who does not know azbackup.
func stateMeaning(s audit.State) string {
	switch s {
	case audit.Unknown:
		return "something could not be read, so nobody can tell"
	case audit.Unsupported:
		return "Azure Backup cannot protect machines of this kind"
	case audit.Excluded:
		return "left alone on purpose, with a reason"
	case audit.SoftDeleted:
		return "backup data was deleted and goes for good soon"
	case audit.Stopped:
		return "old backups are kept, no new ones are made"
	case audit.Suspended:
		return "no new backups, old ones age out"
	case audit.Unprotected:
		return "no backup at all"
	case audit.Pending:
		return "protected, first backup not made yet"
	case audit.Stale:
		return "last recovery point is too old"
	case audit.Failing:
		return "last backup failed, last point still fresh"
	case audit.OtherVault:
		return "protected in a vault that the file does not name"
	case audit.OtherPolicy:
		return "protected under another policy than the file says"
	default:
		return "fresh backup, where the file wants it"
	}
}
