package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// applyDocument is the JSON of a run (docs/design.md §7).
type applyDocument struct {
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
	Hints         []string              `json:"hints,omitempty"`
	ExitCode      int                   `json:"exit_code"`
	Shards        []ShardRun            `json:"shards,omitempty"`
	// Subscriptions, Config and Cloud are those of the plan.
	Subscriptions map[string]string `json:"subscriptions,omitempty"`
	Config        string            `json:"config,omitempty"`
	Cloud         string            `json:"cloud,omitempty"`
}

// ApplyJSON writes the report of a run as JSON (docs/design.md §7).
func ApplyJSON(w io.Writer, r Run) error {
	v := applyDocument{
		FormatVersion: apply.FormatVersion, Shard: r.Plan.Shard, Summary: r.Summary, Results: r.documents(),
		Started: r.Started, Finished: r.Finished, Interrupted: r.Interrupted,
		Gaps: nonNil(r.Plan.Gaps), Refusals: nonNil(r.Plan.Refusals), Requests: r.Requests, Throttled: r.Throttled.Seconds(),
		Error: r.Error, Hints: r.Hints, ExitCode: r.ExitCode, Shards: r.Shards,
		Subscriptions: r.Plan.Subscriptions, Config: r.Plan.Config, Cloud: r.Plan.Cloud,
	}
	if v.Summary == nil {
		v.Summary = map[apply.Outcome]int{}
	}
	return streamJSON(w, v)
}

// ReadApply parses the JSON that [ApplyJSON] writes. That JSON has no plan, so each change of the run's plan has only the
// fields that its result has: id, action, wanted, target, vault. A file of another format version is an error.
func ReadApply(data []byte) (Run, error) {
	var v applyDocument
	if err := json.Unmarshal(data, &v); err != nil {
		return Run{}, err
	}
	if v.FormatVersion != apply.FormatVersion {
		return Run{}, fmt.Errorf("its format_version is %q, not %q", v.FormatVersion, apply.FormatVersion)
	}
	r := Run{
		Report: apply.Report{
			FormatVersion: v.FormatVersion, Summary: map[apply.Outcome]int{}, Started: v.Started, Finished: v.Finished, Interrupted: v.Interrupted,
		},
		Plan: plan.Plan{
			Shard: v.Shard, Complete: len(v.Gaps) == 0, Gaps: v.Gaps, Refusals: v.Refusals,
			Subscriptions: v.Subscriptions, Config: v.Config, Cloud: v.Cloud,
		},
		Requests: v.Requests, Throttled: time.Duration(v.Throttled * float64(time.Second)), Error: v.Error, Hints: v.Hints, ExitCode: v.ExitCode,
		Restored: map[string]*Restored{},
	}
	for _, d := range v.Results {
		r.Results = append(r.Results, d.Result)
		r.Summary[d.Outcome]++
		r.Plan.Changes = append(r.Plan.Changes, plan.Change{ID: d.ID, Action: d.Action, Wanted: d.Wanted, Target: d.Target, Vault: d.Vault})
		if d.Restored != nil {
			r.Restored[d.ID] = d.Restored
		}
	}
	return r, nil
}
