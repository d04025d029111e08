package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const (
	// mdLimit is the longest comment GitHub takes. It counts characters; we count bytes, which are never fewer.
	mdLimit = 65536
	// mdNoteRoom is kept free for the note that says how much was cut.
	mdNoteRoom = 400
	// mdReadable is the least a table that is cut should get: a heading and a few rows.
	mdReadable = 1000
	// mdNames is how many targets share a row of a folded table.
	mdNames = 25
)

// mdTable is the table of one vault.
type mdTable struct {
	open, close string
	rows        []mdLine
}

// mdLine is a row and how many changes it shows.
type mdLine struct {
	text    string
	changes int
}

// countChanges returns how many changes rows show.
func countChanges(rows []mdLine) int {
	n := 0
	for _, r := range rows {
		n += r.changes
	}
	return n
}

// size returns the length of the whole table.
func (t mdTable) size() int {
	size := len(t.open) + len(t.close)
	for _, r := range t.rows {
		size += len(r.text)
	}
	return size
}

// fittingRows returns how many rows fit in room; -1 when not even an empty table does.
func (t mdTable) fittingRows(room int) int {
	if t.size() <= room {
		return len(t.rows)
	}
	size := len(t.open) + len(describeMoreChanges(countChanges(t.rows))) + len(t.close)
	if size > room {
		return -1
	}
	n := 0
	for ; size+len(t.rows[n].text) <= room; n++ {
		size += len(t.rows[n].text)
	}
	return n
}

// write writes the first n rows and returns how many changes they show.
func (t mdTable) write(b *strings.Builder, n int) int {
	b.WriteString(t.open)
	for _, r := range t.rows[:n] {
		b.WriteString(r.text)
	}
	if n < len(t.rows) {
		b.WriteString(describeMoreChanges(countChanges(t.rows[n:])))
	}
	b.WriteString(t.close)
	return countChanges(t.rows[:n])
}

func describeMoreChanges(n int) string {
	return fmt.Sprintf("\n… and **%s** not shown.\n", formatCount(n, "more change"))
}

// mdTables writes the tables of all vaults in at most limit bytes, and says how many changes they show.
func mdTables(p plan.Plan, limit int) (text string, shown int) {
	var tables []mdTable
	names, costs := namesakesOf(p.Subscriptions, p.Changes), costsOf(p.Cost)
	for _, g := range groupByVault(p.Changes) {
		tables = append(tables, newTable(g, names, costs, len(p.Changes) <= mdOpen))
	}
	var b strings.Builder
	tables, left := selectTables(tables, limit-len(describeMoreVaults(len(tables))))
	rooms := allocateRoom(tables, limit-len(describeMoreVaults(left)))
	for i, t := range tables {
		if n := t.fittingRows(rooms[i]); n >= 0 {
			shown += t.write(&b, n)
		}
	}
	if left > 0 {
		b.WriteString(describeMoreVaults(left))
	}
	return b.String(), shown
}

func newTable(g group, names namesakes, costs costs, open bool) mdTable {
	title, where := g.heading(names)
	fold := "<details>"
	if open {
		fold = "<details open>"
	}
	summary := mdSummary(title)
	if g.hasNamesake {
		summary += " in " + mdSummary(where)
	}
	summary += ": " + describeCounts(g.countActions())
	t := mdTable{
		open: fmt.Sprintf("\n%s<summary>%s</summary>\n\n%s%s%s", fold, summary, mdWhere(g.vault, names),
			mdRow("", "action", "target", "what", "why"), mdRow("---", "---", "---", "---", "---")),
		close: "\n</details>\n",
	}
	if open {
		t.rows = mdRows(g.changes, names, costs)
	} else {
		t.rows = mdGroupedRows(g.changes, names, costs)
	}
	return t
}

// mdRows has a row per change, in plan order.
func mdRows(changes []plan.Change, names namesakes, costs costs) []mdLine {
	lines := make([]mdLine, len(changes))
	for i, c := range changes {
		before, after := mdRowAround(c, costs.describe(c))
		lines[i] = mdLine{before + mdCode(names.name(c.Target)) + after, 1}
	}
	return lines
}

// mdGroupedRows lets changes that differ in nothing but their target share rows. What carries a risk or is
// blocked comes first: it must be the last to be cut.
func mdGroupedRows(changes []plan.Change, names namesakes, costs costs) []mdLine {
	type group struct {
		before, after string
		rank          int
		targets       []string
	}
	var all []*group
	at := map[string]*group{}
	for _, c := range changes {
		before, after := mdRowAround(c, costs.describe(c))
		g := at[before+after]
		if g == nil {
			g = &group{before: before, after: after, rank: riskRank(c)}
			all = append(all, g)
			at[before+after] = g
		}
		g.targets = append(g.targets, mdCode(names.name(c.Target)))
	}
	slices.SortStableFunc(all, func(a, b *group) int { return cmp.Compare(a.rank, b.rank) })
	var lines []mdLine
	for _, g := range all {
		for part := range slices.Chunk(g.targets, mdNames) {
			lines = append(lines, mdLine{g.before + strings.Join(part, " ") + g.after, len(part)})
		}
	}
	return lines
}

func riskRank(c plan.Change) int {
	switch {
	case isRisky(c):
		return 0
	case c.Action == plan.Blocked:
		return 1
	default:
		return 2
	}
}

func isRisky(c plan.Change) bool {
	return c.Action != plan.Blocked && c.Risk != "" && c.Risk != plan.RiskNone
}

func mdWhere(vault string, names namesakes) string {
	id, err := armid.ParseVault(vault)
	if err != nil {
		return ""
	}
	return "Resource group " + mdCode(id.ResourceGroup) + ", subscription " + mdCode(names.describe(id.Subscription)) + ".\n\n"
}

// mdRowAround returns the row of a change without its target; cost is "" where none is shown.
func mdRowAround(c plan.Change, cost string) (before, after string) {
	mark := actionSymbol(c.Action)
	if isRisky(c) {
		mark += "&nbsp;⚠️"
	}
	why := mdProse(truncate(c.Because, mdLongest))
	if c.WaitsFor != "" {
		why += "; waits for the job that runs now"
	}
	if cost != "" {
		why += "; " + mdProse(cost)
	}
	row := mdRow(mark, strings.ReplaceAll(actionText(c.Action), " ", "&nbsp;"), "\x00", mdEffect(c, "<br>"), why)
	before, after, _ = strings.Cut(row, "\x00")
	return before, after
}

func describeMoreVaults(n int) string {
	return fmt.Sprintf("\n… and **%s** not shown.\n", formatCount(n, "more vault"))
}

// selectTables takes as many tables as get a readable part of limit, and returns how many are left over.
func selectTables(tables []mdTable, limit int) (kept []mdTable, left int) {
	for i, t := range tables {
		if limit -= min(t.size(), mdReadable); limit < 0 {
			return tables[:i], len(tables) - i
		}
	}
	return tables, 0
}

// allocateRoom divides limit among tables: a small table gets all it needs, the large ones get equal parts of the
// rest. So one large vault cannot push the others out.
func allocateRoom(tables []mdTable, limit int) []int {
	order := make([]int, len(tables))
	need := make([]int, len(tables))
	for i, t := range tables {
		order[i], need[i] = i, t.size()
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(need[a], need[b]) })
	rooms := make([]int, len(tables))
	for at, i := range order {
		rooms[i] = min(need[i], limit/(len(order)-at))
		limit -= rooms[i]
	}
	return rooms
}
