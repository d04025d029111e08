package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// ShardPlan identifies the plan of a shard inside a merged one.
type ShardPlan struct {
	config.Shard
	Fingerprint string `json:"fingerprint"`
}

// IsMerged reports whether the plan was merged from the plans of shards. Such a plan is for readers; it cannot be applied.
func (p Plan) IsMerged() bool { return len(p.Shards) > 0 }

// Merge merges the plans of all shards of one config. The caller has checked that they are: parts is not empty and each
// part has a [Plan.Shard]. The merged fingerprint equals that of one plan of all subscriptions, because it covers the same
// changes. Guards judged each shard alone, and every refusal stays a refusal. The forecast assumes that the shards run at
// the same time: a subscription is in one shard, so no quota is shared.
func Merge(parts []Plan) Plan {
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Plan) int { return cmp.Compare(a.Shard.Index, b.Shard.Index) })
	m := Plan{
		FormatVersion: FormatVersion, Complete: true, Summary: map[Action]int{}, Changes: []Change{}, Refusals: []Refusal{},
		Forecast: Forecast{Requests: map[string]int{}}, Config: parts[0].Config, Cloud: parts[0].Cloud,
	}
	gaps := make([][]Gap, len(parts))
	for i, p := range parts {
		m.Shards = append(m.Shards, ShardPlan{*p.Shard, p.Fingerprint})
		m.Complete = m.Complete && p.Complete
		addCounts(m.Summary, p.Summary)
		m.Changes = append(m.Changes, p.Changes...)
		m.Unchanged = append(m.Unchanged, p.Unchanged...)
		m.Notes = appendNew(m.Notes, p.Notes)
		m.Refusals = append(m.Refusals, p.Refusals...)
		m.addForecast(p.Forecast)
		m.addTests(p.RestoreTests)
		m.LeftBehind = append(m.LeftBehind, p.LeftBehind...)
		for id, name := range p.Subscriptions {
			if m.Subscriptions == nil {
				m.Subscriptions = map[string]string{}
			}
			m.Subscriptions[id] = name
		}
		gaps[i] = p.Gaps
	}
	SortChanges(m.Changes)
	slices.SortFunc(m.Unchanged, func(a, b Change) int { return strings.Compare(a.ID, b.ID) })
	m.Gaps = MergeGaps(gaps...)
	slices.SortFunc(m.Gaps, compareGaps)
	m.Fingerprint = fingerprint(m.Changes)
	m.Cost = mergeCosts(parts, m.Changes)
	return m
}

// MergeGaps joins the gaps of several shards. Every shard reads what belongs to no subscription, and so finds the same gap
// there: it is kept once, though message and request id differ.
func MergeGaps(parts ...[]Gap) []Gap {
	type shared struct {
		kind   GapKind
		target armid.Key
		code   string
		status int
	}
	all, seen := []Gap{}, map[shared]bool{}
	for _, gaps := range parts {
		own := map[shared]bool{}
		for _, g := range gaps {
			key := shared{g.Kind, armid.Of(g.Target), g.Code, g.Status}
			if g.Subscription == "" && armid.SubscriptionOf(cmp.Or(g.Vault, g.Target)) == "" {
				if seen[key] {
					continue
				}
				own[key] = true
			}
			all = append(all, g)
		}
		for key := range own {
			seen[key] = true
		}
	}
	return all
}

func (p *Plan) addForecast(f Forecast) {
	addCounts(p.Forecast.Requests, f.Requests)
	p.Forecast.Duration = max(p.Forecast.Duration, f.Duration)
	p.Forecast.Notes = appendNew(p.Forecast.Notes, f.Notes)
}

// addTests adds a shard's counts of the restore tests; every shard lists all tests of the file.
func (p *Plan) addTests(tests []TestSummary) {
	for _, t := range tests {
		i := slices.IndexFunc(p.RestoreTests, func(s TestSummary) bool { return s.Name == t.Name })
		if i < 0 {
			p.RestoreTests = append(p.RestoreTests, t)
			continue
		}
		s := &p.RestoreTests[i]
		s.VMs, s.Proven, s.Due, s.Tested = s.VMs+t.VMs, s.Proven+t.Proven, s.Due+t.Due, s.Tested+t.Tested
		s.Blocked, s.Running, s.Waiting, s.Unknown = s.Blocked+t.Blocked, s.Running+t.Running, s.Waiting+t.Waiting, s.Unknown+t.Unknown
		if s.NextDue == nil || t.NextDue != nil && t.NextDue.Before(*s.NextDue) {
			s.NextDue = t.NextDue
		}
	}
}

// mergeCosts joins the estimates of the parts, in the order of the merged changes; nil where a part was made without
// prices.
func mergeCosts(parts []Plan, changes []Change) *CostEstimate {
	m := &CostEstimate{Changes: []ChangeCost{}}
	byID := map[string]ChangeCost{}
	for _, p := range parts {
		if p.Cost == nil {
			return nil
		}
		m.PricesFile, m.Currency = cmp.Or(m.PricesFile, p.Cost.PricesFile), cmp.Or(m.Currency, p.Cost.Currency)
		m.Monthly += p.Cost.Monthly
		for _, c := range p.Cost.Changes {
			byID[c.ID] = c
		}
		for gap, n := range p.Cost.NotCounted {
			if m.NotCounted == nil {
				m.NotCounted = map[UncountedReason]int{}
			}
			m.NotCounted[gap] += n
		}
	}
	for _, c := range changes {
		if cost, ok := byID[c.ID]; ok {
			m.Changes = append(m.Changes, cost)
		}
	}
	return m
}

func addCounts[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

// appendNew appends those of more that all does not have.
func appendNew(all, more []string) []string {
	for _, s := range more {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
