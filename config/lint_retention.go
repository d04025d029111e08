package config

import (
	"slices"
	"strings"
)

// checkRetention checks that the retention fits the schedule (docs/azure.md §8.3). Azure answers each of these
// mistakes with the same BMSUserErrorInvalidPolicyInput.
func (l *linter) checkRetention(p *Policy) {
	r := p.Retention
	if r == nil {
		return
	}
	if r.Months != nil {
		l.checkForms(l.nodeOf(&r.Months), []any{&r.Months.Weeks, &r.Months.Days, &r.Months.Dates})
	}
	if r.Years != nil {
		l.checkForms(l.nodeOf(&r.Years), []any{&r.Years.Weeks, &r.Years.Days, &r.Years.Dates})
	}
	if !l.isSetAndValid(&p.Schedule) || p.Schedule == nil {
		return
	}
	if p.Schedule.Weekly != nil {
		l.checkWeekly(r, p.Schedule.Weekly)
		return
	}
	if !l.isSet(&r.Days) && !l.nodeOf(&p.Retention).suggests("days") {
		l.out.fail(l.nodeOf(&p.Retention), "retention", "add days: 30", "a policy that runs daily or hourly must keep daily points")
	}
}

// checkForms checks that monthly and yearly points are picked either by weeks and days or by dates.
func (l *linter) checkForms(n *node, forms []any) {
	weeks, days, dates := l.isSet(forms[0]), l.isSet(forms[1]), l.isSet(forms[2])
	if !n.isValid() || dates != (weeks || days) && weeks == days {
		return
	}
	if n.suggests("weeks") || n.suggests("days") || n.suggests("dates") {
		return
	}
	l.out.fail(n, "retention-form", "weeks: [First], days: [Sunday], or dates: [1, last]",
		"points are picked either by weeks and days together, or by dates alone")
}

// checkWeekly checks the retention of a policy that runs on some days of the week.
func (l *linter) checkWeekly(r *Retention, s *Weekly) {
	if l.isSetAndValid(&r.Days) {
		l.out.fail(l.nodeOf(&r.Days), "retention", "remove it", "a policy that runs weekly cannot keep daily points")
	}
	switch {
	case l.isSet(&r.Weeks):
		l.checkWeeklyDays(r.Weeks, s)
	case !l.nodeOf(r).suggests("weeks"):
		l.out.fail(l.nodeOf(r), "retention", "add weeks: {keep: 12, days: …}", "a policy that runs weekly must keep weekly points")
	}
	if r.Months != nil {
		l.checkWeeklyLong(&r.Months.Dates, &r.Months.Days, r.Months.Days, s)
	}
	if r.Years != nil {
		l.checkWeeklyLong(&r.Years.Dates, &r.Years.Days, r.Years.Days, s)
	}
}

func (l *linter) checkWeeklyDays(weeks *KeepWeeks, s *Weekly) {
	if weeks == nil || !l.isSetAndValid(&weeks.Days) || !l.isSetAndValid(&s.Days) || sameNames(weeks.Days, s.Days) {
		return
	}
	l.out.fail(l.nodeOf(&weeks.Days), "retention", "write days: ["+strings.Join(s.Days, ", ")+"]",
		"weekly points must be kept of the same days as the policy runs on")
}

// checkWeeklyLong checks the monthly or yearly points of a policy that runs weekly.
func (l *linter) checkWeeklyLong(dates, daysField any, days []string, s *Weekly) {
	if l.isSetAndValid(dates) {
		l.out.fail(l.nodeOf(dates), "retention", "use weeks and days", "a policy that runs weekly cannot pick points by date")
	}
	if !l.isSetAndValid(daysField) || !l.isSetAndValid(&s.Days) {
		return
	}
	for _, d := range days {
		if !slices.Contains(s.Days, d) {
			l.out.warn(l.nodeOf(daysField), "no-effect", "the policy runs on "+strings.Join(s.Days, ", "), "no point is ever kept for %s: no backup runs then", d)
		}
	}
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
