package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// How many entries the lists above the tables show; the tables hold every change anyway.
const (
	mdGaps  = 20
	mdRisks = 10
	mdOpen  = 40 // up to so many changes the tables are not folded
)

// PlanMarkdown writes a plan for a pull request: a headline, counts, what speaks against it, then a table per
// vault. It is at most 65,536 bytes long; rows that do not fit are left out and counted, at the top and in their
// tables. Equal plans give equal bytes. The fingerprint stands in a comment in the first line, for
// the program that updates the comment and for `apply --expect`.
func PlanMarkdown(w io.Writer, p plan.Plan) error {
	head := mdHead(p)
	body, shown := mdTables(p, mdLimit-len(head)-mdNoteRoom)
	note := ""
	if left := len(p.Changes) - shown; left > 0 {
		note = fmt.Sprintf("\n**Cut: %s of %s are not shown**, because a comment holds 65,536 characters. "+
			"Run `azbackup plan` for all of them.\n", formatNumber(left), formatCount(len(p.Changes), "change"))
	}
	_, err := io.WriteString(w, head+note+body)
	return err
}

// mdHead returns everything above the tables.
func mdHead(p plan.Plan) string {
	var b strings.Builder
	if validFingerprint(p) != "" {
		fmt.Fprintf(&b, "<!-- azbackup:fingerprint %s -->\n", validFingerprint(p))
	}
	for _, s := range p.Shards {
		if isFingerprint(s.Fingerprint) {
			fmt.Fprintf(&b, "<!-- azbackup:fingerprint:%s %s -->\n", s.Shard, s.Fingerprint)
		}
	}
	names := namesakesOf(p.Subscriptions, p.Changes)
	fmt.Fprintf(&b, "## %s\n\n%s", mdHeadline(p), mdCounts(p.Summary))
	if shard := describeShard(p.Shard); shard != "" {
		fmt.Fprintf(&b, "\n%s.\n", upperFirst(shard))
	}
	mdList(&b, "Shards", describeMerged(p), mdGaps, func(s string) string { return mdProse(truncate(s, mdLongest)) })
	var cost []string
	if n := countRequests(p.Forecast.Requests); n > 0 {
		cost = append(cost, formatCount(n, "request"))
	}
	if d := time.Duration(p.Forecast.Duration); d > 0 {
		cost = append(cost, "about "+formatDuration(d))
	}
	if len(cost) > 0 {
		fmt.Fprintf(&b, "\nApplying it takes %s.\n", strings.Join(cost, " and "))
	}
	if p.Cost != nil {
		fmt.Fprintf(&b, "\n%s.\n", mdProse(truncate(describeCost(p.Cost), mdLongest)))
	}
	mdList(&b, "Refused", p.Refusals, mdGaps, func(r plan.Refusal) string {
		lift := "No flag lifts this."
		if r.Flag != "" {
			lift = "If it is meant: " + mdCode(r.Flag) + "."
		}
		return "⛔ " + mdProse(truncate(r.Message, mdLongest)) + ". " + lift
	})
	mdList(&b, "Perhaps not meant", p.Notes, mdGaps, func(n string) string { return "⚠️ " + mdProse(truncate(n, mdLongest)) + "." })
	mdList(&b, "Restore tests", describeTests(p), mdGaps, func(s string) string { return mdProse(truncate(s, mdLongest)) + "." })
	mdList(&b, "Could not be read", p.Gaps, mdGaps, func(g plan.Gap) string {
		return "❔ " + mdProse(truncate(string(g.Kind)+" of "+names.gapPlace(g)+": "+describeGapCause(g), mdLongest)) + mdExplained(g.Code)
	})
	for _, r := range groupByRisk(p.Changes) {
		mdList(&b, "⚠️ "+r.title(), r.changes, mdRisks, func(c plan.Change) string {
			return strings.Join(nonEmpty(actionText(c.Action), mdCode(names.placedName(c.Target)), mdEffect(c, "; ")), " ")
		})
	}
	return b.String()
}

func mdHeadline(p plan.Plan) string {
	n, blocked := countActionable(p), p.Summary[plan.Blocked]
	what := formatCount(n, "change")
	if n == 0 {
		what = "nothing to do"
	}
	if blocked > 0 {
		what += ", " + formatNumber(blocked) + " blocked"
	}
	switch {
	case len(p.Refusals) > 0:
		return "⛔ azbackup plan refused: " + what
	case !p.Complete:
		return "⚠️ azbackup plan incomplete: " + what
	case n == 0 && blocked == 0:
		return "✅ azbackup plan: " + what
	default:
		return "azbackup plan: " + what
	}
}

// mdCounts returns a table with a column per action that occurs.
func mdCounts(summary map[plan.Action]int) string {
	var names, rules, values []string
	for _, a := range actionOrder() {
		if n := summary[a]; n > 0 {
			names = append(names, actionText(a))
			rules = append(rules, "--:")
			values = append(values, formatNumber(n))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return mdRow(names...) + mdRow(rules...) + mdRow(values...)
}

func mdList[T any](b *strings.Builder, title string, entries []T, most int, text func(T) string) {
	if len(entries) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n", title)
	for i, e := range entries {
		line := "- " + text(e) + "\n"
		if i == most && len(entries) > most+1 || b.Len()+len(line) > mdLimit/2 {
			fmt.Fprintf(b, "- … and %s more\n", formatNumber(len(entries)-i))
			break
		}
		b.WriteString(line)
	}
}

// mdRow returns a row of a table. Cells are Markdown already.
func mdRow(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// mdEffect returns what a change does to its target; several differences are separated by sep.
func mdEffect(c plan.Change, sep string) string {
	switch c.Action {
	case plan.Protect, plan.Resume:
		if c.After == nil {
			return ""
		}
		words := []string{}
		if c.After.Policy != "" {
			words = append(words, "→ "+mdCode(lastName(c.After.Policy)))
		}
		return strings.Join(append(words, nonEmpty(describeDisks(c.After.Disks))...), sep)
	case plan.CreateVault, plan.UpdateVault, plan.CreatePolicy, plan.UpdatePolicy, plan.Modify:
		var words []string
		for _, f := range c.Fields {
			words = append(words, mdField(c, f))
		}
		return strings.Join(words, sep)
	default:
		return mdProse(describeEffect(c))
	}
}

func mdField(c plan.Change, f plan.Field) string {
	if isCreation(c) {
		return mdCode(f.Path) + ": " + mdValue(f.After)
	}
	return mdCode(f.Path) + ": " + mdValue(f.Before) + " → " + mdValue(f.After)
}

func mdValue(s string) string {
	if s == "" {
		return "–"
	}
	return mdCode(s)
}

// validFingerprint returns the plan's, or "" where it has none of the known form: it stands inside an HTML comment.
func validFingerprint(p plan.Plan) string {
	if !isFingerprint(p.Fingerprint) {
		return ""
	}
	return p.Fingerprint
}

func isFingerprint(s string) bool { return regexp.MustCompile(`^sha256:[0-9a-f]+$`).MatchString(s) }
