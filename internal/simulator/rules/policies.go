package rules

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// maxPolicies is the maximum number of policies in a vault (docs/azure.md §13).
const maxPolicies = 200

var policyName = regexp.MustCompile(`^[a-zA-Z][-_!a-zA-Z0-9]{2,149}$`) // docs/azure.md §8.3

// invalidPolicyReply returns the one error for most mistakes in a policy (docs/azure.md §8.3).
func invalidPolicyReply() *reply.Reply {
	r := reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidPolicyInput",
		"Input for create or update policy is not in proper format. Please check format of parameters like schedule time, schedule days, retention time and retention days")
	return &r
}

// CheckPolicy applies the rules of docs/azure.md §8.3 to a policy write.
func (ck Checker) CheckPolicy(v *state.Vault, name string, was *state.Policy, p rawjson.Object) *reply.Reply {
	if !policyName.MatchString(name) {
		return invalidPolicyReply()
	}
	if was == nil && ck.State.Policies.Count(v.Key) >= maxPolicies {
		r := ck.unverified("policy-count", "The vault has reached its limit of %d policies.", maxPolicies)
		return &r
	}
	if !strings.EqualFold(p.Text("backupManagementType"), "AzureIaasVM") {
		if p.Text("backupManagementType") == "" {
			return invalidPolicyReply()
		}
		return nil // other workloads have no rules here
	}
	if was != nil && cmp.Or(p.Text("policyType"), "V1") != PolicyTypeOf(ck.State, was) {
		return invalidPolicyReply() // the type cannot change
	}
	s, err := ReadPolicy(p)
	if err != nil || !s.isValid() {
		return invalidPolicyReply()
	}
	if was == nil {
		return nil
	}
	if s.hasFutureTime(ck.Now) {
		return invalidPolicyReply()
	}
	return ck.checkImmutablePolicy(v, was, s)
}

// checkImmutablePolicy enforces: on an immutable vault retention is not reduced; it is not increased either while an
// item is suspended (docs/azure.md §8.3).
func (ck Checker) checkImmutablePolicy(v *state.Vault, was *state.Policy, s *Policy) *reply.Reply {
	old, err := ReadPolicy(rawjson.Parse(ck.State.Read(was.Body)).Object("properties"))
	if err != nil || !IsImmutable(ck.State, v) {
		return nil
	}
	suspended := slices.ContainsFunc(ck.State.ProtectedBy(was), func(it *state.Item) bool { return it.State == "BackupsSuspended" })
	if old.Retention.isReducedBy(s.Retention) || suspended && s.Retention.isReducedBy(old.Retention) {
		r := ck.unverified("immutable-denied", "%s", ImmutableText)
		return &r
	}
	return nil
}

// Policy holds the fields of an Azure VM policy that the rules read.
type Policy struct {
	Type     string           `json:"policyType"`
	Schedule schedule         `json:"schedulePolicy"`
	Instant  *int             `json:"instantRpRetentionRangeInDays"`
	TimeZone string           `json:"timeZone"`
	Tiering  map[string]*tier `json:"tieringPolicy"`
	Consist  string           `json:"snapshotConsistencyType"`

	Retention retention `json:"retentionPolicy"`
}

type schedule struct {
	Type      string   `json:"schedulePolicyType"`
	Frequency string   `json:"scheduleRunFrequency"`
	Days      []string `json:"scheduleRunDays"`
	Times     []string `json:"scheduleRunTimes"`
	Hourly    *struct {
		Interval int    `json:"interval"`
		Start    string `json:"scheduleWindowStartTime"`
		Duration int    `json:"scheduleWindowDuration"`
	} `json:"hourlySchedule"`
	Daily *struct {
		Times []string `json:"scheduleRunTimes"`
	} `json:"dailySchedule"`
	Weekly *struct {
		Days  []string `json:"scheduleRunDays"`
		Times []string `json:"scheduleRunTimes"`
	} `json:"weeklySchedule"`
}

type retention struct {
	Type    string     `json:"retentionPolicyType"`
	Daily   *retained  `json:"dailySchedule"`
	Weekly  *retained  `json:"weeklySchedule"`
	Monthly *periodics `json:"monthlySchedule"`
	Yearly  *periodics `json:"yearlySchedule"`
}

