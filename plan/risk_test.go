package plan

import (
	"slices"
	"testing"
)

func TestWhatAPolicyChangeRisks(t *testing.T) {
	full := PolicySpec{
		Tier: TierEnhanced, TimeZone: "UTC", InstantRestoreDays: 5,
		Schedule: ScheduleSpec{Frequency: FrequencyHourly, At: "08:00", Every: 4, Window: 12},
		Retention: RetentionSpec{
			Days:   30,
			Weeks:  &KeepSpec{Keep: 12, Days: []string{"Sunday", "Wednesday"}},
			Months: &KeepSpec{Keep: 12, Dates: []int{1, 0}},
			Years:  &KeepSpec{Keep: 7, Months: []string{"January", "July"}, Weeks: []string{"First", "Last"}, Days: []string{"Sunday"}},
		},
	}
	copyOf := func() PolicySpec {
		s := full
		weeks, months, years := *s.Retention.Weeks, *s.Retention.Months, *s.Retention.Years
		s.Retention.Weeks, s.Retention.Months, s.Retention.Years = &weeks, &months, &years
		return s
	}
	none, retention, coverage := risks{}, risks{retention: true}, risks{coverage: true}
	for _, tt := range []struct {
		name   string
		change func(*PolicySpec)
		want   risks
		back   risks // risks of the reverse change
	}{
		{"nothing", func(*PolicySpec) {}, none, none},
		{"another order", func(s *PolicySpec) { s.Retention.Months.Dates = []int{0, 1} }, none, none},
		{"another time", func(s *PolicySpec) { s.Schedule.At, s.TimeZone = "09:00", "W. Europe Standard Time" }, none, none},
		{"fewer instant days", func(s *PolicySpec) { s.InstantRestoreDays = 4 }, retention, none},
		{"fewer days", func(s *PolicySpec) { s.Retention.Days = 29 }, retention, none},
		{"no days", func(s *PolicySpec) { s.Retention.Days = 0 }, retention, none},
		{"fewer weeks", func(s *PolicySpec) { s.Retention.Weeks.Keep = 11 }, retention, none},
		{"no weeks", func(s *PolicySpec) { s.Retention.Weeks = nil }, retention, none},
		{"a day of the week less", func(s *PolicySpec) { s.Retention.Weeks.Days = []string{"Sunday"} }, retention, none},
		{"another day of the week", func(s *PolicySpec) { s.Retention.Weeks.Days = []string{"Sunday", "Friday"} }, retention, retention},
		{"fewer months", func(s *PolicySpec) { s.Retention.Months.Keep = 11 }, retention, none},
		{"a date less", func(s *PolicySpec) { s.Retention.Months.Dates = []int{1} }, retention, none},
		{"from dates to weeks", func(s *PolicySpec) {
			s.Retention.Months = &KeepSpec{Keep: 99, Weeks: []string{"First"}, Days: []string{"Sunday"}}
		}, retention, retention},
		{"fewer years", func(s *PolicySpec) { s.Retention.Years.Keep = 6 }, retention, none},
		{"no years", func(s *PolicySpec) { s.Retention.Years = nil }, retention, none},
		{"a month of the year less", func(s *PolicySpec) { s.Retention.Years.Months = []string{"January"} }, retention, none},
		{"a week of the month less", func(s *PolicySpec) { s.Retention.Years.Weeks = []string{"First"} }, retention, none},
		{"the last week is not the fourth", func(s *PolicySpec) { s.Retention.Years.Weeks = []string{"First", "Fourth"} }, retention, retention},
		{"every six hours", func(s *PolicySpec) { s.Schedule.Every = 6 }, coverage, none},
		{"a shorter window", func(s *PolicySpec) { s.Schedule.Window = 8 }, coverage, none},
		{"daily", func(s *PolicySpec) { s.Schedule = ScheduleSpec{Frequency: FrequencyDaily, At: "08:00"} }, coverage, none},
		{"weekly", func(s *PolicySpec) {
			s.Schedule = ScheduleSpec{Frequency: FrequencyWeekly, At: "08:00", Days: []string{"Sunday"}}
		}, coverage, none},
		{"crash consistency", func(s *PolicySpec) { s.Consistency = ConsistencyCrash }, coverage, none},
		{"both", func(s *PolicySpec) { s.Consistency, s.Retention.Days = ConsistencyCrash, 7 }, risks{retention: true, coverage: true}, none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after := copyOf()
			tt.change(&after)
			if got := specRisks(full, after); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got := specRisks(after, full); got != tt.back {
				t.Errorf("back: got %+v, want %+v", got, tt.back)
			}
		})
	}
}

