package simtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// fields are the checked fields of a vault, a policy or an item, by name; nil is a missing resource. They are read
// from the service's bodies, by a parser independent of the program's, and from the two sides of a change.
type fields map[string]string

const (
	stateDeleted   = "deleted"
	stateStopped   = "stopped"
	stateSuspended = "suspended"
	stateActive    = "active"
)

// fieldsOf reads a body of a section of an estate.
func fieldsOf(section string, body json.RawMessage) fields {
	if body == nil {
		return nil
	}
	read := map[string]func(json.RawMessage) fields{"vaults": vaultFields, "policies": policyFields, "protectedItems": itemFields}[section]
	return read(body)
}

// decode reads a body that the simulator wrote.
func decode(body json.RawMessage, into any) {
	if err := json.Unmarshal(body, into); err != nil {
		panic(err)
	}
}

func vaultFields(body json.RawMessage) fields {
	var w struct {
		Tags       map[string]string
		Properties struct {
			PublicNetworkAccess string
			SecuritySettings    struct {
				ImmutabilitySettings struct{ State string }
				SoftDeleteSettings   struct{ SoftDeleteRetentionPeriodInDays int }
			}
			RedundancySettings struct{ StandardTierStorageRedundancy, CrossRegionRestore string }
		}
	}
	decode(body, &w)
	p := w.Properties
	f := fields{"immutability": "Disabled", "softDeleteDays": strconv.Itoa(p.SecuritySettings.SoftDeleteSettings.SoftDeleteRetentionPeriodInDays)}
	if s := p.SecuritySettings.ImmutabilitySettings.State; s != "" {
		f["immutability"] = s
	}
	f["publicNetworkAccess"] = strconv.FormatBool(p.PublicNetworkAccess == "Enabled")
	f["redundancy"] = p.RedundancySettings.StandardTierStorageRedundancy
	f["crossRegionRestore"] = strconv.FormatBool(p.RedundancySettings.CrossRegionRestore == "Enabled")
	for name, value := range w.Tags {
		f["tags."+strings.ToLower(name)] = value
	}
	return f
}

type keepBody struct {
	DaysOfTheWeek     []string
	RetentionDuration struct {
		Count        int
		DurationType string
	}
}

func (k *keepBody) describe() string {
	if k == nil {
		return ""
	}
	return describeKeep(k.RetentionDuration.Count, k.DaysOfTheWeek)
}

func describeKeep(count int, days []string) string {
	return fmt.Sprint(append([]string{strconv.Itoa(count)}, days...))
}

func policyFields(body json.RawMessage) fields {
	var w struct {
		Properties struct {
			BackupManagementType string
			PolicyType           string
			SchedulePolicy       struct {
				ScheduleRunFrequency              string
				ScheduleRunDays, ScheduleRunTimes []string
			}
			RetentionPolicy               struct{ DailySchedule, WeeklySchedule, MonthlySchedule, YearlySchedule *keepBody }
			InstantRpRetentionRangeInDays int
			TimeZone                      string
		}
	}
	decode(body, &w)
	p := w.Properties
	if !strings.EqualFold(p.BackupManagementType, "AzureIaasVM") {
		return fields{"kind": p.BackupManagementType}
	}
	at := ""
	if len(p.SchedulePolicy.ScheduleRunTimes) > 0 {
		_, at, _ = strings.Cut(p.SchedulePolicy.ScheduleRunTimes[0], "T")
		at = at[:min(len(at), len("22:00"))]
	}
	r := p.RetentionPolicy
	return fields{
		"schedule": describeSchedule(p.SchedulePolicy.ScheduleRunFrequency, at, p.SchedulePolicy.ScheduleRunDays),
		"days":     r.DailySchedule.describe(), "weeks": r.WeeklySchedule.describe(), "months": r.MonthlySchedule.describe(), "years": r.YearlySchedule.describe(),
		"instant": strconv.Itoa(p.InstantRpRetentionRangeInDays), "zone": p.TimeZone,
	}
}

func describeSchedule(frequency, at string, days []string) string {
	return fmt.Sprint(append([]string{frequency, at}, days...))
}

