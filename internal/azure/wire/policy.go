package wire

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Policy is a backup policy as listed (docs/azure.md §8.2). Its properties are decoded twice: loosely, to recognise
// a policy for VMs, and strictly, because a half-understood schedule must never be written.
type Policy struct {
	tolerantRow
	ID         Field           `json:"id"`
	Name       Field           `json:"name"`
	Properties json.RawMessage `json:"properties"`
}

type policyProperties struct {
	Management         string                 `json:"backupManagementType,omitempty"`
	PolicyType         string                 `json:"policyType,omitempty"` // absent or "" = V1
	Schedule           policySchedule         `json:"schedulePolicy"`
	Retention          policyRetention        `json:"retentionPolicy"`
	InstantRestoreDays *int                   `json:"instantRpRetentionRangeInDays,omitempty"`
	TimeZone           string                 `json:"timeZone,omitempty"`
	Consistency        string                 `json:"snapshotConsistencyType,omitempty"`
	Tiering            map[string]archiveTier `json:"tieringPolicy,omitempty"`
	InstantRestore     *instantRestore        `json:"instantRPDetails,omitempty"`
	ItemsCount         int                    `json:"protectedItemsCount,omitempty"`
}

type instantRestore struct {
	Prefix string `json:"azureBackupRGNamePrefix,omitempty"`
	Suffix string `json:"azureBackupRGNameSuffix,omitempty"`
}

// tiering is a policy's tieringPolicy as it is written: its other tiers are kept.
type tiering struct {
	Archived archiveTier `json:"ArchivedRP"`
}

type archiveTier struct {
	Mode     string `json:"tieringMode"`
	Duration int    `json:"duration"`
	Unit     string `json:"durationType"`
}

type policySchedule struct {
	Kind      string          `json:"schedulePolicyType"` // SimpleSchedulePolicy, SimpleSchedulePolicyV2
	Frequency string          `json:"scheduleRunFrequency"`
	Days      []string        `json:"scheduleRunDays,omitempty"`
	Times     []string        `json:"scheduleRunTimes,omitempty"`
	Hourly    *hourlySchedule `json:"hourlySchedule,omitempty"`
	Daily     *scheduleRuns   `json:"dailySchedule,omitempty"`
	Weekly    *scheduleRuns   `json:"weeklySchedule,omitempty"`
	// EveryWeeks is the number of weeks from one run to the next: 0 in every policy for VMs that was recorded.
	EveryWeeks int `json:"scheduleWeeklyFrequency,omitempty"`
}

type hourlySchedule struct {
	Interval int    `json:"interval"`
	From     string `json:"scheduleWindowStartTime"`
	Window   int    `json:"scheduleWindowDuration"`
}

type scheduleRuns struct {
	Days  []string `json:"scheduleRunDays,omitempty"`
	Times []string `json:"scheduleRunTimes"`
}

type policyRetention struct {
	Kind    string             `json:"retentionPolicyType"` // LongTermRetentionPolicy
	Daily   *retentionSchedule `json:"dailySchedule,omitempty"`
	Weekly  *retentionSchedule `json:"weeklySchedule,omitempty"`
	Monthly *retentionSchedule `json:"monthlySchedule,omitempty"`
	Yearly  *retentionSchedule `json:"yearlySchedule,omitempty"`
}

// retentionSchedule is any of the four retention schedules; each uses some of the fields.
type retentionSchedule struct {
	Days     []string          `json:"daysOfTheWeek,omitempty"` // weekly
	Format   string            `json:"retentionScheduleFormatType,omitempty"`
	Months   []string          `json:"monthsOfYear,omitempty"`
	Daily    *retentionByDate  `json:"retentionScheduleDaily,omitempty"`
	Weekly   *retentionByWeek  `json:"retentionScheduleWeekly,omitempty"`
	Times    []string          `json:"retentionTimes"`
	Duration retentionDuration `json:"retentionDuration"`
}

type retentionDuration struct {
	Count int    `json:"count"`
	Unit  string `json:"durationType"`
}

type retentionByDate struct {
	Days []monthDay `json:"daysOfTheMonth"`
}

type monthDay struct {
	Date   int  `json:"date"`
	IsLast bool `json:"isLast"`
}

