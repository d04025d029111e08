package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// ApplyText writes the report of a run for a person: what did not end well first, one by one; what did is
// counted by vault (with Verbose listed too); then one line with the counts.
func ApplyText(w io.Writer, r Run, s Style) error {
	out := bufio.NewWriter(w)
	p := newPalette(s.Color)
	var listing [][]line
	wanted := map[string]plan.Action{}
	for _, c := range r.Plan.Changes {
		wanted[c.ID] = c.Wanted
	}
	names := namesakesOf(r.Plan.Subscriptions, r.Plan.Changes)
	all := groupResults(r.Results)
	for _, g := range all {
		var lines []line
		for _, result := range g.results {
			if !isGood(result.Outcome) || s.Verbose || len(result.LeftBehind) > 0 {
				l := newResultLine(result, wanted[result.ID], names, p, s)
				if result.Steps != nil {
					l.details = append(l.details, testDetails(result, s.Verbose)...)
				} else {
					l.details = append(l.details, r.Restored[result.ID].details()...)
				}
				lines = append(lines, l)
			}
		}
		listing = append(listing, lines)
	}
	var flat []line
	for _, lines := range listing {
		flat = append(flat, lines...)
	}
	columns := newTextTable(flat, s, p)
	for i, g := range all {
		title, where := group{vault: g.vault}.heading(names)
		if i > 0 && strings.EqualFold(lastName(all[i-1].vault), lastName(g.vault)) || i+1 < len(all) && strings.EqualFold(lastName(all[i+1].vault), lastName(g.vault)) {
			title += " in " + where
		}
		fmt.Fprintln(out, strings.TrimRight(p.bold(Line(title))+"  "+p.dim(g.describeGood()), " "))
		for _, l := range listing[i] {
			columns.write(out, l)
		}
	}
	if where := explainCodes(codesOfFailures(r.Results)); where != "" {
		for _, part := range wrap(where, s.Width) {
			fmt.Fprintln(out, p.dim(part))
		}
	}
	if len(all) > 0 {
		fmt.Fprintln(out)
	}
	for _, f := range r.failures() {
		for _, part := range wrap("✗ "+f.what, s.Width) {
			fmt.Fprintln(out, p.stop(part))
		}
		for _, hint := range f.hints {
			for _, part := range wrap("  hint: "+Line(hint), s.Width) {
				fmt.Fprintln(out, p.dim(part))
			}
		}
	}
	for i, part := range wrap(r.totalLine(), s.Width) {
		if i == 0 {
			part = p.bold(part)
		}
		fmt.Fprintln(out, part)
	}
	if r.isOfRestores() {
		r.writeNext(out, p, s.Width)
	}
	return out.Flush()
}

// resultGroup is the results of one vault.
type resultGroup struct {
	vault   string
	results []apply.Result
}

// groupResults sorts results as the plan sorts its changes.
func groupResults(results []apply.Result) []resultGroup {
	changes := make([]plan.Change, len(results))
	byID := map[string]apply.Result{}
	for i, r := range results {
		changes[i] = plan.Change{ID: r.ID, Action: r.Action, Target: r.Target, Vault: r.Vault}
		byID[r.ID] = r
	}
	var all []resultGroup
	for _, g := range groupByVault(changes) {
		part := resultGroup{vault: g.vault}
		for _, c := range g.changes {
			part.results = append(part.results, byID[c.ID])
		}
		all = append(all, part)
	}
	return all
}

// describeGood counts what went well: "done: 40 protect, 2 modify".
func (g resultGroup) describeGood() string {
	n := map[plan.Action]int{}
	for _, r := range g.results {
		if isGood(r.Outcome) {
			n[r.Action]++
		}
	}
	if len(n) == 0 {
		return ""
	}
	return "done: " + describeCounts(n)
}

func newResultLine(r apply.Result, wanted plan.Action, names namesakes, p palette, s Style) line {
	action := r.Action
	if action == plan.Blocked {
		action = wanted
	}
	l := line{
		mark:  outcomeSymbol(r.Outcome),
		paint: func(text string) string { return p.outcome(r.Outcome, text) },
		cells: []string{strings.ReplaceAll(string(r.Outcome), "-", " "), actionText(action), Line(names.name(r.Target))},
		why:   Line(strings.Join(nonEmpty(r.Code, r.Message), ": ")),
	}
	if r.RequestID != "" && !isGood(r.Outcome) {
		l.why += Line(" (request " + r.RequestID + ")")
	}
	if r.Hint != "" {
		l.details = append(l.details, "hint: "+Line(r.Hint))
	}
	if r.Outcome == apply.Unconfirmed || r.Outcome == apply.TimedOut || s.Verbose {
		if r.Operation != "" {
			l.details = append(l.details, "operation "+Line(r.Operation))
		}
		if r.Job != "" {
			l.details = append(l.details, "job "+Line(lastName(r.Job)))
		}
	}
	if s.Verbose && r.Started != nil && r.Finished != nil {
		l.details = append(l.details, "took "+formatDuration(r.Finished.Sub(*r.Started)))
	}
	return l
}

func outcomeSymbol(o apply.Outcome) string {
	switch o {
	case apply.Done:
		return "✓"
	case apply.AlreadyDone:
		return "="
	case apply.Failed, apply.TimedOut:
		return "✗"
	case apply.Unconfirmed:
		return "?"
	default:
		return "·"
	}
}

func (p palette) outcome(o apply.Outcome, s string) string {
	switch o {
	case apply.Done, apply.AlreadyDone:
		return p.create(s)
	case apply.Failed, apply.TimedOut:
		return p.stop(s)
	case apply.Unconfirmed:
		return p.change(s)
	default:
		return p.blocked(s)
	}
}

// failure is why a run did nothing, and what to do about it.
type failure struct {
	what  string
	hints []string
}

// failures returns why the run, or the runs of shards that it was merged from, did nothing.
func (r Run) failures() (all []failure) {
	for _, s := range r.idle() {
		all = append(all, failure{"shard " + s.String() + " did nothing: " + Line(s.Error), s.Hints})
	}
	if len(r.Shards) == 0 && r.Error != "" {
		all = append(all, failure{"nothing was done: " + Line(r.Error), r.Hints})
	}
	return all
}

// totalLine returns the last line of the report.
func (r Run) totalLine() string {
	var words []string
	for _, o := range outcomeOrder() {
		if n := r.countOutcome(o); n > 0 {
			words = append(words, formatNumber(n)+" "+strings.ReplaceAll(string(o), "-", " "))
		}
	}
	idle := len(r.idle())
	switch {
	case len(words) > 0:
	case r.Error != "":
		words = []string{"nothing done"}
	default:
		words = []string{"nothing to do"}
	}
	if idle > 0 {
		words = append(words, fmt.Sprintf("%d of %s did nothing", idle, formatCount(len(r.Shards), "shard")))
	}
	head := cmp.Or(r.Title, "Apply")
	if r.Interrupted {
		head += " interrupted"
	}
	parts := nonEmpty(head+": "+strings.Join(words, ", "), describeShard(r.Plan.Shard))
	if n := countRequests(r.Requests); n > 0 {
		parts = append(parts, formatCount(n, "request"))
	}
	if r.Throttled >= time.Second {
		parts = append(parts, "held back by quotas for "+formatDuration(r.Throttled))
	}
	if d := r.Finished.Sub(r.Started); d > 0 {
		parts = append(parts, formatDuration(d))
	}
	return strings.Join(parts, " · ")
}
