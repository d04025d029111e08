package azure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// wirePolicy is a backup policy as listed (azure-api.md §8.2). Its properties are read twice: loosely, to see
// whether it is one for VMs, and strictly, because a schedule half understood must never be written.
type wirePolicy struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Properties json.RawMessage `json:"properties"`
}

type wirePolicyProperties struct {
	Management         string              `json:"backupManagementType,omitempty"`
	PolicyType         string              `json:"policyType,omitempty"` // absent or "" = V1
	Schedule           wireSchedule        `json:"schedulePolicy"`
	Retention          wireRetention       `json:"retentionPolicy"`
	InstantRestoreDays *int                `json:"instantRpRetentionRangeInDays,omitempty"`
	TimeZone           string              `json:"timeZone,omitempty"`
	Consistency        string              `json:"snapshotConsistencyType,omitempty"`
	Tiering            map[string]wireTier `json:"tieringPolicy,omitempty"`
	InstantRestore     *wireInstantRestore `json:"instantRPDetails,omitempty"`
	ItemsCount         int                 `json:"protectedItemsCount,omitempty"`
}

type wireInstantRestore struct {
	Prefix string `json:"azureBackupRGNamePrefix,omitempty"`
	Suffix string `json:"azureBackupRGNameSuffix,omitempty"`
}

type wireTier struct {
	Mode     string `json:"tieringMode"`
	Duration int    `json:"duration"`
	Unit     string `json:"durationType"`
}

type wireSchedule struct {
	Kind      string      `json:"schedulePolicyType"` // SimpleSchedulePolicy, SimpleSchedulePolicyV2
	Frequency string      `json:"scheduleRunFrequency"`
	Days      []string    `json:"scheduleRunDays,omitempty"`
	Times     []string    `json:"scheduleRunTimes,omitempty"`
	Hourly    *wireHourly `json:"hourlySchedule,omitempty"`
	Daily     *wireRuns   `json:"dailySchedule,omitempty"`
	Weekly    *wireRuns   `json:"weeklySchedule,omitempty"`
}

type wireHourly struct {
	Interval int    `json:"interval"`
	From     string `json:"scheduleWindowStartTime"`
	Window   int    `json:"scheduleWindowDuration"`
}

type wireRuns struct {
	Days  []string `json:"scheduleRunDays,omitempty"`
	Times []string `json:"scheduleRunTimes"`
}

type wireRetention struct {
	Kind    string    `json:"retentionPolicyType"` // LongTermRetentionPolicy
	Daily   *wireKeep `json:"dailySchedule,omitempty"`
	Weekly  *wireKeep `json:"weeklySchedule,omitempty"`
	Monthly *wireKeep `json:"monthlySchedule,omitempty"`
	Yearly  *wireKeep `json:"yearlySchedule,omitempty"`
}

// wireKeep is any of the four retention schedules; each uses its own subset of the fields.
type wireKeep struct {
	Days     []string         `json:"daysOfTheWeek,omitempty"` // weekly
	Format   string           `json:"retentionScheduleFormatType,omitempty"`
	Months   []string         `json:"monthsOfYear,omitempty"`
	Daily    *wireByDate      `json:"retentionScheduleDaily,omitempty"`
	Weekly   *wireByWeek      `json:"retentionScheduleWeekly,omitempty"`
	Times    []string         `json:"retentionTimes"`
	Duration wireKeepDuration `json:"retentionDuration"`
}

type wireKeepDuration struct {
	Count int    `json:"count"`
	Unit  string `json:"durationType"`
}

type wireByDate struct {
	Days []wireDate `json:"daysOfTheMonth"`
}

type wireDate struct {
	Date   int  `json:"date"`
	IsLast bool `json:"isLast"`
}

type wireByWeek struct {
	Days  []string `json:"daysOfTheWeek"`
	Weeks []string `json:"weeksOfTheMonth"`
}

// policy is the policy in plan's words; false = it is not one for VMs.
func (w wirePolicy) policy(vault string) (plan.Policy, bool) {
	var loose struct {
		Management string `json:"backupManagementType"`
		ItemsCount int    `json:"protectedItemsCount"`
	}
	if err := unmarshalTolerant(w.Properties, &loose); err != nil || loose.Management != "AzureIaasVM" {
		return plan.Policy{}, false
	}
	p := plan.Policy{ID: w.ID, Name: w.Name, Vault: vault, Items: loose.ItemsCount}
	var props wirePolicyProperties
	err := json.Unmarshal(w.Properties, &props)
	if err == nil {
		p.Spec, err = props.spec()
	}
	if err != nil {
		p.Unreadable = err.Error()
	}
	return p, true
}

// spec is the policy's normal form. What of it was understood is filled in even beside an error.
func (w wirePolicyProperties) spec() (plan.PolicySpec, error) {
	s := plan.PolicySpec{TimeZone: w.TimeZone, Tier: "Standard"}
	switch w.PolicyType {
	case "", "V1":
	case "V2":
		s.Tier = "Enhanced"
	default:
		return s, fmt.Errorf("policy type %q is not known", w.PolicyType)
	}
	if w.InstantRestoreDays != nil {
		s.InstantRestoreDays = *w.InstantRestoreDays
	}
	if w.Consistency == "OnlyCrashConsistent" {
		s.Consistency = "crash"
	}
	if r := w.InstantRestore; r != nil && *r != (wireInstantRestore{}) {
		s.InstantRestore = &plan.InstantRestoreSpec{Prefix: r.Prefix, Suffix: r.Suffix}
	}
	if t, ok := w.Tiering["ArchivedRP"]; ok {
		s.Archive = t.archive()
	}
	var err error
	if s.Schedule, err = w.Schedule.spec(); err != nil {
		return s, fmt.Errorf("its schedule: %w", err)
	}
	if s.Retention, err = w.Retention.spec(); err != nil {
		return s, fmt.Errorf("its retention: %w", err)
	}
	return s, nil
}

