package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/azbackup/azbackup/internal/audit"
)

// htmlArc is a piece of the ring: a dash of the circle's line, in a circle of circumference 100.
type htmlArc struct {
	Tone           string // ok, risk, bad
	Length, Offset string
}

// donutArcs returns the ring around the number: covered, at risk (protected, but not freshly backed up) and not covered.
func donutArcs(s audit.Summary) []htmlArc {
	if s.Counted == 0 {
		return nil
	}
	risk := countAtRisk(s)
	parts := []struct {
		tone string
		n    int
	}{{"ok", s.Covered}, {"risk", risk}, {"bad", s.Counted - s.Covered - risk}}
	var arcs []htmlArc
	at := 0.0
	for _, p := range parts {
		if p.n == 0 {
			continue
		}
		length := 100 * float64(p.n) / float64(s.Counted)
		arcs = append(arcs, htmlArc{p.tone, fmt.Sprintf("%.3f", length), fmt.Sprintf("%.3f", -at)})
		at += length
	}
	return arcs
}

// countAtRisk counts the VMs that are protected, but not freshly backed up: some of them not even once.
func countAtRisk(s audit.Summary) int {
	return s.States[audit.Pending] + s.States[audit.Stale] + s.States[audit.Failing]
}

// htmlSegment is a piece of a bar that is 1000 units wide.
type htmlSegment struct {
	Class    string
	X, Width string
	Title    string
}

// stateBar returns all VMs by state, good news first.
func stateBar(s audit.Summary) []htmlSegment {
	var parts []htmlPart
	states := audit.States()
	slices.Reverse(states)
	for _, state := range states {
		n := s.States[state]
		parts = append(parts, htmlPart{"s-" + string(state), n, formatNumber(n) + " " + string(state)})
	}
	return barSegments(parts, s.VMs)
}

type htmlPart struct {
	class string
	n     int
	title string
}

func barSegments(parts []htmlPart, total int) []htmlSegment {
	var bar []htmlSegment
	at := 0.0
	for _, p := range parts {
		if p.n == 0 || total == 0 {
			continue
		}
		width := 1000 * float64(p.n) / float64(total)
		bar = append(bar, htmlSegment{p.class, fmt.Sprintf("%.2f", at), fmt.Sprintf("%.2f", width), p.title})
		at += width
	}
	return bar
}

// htmlShares is coverage by one way to divide the VMs.
type htmlShares struct {
	ID, Title string
	Rows      []htmlShare
	More      int // groups that are not shown
}

type htmlShare struct {
	Label string
	// Filter and Value are what a click filters the table of VMs by.
	Filter, Value string
	Percent       string
	Words         string
	Bar           []htmlSegment
}

const (
	htmlShareRows = 12 // groups that are shown of one division, worst first
	htmlTagNames  = 8  // tags that are offered
)

func htmlAllShares(r audit.Result) []htmlShares {
	names := map[string]string{}
	for _, s := range r.Scope.Subscriptions {
		names[s.ID] = s.Name
	}
	all := []htmlShares{
		divideVMs(r.VMs, "by-subscription", "Subscription", func(vm audit.VM) htmlShare {
			return htmlShare{Label: cmp.Or(names[vm.Subscription], vm.Subscription), Filter: "subscription", Value: vm.Subscription}
		}),
		divideVMs(r.VMs, "by-region", "Region", func(vm audit.VM) htmlShare {
			return htmlShare{Label: cmp.Or(vm.Location, "not known"), Filter: "location", Value: vm.Location}
		}),
		divideVMs(r.VMs, "by-group", "Resource group", func(vm audit.VM) htmlShare {
			return htmlShare{Label: vm.ResourceGroup, Filter: "group", Value: foldKey(vm.ResourceGroup)}
		}),
	}
	for _, tag := range frequentTags(r.VMs) {
		all = append(all, divideVMs(r.VMs, fmt.Sprintf("by-tag-%d", len(all)-2), "Tag "+tag, func(vm audit.VM) htmlShare {
			v, ok := tagValue(vm.Tags, tag)
			if !ok {
				return htmlShare{Label: "(no tag " + tag + ")", Filter: "noTag", Value: foldKey(tag)}
			}
			return htmlShare{Label: cmp.Or(v, "(empty)"), Filter: "tag", Value: foldKey(tag) + "=" + v}
		}))
	}
	return all
}

// divideVMs groups VMs and shows the groups with the most uncovered VMs.
func divideVMs(vms []audit.VM, id, title string, by func(audit.VM) htmlShare) htmlShares {
	at := map[[2]string]*htmlGroup{}
	var groups []*htmlGroup
	for _, vm := range vms {
		share := by(vm)
		key := [2]string{share.Filter, share.Value}
		g := at[key]
		if g == nil {
			g = &htmlGroup{htmlShare: share}
			at[key] = g
			groups = append(groups, g)
		}
		g.add(vm.State)
	}
	slices.SortFunc(groups, func(a, b *htmlGroup) int {
		return cmp.Or(cmp.Compare(b.uncovered, a.uncovered), cmp.Compare(b.unsure, a.unsure), cmp.Compare(b.covered+b.out, a.covered+a.out),
			cmp.Compare(a.Label, b.Label), cmp.Compare(a.Filter+a.Value, b.Filter+b.Value))
	})
	s := htmlShares{ID: id, Title: escapeInvisible(title), More: max(0, len(groups)-htmlShareRows)}
	for _, g := range groups[:min(len(groups), htmlShareRows)] {
		s.Rows = append(s.Rows, g.share())
	}
	return s
}

