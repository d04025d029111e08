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
		l.checkForms(l.at(&r.Months), []any{&r.Months.Weeks, &r.Months.Days, &r.Months.Dates})
	}
	if r.Years != nil {
		l.checkForms(l.at(&r.Years), []any{&r.Years.Weeks, &r.Years.Days, &r.Years.Dates})
	}
	if !l.has(&p.Schedule) || p.Schedule == nil {
		return
	}
	if p.Schedule.Weekly != nil {
		l.checkWeekly(r, p.Schedule.Weekly)
		return
	}
	if !l.said(&r.Days) && !l.at(&p.Retention).meant("days") {
		l.out.fail(l.at(&p.Retention), "retention", "add days: 30", "a policy that runs daily or hourly must keep daily points")
	}
}

// checkForms checks that monthly and yearly points are picked either by weeks and days or by dates.
func (l *linter) checkForms(n *node, forms []any) {
	weeks, days, dates := l.said(forms[0]), l.said(forms[1]), l.said(forms[2])
	if !n.sound() || dates != (weeks || days) && weeks == days {
		return
	}
	if n.meant("weeks") || n.meant("days") || n.meant("dates") {
		return
	}
	l.out.fail(n, "retention-form", "weeks: [First], days: [Sunday], or dates: [1, last]",
		"points are picked either by weeks and days together, or by dates alone")
}

// checkWeekly checks the retention of a policy that runs on some days of the week.
func (l *linter) checkWeekly(r *Retention, s *Weekly) {
	if l.has(&r.Days) {
		l.out.fail(l.at(&r.Days), "retention", "remove it", "a policy that runs weekly cannot keep daily points")
	}
	switch {
	case l.said(&r.Weeks):
		l.checkWeeklyDays(r.Weeks, s)
	case !l.at(r).meant("weeks"):
		l.out.fail(l.at(r), "retention", "add weeks: {keep: 12, days: …}", "a policy that runs weekly must keep weekly points")
	}
	if r.Months != nil {
		l.checkWeeklyLong(&r.Months.Dates, &r.Months.Days, r.Months.Days, s)
	}
	if r.Years != nil {
		l.checkWeeklyLong(&r.Years.Dates, &r.Years.Days, r.Years.Days, s)
	}
}

func (l *linter) checkWeeklyDays(weeks *KeepWeeks, s *Weekly) {
	if weeks == nil || !l.has(&weeks.Days) || !l.has(&s.Days) || sameNames(weeks.Days, s.Days) {
		return
	}
	l.out.fail(l.at(&weeks.Days), "retention", "write days: ["+strings.Join(s.Days, ", ")+"]",
		"weekly points must be kept of the same days as the policy runs on")
}

// checkWeeklyLong checks the monthly or yearly points of a policy that runs weekly.
func (l *linter) checkWeeklyLong(dates, daysField any, days []string, s *Weekly) {
	if l.has(dates) {
		l.out.fail(l.at(dates), "retention", "use weeks and days", "a policy that runs weekly cannot pick points by date")
	}
	if !l.has(daysField) || !l.has(&s.Days) {
		return
	}
	for _, d := range days {
		if !slices.Contains(s.Days, d) {
			l.out.warn(l.at(daysField), "no-effect", "the policy runs on "+strings.Join(s.Days, ", "), "no point is ever kept for %s: no backup runs then", d)
		}
	}
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
