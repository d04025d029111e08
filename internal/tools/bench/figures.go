package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// figure is a kind of number that is measured, and its unit in the tables.
type figure string

const (
	seconds   figure = "s" // of the process, start to exit
	memory    figure = "MB"
	merging   figure = "MB for the merge"
	written   figure = "MB written"
	ofBound   figure = "times the bound" // wall time over the least that operations, latency and quotas allow
	ofOther   figure = "times"           // the more expensive of two runs over the cheaper
	ofFile    figure = "times the file in memory"
	requests  figure = "requests"
	each      figure = "requests a machine"
	throttled figure = "answers of 429"
	left      figure = "changes left"
)

// order returns that of the tables.
func order() []figure {
	return []figure{seconds, memory, merging, written, ofBound, ofOther, ofFile, requests, each, throttled, left}
}

// text writes a number as the tables do.
func (f figure) text(v float64) string {
	switch f {
	case ofBound, ofOther, ofFile, each:
		return fmt.Sprintf("%.2f %s", v, f)
	case seconds:
		if v >= 100 {
			return fmt.Sprintf("%.0f %s", v, f)
		}
		return fmt.Sprintf("%.1f %s", v, f)
	case written:
		return fmt.Sprintf("%.1f %s", v, f)
	default:
		return thousands(math.Round(v)) + " " + string(f)
	}
}

// over formats the excess over a limit.
func (f figure) over(by, most float64) string {
	share := fmt.Sprintf("%.0f %%", 100*by/most)
	switch f {
	case ofBound, ofOther, ofFile, each:
		return share
	default:
		return f.text(by) + " (" + share + ")"
	}
}

func thousands(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// measured is a row's result.
type measured struct {
	Figures map[figure]float64 `json:"figures"`
	// Note adds details to the figures: the bound, the times of several runs.
	Note string `json:"note,omitempty"`
	// Load is how many processes wanted a processor at the end, where other work kept the machine busy; 0 = none did. Then
	// seconds are longer than they need be, and the seconds of a processor are the better measure.
	Load int `json:"load,omitempty"`
	// Commit is the measured commit, with its date.
	Commit string `json:"commit"`
}

func (m measured) String() string {
	var parts []string
	for _, f := range order() {
		if v, ok := m.Figures[f]; ok && (f != seconds || m.Load == 0) {
			parts = append(parts, f.text(v))
		}
	}
	s := strings.Join(parts, ", ")
	note := m.Note
	if m.Load > 0 {
		note = strings.TrimPrefix(fmt.Sprintf("%s; load %d", note, m.Load), "; ")
	}
	if note != "" {
		s += " (" + note + ")"
	}
	return s
}

// limit is the most that a figure may be.
type limit struct {
	of   figure
	most float64
}

// middle returns the median of each figure over several runs of a row, with the note of the median run by seconds.
func middle(runs []measured) measured {
	m := measured{Figures: map[figure]float64{}}
	for f := range runs[0].Figures {
		var all []float64
		for _, r := range runs {
			all = append(all, r.Figures[f])
		}
		slices.Sort(all)
		m.Figures[f] = all[len(all)/2]
	}
	slices.SortFunc(runs, func(a, b measured) int { return cmp.Compare(a.Figures[seconds], b.Figures[seconds]) })
	m.Note, m.Load = runs[len(runs)/2].Note, runs[len(runs)/2].Load
	return m
}

// recordLoad records the load where it is more than the measured processes make: the client and the server together.
func (m *measured) recordLoad(cores int) {
	raw, err := os.ReadFile("/proc/loadavg") // the average of the last minute
	if err != nil {
		return
	}
	var load float64
	if _, err := fmt.Sscan(string(raw), &load); err == nil && load > 2*float64(cores) {
		m.Load = int(math.Round(load))
	}
}
