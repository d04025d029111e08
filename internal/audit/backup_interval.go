package audit

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// The bounds of the service's backup schedules: every four hours round the clock, and one day a week
// (docs/azure.md §8.3).
const (
	minScheduleInterval = 4 * time.Hour
	maxScheduleInterval = 7 * 24 * time.Hour
)

// maxBackupInterval returns the longest time that a schedule leaves between two backups: for an hourly one the time outside
// its window, at whose end it takes the last backup to run (docs/azure.md §8.3). It is zero for a schedule that is not
// understood.
func maxBackupInterval(s plan.ScheduleSpec) time.Duration {
	switch s.Frequency {
	case "Daily":
		return 24 * time.Hour
	case "Weekly":
		return maxWeeklyInterval(s.Days)
	case "Hourly":
		if s.Every <= 0 || s.Window < 0 || s.Window > 24 {
			return 0
		}
		last := s.Window / s.Every * s.Every
		return max(time.Duration(24-last)*time.Hour, time.Duration(s.Every)*time.Hour)
	default:
		return 0
	}
}

func maxWeeklyInterval(names []string) time.Duration {
	var on []int
	for _, name := range names {
		day, ok := weekday(name)
		if !ok {
			return 0
		}
		on = append(on, day)
	}
	slices.Sort(on)
	on = slices.Compact(on)
	longest := 0
	for i, day := range on {
		next := on[(i+1)%len(on)]
		longest = max(longest, cmp.Or((next-day+7)%7, 7)) // a day alone comes again after a week
	}
	return time.Duration(longest) * 24 * time.Hour
}

func weekday(name string) (int, bool) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(day.String(), name) {
			return int(day), true
		}
	}
	return 0, false
}