type retentionByWeek struct {
	Days  []string `json:"daysOfTheWeek"`
	Weeks []string `json:"weeksOfTheMonth"`
}

// NotVMPolicyError reports a policy that is certainly not for VMs.
type NotVMPolicyError struct {
	Workload string // as the service calls it
}

func (e *NotVMPolicyError) Error() string {
	return "it is a policy for " + Quote(e.Workload) + ", not for VMs"
}

// ToPlan converts w to plan's type. An unknown kind of schedule or retention is in its Unreadable; an error means
// that it is not known to be a policy for VMs, or known not to be one (*[NotVMPolicyError]).
func (w Policy) ToPlan(vault string) (plan.Policy, error) {
	r := &fieldReader{}
	r.checkForm(w.tolerantRow)
	_, name := armid.CutName(r.id("id", w.ID))
	if word := w.Name.Text(); strings.EqualFold(word, name) {
		name = word
	}
	p := plan.Policy{ID: w.ID.Text(), Name: name, Vault: vault}
	var loose struct {
		tolerantRow
		Management Field `json:"backupManagementType"`
		Workload   Field `json:"workLoadType"`
		ItemsCount Field `json:"protectedItemsCount"`
	}
	switch err := Unmarshal(w.Properties, &loose); {
	case len(w.Properties) == 0:
		r.addProblem("properties is missing")
	case err != nil, loose.wrong != "", string(w.Properties) == "null":
		r.addProblem("properties is %s", Printable(string(w.Properties)))
	}
	var isCounted bool
	p.Items, isCounted = loose.ItemsCount.parseNumber(math.MaxInt32)
	switch workloadKindOf(loose.Management) {
	case kindVM:
	case kindOther:
		return p, &NotVMPolicyError{Workload: cmp.Or(loose.Workload.Text(), string(loose.Management))}
	case kindUnset:
		if r.describeProblems() == "" {
			r.addProblem("backupManagementType is missing")
		}
	case kindUnknown:
		r.recordMisread("backupManagementType", loose.Management)
	}
	if odd := r.describeProblems(); odd != "" {
		return p, errors.New(odd)
	}
	var props policyProperties
	err := json.Unmarshal(w.Properties, &props)
	if err == nil {
		p.Spec, err = props.spec()
	}
	if err == nil && !isCounted { // it decides whether a shorter retention costs a recovery point
		err = fmt.Errorf("protectedItemsCount is %s", loose.ItemsCount.Printable())
	}
	if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		err = fmt.Errorf("%s is of type %s", wrong.Field, wrong.Value)
	}
	if err != nil {
		p.Unreadable = err.Error()
	}
	return p, nil
}

// IsCounted reports whether the document of the policy says how many items are under it.
func (w Policy) IsCounted() bool {
	var loose struct {
		ItemsCount Field `json:"protectedItemsCount"`
	}
	return json.Unmarshal(w.Properties, &loose) == nil && loose.ItemsCount != ""
}

// IsPolicyOf reports whether an id is that of a policy of a vault.
func IsPolicyOf(id, vault string) bool {
	_, ok := cutKindAndName(id, vaultPrefixLen(id, vault), "backupPolicies")
	return ok && len(id) <= MaxID
}

