package report

import (
	"fmt"
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// describeShard names the part of the subscriptions that a result is of; "" where it is of all.
func describeShard(s *config.Shard) string {
	if s == nil || s.IsAll() {
		return ""
	}
	return fmt.Sprintf("shard %d of %d, by subscription", s.Index, s.Count)
}

// describeMerged returns a line for each plan that a plan was merged from, with the fingerprint by which it is approved.
func describeMerged(p plan.Plan) []string {
	if !p.IsMerged() {
		return nil
	}
	lines := []string{"merged from the plans of " + formatCount(len(p.Shards), "shard") + ": apply each with its own --shard and --expect"}
	for _, s := range p.Shards {
		lines = append(lines, fmt.Sprintf("shard %s: fingerprint %s", s.Shard, s.Fingerprint))
	}
	return lines
}

// writeFamilies writes metrics. Those of a shard carry its label: without it, the files of several shards in one folder
// of node_exporter's textfile collector would hold the same samples, and the collector would reject all of them.
func writeFamilies(w io.Writer, families []*dto.MetricFamily, shard *config.Shard) error {
	for _, f := range families {
		if len(f.Metric) == 0 {
			continue // a family without a sample is not valid text
		}
		if shard != nil && !shard.IsAll() {
			name, value := "shard", shard.String()
			for _, m := range f.Metric {
				m.Label = append(m.Label, &dto.LabelPair{Name: &name, Value: &value})
			}
		}
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return err
		}
	}
	return nil
}
