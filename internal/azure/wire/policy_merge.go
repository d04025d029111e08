package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// MergePolicy writes into properties, those of a policy as it was read, the fields in which before and after differ;
// empty properties become those of a new policy. It writes schedule and retention together, because their times must be
// equal (docs/azure.md §8.3). What stands beside the fields that it writes stays, within their objects too: another
// archive tier, or a retention that this program does not know. Where before cannot become after, or properties are not
// JSON, it returns an error. now is the service's time, for the dates of run times.
func MergePolicy(properties map[string]json.RawMessage, before, after plan.PolicySpec, now time.Time) error {
	creating := len(properties) == 0
	if !creating && after.Tier != "" && after.Tier != before.Tier {
		return fmt.Errorf("it is %s and cannot become %s", before.Tier, after.Tier)
	}
	spellNames(properties, policyProperties{})
	over := pastDay(now)
	set := map[string]any{}
	if creating {
		set["backupManagementType"] = "AzureIaasVM"
		if after.Tier == plan.TierEnhanced {
			set["policyType"] = "V2"
		}
	}
	after = FillUnset(before, after)
	for _, f := range plan.DiffSpec(before, after) {
		switch part, _, _ := strings.Cut(f.Path, "."); part {
		case "schedule", "retention":
			at := runTime(after.Schedule.At, over)
			set["schedulePolicy"] = newPolicySchedule(after, at)
			set["retentionPolicy"] = newPolicyRetention(after.Retention, at)
		case "timeZone":
			set["timeZone"] = after.TimeZone
		case "instantRestoreDays":
			set["instantRpRetentionRangeInDays"] = after.InstantRestoreDays
		case "archive":
			set["tieringPolicy"] = tiering{newArchiveTier(*after.Archive)}
		case "instantRestoreGroup":
			set["instantRPDetails"] = instantRestore{Prefix: after.InstantRestore.Prefix, Suffix: after.InstantRestore.Suffix}
		case "consistency":
			delete(properties, "snapshotConsistencyType") // omission is the default
			if after.Consistency == plan.ConsistencyCrash {
				set["snapshotConsistencyType"] = "OnlyCrashConsistent"
			}
		}
	}
	for k, v := range set {
		raw, err := overlay(properties[k], v)
		if err != nil {
			return err
		}
		properties[k] = raw
	}
	for _, k := range []string{"schedulePolicy", "retentionPolicy"} {
		raw, there := properties[k]
		if !there {
			continue
		}
		var err error
		if properties[k], err = clampDates(over, raw); err != nil {
			return err
		}
	}
	return nil
}

// overlay returns the JSON of v. Where v is an object and old is one, the members of old that v's type does not have are
// kept; those that it has are v's alone.
func overlay(old json.RawMessage, v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil || reflect.TypeOf(v).Kind() != reflect.Struct || len(old) == 0 {
		return raw, err
	}
	var members, written map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(old, &members), json.Unmarshal(raw, &written)); err != nil {
		return nil, err
	}
	spellNames(members, v)
	for _, name := range memberNames(v) {
		delete(members, name)
	}
	if len(members) == 0 {
		return raw, nil
	}
	maps.Copy(members, written)
	return json.Marshal(members)
}

// spellNames renames the members of an object as the type of v spells them: they were read without case, and a write must
// not name one of them twice.
func spellNames(members map[string]json.RawMessage, v any) {
	for _, name := range memberNames(v) {
		for spelled, value := range members {
			if spelled != name && strings.EqualFold(spelled, name) {
				delete(members, spelled)
				members[name] = value
			}
		}
	}
}

