package plan

import (
	"cmp"
	"slices"
	"strings"
)

// The tiers of a policy.
const (
	TierStandard = "Standard"
	TierEnhanced = "Enhanced"
)

// The frequencies of a schedule.
const (
	FrequencyDaily  = "Daily"
	FrequencyWeekly = "Weekly"
	FrequencyHourly = "Hourly"
)

// ConsistencyCrash is the only consistency besides the default.
const ConsistencyCrash = "crash"

// The words of a calendar, in their normal order.
func weekdays() []string {
	return []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
}

func weeks() []string { return []string{"First", "Second", "Third", "Fourth", "Last"} }

func months() []string {
	return []string{
		"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December",
	}
}

// normalize returns the spec with every list in calendar order and without repeats, so that two specs with the same
// meaning are equal. It copies what it changes.
func (s PolicySpec) normalize() PolicySpec {
	s.Tier = calendarWord(s.Tier, []string{TierStandard, TierEnhanced})
	if s.Tier == "" {
		s.Tier = TierStandard // docs/azure.md §8.2: policyType absent means V1
	}
	s.Schedule.Frequency = calendarWord(s.Schedule.Frequency, []string{FrequencyDaily, FrequencyWeekly, FrequencyHourly})
	s.Schedule.Days = sortByCalendar(s.Schedule.Days, weekdays())
	s.Retention.Weeks = s.Retention.Weeks.normalize()
	s.Retention.Months = s.Retention.Months.normalize()
	s.Retention.Years = s.Retention.Years.normalize()
	if s.InstantRestore != nil && *s.InstantRestore == (InstantRestoreSpec{}) {
		s.InstantRestore = nil
	}
	if s.Archive != nil && s.Archive.Mode == "" {
		s.Archive = nil
	}
	return s
}

// normalize returns the retention with every list in calendar order; nil where it keeps nothing.
func (k *KeepSpec) normalize() *KeepSpec {
	if k == nil || k.Keep == 0 {
		return nil
	}
	return &KeepSpec{
		Keep:   k.Keep,
		Months: sortByCalendar(k.Months, months()),
		Weeks:  sortByCalendar(k.Weeks, weeks()),
		Days:   sortByCalendar(k.Days, weekdays()),
		Dates:  sortDates(k.Dates),
	}
}

// sortByCalendar sorts words into calendar order, spelled as there; unknown words come last.
func sortByCalendar(words, calendar []string) []string {
	if len(words) == 0 {
		return nil
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = calendarWord(w, calendar)
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(calendarIndex(a, calendar), calendarIndex(b, calendar)), strings.Compare(a, b))
	})
	return slices.Compact(out)
}

// sortDates sorts days of a month; the last day, 0, comes last.
func sortDates(dates []int) []int {
	if len(dates) == 0 {
		return nil
	}
	out := slices.Clone(dates)
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare(uint(a-1), uint(b-1)) })
	return slices.Compact(out)
}

func calendarIndex(word string, calendar []string) int {
	if i := slices.Index(calendar, word); i >= 0 {
		return i
	}
	return len(calendar)
}

// calendarWord returns the word of the list that equals w without case, else w.
func calendarWord(w string, list []string) string {
	if i := slices.IndexFunc(list, func(known string) bool { return strings.EqualFold(known, w) }); i >= 0 {
		return list[i]
	}
	return w
}

// normalize returns the filter with sorted LUNs, or nil where it filters nothing: excluding no disk means all disks.
func (d *Disks) normalize() *Disks {
	if d == nil || !d.Include && len(d.LUNs) == 0 {
		return nil
	}
	luns := slices.Clone(d.LUNs)
	slices.Sort(luns)
	luns = slices.Compact(luns)
	if luns == nil {
		luns = []int{}
	}
	return &Disks{Include: d.Include, LUNs: luns}
}

// Equal reports whether two filters back up the same disks of every VM.
func (d *Disks) Equal(other *Disks) bool {
	a, b := d.normalize(), other.normalize()
	if a == nil || b == nil {
		return a == b
	}
	return a.Include == b.Include && slices.Equal(a.LUNs, b.LUNs)
}
