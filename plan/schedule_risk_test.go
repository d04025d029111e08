package plan

import "testing"

func TestABackupLessAWeekIsReducedCoverage(t *testing.T) {
	daily := ScheduleSpec{Frequency: FrequencyDaily, At: "22:00"}
	weekly := func(days ...string) ScheduleSpec {
		return ScheduleSpec{Frequency: FrequencyWeekly, At: "22:00", Days: days}
	}
	hourly := func(every, window int) ScheduleSpec {
		return ScheduleSpec{Frequency: FrequencyHourly, At: "08:00", Every: every, Window: window}
	}
	all := []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	for name, tt := range map[string]struct {
		before, after ScheduleSpec
		want          bool
	}{
		"the same":                     {daily, daily, false},
		"daily to weekly":              {daily, weekly("Sunday"), true},
		"daily to six days":            {daily, weekly(all[:6]...), true},
		"daily to every day of a week": {daily, weekly(all...), false},
		"every day of a week to daily": {weekly(all...), daily, false},
		"one day fewer":                {weekly("Monday", "Sunday"), weekly("Sunday"), true},
		"one day more":                 {weekly("Sunday"), weekly("Monday", "Sunday"), false},
		"daily to hourly":              {daily, hourly(4, 12), false},
		"hourly to daily":              {hourly(4, 12), daily, true},
		"at a window's ends to daily":  {hourly(12, 12), daily, true},
		"daily to a window's ends":     {daily, hourly(12, 12), false},
		"a window that ends earlier":   {hourly(4, 24), hourly(4, 20), true},
		"a window that ends later":     {hourly(4, 20), hourly(4, 24), false},
		"a longer interval":            {hourly(4, 12), hourly(6, 12), true},
		"a shorter window":             {hourly(4, 24), hourly(4, 12), true},
		"twice a day to eight a week":  {hourly(6, 12), weekly(all...), true},
		"an interval that is not said": {daily, hourly(0, 12), false},
	} {
		keep := RetentionSpec{Days: 30}
		got := specRisks(
			PolicySpec{Tier: TierEnhanced, Schedule: tt.before, Retention: keep, InstantRestoreDays: 2},
			PolicySpec{Tier: TierEnhanced, Schedule: tt.after, Retention: keep, InstantRestoreDays: 2},
		)
		if got.coverage != tt.want {
			t.Errorf("%s: reduced coverage %v, want %v", name, got.coverage, tt.want)
		}
	}
}
