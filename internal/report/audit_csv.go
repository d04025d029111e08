package report

import (
	"encoding/csv"
	"fmt"
	"io"
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
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	if err := out.Write(csvHeader()); err != nil {
		return err
	}
	for _, vm := range r.VMs {
		row := csvRow(vm, codes[armid.Of(vm.ID)])
		for i := range row {
			row[i] = csvCell(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvHeader() []string {
	return []string{
		"id", "name", "resource_group", "subscription", "location", "state", "also", "because", "reason", "vault", "policy",
		"protection_state", "last_recovery_point", "age_hours", "max_age_hours", "last_backup", "last_backup_status", "health",
		"days_left", "rule", "findings", "tags", "notes",
	}
}

func csvRow(vm audit.VM, codes []string) []string {
	return []string{
		vm.ID, vm.Name, vm.ResourceGroup, vm.Subscription, vm.Location, string(vm.State), joinStates(vm.Also), vm.Because, vm.Reason,
		vm.Vault, vm.Policy, vm.ProtectionState, rfc3339(vm.LastRecoveryPoint), hours(vm.AgeSeconds), hours(positive(vm.MaxAgeSeconds)),
		rfc3339(vm.LastBackup), vm.LastBackupStatus, vm.Health, optional(vm.DaysLeft), rule(vm.Rule), strings.Join(codes, " "),
		tagWords(vm.Tags), strings.Join(vm.Notes, "; "),
	}
}

// csvCell makes untrusted text one cell of plain text in every spreadsheet. A leading = + - @ starts a formula,
// also behind white space and, where the program takes another character than the comma for the separator,
// behind that; an apostrophe in front says "text".
func csvCell(s string) string {
	s = visible(s)
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

func rfc3339(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func hours(seconds *int64) string {
	if seconds == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(*seconds)/3600)
}

func positive(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}

func optional(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// tagWords spells tags in one line, sorted: "env=prod; owner=sap".
func tagWords(tags map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, name+"="+tags[name])
	}
	return strings.Join(words, "; ")
}