func TestWeeklyOnFewerDaysIsRarer(t *testing.T) {
	twice := PolicySpec{Schedule: ScheduleSpec{Frequency: FrequencyWeekly, Days: []string{"Sunday", "Friday"}}}
	once := PolicySpec{Schedule: ScheduleSpec{Frequency: FrequencyWeekly, Days: []string{"Monday"}}}
	if !specRisks(twice, once).coverage || specRisks(once, twice).coverage {
		t.Error("a day of the week more or less is not seen")
	}
}

func TestFewerDisks(t *testing.T) {
	in := func(luns ...int) *Disks { return &Disks{Include: true, LUNs: luns} }
	out := func(luns ...int) *Disks { return &Disks{LUNs: luns} }
	for _, tt := range []struct {
		name          string
		before, after *Disks
		want          bool
	}{
		{"all to all", nil, out(), false},
		{"all to some", nil, in(0, 1), true},
		{"all but one", nil, out(1), true},
		{"to all", in(), nil, false},
		{"one more", in(0), in(0, 1), false},
		{"one less", in(0, 1), in(0), true},
		{"to the OS disk only", in(0), in(), true},
		{"one less excluded", out(1, 2), out(1), false},
		{"one more excluded", out(1), out(1, 2), true},
		{"exclude what was included", in(0, 1), out(1), true},
		{"exclude something else", in(0, 1), out(2), false},
		{"include after exclude: which LUNs there are is not known", out(2), in(0, 1), true},
	} {
		if got := dropsDisks(tt.before, tt.after); got != tt.want {
			t.Errorf("%s: got %t", tt.name, got)
		}
	}
}

func TestWorstRisk(t *testing.T) {
	for _, tt := range []struct {
		r    risks
		want Risk
		also []Risk
	}{
		{risks{}, RiskNone, nil},
		{risks{coverage: true}, RiskReducesCoverage, nil},
		{risks{coverage: true, retention: true}, RiskReducesRetention, []Risk{RiskReducesCoverage}},
		{risks{retention: true, stops: true}, RiskStopsBackup, []Risk{RiskReducesRetention}},
		{risks{stops: true, security: true}, RiskWeakensSecurity, []Risk{RiskStopsBackup}},
		{risks{security: true, irreversible: true}, RiskIrreversible, []Risk{RiskWeakensSecurity}},
		{
			risks{irreversible: true, security: true, stops: true, retention: true, coverage: true},
			RiskIrreversible,
			[]Risk{RiskWeakensSecurity, RiskStopsBackup, RiskReducesRetention, RiskReducesCoverage},
		},
	} {
		worst, also := tt.r.worstAndRest()
		if worst != tt.want || !slices.Equal(also, tt.also) {
			t.Errorf("%+v: got %s and %v, want %s and %v", tt.r, worst, also, tt.want, tt.also)
		}
		if (also == nil) != (tt.also == nil) {
			t.Errorf("%+v: no other risk is %v, not nil", tt.r, also)
		}
	}
}

func TestRisksOfTwoStepsAreJoined(t *testing.T) {
	one := []risks{{retention: true}, {coverage: true}, {stops: true}, {security: true}, {irreversible: true}}
	for i, a := range one {
		for j, b := range one {
			for k, risk := range []Risk{RiskReducesRetention, RiskReducesCoverage, RiskStopsBackup, RiskWeakensSecurity, RiskIrreversible} {
				if got, want := a.union(b).has(risk), k == i || k == j; got != want {
					t.Errorf("%+v with %+v: %s is %t", a, b, risk, got)
				}
			}
		}
	}
}