type retained struct {
	Days     []string `json:"daysOfTheWeek"`
	Times    []string `json:"retentionTimes"`
	Duration struct {
		Count int    `json:"count"`
		Type  string `json:"durationType"`
	} `json:"retentionDuration"`
}

type periodics struct {
	retained
	Months []string `json:"monthsOfYear"`
	Format string   `json:"retentionScheduleFormatType"`
	ByDay  *struct {
		Days []struct {
			Date   int  `json:"date"`
			IsLast bool `json:"isLast"`
		} `json:"daysOfTheMonth"`
	} `json:"retentionScheduleDaily"`
	ByWeek *struct {
		Days  []string `json:"daysOfTheWeek"`
		Weeks []string `json:"weeksOfTheMonth"`
	} `json:"retentionScheduleWeekly"`
}

type tier struct {
	Mode         string `json:"tieringMode"`
	Duration     int    `json:"duration"`
	DurationType string `json:"durationType"`
}

// ReadPolicy reads the properties of a policy.
func ReadPolicy(p rawjson.Object) (*Policy, error) {
	s := &Policy{}
	err := json.Unmarshal(p.Bytes(), s)
	return s, err
}

// runTimes and runDays return the times and days of the schedule; V2 nests them (docs/azure.md §8.2).
func (s *Policy) runTimes() []string {
	switch {
	case s.Schedule.Type == "SimpleSchedulePolicy":
		return s.Schedule.Times
	case s.Schedule.Frequency == "Hourly" && s.Schedule.Hourly != nil:
		return []string{s.Schedule.Hourly.Start}
	case s.Schedule.Frequency == "Daily" && s.Schedule.Daily != nil:
		return s.Schedule.Daily.Times
	case s.Schedule.Frequency == "Weekly" && s.Schedule.Weekly != nil:
		return s.Schedule.Weekly.Times
	}
	return nil
}

func (s *Policy) runDays() []string {
	if s.Schedule.Type == "SimpleSchedulePolicyV2" && s.Schedule.Weekly != nil {
		return s.Schedule.Weekly.Days
	}
	return s.Schedule.Days
}

// isValid reports whether the policy satisfies every rule of docs/azure.md §8.3 whose violation gives the opaque
// error.
func (s *Policy) isValid() bool {
	return s.isValidType() && s.isValidSchedule() && s.isValidInstant() && s.isValidRetention() && s.isValidTiering()
}

func (s *Policy) isValidType() bool {
	v2 := s.Type == "V2"
	switch {
	case s.Type != "" && s.Type != "V1" && !v2,
		v2 != (s.Schedule.Type == "SimpleSchedulePolicyV2"),
		!v2 && s.Schedule.Type != "SimpleSchedulePolicy",
		s.Retention.Type != "LongTermRetentionPolicy":
		return false
	}
	// Crash consistency is V2's (docs/azure.md §8.2).
	return s.Consist == "" || v2
}

// isValidSchedule enforces: one run time on the half hour; hourly interval 4, 6, 8 or 12 in a window of 4 to 24 hours
// that is a multiple of it, V2 only (docs/azure.md §8.3).
func (s *Policy) isValidSchedule() bool {
	times := s.runTimes()
	if len(times) != 1 || !isOnHalfHour(times[0]) {
		return false
	}
	switch s.Schedule.Frequency {
	case "Daily":
		return true
	case "Weekly":
		return len(s.runDays()) > 0 && areValidDays(s.runDays())
	case "Hourly":
		h := s.Schedule.Hourly
		return s.Type == "V2" && slices.Contains([]int{4, 6, 8, 12}, h.Interval) &&
			h.Duration >= 4 && h.Duration <= 24 && h.Duration%h.Interval == 0
	}
	return false
}

func isOnHalfHour(s string) bool {
	t, isTime := TimeOfDay(s)
	return isTime && t.Minute()%30 == 0 && t.Second() == 0
}

func areValidDays(days []string) bool {
	weekdays := []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	return !slices.ContainsFunc(days, func(d string) bool { return !slices.Contains(weekdays, d) })
}