func itemFields(body json.RawMessage) fields {
	var w struct {
		Properties struct {
			SourceResourceID             string
			ProtectionState              string
			PolicyID                     string
			IsScheduledForDeferredDelete bool
			ExtendedProperties           struct{ DiskExclusionProperties *disks }
		}
	}
	decode(body, &w)
	p := w.Properties
	f := fields{
		"state": describeItemState(p.ProtectionState, p.IsScheduledForDeferredDelete), "policy": string(armid.Of(p.PolicyID)),
		"vm": string(armid.Of(p.SourceResourceID)), "disks": "",
	}
	if d := p.ExtendedProperties.DiskExclusionProperties; d != nil {
		f["disks"] = describeDisks(d.Include, d.LUNs)
	}
	return f
}

func describeItemState(state string, deleted bool) string {
	switch {
	case deleted || state == plan.StateSoftDeleted:
		return stateDeleted
	case state == "ProtectionStopped":
		return stateStopped
	case state == "BackupsSuspended":
		return stateSuspended
	case state == "IRPending" || state == "Protected" || state == "ProtectionError":
		return stateActive
	}
	return state
}

func describeDisks(include bool, luns []int) string {
	if !include && len(luns) == 0 {
		return "" // nothing is left out
	}
	luns = slices.Sorted(slices.Values(luns))
	return fmt.Sprint(map[bool]string{true: "only", false: "without"}[include], luns)
}

// sideOf returns one side of a change: the resource's fields in the plan. Nil: the resource does not exist.
func sideOf(s *plan.State) fields {
	switch {
	case s == nil:
		return nil
	case s.Spec != nil:
		return specFields(*s.Spec)
	case s.Vault != nil:
		return settingsFields(*s.Vault)
	}
	f := fields{"state": describeItemState(s.State, false), "policy": string(armid.Of(s.Policy)), "disks": ""}
	if s.Disks != nil {
		f["disks"] = describeDisks(s.Disks.Include, s.Disks.LUNs)
	}
	return f
}

func specFields(s plan.PolicySpec) fields {
	f := fields{
		"schedule": describeSchedule(s.Schedule.Frequency, s.Schedule.At, s.Schedule.Days),
		"days":     "", "weeks": "", "months": "", "years": "", "instant": strconv.Itoa(s.InstantRestoreDays), "zone": s.TimeZone,
	}
	if s.Retention.Days > 0 {
		f["days"] = describeKeep(s.Retention.Days, nil)
	}
	for name, k := range map[string]*plan.KeepSpec{"weeks": s.Retention.Weeks, "months": s.Retention.Months, "years": s.Retention.Years} {
		if k != nil {
			f[name] = describeKeep(k.Keep, k.Days)
		}
	}
	return f
}

func settingsFields(s plan.VaultSettings) fields {
	f := fields{}
	if s.Redundancy != "" {
		f["redundancy"] = s.Redundancy
	}
	if s.CrossRegionRestore != nil {
		f["crossRegionRestore"] = strconv.FormatBool(*s.CrossRegionRestore)
	}
	if s.SoftDeleteDays != nil {
		f["softDeleteDays"] = strconv.Itoa(*s.SoftDeleteDays)
	}
	if s.Immutability != "" {
		f["immutability"] = s.Immutability
	}
	if s.PublicNetworkAccess != nil {
		f["publicNetworkAccess"] = strconv.FormatBool(*s.PublicNetworkAccess)
	}
	for name, value := range s.Tags {
		f["tags."+strings.ToLower(name)] = value
	}
	return f
}

// isLower reports whether a field that went from before to after protects less: retention, coverage or security.
func isLower(field, before, after string) bool {
	number := func(s string) int {
		n := 0
		_, _ = fmt.Sscan(strings.Trim(s, "[]"), &n)
		return n
	}
	switch field {
	case "days", "weeks", "months", "years", "instant", "softDeleteDays":
		return number(after) < number(before)
	case "schedule":
		return strings.Contains(after, "Weekly") && !strings.Contains(before, "Weekly")
	case "state":
		// A stopped item keeps every recovery point: once backups continue, points expire again.
		order := []string{stateDeleted, stateStopped, stateSuspended, stateActive}
		return slices.Index(order, after) < slices.Index(order, before) || before == stateStopped && after == stateActive
	case "disks":
		return after != "" && after != before && (before == "" || strings.HasPrefix(after, "only") || strings.HasPrefix(before, "only"))
	case "immutability":
		return before != "Disabled" && after == "Disabled"
	case "publicNetworkAccess":
		return before == "false" && after == "true"
	case "kind":
		return true // something else is overwritten
	}
	return false
}