// htmlGroup counts the VMs of one group.
type htmlGroup struct {
	htmlShare
	covered, uncovered, out, unsure int
}

func (g *htmlGroup) add(s audit.State) {
	switch {
	case s == audit.Unknown:
		g.unsure++
	case s.IsLeftOut():
		g.out++
	case s.IsCovered():
		g.covered++
	default:
		g.uncovered++
	}
}

func (g *htmlGroup) share() htmlShare {
	s := g.htmlShare
	s.Label, s.Value, s.Words = escapeInvisible(s.Label), escapeInvisible(s.Value), "none counted"
	var share *float64
	if n := g.covered + g.uncovered; n > 0 {
		c := float64(g.covered) / float64(n)
		share, s.Words = &c, formatNumber(g.covered)+" of "+formatNumber(n)
	}
	s.Percent = formatPercent(share)
	s.Bar = barSegments([]htmlPart{
		{"b-ok", g.covered, formatNumber(g.covered) + " covered"},
		{"b-bad", g.uncovered, formatNumber(g.uncovered) + " not covered"},
		{"b-unsure", g.unsure, formatNumber(g.unsure) + " unknown"},
		{"b-out", g.out, formatNumber(g.out) + " excluded or unsupported"},
	}, g.covered+g.uncovered+g.unsure+g.out)
	return s
}

// frequentTags returns the tags that most VMs have, folded together by name.
func frequentTags(vms []audit.VM) []string {
	n, spelled := map[string]int{}, map[string]string{}
	for _, vm := range vms {
		for name := range vm.Tags {
			key := foldKey(name)
			n[key]++
			if old, ok := spelled[key]; !ok || name < old {
				spelled[key] = name
			}
		}
	}
	var names []string
	for key := range n {
		names = append(names, key)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	names = names[:min(len(names), htmlTagNames)]
	for i, key := range names {
		names[i] = spelled[key]
	}
	return names
}

// htmlAges is the histogram of the ages of last recovery points.
type htmlAges struct {
	Bars    []htmlBar
	Total   string
	Largest int
	Stats   []htmlFact // how old the points are, in three numbers
	None    string     // VMs that are counted and have no live recovery point
}

// ageStats returns the median of ages in seconds, the age that 95 % of them do not exceed, and the oldest. It sorts ages.
func ageStats(ages []int64) []htmlFact {
	if len(ages) == 0 {
		return nil
	}
	slices.Sort(ages)
	// The first age that at least so many percent do not exceed.
	at := func(share int) string { return formatAge(ages[(len(ages)*share+99)/100-1]) }
	return []htmlFact{{"Median", at(50)}, {"95 % are at most", at(95)}, {"Oldest", at(100)}}
}

// formatAge spells an age as the table does.
func formatAge(seconds int64) string {
	switch {
	case seconds < 3600:
		return fmt.Sprintf("%d min", seconds/60)
	case seconds < 48*3600:
		return fmt.Sprintf("%d h", seconds/3600)
	default:
		return fmt.Sprintf("%d d", seconds/86400)
	}
}

type htmlBar struct {
	Label, Count   string
	X, Y, H        string
	StaleY, StaleH string
	Mid, TextY     string
	Number         int
	Title          string
}

// The chart's coordinates: a bar is 44 wide in a cell of 60, and 150 high where it is the largest.
const (
	barCell   = 60.0
	barHeight = 150.0
)

func htmlAgesOf(r audit.Result) htmlAges {
	bounds := ageBounds()
	counts, stale := make([]int, len(bounds)+1), make([]int, len(bounds)+1)
	none := 0
	var all []int64
	for _, vm := range r.VMs {
		age, ok := liveAge(vm)
		if !ok {
			if !vm.State.IsLeftOut() {
				none++
			}
			continue
		}
		i := slices.IndexFunc(bounds, func(b ageBound) bool { return age <= b.seconds })
		if i < 0 {
			i = len(bounds)
		}
		all = append(all, age)
		counts[i]++
		if vm.State == audit.Stale {
			stale[i]++
		}
	}
	ages := htmlAges{Total: formatNumber(len(all)), None: formatNumber(none), Largest: slices.Max(counts), Stats: ageStats(all)}
	for i, n := range counts {
		label := "older"
		if i < len(bounds) {
			label = "≤ " + bounds[i].label
		}
		high := barHeight * float64(n) / float64(max(1, ages.Largest))
		old := barHeight * float64(stale[i]) / float64(max(1, ages.Largest))
		if n > 0 {
			high = max(high, 2)
		}
		ages.Bars = append(ages.Bars, htmlBar{
			Label: label, Count: formatNumber(n), Number: n,
			X: fmt.Sprintf("%.1f", float64(i)*barCell+8), Y: fmt.Sprintf("%.2f", barHeight-high+20), H: fmt.Sprintf("%.2f", high),
			StaleY: fmt.Sprintf("%.2f", barHeight-old+20), StaleH: fmt.Sprintf("%.2f", old),
			Mid: fmt.Sprintf("%.1f", float64(i)*barCell+30), TextY: fmt.Sprintf("%.2f", barHeight-high+14),
			Title: fmt.Sprintf("%s: %s, %s stale", label, describeVMCount(n), formatNumber(stale[i])),
		})
	}
	return ages
}
