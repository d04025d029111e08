package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// restoreRow is a result with what was ordered and what was made.
type restoreRow struct {
	apply.Result
	name     string            // of the VM, for people
	order    plan.RestoreOrder // empty where it was blocked
	restored Restored
	next     string
}

func (r Run) restoreRows() []restoreRow {
	orders := map[string]*plan.RestoreOrder{}
	for _, c := range r.Plan.Changes {
		orders[c.ID] = c.RestoreOrder
	}
	names := namesakesOf(r.Plan.Subscriptions, r.Plan.Changes)
	rows := make([]restoreRow, len(r.Results))
	for i, result := range r.Results {
		rows[i] = restoreRow{Result: result, name: names.name(result.Target), next: r.nextFor(result)}
		if o := orders[result.ID]; o != nil {
			rows[i].order = *o
		}
		if made := r.Restored[result.ID]; made != nil {
			rows[i].restored = *made
		}
	}
	return rows
}

// RestoreCSV writes one row for each VM, for a spreadsheet.
func RestoreCSV(w io.Writer, r Run) error {
	return writeCSV(w, restoreColumns(), func(yield func(restoreRow) bool) {
		for _, row := range r.restoreRows() {
			if !yield(row) {
				return
			}
		}
	})
}

func restoreColumns() []csvColumn[restoreRow] {
	return []csvColumn[restoreRow]{
		{"vm", func(r restoreRow) string { return r.Target }},
		{"vault", func(r restoreRow) string { return r.Vault }},
		{"outcome", func(r restoreRow) string { return string(r.Outcome) }},
		{"code", func(r restoreRow) string { return r.Code }},
		{"message", func(r restoreRow) string { return r.Message }},
		{"point", func(r restoreRow) string { return r.order.Point.Name }},
		{"point_time", func(r restoreRow) string { return pointTimeOrNone(r.order.Point.Time) }},
		{"into", func(r restoreRow) string { return r.order.Into }},
		{"job", func(r restoreRow) string { return r.Job }},
		{"seconds", func(r restoreRow) string { return secondsOrNone(r.restored.Seconds) }},
		{"disks", func(r restoreRow) string { return strings.Join(r.restored.Disks, " ") }},
		{"template", func(r restoreRow) string { return r.restored.Template }},
		{"staging", func(r restoreRow) string { return r.order.Staging }},
		{"leaves", func(r restoreRow) string { return r.restored.Leaves }},
		{"next", func(r restoreRow) string { return r.next }},
	}
}

func pointTimeOrNone(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return formatTime(&at)
}

func secondsOrNone(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// RestoreMarkdown writes the report for a ticket: what did not end well first, then a row for each VM, then what to do
// next. It is cut at the size of a comment, and says so.
func RestoreMarkdown(w io.Writer, r Run) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n", mdProse(r.totalLine()))
	tail := r.nextMarkdown()
	bad, good := "", ""
	room, left := mdLimit-b.Len()-len(tail)-mdNoteRoom, 0
	rows := r.restoreRows()
	for _, wantGood := range []bool{false, true} {
		for _, row := range rows {
			if isGood(row.Outcome) != wantGood {
				continue
			}
			line := row.markdown()
			switch {
			case len(bad)+len(good)+len(line) > room:
				left++
			case wantGood:
				good += line
			default:
				bad += line
			}
		}
	}
	if bad+good != "" {
		b.WriteString("\n| VM | outcome | point | job | disks | took |\n|---|---|---|---|---|---|\n" + bad + good)
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n**Cut: %s are not shown**; `--output csv=FILE` has all.\n", formatCount(left, "machine"))
	}
	b.WriteString(tail)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r restoreRow) markdown() string {
	outcome := outcomeSymbol(r.Outcome) + " " + strings.ReplaceAll(string(r.Outcome), "-", " ")
	if !isGood(r.Outcome) {
		outcome += ": " + mdProse(truncate(strings.Join(nonEmpty(r.Code, r.Message), ": "), mdLongest)) + mdExplained(r.Code)
	}
	disks := make([]string, len(r.restored.Disks))
	for i, id := range r.restored.Disks {
		disks[i] = mdCode(lastName(id))
	}
	took := "–"
	if r.restored.Seconds > 0 {
		took = formatDuration(time.Duration(r.restored.Seconds) * time.Second)
	}
	point := "–"
	if !r.order.Point.Time.IsZero() {
		point = mdCode(pointTime(r.order.Point.Time))
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n",
		mdCode(r.name), outcome, point, mdCode(lastName(r.Job)), orDash(strings.Join(disks, " ")), took)
}

// mdLongestCommand is how long a command is shown.
const mdLongestCommand = 2000

func (r Run) nextMarkdown() string {
	var b strings.Builder
	for _, n := range r.nextSteps() {
		fmt.Fprintf(&b, "\n%s\n\n", mdProse(truncate(n.what, mdLongest)))
		for _, step := range n.steps {
			switch {
			case n.isRaw && len(step) > mdLongestCommand: // cut it would be another command
			case n.isRaw:
				fmt.Fprintf(&b, "    %s\n", escapeInvisible(step))
			default:
				fmt.Fprintf(&b, "- %s\n", mdProse(truncate(step, mdLongest)))
			}
		}
	}
	return b.String()
}