// archive is nil for the ways the service spells "no archive tier" (azure-api.md §8.2).
func (t wireTier) archive() *plan.ArchiveSpec {
	switch t.Mode {
	case "TierRecommended":
		return &plan.ArchiveSpec{Mode: t.Mode}
	case "TierAfter":
		return &plan.ArchiveSpec{Mode: t.Mode, After: t.Duration, Unit: t.Unit}
	}
	return nil
}

func (w wireSchedule) spec() (plan.ScheduleSpec, error) {
	s := plan.ScheduleSpec{Frequency: w.Frequency}
	runs := wireRuns{Days: w.Days, Times: w.Times}
	switch w.Kind {
	case "SimpleSchedulePolicy":
	case "SimpleSchedulePolicyV2":
		if w.Frequency == "Daily" && w.Daily != nil {
			runs = *w.Daily
		} else if w.Frequency == "Weekly" && w.Weekly != nil {
			runs = *w.Weekly
		}
	default:
		return s, fmt.Errorf("the kind %q is not known", w.Kind)
	}
	switch {
	case w.Frequency == "Hourly" && w.Hourly != nil:
		s.Every, s.Window = w.Hourly.Interval, w.Hourly.Window
		runs.Times = []string{w.Hourly.From}
	case w.Frequency == "Weekly":
		days, err := inOrder(runs.Days, weekdays())
		if err != nil {
			return s, err
		}
		s.Days = days
	case w.Frequency == "Daily":
	default:
		return s, fmt.Errorf("the frequency %q is not known", w.Frequency)
	}
	if len(runs.Times) != 1 {
		return s, fmt.Errorf("it has %d times, not one", len(runs.Times))
	}
	at, ok := clock(runs.Times[0])
	if !ok {
		return s, fmt.Errorf("%q is not a time", runs.Times[0])
	}
	s.At = at
	return s, nil
}

func (w wireRetention) spec() (plan.RetentionSpec, error) {
	var r plan.RetentionSpec
	if w.Kind != "LongTermRetentionPolicy" {
		return r, fmt.Errorf("the kind %q is not known", w.Kind)
	}
	var err error
	if w.Daily != nil {
		if r.Days, err = w.Daily.count("Days"); err != nil {
			return r, err
		}
	}
	if r.Weeks, err = w.Weekly.keep("Weeks"); err != nil {
		return r, err
	}
	if r.Months, err = w.Monthly.keep("Months"); err != nil {
		return r, err
	}
	r.Years, err = w.Yearly.keep("Years")
	return r, err
}

func (w *wireKeep) count(unit string) (int, error) {
	if w.Duration.Unit != unit || w.Duration.Count <= 0 {
		return 0, fmt.Errorf("%d %q is not a number of %s", w.Duration.Count, w.Duration.Unit, strings.ToLower(unit))
	}
	return w.Duration.Count, nil
}

func (w *wireKeep) keep(unit string) (*plan.KeepSpec, error) {
	if w == nil {
		return nil, nil //nolint:nilnil // such a schedule does not exist
	}
	n, err := w.count(unit)
	if err != nil {
		return nil, err
	}
	k := &plan.KeepSpec{Keep: n}
	switch {
	case unit == "Weeks":
		k.Days, err = inOrder(w.Days, weekdays())
	case w.Format == "Weekly" && w.Weekly != nil:
		if k.Days, err = inOrder(w.Weekly.Days, weekdays()); err == nil {
			k.Weeks, err = inOrder(w.Weekly.Weeks, weeks())
		}
	case w.Format == "Daily" && w.Daily != nil:
		k.Dates = w.Daily.dates()
	default:
		err = fmt.Errorf("the format %q is not known", w.Format)
	}
	if err == nil && unit == "Years" {
		k.Months, err = inOrder(w.Months, months())
	}
	return k, err
}

// dates are days of the month, ascending, the last day (0) behind them.
func (w wireByDate) dates() []int {
	var out []int
	for _, d := range w.Days {
		if d.IsLast {
			d.Date = 0
		}
		out = append(out, d.Date)
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare((a+31)%32, (b+31)%32) })
	return slices.Compact(out)
}

// inOrder sorts words by their place in order and refuses words that are not in it.
func inOrder(words, order []string) ([]string, error) {
	var out []string
	for _, w := range words {
		if !slices.Contains(order, w) {
			return nil, fmt.Errorf("the word %q is not known", w)
		}
	}
	for _, o := range order {
		if slices.Contains(words, o) {
			out = append(out, o)
		}
	}
	return out, nil
}

func weekdays() []string {
	var out []string
	for d := time.Sunday; d <= time.Saturday; d++ {
		out = append(out, d.String())
	}
	return out
}

func months() []string {
	var out []string
	for m := time.January; m <= time.December; m++ {
		out = append(out, m.String())
	}
	return out
}

func weeks() []string { return []string{"First", "Second", "Third", "Fourth", "Last"} }
