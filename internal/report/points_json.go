package report

import (
	"io"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// The JSON of recovery points (docs/design.md §12).
type pointsDocument struct {
	FormatVersion string       `json:"format_version"`
	VMs           []vmDocument `json:"vms"`
	Gaps          []plan.Gap   `json:"gaps"`
}

type vmDocument struct {
	ID     string          `json:"id"`
	Vault  string          `json:"vault"`
	Item   string          `json:"item,omitempty"`
	State  string          `json:"state,omitempty"`
	Exists *bool           `json:"exists"` // null = no list showed it
	Read   bool            `json:"read"`
	Points []pointDocument `json:"points"`
}

type pointDocument struct {
	Name               string         `json:"name"`
	ID                 string         `json:"id"`
	Time               *time.Time     `json:"time"`
	AgeSeconds         *int64         `json:"age_seconds"`
	Consistency        string         `json:"consistency"`
	Tiers              []tierDocument `json:"tiers"` // null = Azure did not say
	Disks              *disksDocument `json:"disks"` // null = Azure did not say, which is so where no disk is left out
	Expires            *time.Time     `json:"expires"`
	Restorable         bool           `json:"restorable"`
	From               string         `json:"restored_from,omitempty"`
	WhyNot             string         `json:"why_not,omitempty"`
	ProvenBy           string         `json:"proven_by,omitempty"`
	ProvenAt           *time.Time     `json:"proven_at,omitempty"`
	MayBePrunedEarlier bool           `json:"may_be_pruned_earlier"`
}

type tierDocument struct {
	Type   string `json:"type"`
	Status string `json:"status"`
}

type disksDocument struct {
	Held     int            `json:"held"`
	Attached int            `json:"attached"`
	Included []diskDocument `json:"included"` // null = Azure gave only their number
	Excluded []diskDocument `json:"excluded"`
}

type diskDocument struct {
	LUN  int    `json:"lun"`
	Name string `json:"name"`
}

// PointsJSON writes recovery points for programs.
func PointsJSON(w io.Writer, p Points) error {
	out := pointsDocument{FormatVersion: plan.FormatVersion, VMs: []vmDocument{}, Gaps: nonNil(p.Gaps)}
	for _, v := range p.VMs {
		d := vmDocument{ID: v.VM, State: v.state(), Read: v.Read, Points: []pointDocument{}}
		if exists := !v.Gone; !v.Unseen {
			d.Exists = &exists
		}
		if v.Item != nil {
			d.Vault, d.Item = v.Item.Vault, v.Item.ID
		}
		for _, point := range v.Points {
			d.Points = append(d.Points, v.document(point, p.Now))
		}
		out.VMs = append(out.VMs, d)
	}
	return WriteJSON(w, out)
}

func (v VMPoints) document(p Point, now time.Time) pointDocument {
	d := pointDocument{
		Name: p.Name, ID: p.ID, Time: timePtr(p.Time), Consistency: p.Consistency, Expires: timePtr(p.Expires), WhyNot: v.whyNot(p, now), MayBePrunedEarlier: p.MayBePrunedEarlier,
	}
	if d.Restorable = d.WhyNot == ""; d.Restorable {
		d.From, _ = p.RestorableTier(now)
	}
	if !p.Time.IsZero() {
		age := int64(now.Sub(p.Time).Seconds())
		d.AgeSeconds = &age
	}
	if p.Tiers != nil {
		d.Tiers = []tierDocument{}
	}
	for _, t := range p.Tiers {
		d.Tiers = append(d.Tiers, tierDocument{t.Type, t.Status})
	}
	if p.Disks != nil {
		d.Disks = &disksDocument{Held: p.Disks.Held, Attached: p.Disks.Attached, Included: diskDocuments(p.Disks.Included), Excluded: diskDocuments(p.Disks.Excluded)}
	}
	if p.Proof != nil {
		d.ProvenBy, d.ProvenAt = p.Proof.ID, timePtr(p.Proof.End)
	}
	return d
}

func diskDocuments(disks []plan.PointDisk) []diskDocument {
	if disks == nil {
		return nil
	}
	out := []diskDocument{}
	for _, d := range disks {
		out = append(out, diskDocument{d.LUN, d.Name})
	}
	return out
}