// spec returns the policy's normal form. With an error it holds the part that was understood.
func (w policyProperties) spec() (plan.PolicySpec, error) {
	s := plan.PolicySpec{TimeZone: w.TimeZone, Tier: "Standard"}
	switch strings.ToUpper(w.PolicyType) {
	case "", "V1":
	case "V2":
		s.Tier = "Enhanced"
	default:
		return s, fmt.Errorf("policy type %s is not known", Quote(w.PolicyType))
	}
	switch {
	case w.TimeZone == "" || len(w.TimeZone) > maxWord:
		return s, fmt.Errorf("its time zone is %s", Quote(w.TimeZone))
	case w.InstantRestoreDays == nil:
		return s, errors.New("it does not say instantRpRetentionRangeInDays")
	case *w.InstantRestoreDays < 1 || *w.InstantRestoreDays > maxInstantDays:
		return s, fmt.Errorf("instantRpRetentionRangeInDays is %d", *w.InstantRestoreDays)
	}
	s.InstantRestoreDays = *w.InstantRestoreDays
	switch {
	case w.Consistency == "":
	case strings.EqualFold(w.Consistency, "OnlyCrashConsistent"):
		s.Consistency = "crash"
	default:
		return s, fmt.Errorf("the consistency %s is not known", Quote(w.Consistency))
	}
	if r := w.InstantRestore; r != nil && *r != (instantRestore{}) {
		if len(r.Prefix)+len(r.Suffix) > maxWord {
			return s, fmt.Errorf("the group of instant restore is %s", Quote(r.Prefix+"…"+r.Suffix))
		}
		s.InstantRestore = &plan.InstantRestoreSpec{Prefix: r.Prefix, Suffix: r.Suffix}
	}
	var err error
	for name, t := range w.Tiering {
		if strings.EqualFold(name, "ArchivedRP") {
			if s.Archive, err = t.archive(); err != nil {
				return s, err
			}
		}
	}
	if s.Schedule, err = w.Schedule.spec(); err != nil {
		return s, fmt.Errorf("its schedule: %w", err)
	}
	if s.Retention, err = w.Retention.spec(); err != nil {
		return s, fmt.Errorf("its retention: %w", err)
	}
	// The retention for the schedule's points is required (docs/azure.md §8.3): without it, the policy was not
	// understood.
	weekly := s.Schedule.Frequency == plan.FrequencyWeekly
	if weekly && s.Retention.Weeks == nil || !weekly && s.Retention.Days == 0 {
		return s, errors.New("its retention: nothing is said of the backups that its schedule makes")
	}
	return s, nil
}

// archive returns nil for each of the service's spellings of "no archive tier" (docs/azure.md §8.2).
func (t archiveTier) archive() (*plan.ArchiveSpec, error) {
	switch mode := canonicalWord(t.Mode, plan.ArchiveRecommended, plan.ArchiveAfter, "DoNotTier", "Invalid", ""); mode {
	case plan.ArchiveRecommended:
		return &plan.ArchiveSpec{Mode: mode}, nil
	case plan.ArchiveAfter:
		unit := canonicalWord(t.Unit, "Days", "Months")
		if (unit != "Days" && unit != "Months") || t.Duration <= 0 || t.Duration > maxDays {
			return nil, fmt.Errorf("the archive after %d %s is not known", t.Duration, Quote(t.Unit))
		}
		return &plan.ArchiveSpec{Mode: mode, After: t.Duration, Unit: unit}, nil
	case "DoNotTier", "Invalid", "":
		return nil, nil //nolint:nilnil // there is no archive tier
	default:
		return nil, fmt.Errorf("the archive mode %s is not known", Quote(mode))
	}
}

// canonicalWord returns a word in the spelling of the known words, ignoring case; an unknown word is returned
// unchanged.
func canonicalWord(word string, known ...string) string {
	for _, k := range known {
		if strings.EqualFold(word, k) {
			return k
		}
	}
	return word
}

// The service's longest retentions (docs/azure.md §8.3). A longer one is not understood.
const (
	maxInstantDays = 30
	maxDays        = 9999
	maxWeeks       = 5163
	maxMonths      = 1188
	maxYears       = 99
)

func (w policySchedule) spec() (plan.ScheduleSpec, error) {
	frequency := canonicalWord(w.Frequency, plan.FrequencyDaily, plan.FrequencyWeekly, plan.FrequencyHourly)
	s := plan.ScheduleSpec{Frequency: frequency}
	runs := scheduleRuns{Days: w.Days, Times: w.Times}
	switch strings.ToLower(w.Kind) {
	case "simpleschedulepolicy":
	case "simpleschedulepolicyv2":
		if frequency == plan.FrequencyDaily && w.Daily != nil {
			runs = *w.Daily
		} else if frequency == plan.FrequencyWeekly && w.Weekly != nil {
			runs = *w.Weekly
		}
	default:
		return s, fmt.Errorf("the kind %s is not known", Quote(w.Kind))
	}
	switch {
	case w.EveryWeeks > 1:
		return s, fmt.Errorf("it runs every %d weeks", w.EveryWeeks)
	case frequency == plan.FrequencyHourly && w.Hourly != nil:
		s.Every, s.Window = w.Hourly.Interval, w.Hourly.Window
		if s.Every < 1 || s.Every > 24 || s.Window < 1 || s.Window > 24 {
			return s, fmt.Errorf("every %d hours within %d hours is not known", s.Every, s.Window)
		}
		runs.Times = []string{w.Hourly.From}
	case frequency == plan.FrequencyWeekly:
		days, err := sortByOrder(runs.Days, weekdays())
		if err != nil {
			return s, err
		}
		s.Days = days
	case frequency == plan.FrequencyDaily:
	default:
		return s, fmt.Errorf("the frequency %s is not known", Quote(w.Frequency))
	}
	if len(runs.Times) != 1 {
		return s, fmt.Errorf("it has %d times, not one", len(runs.Times))
	}
	at, ok := parseClock(runs.Times[0])
	if !ok {
		return s, fmt.Errorf("%s is not a time", Quote(runs.Times[0]))
	}
	s.At = at
	return s, nil
}

