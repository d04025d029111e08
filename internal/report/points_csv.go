package report

import (
	"io"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// PointsCSV writes one row per recovery point, and one for each VM without any, for a spreadsheet.
func PointsCSV(w io.Writer, p Points) error {
	return writeCSV(w, pointColumns(), func(yield func(pointRow) bool) {
		for _, v := range p.VMs {
			if len(v.Points) == 0 && !yield(pointRow{vm: v}) {
				return
			}
			for _, point := range v.Points {
				if !yield(pointRow{v, &point, v.document(point, p.Now)}) {
					return
				}
			}
		}
	})
}

// pointRow is a VM and one of its points; without a point the cells about points are empty.
type pointRow struct {
	vm       VMPoints
	point    *Point
	document pointDocument
}

// pointColumns returns the columns in their order.
func pointColumns() []csvColumn[pointRow] {
	ofPoint := func(cell func(p Point, d pointDocument) string) func(pointRow) string {
		return func(r pointRow) string {
			if r.point == nil {
				return ""
			}
			return cell(*r.point, r.document)
		}
	}
	ofDisks := func(cell func(d plan.PointDisks) string) func(pointRow) string {
		return ofPoint(func(p Point, _ pointDocument) string {
			if p.Disks == nil {
				return ""
			}
			return cell(*p.Disks)
		})
	}
	return []csvColumn[pointRow]{
		{"vm", func(r pointRow) string { return r.vm.VM }},
		{"vault", func(r pointRow) string {
			if r.vm.Item == nil {
				return ""
			}
			return r.vm.Item.Vault
		}},
		{"state", func(r pointRow) string { return r.vm.state() }},
		{"point", ofPoint(func(_ Point, d pointDocument) string { return d.Name })},
		{"time", ofPoint(func(_ Point, d pointDocument) string { return formatTime(d.Time) })},
		{"age_hours", ofPoint(func(_ Point, d pointDocument) string { return formatHours(d.AgeSeconds) })},
		{"consistency", ofPoint(func(_ Point, d pointDocument) string { return d.Consistency })},
		{"tiers", ofPoint(func(p Point, _ pointDocument) string { return csvTiers(p.Tiers) })},
		{"disks_held", ofDisks(func(d plan.PointDisks) string { return strconv.Itoa(d.Held) })},
		{"disks_attached", ofDisks(func(d plan.PointDisks) string { return strconv.Itoa(d.Attached) })},
		{"disks_excluded", ofDisks(func(d plan.PointDisks) string { return diskNames(d.Excluded) })},
		{"expires", ofPoint(func(_ Point, d pointDocument) string { return formatTime(d.Expires) })},
		{"restorable", ofPoint(func(_ Point, d pointDocument) string { return strconv.FormatBool(d.Restorable) })},
		{"why_not", ofPoint(func(_ Point, d pointDocument) string { return d.WhyNot })},
		{"proven_by", ofPoint(func(_ Point, d pointDocument) string { return d.ProvenBy })},
		{"proven_at", ofPoint(func(_ Point, d pointDocument) string { return formatTime(d.ProvenAt) })},
		{"may_be_pruned_earlier", ofPoint(func(_ Point, d pointDocument) string { return strconv.FormatBool(d.MayBePrunedEarlier) })},
	}
}

func csvTiers(tiers []plan.PointTier) string {
	words := make([]string, len(tiers))
	for i, t := range tiers {
		words[i] = t.Type + "=" + t.Status
	}
	return strings.Join(words, " ")
}
