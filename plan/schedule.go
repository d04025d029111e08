package plan

import (
	"slices"
	"strings"
	"time"
)

// Next returns the first time after `after` at which the schedule starts a backup, in UTC. zone is that of the policy. The
// service does not follow daylight-saving time (docs/azure.md §8.2), so the zone's standard offset holds all year. It
// returns false for a schedule that is not understood.
func (s ScheduleSpec) Next(after time.Time, zone *time.Location) (time.Time, bool) {
	at, err := time.Parse("15:04", s.At)
	if err != nil {
		return time.Time{}, false
	}
	times := []time.Duration{time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute}
	switch s.Frequency {
	case FrequencyDaily, FrequencyWeekly:
	case FrequencyHourly:
		if s.Every <= 0 {
			return time.Time{}, false
		}
		for h := s.Every; h <= s.Window; h += s.Every { // one at its end, too (docs/azure.md §8.3)
			times = append(times, times[0]+time.Duration(h)*time.Hour)
		}
	default:
		return time.Time{}, false
	}
	local := after.In(standardTime(after, zone))
	midnight := midnightOf(local.Year(), local.Month(), local.Day(), local.Location())
	// A window may reach into the next day, so yesterday's counts too; a week holds every weekday.
	for day := -1; day <= 7; day++ {
		start := midnight.AddDate(0, 0, day)
		if s.Frequency == FrequencyWeekly && !slices.ContainsFunc(s.Days, func(d string) bool {
			return strings.EqualFold(d, start.Weekday().String())
		}) {
			continue
		}
		for _, t := range times {
			if next := start.Add(t); next.After(after) {
				return next.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// standardTime returns the zone without daylight-saving time: its smallest offset of the year.
func standardTime(t time.Time, zone *time.Location) *time.Location {
	_, january := midnightOf(t.Year(), time.January, t.Day(), zone).Zone()
	_, july := midnightOf(t.Year(), time.July, t.Day(), zone).Zone()
	return time.FixedZone(zone.String(), min(january, july))
}

func midnightOf(year int, month time.Month, day int, zone *time.Location) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

// loadZone returns a time zone by its Windows name; nil = unknown.
func (o Options) loadZone(windows string) *time.Location {
	if windows == "" || strings.EqualFold(windows, "UTC") {
		return time.UTC
	}
	if o.Zone == nil {
		return nil
	}
	return o.Zone(windows)
}
