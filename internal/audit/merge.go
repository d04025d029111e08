package audit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Merge merges the results of all shards of one audit into the result of an audit of all subscriptions, dated when the first
// shard was. The caller has checked that parts are the shards of one audit, at least one, and that either each was compared
// with its part of one baseline or none with any.
func Merge(parts []Result) Result {
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Result) int { return cmp.Compare(a.shardIndex(), b.shardIndex()) })
	m := Result{FormatVersion: FormatVersion, Made: parts[0].Made, Scope: Scope{Files: parts[0].Scope.Files}}
	var found []Finding
	var tests *restoreTotals
	gaps := make([][]plan.Gap, len(parts))
	var by, versions []string
	for i, p := range parts {
		if p.Made.At.Before(m.Made.At) {
			m.Made.At = p.Made.At
		}
		by, versions = append(by, p.Made.By), append(versions, p.Made.Version)
		m.Scope.add(p.Scope)
		m.VMs = append(m.VMs, p.VMs...)
		found = append(found, p.Findings...)
		gaps[i] = p.Gaps
		if s := p.Summary.RestoreProven; s != nil {
			if tests == nil {
				tests = &restoreTotals{inFlight: s.InFlight} // the limit of the file, which all shards have
			}
			tests.left += s.LeftDisks
		}
	}
	m.Made.By, m.Made.Version = joinDistinct(by), joinDistinct(versions)
	m.Scope.sort()
	m.Gaps = sortGaps(plan.MergeGaps(gaps...))
	sortVMs(m.VMs)
	m.Baseline = mergeComparisons(parts, m.VMs)
	return finish(m, found, tests)
}

func (r Result) shardIndex() int {
	if r.Shard == nil {
		return 0
	}
	return r.Shard.Index
}

func (s *Scope) add(more Scope) {
	s.Subscriptions = append(s.Subscriptions, more.Subscriptions...)
	s.LeftOut = append(s.LeftOut, more.LeftOut...)
	s.Vaults += more.Vaults
}

func (s *Scope) sort() {
	byID := func(x, y Subscription) int { return strings.Compare(x.ID, y.ID) }
	s.Subscriptions, s.LeftOut = slices.Concat([]Subscription{}, s.Subscriptions), slices.Concat([]Subscription{}, s.LeftOut)
	slices.SortFunc(s.Subscriptions, byID)
	slices.SortFunc(s.LeftOut, byID)
}

// mergeComparisons joins the comparisons of the parts with one baseline, in the order of the merged VMs; VMs that no part has
// come last, by their earlier state. It returns nil where there was no baseline.
func mergeComparisons(parts []Result, vms []VM) *Comparison {
	if parts[0].Baseline == nil {
		return nil
	}
	m := &Comparison{At: parts[0].Baseline.At, Before: parts[0].Baseline.Before}
	at, rank := map[armid.Key]int{}, map[State]int{}
	for i := range vms {
		at[armid.Of(vms[i].ID)] = i
	}
	for i, s := range States() {
		rank[s] = i
	}
	position := func(c Change) int {
		if i, ok := at[armid.Of(c.ID)]; ok {
			return i
		}
		return len(vms) + rank[c.Before]
	}
	join := func(list func(*Comparison) []Change) []Change {
		all := []Change{}
		for _, p := range parts {
			all = append(all, list(p.Baseline)...)
		}
		slices.SortFunc(all, func(a, b Change) int { return cmp.Or(cmp.Compare(position(a), position(b)), armid.Compare(a.ID, b.ID)) })
		return all
	}
	m.Unprotected = join(func(c *Comparison) []Change { return c.Unprotected })
	m.Protected = join(func(c *Comparison) []Change { return c.Protected })
	m.BecameUnknown = join(func(c *Comparison) []Change { return c.BecameUnknown })
	m.Added = join(func(c *Comparison) []Change { return c.Added })
	m.Removed = join(func(c *Comparison) []Change { return c.Removed })
	return m
}

// joinDistinct joins texts, sorted and each once, without the empty one.
func joinDistinct(all []string) string {
	slices.Sort(all)
	return strings.TrimPrefix(strings.Join(slices.Compact(all), ", "), ", ")
}
