package rules

import (
	"slices"
	"time"
)

// RunsAt reports whether the policy starts backups at that half hour.
func (s *Policy) RunsAt(at time.Time) bool {
	times := s.runTimes()
	if len(times) == 0 {
		return false
	}
	first, isTime := TimeOfDay(times[0])
	if !isTime {
		return false
	}
	at = at.UTC()
	minutes := at.Hour()*60 + at.Minute() - first.Hour()*60 - first.Minute()
	switch s.Schedule.Frequency {
	case "Daily":
		return minutes == 0
	case "Weekly":
		return minutes == 0 && slices.Contains(s.runDays(), at.Weekday().String())
	case "Hourly":
		h := s.Schedule.Hourly
		return h != nil && h.Interval > 0 && minutes >= 0 && minutes <= h.Duration*60 && minutes%(h.Interval*60) == 0
	}
	return false
}

// Expiry returns when a point whose backup was due at at expires: by the longest retention that applies. Of an hourly
// policy only the first point of a day outlives the instant ones.
func (s *Policy) Expiry(at time.Time) time.Time {
	if s == nil {
		return at.AddDate(0, 0, 30)
	}
	instant := 2
	if s.Instant != nil {
		instant = *s.Instant
	}
	until := at.AddDate(0, 0, instant)
	at = at.UTC()
	if s.Schedule.Frequency == "Hourly" && !s.startsDay(at) {
		return until
	}
	later := func(t time.Time) {
		if t.After(until) {
			until = t
		}
	}
	r := s.Retention
	if r.Daily != nil {
		later(at.AddDate(0, 0, r.Daily.Duration.Count))
	}
	if r.Weekly != nil && slices.Contains(r.Weekly.Days, at.Weekday().String()) {
		later(at.AddDate(0, 0, 7*r.Weekly.Duration.Count))
	}
	if r.Monthly != nil && r.Monthly.selects(at) {
		later(at.AddDate(0, r.Monthly.Duration.Count, 0))
	}
	if r.Yearly != nil && slices.Contains(r.Yearly.Months, at.Month().String()) && r.Yearly.selects(at) {
		later(at.AddDate(r.Yearly.Duration.Count, 0, 0))
	}
	return until
}

// startsDay reports whether at is the first run of a day.
func (s *Policy) startsDay(at time.Time) bool {
	times := s.runTimes()
	if len(times) == 0 {
		return false
	}
	first, isTime := TimeOfDay(times[0])
	return isTime && at.Hour() == first.Hour() && at.Minute() == first.Minute()
}

// selects reports whether a monthly or yearly retention keeps a point of that day.
func (p *periodics) selects(at time.Time) bool {
	last := at.AddDate(0, 0, 1).Month() != at.Month()
	if p.ByDay != nil && p.Format == "Daily" {
		for _, d := range p.ByDay.Days {
			if d.IsLast && last || d.Date == at.Day() {
				return true
			}
		}
		return false
	}
	if p.ByWeek == nil || !slices.Contains(p.ByWeek.Days, at.Weekday().String()) {
		return false
	}
	week := []string{"First", "Second", "Third", "Fourth", "Fifth"}[(at.Day()-1)/7]
	isLast := at.AddDate(0, 0, 7).Month() != at.Month()
	return slices.Contains(p.ByWeek.Weeks, week) || isLast && slices.Contains(p.ByWeek.Weeks, "Last")
}
