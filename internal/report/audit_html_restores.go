package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/audit"
)

// htmlRestores is what restore tests show, as a card: how much is proven, how fast, and when.
type htmlRestores struct {
	Percent   string
	Sentences []string
	Stats     []htmlFact
	Bars      []htmlBar
	Largest   int
}

// restoreBars is the number of bars of the time line, each for an equal part of the time that it shows.
const restoreBars = 10

func newRestores(r audit.Result) *htmlRestores {
	s := r.Summary.RestoreProven
	if s == nil {
		return nil
	}
	h := &htmlRestores{Percent: formatPercent(s.Share), Stats: []htmlFact{
		{"Proven", formatCount(s.VMs, "VM")}, {"Due", formatNumber(s.Due)}, {"Failed", formatNumber(s.Failed)}, {"Unknown", formatNumber(s.Unknown)},
	}}
	for _, words := range describeRestores(s) {
		h.Sentences = append(h.Sentences, upperFirst(words))
	}
	if s.MedianSeconds != nil {
		h.Stats = append(h.Stats, htmlFact{"Median", formatSeconds(*s.MedianSeconds)}, htmlFact{"Slowest", formatSeconds(*s.SlowestSeconds)},
			htmlFact{"All " + formatCount(s.FullVMs, "VM"), "about " + formatSeconds(*s.FullSeconds)})
	}
	h.addTimeLine(r)
	return h
}

// addTimeLine adds the last restores and the failures after them, by their time.
func (h *htmlRestores) addTimeLine(r audit.Result) {
	end := r.Made.At
	begin := end.Add(-restoreBars * time.Hour)
	var proven, failed []time.Time
	for _, vm := range r.VMs {
		if p := vm.RestoreProven; p != nil {
			proven = append(proven, p.Time)
		}
		if f := vm.RestoreFailed; f != nil && !f.Time.IsZero() {
			failed = append(failed, f.Time)
		}
	}
	for _, t := range append(append([]time.Time{}, proven...), failed...) {
		if t.Before(begin) {
			begin = t
		}
	}
	width := end.Sub(begin)/restoreBars + 1
	var done, not [restoreBars]int
	at := func(t time.Time) int { return max(0, min(int(t.Sub(begin)/width), restoreBars-1)) }
	for _, t := range proven {
		done[at(t)]++
	}
	for _, t := range failed {
		not[at(t)]++
	}
	for i := range restoreBars {
		h.Largest = max(h.Largest, done[i]+not[i])
	}
	for i := range restoreBars {
		from := begin.Add(time.Duration(i) * width).UTC()
		h.Bars = append(h.Bars, newRestoreBar(i, done[i], not[i], max(1, h.Largest), from, from.Add(width)))
	}
}

func newRestoreBar(i, done, failed, largest int, from, to time.Time) htmlBar {
	n := done + failed
	high := barHeight * float64(n) / float64(largest)
	low := barHeight * float64(failed) / float64(largest)
	return htmlBar{
		Label: from.Format("2 Jan"), Count: formatNumber(n), Number: n,
		X: fmt.Sprintf("%.1f", float64(i)*barCell+8), Y: fmt.Sprintf("%.2f", barHeight-high+20), H: fmt.Sprintf("%.2f", high),
		StaleY: fmt.Sprintf("%.2f", barHeight-low+20), StaleH: fmt.Sprintf("%.2f", low),
		Mid: fmt.Sprintf("%.1f", float64(i)*barCell+30), TextY: fmt.Sprintf("%.2f", barHeight-high+14),
		Title: fmt.Sprintf("%s to %s: %s completed, %s failed", from.Format("2006-01-02 15:04"), to.Format("2006-01-02 15:04"), formatNumber(done), formatNumber(failed)),
	}
}

// htmlProven returns the cell of a VM in the table: the time of its last restore by a test.
func htmlProven(vm audit.VM) string {
	if vm.RestoreProven == nil {
		return ""
	}
	return vm.RestoreProven.Time.UTC().Format("2006-01-02")
}

// pageScript returns the script of the page. The column of restores is put into it where the page has one, so that all
// other pages stay as they are.
func pageScript(js []byte, r audit.Result) []byte {
	if r.Summary.RestoreProven == nil {
		return js
	}
	const cells, orders, facts = "    cell(\"\", m.codes);\n", "    codes: (a, b) => collate(a.codes, b.codes),\n", "    add(\"Rule\", m.rule);\n"
	return []byte(strings.NewReplacer(
		cells, cells+"    cell(\"n\", m.proven || \"–\");\n",
		orders, orders+"    proven: (a, b) => collate(a.proven, b.proven),\n",
		facts, facts+"    add(\"Restore test\", m.test);\n",
	).Replace(string(js)))
}
