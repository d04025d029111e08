package plan

import (
	"slices"
	"strings"
)

// risks are all the risks of a change: [Change.Risk] is the worst of them, [Change.Also] are the others.
type risks struct {
	retention    bool // a recovery point that exists may be pruned earlier
	coverage     bool // fewer disks, less frequent or weaker backups
	stops        bool
	security     bool // the vault's protection is weakened
	irreversible bool
}

// worstAndRest returns the worst risk and the others, worst first.
func (r risks) worstAndRest() (Risk, []Risk) {
	var all []Risk
	for _, risk := range Risks() {
		if r.has(risk) {
			all = append(all, risk)
		}
	}
	switch len(all) {
	case 0:
		return RiskNone, nil
	case 1:
		return all[0], nil // nil, not an empty list, which JSON would not restore
	}
	return all[0], all[1:]
}

func (r risks) has(risk Risk) bool {
	switch risk {
	case RiskIrreversible:
		return r.irreversible
	case RiskWeakensSecurity:
		return r.security
	case RiskStopsBackup:
		return r.stops
	case RiskReducesRetention:
		return r.retention
	case RiskReducesCoverage:
		return r.coverage
	case RiskNone:
	}
	return false
}

func (r risks) union(other risks) risks {
	return risks{
		retention: r.retention || other.retention, coverage: r.coverage || other.coverage,
		stops: r.stops || other.stops, security: r.security || other.security, irreversible: r.irreversible || other.irreversible,
	}
}

// specRisks returns the risks for an item when its policy turns from before into after.
func specRisks(before, after PolicySpec) risks {
	b, a := before.normalize(), after.normalize()
	return risks{
		retention: a.InstantRestoreDays < b.InstantRestoreDays || shortensRetention(b, a),
		coverage: a.Schedule.startsFewer(b.Schedule) ||
			a.Consistency == ConsistencyCrash && b.Consistency != ConsistencyCrash,
	}
}

// shortensRetention reports whether the policy keeps a recovery point for less time, or no longer. Fewer days of
// instant restore only remove the point from a tier.
func shortensRetention(before, after PolicySpec) bool {
	b, a := before.normalize().Retention, after.normalize().Retention
	return a.Days < b.Days || !a.Weeks.covers(b.Weeks) || !a.Months.covers(b.Months) || !a.Years.covers(b.Years)
}

// covers reports whether every point that old selects is still selected, and for at least as long.
func (k *KeepSpec) covers(old *KeepSpec) bool {
	return old == nil || k != nil && k.Keep >= old.Keep && k.coversSelection(old)
}

// coversSelection reports whether every point that old selects is still selected. Selections by week and by date
// cannot be compared: a change of form counts as selecting less.
func (k *KeepSpec) coversSelection(old *KeepSpec) bool {
	return containsAll(k.Months, old.Months) && containsAll(k.Weeks, old.Weeks) &&
		containsAll(k.Days, old.Days) && containsAll(k.Dates, old.Dates)
}

func containsAll[T comparable](set, subset []T) bool {
	for _, v := range subset {
		if !slices.Contains(set, v) {
			return false
		}
	}
	return true
}

// startsFewer reports whether a schedule may start fewer backups a week than another.
func (s ScheduleSpec) startsFewer(old ScheduleSpec) bool {
	least, most := s.perWeek()
	oldLeast, oldMost := old.perWeek()
	return least < oldLeast || most < oldMost
}

// perWeek returns how many backups a schedule starts in a week. They differ where one may start at the end of an hourly
// window, which nobody has recorded (docs/azure.md §8.3).
func (s ScheduleSpec) perWeek() (least, most int) {
	switch s.Frequency {
	case FrequencyWeekly:
		return len(s.Days), len(s.Days)
	case FrequencyHourly:
		if s.Every > 0 {
			least = max(1, s.Window/s.Every)
			return 7 * least, 7 * max(least, min(s.Window/s.Every+1, 24/s.Every))
		}
	}
	return 7, 7
}

// dropsDisks reports whether after may leave out a disk that before backs up. The LUNs of a VM are not read, so an
// inclusion after an exclusion counts as fewer disks.
func dropsDisks(before, after *Disks) bool {
	b, a := before.normalize(), after.normalize()
	switch {
	case a == nil:
		return false
	case b == nil:
		return true
	case a.Include && b.Include:
		return !containsAll(a.LUNs, b.LUNs)
	case a.Include:
		return true
	case b.Include:
		return slices.ContainsFunc(b.LUNs, func(lun int) bool { return slices.Contains(a.LUNs, lun) })
	}
	return !containsAll(b.LUNs, a.LUNs)
}

// vaultRisks returns the risks of changing the settings of a vault (docs/azure.md §7.3). A setting that was not read,
// or has an unknown value, may have been the stronger one.
func vaultRisks(before, after VaultSettings) risks {
	return risks{
		security: isWeakerImmutability(before.Immutability, after.Immutability) ||
			isTrue(after.PublicNetworkAccess) && !isTrue(before.PublicNetworkAccess) ||
			after.SoftDeleteDays != nil && *after.SoftDeleteDays < softDeleteDays(before),
		irreversible: after.Redundancy != "" && !strings.EqualFold(after.Redundancy, before.Redundancy) ||
			isTrue(after.CrossRegionRestore) && !isTrue(before.CrossRegionRestore) ||
			strings.EqualFold(after.Immutability, immutabilityLocked) &&
				!strings.EqualFold(before.Immutability, immutabilityLocked),
	}
}

// isWeakerImmutability reports whether a vault may be less immutable after than before; after "" means that the file
// does not set it.
func isWeakerImmutability(before, after string) bool {
	return after != "" && immutabilityRank(after, 0) < immutabilityRank(before, len(immutabilities()))
}

// immutabilityRank returns the strength of an immutability value, or unknown for a value that is not known.
func immutabilityRank(word string, unknown int) int {
	for i, known := range immutabilities() {
		if strings.EqualFold(word, known) {
			return i
		}
	}
	return unknown
}

// immutabilities returns the values of immutability, weakest first.
func immutabilities() []string {
	return []string{immutabilityOff, immutabilityUnlocked, immutabilityLocked}
}

// softDeleteDays returns how many days a vault keeps deleted items; the service's default where the setting is absent.
func softDeleteDays(s VaultSettings) int {
	if s.SoftDeleteDays == nil {
		return DefaultSoftDeleteDays
	}
	return *s.SoftDeleteDays
}
