package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
)

// What exceeds a limit of the service was not understood, and a policy that was not understood is never written.
func TestAPolicyIsUnderstoodUpToItsLimits(t *testing.T) {
	const (
		weeks  = `"weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionDuration":{"count":%d,"durationType":"Weeks"}}`
		months = `"monthlySchedule":{"retentionScheduleFormatType":"Daily","retentionScheduleDaily":{"daysOfTheMonth":[{"date":%d}]},"retentionDuration":{"count":%d,"durationType":"Months"}}`
		years  = `"yearlySchedule":{"retentionScheduleFormatType":"Daily","monthsOfYear":["May"],"retentionScheduleDaily":{"daysOfTheMonth":[{"date":1}]},"retentionDuration":{"count":%d,"durationType":"Years"}}`
	)
	base := azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings
	replaced := func(was, is string) string {
		if !strings.Contains(base, was) {
			t.Fatalf("%s is not in %s", was, base)
		}
		return strings.Replace(base, was, is, 1)
	}
	hourly := func(every, window int) string {
		return fmt.Sprintf(`"policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly",
			"hourlySchedule":{"interval":%d,"scheduleWindowStartTime":"2024-04-28T08:00:00Z","scheduleWindowDuration":%d}},`, every, window) +
			azuretest.Keep30Days + "," + azuretest.PolicySettings
	}
	kept := func(format string, numbers ...any) string {
		return replaced(`"LongTermRetentionPolicy",`, `"LongTermRetentionPolicy",`+fmt.Sprintf(format, numbers...)+",")
	}
	word := func(length int) string { return strings.Repeat("x", length) }
	for name, c := range map[string]struct {
		properties  func(n int) string
		least, most int
	}{
		"the time zone":         {func(n int) string { return replaced(`"timeZone":"UTC"`, `"timeZone":"`+word(n)+`"`) }, 1, maxWord},
		"the days of snapshots": {func(n int) string { return replaced(`Days":2,`, fmt.Sprintf(`Days":%d,`, n)) }, 1, 30},
		"the group of snapshots": {func(n int) string {
			return replaced(`"instantRPDetails":{}`, `"instantRPDetails":{"azureBackupRGNamePrefix":"`+word(n-1)+`","azureBackupRGNameSuffix":"x"}`)
		}, 1, maxWord},
		"the hours between backups": {func(n int) string { return hourly(n, 12) }, 1, 24},
		"the hours of backups":      {func(n int) string { return hourly(4, n) }, 1, 24},
		"the days until archived": {func(n int) string {
			return base + fmt.Sprintf(`,"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":%d,"durationType":"Days"}}`, n)
		}, 1, 9999},
		"the days":           {func(n int) string { return replaced(`"count":30`, fmt.Sprintf(`"count":%d`, n)) }, 1, 9999},
		"the weeks":          {func(n int) string { return kept(weeks, n) }, 1, 5163},
		"the months":         {func(n int) string { return kept(months, 1, n) }, 1, 1188},
		"the years":          {func(n int) string { return kept(years, n) }, 1, 99},
		"a day of the month": {func(n int) string { return kept(months, n, 1) }, 1, 31},
	} {
		for n, want := range map[int]bool{c.least - 1: false, c.least: true, c.most: true, c.most + 1: false} {
			if name == "the group of snapshots" && n == 0 {
				continue // no text is shorter than its suffix
			}
			var w Policy
			if err := json.Unmarshal([]byte(azuretest.Policy(c.properties(n))), &w); err != nil {
				t.Fatal(name, err)
			}
			got, err := w.ToPlan(vaultID)
			if understood := got.Unreadable == ""; err != nil || understood != want {
				t.Errorf("%s: %d is understood: %t, want %t: %s, %v", name, n, understood, want, got.Unreadable, err)
			}
		}
	}
}
