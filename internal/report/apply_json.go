package report

import (
	"io"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// ApplyJSON writes the report of a run as JSON (docs/design.md §7).
func ApplyJSON(w io.Writer, r Run) error {
	v := struct {
		apply.Report
		Gaps      []plan.Gap     `json:"gaps"`
		Refusals  []plan.Refusal `json:"refusals"`
		Requests  map[string]int `json:"requests,omitempty"`
		Throttled float64        `json:"throttled_seconds"`
		Error     string         `json:"error,omitempty"`
	}{r.Report, list(r.Plan.Gaps), list(r.Plan.Refusals), r.Requests, r.Throttled.Seconds(), r.Error}
	v.FormatVersion = apply.FormatVersion
	v.Results = list(v.Results)
	if v.Summary == nil {
		v.Summary = map[apply.Outcome]int{}
	}
	return writeJSON(w, v)
}
