package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// MergeRuns merges the runs of all shards of one apply. The caller has checked that parts are exactly these: it is not
// empty, and each part has a plan with a shard. Results stand in the order of a plan. A run that failed before it did
// anything is named in Shards and Error. The caller sets the exit code.
func MergeRuns(parts []Run) Run {
	m := Run{
		Report:   apply.Report{FormatVersion: apply.FormatVersion, Summary: map[apply.Outcome]int{}, Started: parts[0].Started},
		Requests: map[string]int{}, Restored: map[string]*Restored{},
	}
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Run) int { return cmp.Compare(a.Plan.Shard.Index, b.Plan.Shard.Index) })
	plans := make([]plan.Plan, len(parts))
	var errs []string
	byID := map[string]*apply.Result{} // pointers: an estate has many results
	for i, r := range parts {
		if r.Started.Before(m.Started) {
			m.Started = r.Started
		}
		if r.Finished.After(m.Finished) {
			m.Finished = r.Finished
		}
		m.Interrupted = m.Interrupted || r.Interrupted
		m.Throttled += r.Throttled
		for kind, n := range r.Requests {
			m.Requests[kind] += n
		}
		maps.Copy(m.Restored, r.Restored)
		for i := range r.Results {
			result := &r.Results[i]
			byID[result.ID] = result
			m.Summary[result.Outcome]++
		}
		shard := *r.Plan.Shard
		m.Shards = append(m.Shards, ShardRun{shard, r.ExitCode, r.Error, r.Hints})
		if r.Error != "" {
			errs = append(errs, "shard "+shard.String()+": "+r.Error)
		}
		plans[i] = r.Plan
	}
	m.Plan = plan.Merge(plans)
	for _, c := range m.Plan.Changes {
		m.Results = append(m.Results, *byID[c.ID])
	}
	m.Error = strings.Join(errs, "; ")
	return m
}
