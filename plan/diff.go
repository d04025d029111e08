package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// DiffSpec returns the fields that differ between two policies, in the terms and the order of the config file. Values
// that the service rewrites by itself (docs/azure.md §8.2) never differ: lists are compared as sets, time zones
// without case.
func DiffSpec(before, after PolicySpec) []Field {
	b, a := before.normalize(), after.normalize()
	if strings.EqualFold(a.TimeZone, b.TimeZone) {
		a.TimeZone = b.TimeZone
	}
	var d fieldList
	d.add("tier", b.Tier, a.Tier)
	d.add("timeZone", b.TimeZone, a.TimeZone)
	d.add("schedule", b.Schedule.describe(), a.Schedule.describe())
	d.add("instantRestoreDays", describeCount(b.InstantRestoreDays), describeCount(a.InstantRestoreDays))
	d.add("retention.days", describeCount(b.Retention.Days), describeCount(a.Retention.Days))
	d.add("retention.weeks", b.Retention.Weeks.describe(), a.Retention.Weeks.describe())
	d.add("retention.months", b.Retention.Months.describe(), a.Retention.Months.describe())
	d.add("retention.years", b.Retention.Years.describe(), a.Retention.Years.describe())
	d.add("archive", b.Archive.describe(), a.Archive.describe())
	d.add("consistency", b.Consistency, a.Consistency)
	d.add("instantRestoreGroup", b.InstantRestore.describe(), a.InstantRestore.describe())
	return d
}

// DiffVault returns the settings of after whose value differs in before. A setting that after omits is not managed and
// never differs, nor does a tag that after lacks.
func DiffVault(before, after VaultSettings) []Field {
	var d fieldList
	if after.Location != "" && armid.Location(after.Location) != armid.Location(before.Location) {
		d.add("location", before.Location, after.Location)
	}
	d.addIfSet("redundancy", before.Redundancy, after.Redundancy)
	d.addIfSet("crossRegionRestore", describeBool(before.CrossRegionRestore), describeBool(after.CrossRegionRestore))
	d.addIfSet("softDeleteDays", describeInt(before.SoftDeleteDays), describeInt(after.SoftDeleteDays))
	d.addIfSet("immutability", before.Immutability, after.Immutability)
	d.addIfSet("publicNetworkAccess", describeBool(before.PublicNetworkAccess), describeBool(after.PublicNetworkAccess))
	for _, name := range slices.Sorted(maps.Keys(after.Tags)) {
		value, there := tagValue(before.Tags, name)
		if !there || value != after.Tags[name] {
			d = append(d, Field{Path: "tags." + name, Before: value, After: after.Tags[name]})
		}
	}
	return d
}

// tagValue returns the value of a tag by its name, without case.
func tagValue(tags map[string]string, name string) (string, bool) {
	spelled, there := tagName(tags, name)
	return tags[spelled], there
}

// tagName returns the spelling of a tag name among tags.
func tagName(tags map[string]string, name string) (string, bool) {
	if _, ok := tags[name]; ok {
		return name, true
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if strings.EqualFold(k, name) {
			return k, true
		}
	}
	return "", false
}

type fieldList []Field

func (d *fieldList) add(path, before, after string) {
	if before != after {
		*d = append(*d, Field{Path: path, Before: before, After: after})
	}
}

// addIfSet adds a difference where after sets a value; enum values compare without case.
func (d *fieldList) addIfSet(path, before, after string) {
	if after != "" && !strings.EqualFold(before, after) {
		*d = append(*d, Field{Path: path, Before: before, After: after})
	}
}

// SettingDrift is a difference between the file and a vault or a policy that was read.
type SettingDrift struct {
	Action Action // the action that [Make] plans; of a blocked change its [Change.Wanted]
	Target string // id of the vault or the policy
	Fields []Field
}

// SettingDrifts returns the drifts that [Make] finds in the vaults and policies of the file, in the order of its
// changes. It decides about no VM, and so does only a small part of the work of [Make].
func SettingDrifts(c *config.Config, o Observed, opt Options) []SettingDrift {
	o.VMs = nil // only the items of a vault or policy matter here, whatever VMs they back up
	m := newPlanner(c, &o, opt, nil)
	m.planVaults()
	m.planPolicies()
	m.sortChanges()
	out := make([]SettingDrift, 0, len(m.changes))
	for i := range m.changes {
		d := SettingDrift{m.changes[i].Action, m.changes[i].Target, m.changes[i].Fields}
		if d.Action == Blocked {
			d.Action = m.changes[i].Wanted
		}
		out = append(out, d)
	}
	return out
}
