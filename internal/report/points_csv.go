package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// PointsCSV writes one row per recovery point, and one for each VM without any, for a spreadsheet.
func PointsCSV(w io.Writer, p Points) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	rows := [][]string{{
		"vm", "vault", "state", "point", "time", "age_hours", "consistency", "tiers", "disks_held", "disks_attached", "disks_excluded",
		"expires", "restorable", "why_not", "proven_by", "proven_at", "may_be_pruned_earlier",
	}}
	for _, v := range p.VMs {
		vault := ""
		if v.Item != nil {
			vault = v.Item.Vault
		}
		head := []string{v.VM, vault, v.state()}
		if len(v.Points) == 0 {
			rows = append(rows, append(head, make([]string, len(rows[0])-len(head))...))
		}
		for _, point := range v.Points {
			rows = append(rows, append(slices.Clip(head), pointCells(v.document(point, p.Now), point)...))
		}
	}
	for _, row := range rows {
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

func pointCells(d pointDocument, p Point) []string {
	held, attached, excluded := "", "", ""
	if p.Disks != nil {
		held, attached, excluded = strconv.Itoa(p.Disks.Held), strconv.Itoa(p.Disks.Attached), diskNames(p.Disks.Excluded)
	}
	return []string{
		d.Name, rfc3339(d.Time), hours(d.AgeSeconds), d.Consistency, csvTiers(p.Tiers), held, attached, excluded,
		rfc3339(d.Expires), strconv.FormatBool(d.Restorable), d.WhyNot, d.ProvenBy, rfc3339(d.ProvenAt), strconv.FormatBool(d.LetGo),
	}
}

func csvTiers(tiers []plan.PointTier) string {
	words := make([]string, len(tiers))
	for i, t := range tiers {
		words[i] = t.Type + "=" + t.Status
	}
	return strings.Join(words, " ")
}