func (w policyRetention) spec() (plan.RetentionSpec, error) {
	var r plan.RetentionSpec
	if !strings.EqualFold(w.Kind, "LongTermRetentionPolicy") {
		return r, fmt.Errorf("the kind %s is not known", Quote(w.Kind))
	}
	var err error
	if w.Daily != nil {
		if r.Days, err = w.Daily.count("Days"); err != nil {
			return r, err
		}
	}
	if r.Weeks, err = w.Weekly.keepSpec("Weeks"); err != nil {
		return r, err
	}
	if r.Months, err = w.Monthly.keepSpec("Months"); err != nil {
		return r, err
	}
	r.Years, err = w.Yearly.keepSpec("Years")
	return r, err
}

func (w *retentionSchedule) count(unit string) (int, error) {
	most := map[string]int{"Days": maxDays, "Weeks": maxWeeks, "Months": maxMonths, "Years": maxYears}[unit]
	if !strings.EqualFold(w.Duration.Unit, unit) || w.Duration.Count <= 0 || w.Duration.Count > most {
		return 0, fmt.Errorf("%d %s is not a number of %s", w.Duration.Count, Quote(w.Duration.Unit), strings.ToLower(unit))
	}
	return w.Duration.Count, nil
}

func (w *retentionSchedule) keepSpec(unit string) (*plan.KeepSpec, error) {
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
		k.Days, err = sortByOrder(w.Days, weekdays())
	case strings.EqualFold(w.Format, "Weekly") && w.Weekly != nil:
		if k.Days, err = sortByOrder(w.Weekly.Days, weekdays()); err == nil {
			k.Weeks, err = sortByOrder(w.Weekly.Weeks, weeks())
		}
	case strings.EqualFold(w.Format, "Daily") && w.Daily != nil:
		k.Dates, err = w.Daily.dates()
	default:
		err = fmt.Errorf("the format %s is not known", Quote(w.Format))
	}
	if err == nil && unit == "Years" {
		k.Months, err = sortByOrder(w.Months, months())
	}
	return k, err
}

// dates returns days of the month, ascending, the last day (0) at the end.
func (w retentionByDate) dates() ([]int, error) {
	var out []int
	for _, d := range w.Days {
		switch {
		case d.IsLast:
			d.Date = 0
		case d.Date < 1 || d.Date > 31:
			return nil, fmt.Errorf("%d is not a day of the month", d.Date)
		}
		out = append(out, d.Date)
	}
	if len(out) == 0 {
		return nil, errors.New("no day of the month is said")
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare((a+31)%32, (b+31)%32) })
	return slices.Compact(out), nil
}

// sortByOrder sorts words by their place in order, in its spelling. It refuses words not in order, and an empty list.
func sortByOrder(words, order []string) ([]string, error) {
	has := make([]bool, len(order))
	for _, w := range words {
		i := slices.IndexFunc(order, func(o string) bool { return strings.EqualFold(o, w) })
		if i < 0 {
			return nil, fmt.Errorf("the word %s is not known", Quote(w))
		}
		has[i] = true
	}
	var out []string
	for i, o := range order {
		if has[i] {
			out = append(out, o)
		}
	}
	if out == nil {
		return nil, fmt.Errorf("one of %s is missing", strings.Join(order, ", "))
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
