package report

import (
	"io"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// ApplyJSON writes the report of a run as JSON (docs/design.md §7).
func ApplyJSON(w io.Writer, r Run) error {
	v := struct {
		FormatVersion string                `json:"format_version"`
		Shard         *config.Shard         `json:"shard,omitempty"`
		Summary       map[apply.Outcome]int `json:"summary"`
		Results       []resultDocument      `json:"results"`
		Started       time.Time             `json:"started"`
		Finished      time.Time             `json:"finished"`
		Interrupted   bool                  `json:"interrupted,omitempty"`
		Gaps          []plan.Gap            `json:"gaps"`
		Refusals      []plan.Refusal        `json:"refusals"`
		Requests      map[string]int        `json:"requests,omitempty"`
		Throttled     float64               `json:"throttled_seconds"`
		Error         string                `json:"error,omitempty"`
	}{
		apply.FormatVersion, r.Plan.Shard, r.Summary, r.documents(), r.Started, r.Finished, r.Interrupted,
		nonNil(r.Plan.Gaps), nonNil(r.Plan.Refusals), r.Requests, r.Throttled.Seconds(), r.Error,
	}
	if v.Summary == nil {
		v.Summary = map[apply.Outcome]int{}
	}
	return writeJSON(w, v)
}