// memberNames returns the names of a struct's members in JSON.
func memberNames(v any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// pastDay returns a day that has ended in every time zone, whatever the hour: zones reach from UTC-12 to UTC+14. An
// update with a run or retention time in the future of the policy's zone is refused, schedule and retention alike
// (docs/azure.md §32).
func pastDay(now time.Time) string { return now.UTC().AddDate(0, 0, -2).Format(time.DateOnly) }

// runTime formats a time of day as the documentation wants it, as a full date and time; only the time of day counts
// (docs/azure.md §8.2).
func runTime(at, day string) string { return day + "T" + at + ":00Z" }

// clampDates moves the date of every time in raw that is later than day back to it. The service dates a policy anew
// when it is written, so a document sent back as read may be in the future too. Without such a time raw is returned
// unchanged, byte for byte.
func clampDates(day string, raw json.RawMessage) (json.RawMessage, error) {
	moved := false
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case string:
			date, clock, dated := strings.Cut(v, "T")
			if _, err := time.Parse(time.DateOnly, date); dated && err == nil && date > day {
				moved = true
				return day + "T" + clock
			}
		}
		return v
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if value = walk(value); !moved {
		return raw, nil
	}
	return json.Marshal(value)
}

func newPolicySchedule(s plan.PolicySpec, at string) policySchedule {
	w := policySchedule{Kind: "SimpleSchedulePolicy", Frequency: s.Schedule.Frequency}
	runs := scheduleRuns{Days: s.Schedule.Days, Times: []string{at}}
	if s.Tier != plan.TierEnhanced {
		w.Days, w.Times = runs.Days, runs.Times
		return w
	}
	w.Kind = "SimpleSchedulePolicyV2"
	switch s.Schedule.Frequency {
	case plan.FrequencyHourly:
		w.Hourly = &hourlySchedule{Interval: s.Schedule.Every, From: at, Window: s.Schedule.Window}
	case plan.FrequencyWeekly:
		w.Weekly = &runs
	default:
		w.Daily = &runs
	}
	return w
}

func newPolicyRetention(r plan.RetentionSpec, at string) policyRetention {
	w := policyRetention{Kind: "LongTermRetentionPolicy"}
	keep := func(n int, unit string) *retentionSchedule {
		return &retentionSchedule{Times: []string{at}, Duration: retentionDuration{Count: n, Unit: unit}}
	}
	if r.Days > 0 {
		w.Daily = keep(r.Days, "Days")
	}
	if k := r.Weeks; k != nil {
		w.Weekly = keep(k.Keep, "Weeks")
		w.Weekly.Days = k.Days
	}
	if k := r.Months; k != nil {
		w.Monthly = keep(k.Keep, "Months")
		w.Monthly.setSelection(*k)
	}
	if k := r.Years; k != nil {
		w.Yearly = keep(k.Keep, "Years")
		w.Yearly.Months = k.Months
		w.Yearly.setSelection(*k)
	}
	return w
}

// setSelection sets which points of a month or year are kept: by date, or by week and day.
func (w *retentionSchedule) setSelection(k plan.KeepSpec) {
	if len(k.Dates) == 0 {
		w.Format, w.Weekly = "Weekly", &retentionByWeek{Days: k.Days, Weeks: k.Weeks}
		return
	}
	w.Format, w.Daily = "Daily", &retentionByDate{}
	for _, d := range k.Dates {
		w.Daily.Days = append(w.Daily.Days, monthDay{Date: d, IsLast: d == 0})
	}
}

// newArchiveTier returns TierRecommended in the one shape that was recorded (docs/azure.md §8.2).
func newArchiveTier(a plan.ArchiveSpec) archiveTier {
	if a.Mode == "TierAfter" {
		return archiveTier{Mode: a.Mode, Duration: a.After, Unit: a.Unit}
	}
	return archiveTier{Mode: a.Mode, Unit: "Invalid"}
}

// FillUnset returns the wanted policy with the fields that it does not set as in the current one. Schedule, retention and
// consistency are always set: the zero consistency is Azure's default.
func FillUnset(got, want plan.PolicySpec) plan.PolicySpec {
	want.Tier = cmp.Or(want.Tier, got.Tier)
	want.TimeZone = cmp.Or(want.TimeZone, got.TimeZone)
	if want.InstantRestoreDays == 0 {
		want.InstantRestoreDays = got.InstantRestoreDays
	}
	if want.Archive == nil {
		want.Archive = got.Archive
	}
	if want.InstantRestore == nil {
		want.InstantRestore = got.InstantRestore
	}
	return want
}
