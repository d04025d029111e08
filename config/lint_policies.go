package config

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// tierStandard and tierEnhanced are the values of `tier`. A policy that does not say is Standard: Azure takes a
// policy without a type for one (docs/azure.md §8.2).
const (
	tierStandard = "Standard"
	tierEnhanced = "Enhanced"
)

// policyName is what Azure takes as the name of a policy (docs/azure.md §8.3).
var policyName = regexp.MustCompile(`^[a-zA-Z][-_!a-zA-Z0-9]{2,149}$`)

func (l *linter) checkPolicies() {
	unique := l.newNameChecker("the policy")
	for i := range l.c.Policies {
		p := &l.c.Policies[i]
		if l.nodeOf(p).isInvalid {
			continue
		}
		if l.isSetAndValid(&p.Name) {
			unique.add(l.nodeOf(&p.Name), p.Name)
			if p.Manage && !policyName.MatchString(p.Name) {
				l.out.fail(l.nodeOf(&p.Name), "policy-name", "letters, digits, - _ and !, 3 to 150 characters, a letter first",
					"a policy cannot be named %s", quote(p.Name))
			}
		}
		l.resolve(p.Vaults, func(i int) *node { return l.decoder.positions[&p.Vaults[i]] }, true)
		l.checkManagedPolicy(p)
		l.checkTier(p)
		l.checkSchedule(p)
		l.checkRetention(p)
		l.checkArchive(p)
		l.checkInstantOfWeekly(p)
	}
}

// checkInstantOfWeekly warns of what Azure may refuse: users report that a weekly Enhanced policy must keep instant
// points 5 days, as a Standard one must, and nothing of Azure's says so (docs/azure.md §32).
func (l *linter) checkInstantOfWeekly(p *Policy) {
	days := p.InstantRestoreDays
	weekly := p.Manage && p.Tier == tierEnhanced && p.Schedule != nil && p.Schedule.Weekly != nil
	if !weekly || l.isSet(&p.InstantRestoreDays) && !l.isSetAndValid(&p.InstantRestoreDays) || days != nil && *days == 5 {
		return
	}
	l.out.warn(l.nodeOf(&p.InstantRestoreDays, &p.Schedule.Weekly), "instant-restore", "write instantRestoreDays: 5 if Azure refuses the policy",
		"an Enhanced policy that runs weekly may have to keep instant points 5 days: some were refused with less, which is not documented")
}

// checkManagedPolicy checks that a policy that is written is complete, and that keys that only a write uses are in one that is written.
func (l *linter) checkManagedPolicy(p *Policy) {
	settings := []struct {
		field    any
		key      string
		required bool
	}{
		{&p.TimeZone, "timeZone", true},
		{&p.Schedule, "schedule", true},
		{&p.Retention, "retention", true},
		{&p.InstantRestoreDays, "instantRestoreDays", false},
		{&p.Archive, "archive", false},
		{&p.Consistency, "consistency", false},
		{&p.InstantRestoreGroup, "instantRestoreGroup", false},
	}
	for _, s := range settings {
		switch {
		case p.Manage && s.required && !l.isSet(s.field) && !l.nodeOf(p).suggests(s.key):
			l.out.fail(l.nodeOf(&p.Name, p), "missing-key", "a policy with manage: true is written whole", "the policy lacks the key %s", quote(s.key))
		case !p.Manage && l.isSetAndValid(s.field) && !l.isSet(&p.Manage):
			l.out.warn(l.nodeOf(s.field), "unmanaged", "add manage: true, or remove it", "this is never written: the policy is not managed")
		}
	}
}

// checkTier checks what only Enhanced policies have (docs/azure.md §8.3).
func (l *linter) checkTier(p *Policy) {
	if l.isSet(&p.Tier) && !l.isSetAndValid(&p.Tier) || p.Tier == tierEnhanced {
		return
	}
	if p.Schedule != nil && p.Schedule.Hourly != nil {
		l.out.fail(l.nodeOf(&p.Schedule.Hourly), "tier", "add tier: Enhanced", "only an Enhanced policy backs up several times a day")
	}
	if p.Consistency == "crash" {
		l.out.fail(l.nodeOf(&p.Consistency), "tier", "add tier: Enhanced", "only an Enhanced policy takes crash-consistent points of all disks together")
	}
	if !l.isSetAndValid(&p.InstantRestoreDays) {
		return
	}
	days, n := *p.InstantRestoreDays, l.nodeOf(&p.InstantRestoreDays)
	switch {
	case p.Schedule != nil && p.Schedule.Weekly != nil && days != 5:
		l.out.fail(n, "instant-restore", "write 5, or use tier: Enhanced", "a Standard policy that runs weekly keeps instant points 5 days, not %d", days)
	case days > 5:
		l.out.fail(n, "instant-restore", "Enhanced policies allow 1 to 30", "a Standard policy keeps instant points 1 to 5 days, not %d", days)
	}
}

// checkSchedule checks hourly schedules (docs/azure.md §8.3).
func (l *linter) checkSchedule(p *Policy) {
	if p.Schedule == nil || p.Schedule.Hourly == nil {
		return
	}
	h := p.Schedule.Hourly
	every := []time.Duration{4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour}
	if !l.isSetAndValid(&h.Every) {
		return
	}
	if !slices.Contains(every, h.Every) {
		l.out.fail(l.nodeOf(&h.Every), "hourly", "", "backups may run every 4h, 6h, 8h or 12h, not every %s", formatHours(h.Every))
		return
	}
	if !l.isSetAndValid(&h.Window) {
		return
	}
	if h.Window > 24*time.Hour || h.Window%h.Every != 0 { // a multiple of every is 4h or longer
		l.out.fail(l.nodeOf(&h.Window), "hourly", "", "the window must be 4h to 24h long and a multiple of %s, not %s", formatHours(h.Every), formatHours(h.Window))
	}
}

// formatHours prints a duration the way the file writes it.
func formatHours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

// checkArchive checks what may move to the archive tier (docs/azure.md §8.3).
func (l *linter) checkArchive(p *Policy) {
	if !l.isSetAndValid(&p.Archive) || p.Archive == nil || !l.isSetAndValid(&p.Retention) || p.Retention == nil {
		return
	}
	if p.Tier == tierEnhanced && p.Schedule != nil && p.Schedule.Weekly != nil {
		l.out.fail(l.nodeOf(&p.Archive), "archive", "", "Azure refuses an archive tier for an Enhanced policy that runs weekly")
		return
	}
	longest := p.Retention.longestMonths()
	need, why := 9, "points that Azure recommends for it live at least 9 months"
	if !p.Archive.Recommended {
		if !l.isSetAndValid(&p.Archive.AfterMonths) {
			return
		}
		const remaining = 6
		need = p.Archive.AfterMonths + remaining
		why = fmt.Sprintf("a point moves after %d months and must stay there %d more", p.Archive.AfterMonths, remaining)
	}
	if longest < need {
		l.out.fail(l.nodeOf(&p.Archive), "archive", fmt.Sprintf("keep monthly or yearly points for %d months or longer", need),
			"no monthly or yearly point lives long enough to be archived: %s", why)
	}
}

// longestMonths returns how long the longest-lived monthly or yearly point is kept, in months.
func (r *Retention) longestMonths() int {
	months := 0
	if r.Months != nil {
		months = r.Months.Keep
	}
	if r.Years != nil {
		months = max(months, 12*r.Years.Keep)
	}
	return months
}
