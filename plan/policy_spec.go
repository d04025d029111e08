package plan

import (
	"cmp"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
)

// specOf returns a policy as the file wants it, based on the one that was read: schedule and retention come from the
// file alone, fields without a key in the file keep their value (docs/design.md §3).
func specOf(p *config.Policy, read PolicySpec) PolicySpec {
	s := read
	s.Tier = cmp.Or(read.Tier, p.Tier) // it cannot change
	s.TimeZone = cmp.Or(p.TimeZone, read.TimeZone)
	if p.Schedule != nil {
		s.Schedule = scheduleOf(p.Schedule)
	}
	if p.Retention != nil {
		s.Retention = retentionOf(p.Retention)
	}
	if p.Archive != nil {
		s.Archive = archiveOf(p.Archive)
	}
	switch {
	case p.Consistency == "":
	case strings.EqualFold(p.Consistency, ConsistencyCrash):
		s.Consistency = ConsistencyCrash
	default:
		s.Consistency = ""
	}
	if g := p.InstantRestoreGroup; g != nil {
		s.InstantRestore = &InstantRestoreSpec{Prefix: g.Prefix, Suffix: g.Suffix}
	}
	s = s.normalize()
	switch {
	case p.InstantRestoreDays != nil:
		s.InstantRestoreDays = *p.InstantRestoreDays
	case s.Tier == TierStandard && s.Schedule.Frequency == FrequencyWeekly:
		// A Standard policy that becomes weekly must have 5; the value of a daily one would be refused
		// (docs/azure.md §8.3).
		s.InstantRestoreDays = StandardWeeklyInstantDays
	case s.InstantRestoreDays == 0:
		s.InstantRestoreDays = DefaultInstantDays // set, so that a plan shows the resulting value
	}
	return s
}

// DiffPolicy returns the fields that a plan would change in a policy that was read, if the file managed it as p.
func DiffPolicy(p *config.Policy, read PolicySpec) []Field {
	before := read.normalize()
	return DiffSpec(before, specOf(p, before))
}

func scheduleOf(s *config.Schedule) ScheduleSpec {
	switch {
	case s.Daily != nil:
		return ScheduleSpec{Frequency: FrequencyDaily, At: s.Daily.At}
	case s.Weekly != nil:
		return ScheduleSpec{Frequency: FrequencyWeekly, At: s.Weekly.At, Days: s.Weekly.Days}
	case s.Hourly != nil:
		return ScheduleSpec{
			Frequency: FrequencyHourly, At: s.Hourly.From,
			Every: int(s.Hourly.Every / time.Hour), Window: int(s.Hourly.Window / time.Hour),
		}
	}
	return ScheduleSpec{}
}

func retentionOf(r *config.Retention) RetentionSpec {
	var s RetentionSpec
	if r.Days != nil {
		s.Days = *r.Days
	}
	if w := r.Weeks; w != nil {
		s.Weeks = &KeepSpec{Keep: w.Keep, Days: w.Days}
	}
	if m := r.Months; m != nil {
		s.Months = &KeepSpec{Keep: m.Keep, Weeks: m.Weeks, Days: m.Days, Dates: datesOf(m.Dates)}
	}
	if y := r.Years; y != nil {
		s.Years = &KeepSpec{Keep: y.Keep, Months: y.Months, Weeks: y.Weeks, Days: y.Days, Dates: datesOf(y.Dates)}
	}
	return s
}

func datesOf(dates []config.Date) []int {
	var out []int
	for _, d := range dates {
		out = append(out, int(d))
	}
	return out
}

func archiveOf(a *config.Archive) *ArchiveSpec {
	if a.Recommended {
		return &ArchiveSpec{Mode: ArchiveRecommended}
	}
	return &ArchiveSpec{Mode: ArchiveAfter, After: a.AfterMonths, Unit: "Months"}
}

// disksOf returns a disk filter of the file as the service keeps it; nil = all disks.
func disksOf(d *config.Disks) *Disks {
	switch d.Kind {
	case config.DisksOSOnly:
		return &Disks{Include: true, LUNs: []int{}}
	case config.DisksInclude:
		return (&Disks{Include: true, LUNs: d.LUNs}).normalize()
	case config.DisksExclude:
		return (&Disks{LUNs: d.LUNs}).normalize()
	case config.DisksAll:
	}
	return nil
}