// isValidInstant enforces: V1 daily 1 to 5 days, V1 weekly exactly 5, V2 1 to 30 (docs/azure.md §8.3).
func (s *Policy) isValidInstant() bool {
	if s.Instant == nil {
		return true // the service puts its default in
	}
	days := *s.Instant
	switch {
	case s.Type == "V2":
		return days >= 1 && days <= 30
	case s.Schedule.Frequency == "Weekly":
		return days == 5
	}
	return days >= 1 && days <= 5
}

// isValidRetention enforces: daily and hourly schedules need daily retention, weekly ones must not have it and need
// weekly on the same days; counts are bounded; one retention time, equal to the run time (docs/azure.md §8.3).
func (s *Policy) isValidRetention() bool {
	r := s.Retention
	weekly := s.Schedule.Frequency == "Weekly"
	switch {
	case weekly != (r.Daily == nil),
		weekly && r.Weekly == nil,
		weekly && !sameDays(r.Weekly.Days, s.runDays()),
		!s.isValidRetained(r.Daily, "Days", 7, 9999),
		!s.isValidRetained(r.Weekly, "Weeks", 1, 5163),
		r.Weekly != nil && (len(r.Weekly.Days) == 0 || !areValidDays(r.Weekly.Days)),
		!s.isValidPeriodic(r.Monthly, "Months", 1188),
		!s.isValidPeriodic(r.Yearly, "Years", 99),
		r.Yearly != nil && len(r.Yearly.Months) == 0:
		return false
	}
	return true
}

func sameDays(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func (s *Policy) isValidRetained(r *retained, unit string, low, high int) bool {
	if r == nil {
		return true
	}
	if r.Duration.Type != unit || r.Duration.Count < low || r.Duration.Count > high || len(r.Times) != 1 {
		return false
	}
	at, isTime := TimeOfDay(r.Times[0])
	run, _ := TimeOfDay(s.runTimes()[0])
	return isTime && at.Hour() == run.Hour() && at.Minute() == run.Minute()
}

// isValidPeriodic enforces: with a weekly schedule by week of the month only; dates 1 to 28 or the last (docs/azure.md
// §8.3).
func (s *Policy) isValidPeriodic(p *periodics, unit string, high int) bool {
	if p == nil {
		return true
	}
	if !s.isValidRetained(&p.retained, unit, 1, high) {
		return false
	}
	switch p.Format {
	case "Weekly":
		return p.ByWeek != nil && len(p.ByWeek.Days) > 0 && len(p.ByWeek.Weeks) > 0 && areValidDays(p.ByWeek.Days)
	case "Daily":
		if s.Schedule.Frequency == "Weekly" || p.ByDay == nil || len(p.ByDay.Days) == 0 {
			return false
		}
		for _, d := range p.ByDay.Days {
			if !d.IsLast && (d.Date < 1 || d.Date > 28) {
				return false
			}
		}
		return true
	}
	return false
}

// isValidTiering enforces: TierRecommended needs monthly or yearly retention of nine months, TierAfter three months
// with six left (docs/azure.md §8.3).
func (s *Policy) isValidTiering() bool {
	for name, t := range s.Tiering {
		if name != "ArchivedRP" || t == nil {
			return false
		}
		longest := s.Retention.longestMonths()
		switch t.Mode {
		case "DoNotTier", "Invalid", "":
		case "TierRecommended":
			if longest < 9 {
				return false
			}
		case "TierAfter":
			months := t.Duration
			if t.DurationType == "Days" {
				months = t.Duration / 30
			}
			if months < 3 || longest < months+6 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// longestMonths returns the longest retention of monthly and yearly points, in months.
func (r retention) longestMonths() int {
	longest := 0
	if r.Monthly != nil {
		longest = r.Monthly.Duration.Count
	}
	if r.Yearly != nil {
		longest = max(longest, 12*r.Yearly.Duration.Count)
	}
	return longest
}

// isReducedBy reports whether after keeps some point for a shorter time than r.
func (r retention) isReducedBy(after retention) bool {
	count := func(x *retained) int {
		if x == nil {
			return 0
		}
		return x.Duration.Count
	}
	periodic := func(x *periodics) int {
		if x == nil {
			return 0
		}
		return x.Duration.Count
	}
	return count(after.Daily) < count(r.Daily) || count(after.Weekly) < count(r.Weekly) ||
		periodic(after.Monthly) < periodic(r.Monthly) || periodic(after.Yearly) < periodic(r.Yearly)
}
