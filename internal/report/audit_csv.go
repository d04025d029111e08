package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
)

// AuditCSV writes one row per VM, for a spreadsheet. No cell is a formula there, whatever a name or tag says.
func AuditCSV(w io.Writer, r audit.Result) error {
	codes := map[armid.Key][]string{}
	for _, f := range r.Findings {
		codes[armid.Of(f.Target)] = append(codes[armid.Of(f.Target)], f.Code)
	}
	columns := auditColumns(codes, displayNames(r))
	if r.Summary.RestoreProven != nil {
		columns = append(columns, testColumns()...)
	}
	return writeCSV(w, columns, slices.Values(r.VMs))
}

// auditColumns returns the columns in their order, given the codes of the findings by what they are about, and the display
// names of subscriptions by folded id.
func auditColumns(codes map[armid.Key][]string, names map[string]string) []csvColumn[audit.VM] {
	return []csvColumn[audit.VM]{
		{"id", func(vm audit.VM) string { return vm.ID }},
		{"name", func(vm audit.VM) string { return vm.Name }},
		{"resource_group", func(vm audit.VM) string { return vm.ResourceGroup }},
		{"subscription", func(vm audit.VM) string { return vm.Subscription }},
		{"location", func(vm audit.VM) string { return vm.Location }},
		{"state", func(vm audit.VM) string { return string(vm.State) }},
		{"also", func(vm audit.VM) string { return joinStates(vm.Also) }},
		{"because", func(vm audit.VM) string { return vm.Because }},
		{"reason", func(vm audit.VM) string { return vm.Reason }},
		{"vault", func(vm audit.VM) string { return vm.Vault }},
		{"policy", func(vm audit.VM) string { return vm.Policy }},
		{"protection_state", func(vm audit.VM) string { return vm.ProtectionState }},
		{"last_recovery_point", func(vm audit.VM) string { return formatTime(vm.LastRecoveryPoint) }},
		{"age_hours", func(vm audit.VM) string { return formatHours(vm.AgeSeconds) }},
		{"max_age_hours", func(vm audit.VM) string { return formatHours(nonZero(vm.MaxAgeSeconds)) }},
		{"last_backup", func(vm audit.VM) string { return formatTime(vm.LastBackup) }},
		{"last_backup_status", func(vm audit.VM) string { return vm.LastBackupStatus }},
		{"health", func(vm audit.VM) string { return vm.Health }},
		{"days_left", func(vm audit.VM) string { return formatOptional(vm.DaysLeft) }},
		{"rule", func(vm audit.VM) string { return describeRule(vm.Rule) }},
		{"findings", func(vm audit.VM) string { return strings.Join(codes[armid.Of(vm.ID)], " ") }},
		{"tags", func(vm audit.VM) string { return describeTags(vm.Tags) }},
		{"notes", func(vm audit.VM) string { return strings.Join(vm.Notes, "; ") }},
		{"subscription_name", func(vm audit.VM) string { return names[strings.ToLower(vm.Subscription)] }},
	}
}

// csvColumn is one column of a CSV file: its name in the header, and its cell in the row of an R.
type csvColumn[R any] struct {
	name string
	cell func(R) string
}

// writeCSV writes the header and a row per record. Every cell is made plain text ([csvCell]).
func writeCSV[R any](w io.Writer, columns []csvColumn[R], records iter.Seq[R]) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for r := range records {
		for i, c := range columns {
			row[i] = csvCell(c.cell(r))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvCell makes untrusted text one cell of plain text in every spreadsheet. A leading = + - @ starts a formula,
// also behind white space and, where the program takes another character than the comma for the separator,
// behind that; an apostrophe in front says "text".
func csvCell(s string) string {
	s = escapeInvisible(s)
	var b strings.Builder
	start := true
	for _, c := range s {
		switch {
		case start && strings.ContainsRune("=+-@＝＋－＠", c):
			b.WriteByte('\'')
			start = false
		case strings.ContainsRune(";,|", c):
			start = true
		case c != ' ' && c != '"' && c != '\'':
			start = false
		}
		b.WriteRune(c)
	}
	return b.String()
}

func joinStates(states []audit.State) string {
	words := make([]string, len(states))
	for i, s := range states {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}

func formatTime(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func formatHours(seconds *int64) string {
	if seconds == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(*seconds)/3600)
}

func nonZero(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}

func formatOptional(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// describeTags spells tags in one line, sorted: "env=prod; owner=sap".
func describeTags(tags map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, name+"="+tags[name])
	}
	return strings.Join(words, "; ")
}
