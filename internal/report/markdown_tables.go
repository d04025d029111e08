package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

const (
	// mdLimit is the longest comment GitHub takes. It counts characters; we count bytes, which are never fewer.
	mdLimit = 65536
	// mdNoteRoom is kept free for the note that says how much was cut.
	mdNoteRoom = 400
	// mdReadable is the least a table that is cut should get: a heading and a few rows.
	mdReadable = 1500
)

// mdTable is the table of one vault.
type mdTable struct {
	open, close string
	rows        []string
}

// size is the length of the table with its first n rows.
func (t mdTable) size(n int) int {
	size := len(t.open) + len(t.close)
	for _, r := range t.rows[:n] {
		size += len(r)
	}
	if n < len(t.rows) {
		size += len(moreRows(len(t.rows) - n))
	}
	return size
}

// fit is how many rows fit in room; -1 when not even an empty table does.
func (t mdTable) fit(room int) int {
	if t.size(len(t.rows)) <= room {
		return len(t.rows)
	}
	size := len(t.open) + len(moreRows(len(t.rows))) + len(t.close)
	if size > room {
		return -1
	}
	n := 0
	for ; size+len(t.rows[n]) <= room; n++ {
		size += len(t.rows[n])
	}
	return n
}

func (t mdTable) write(b *strings.Builder, n int) {
	b.WriteString(t.open)
	for _, r := range t.rows[:n] {
		b.WriteString(r)
	}
	if n < len(t.rows) {
		b.WriteString(moreRows(len(t.rows) - n))
	}
	b.WriteString(t.close)
}

func moreRows(n int) string {
	return fmt.Sprintf("\n… and **%s** not shown.\n", plural(n, "more row"))
}

// mdTables writes the tables of all vaults in at most limit bytes, and says how many changes they show.
func mdTables(p plan.Plan, limit int) (text string, shown int) {
	var tables []mdTable
	for _, g := range groups(p.Changes) {
		tables = append(tables, newTable(g, len(p.Changes) <= mdOpen))
	}
	var b strings.Builder
	tables, left := most(tables, limit-len(moreVaults(len(tables))))
	rooms := shares(tables, limit-len(moreVaults(left)))
	for i, t := range tables {
		if n := t.fit(rooms[i]); n >= 0 {
			t.write(&b, n)
			shown += n
		}
	}
	if left > 0 {
		b.WriteString(moreVaults(left))
	}
	return b.String(), shown
}

func newTable(g group, open bool) mdTable {
	title, where := g.heading()
	fold := "<details>"
	if open {
		fold = "<details open>"
	}
	summary := mdSummary(title) + ": " + counts(g.summary())
	t := mdTable{
		open: fmt.Sprintf("\n%s<summary>%s</summary>\n\n%s\n%s%s", fold, summary, mdWhere(where),
			mdRow("", "action", "target", "what", "why"), mdRow("---", "---", "---", "---", "---")),
		close: "\n</details>\n",
	}
	for _, c := range g.changes {
		t.rows = append(t.rows, mdChange(c))
	}
	return t
}

func mdWhere(where string) string {
	if where == "" {
		return ""
	}
	return mdProse(where) + "\n"
}

func mdChange(c plan.Change) string {
	mark := symbol(c.Action)
	if c.Action != plan.Blocked && c.Risk != "" && c.Risk != plan.RiskNone {
		mark += " ⚠️"
	}
	why := mdProse(short(c.Because, mdLongest))
	if c.WaitsFor != "" {
		why += "; waits for the job that runs now"
	}
	return mdRow(mark, verb(c.Action), mdCode(name(c.Target)), mdEffect(c, "<br>"), why)
}

func moreVaults(n int) string {
	return fmt.Sprintf("\n… and **%s** not shown.\n", plural(n, "more vault"))
}

// most takes as many tables as get a readable part of limit, and says how many are left over.
func most(tables []mdTable, limit int) (kept []mdTable, left int) {
	for i, t := range tables {
		if limit -= min(t.size(len(t.rows)), mdReadable); limit < 0 {
			return tables[:i], len(tables) - i
		}
	}
	return tables, 0
}

// shares divides limit among tables: a small table gets all it needs, the large ones get equal parts of the
// rest. So one large vault cannot push the others out.
func shares(tables []mdTable, limit int) []int {
	order := make([]int, len(tables))
	need := make([]int, len(tables))
	for i, t := range tables {
		order[i], need[i] = i, t.size(len(t.rows))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(need[a], need[b]) })
	rooms := make([]int, len(tables))
	for at, i := range order {
		rooms[i] = min(need[i], limit/(len(order)-at))
		limit -= rooms[i]
	}
	return rooms
}
