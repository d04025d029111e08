package export

import (
	"fmt"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// policyDefinition returns the file's form of a policy, or why the format cannot express all of it.
func policyDefinition(s plan.PolicySpec) (config.Policy, string) {
	p := config.Policy{
		Manage: true, Tier: s.Tier, TimeZone: s.TimeZone, Consistency: s.Consistency,
		Retention: &config.Retention{
			Weeks:  keepWeeks(s.Retention.Weeks),
			Months: keepMonths(s.Retention.Months),
			Years:  keepYears(s.Retention.Years),
		},
	}
	if zone, known := config.WindowsZone(s.TimeZone); known {
		p.TimeZone = zone // the file wants it in Windows' own case
	}
	if s.Retention.Days > 0 {
		p.Retention.Days = &s.Retention.Days
	}
	if s.InstantRestoreDays > 0 {
		p.InstantRestoreDays = &s.InstantRestoreDays
	}
	if g := s.InstantRestore; g != nil && *g != (plan.InstantRestoreSpec{}) {
		p.InstantRestoreGroup = &config.InstantRestoreGroup{Prefix: g.Prefix, Suffix: g.Suffix}
	}
	switch c := s.Schedule; c.Frequency {
	case "Daily":
		p.Schedule = &config.Schedule{Daily: &config.Daily{At: c.At}}
	case "Weekly":
		p.Schedule = &config.Schedule{Weekly: &config.Weekly{Days: c.Days, At: c.At}}
	case "Hourly":
		p.Schedule = &config.Schedule{Hourly: &config.Hourly{
			Every: time.Duration(c.Every) * time.Hour, From: c.At, Window: time.Duration(c.Window) * time.Hour,
		}}
	default:
		return config.Policy{}, fmt.Sprintf("the format has no schedule of the kind %q", c.Frequency)
	}
	switch a := s.Archive; {
	case a == nil:
	case a.Mode == "TierRecommended":
		p.Archive = &config.Archive{Recommended: true}
	case a.Mode == "TierAfter" && a.Unit == "Months":
		p.Archive = &config.Archive{AfterMonths: a.After}
	default:
		return config.Policy{}, fmt.Sprintf("the format cannot say archiving by %s after %d %s", a.Mode, a.After, a.Unit)
	}
	return p, ""
}

func keepWeeks(k *plan.KeepSpec) *config.KeepWeeks {
	if k == nil {
		return nil
	}
	return &config.KeepWeeks{Keep: k.Keep, Days: k.Days}
}

func keepMonths(k *plan.KeepSpec) *config.KeepMonths {
	if k == nil {
		return nil
	}
	return &config.KeepMonths{Keep: k.Keep, Weeks: k.Weeks, Days: k.Days, Dates: keepDates(k.Dates)}
}

func keepYears(k *plan.KeepSpec) *config.KeepYears {
	if k == nil {
		return nil
	}
	return &config.KeepYears{Keep: k.Keep, Months: k.Months, Weeks: k.Weeks, Days: k.Days, Dates: keepDates(k.Dates)}
}

func keepDates(days []int) []config.Date {
	var out []config.Date
	for _, d := range days {
		out = append(out, config.Date(d))
	}
	return out
}
