package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestPolicies(t *testing.T) {
	v1 := plan.PolicySpec{
		Tier: "Standard", TimeZone: "UTC", InstantRestoreDays: 2,
		Schedule: plan.ScheduleSpec{Frequency: "Daily", At: "16:30"}, Retention: plan.RetentionSpec{Days: 30},
	}
	with := func(change func(*plan.PolicySpec)) plan.PolicySpec {
		s := v1
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		properties string
		want       plan.PolicySpec
	}{
		"Standard daily": {azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings, v1},
		"said to be V1":  {azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"policyType":"V1"`, v1},
		"no archive": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"DoNotTier","duration":0,"durationType":"Invalid"}}`, v1,
		},
		"archive": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}}`,
			with(func(s *plan.PolicySpec) { s.Archive = &plan.ArchiveSpec{Mode: "TierAfter", After: 3, Unit: "Months"} }),
		},
		"archive where recommended": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierRecommended","duration":0,"durationType":"Invalid"}}`,
			with(func(s *plan.PolicySpec) { s.Archive = &plan.ArchiveSpec{Mode: "TierRecommended"} }),
		},
		"crash consistent, groups named": {
			azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings + `,"snapshotConsistencyType":"OnlyCrashConsistent","instantRPDetails":{"azureBackupRGNamePrefix":"rp-"}`,
			with(func(s *plan.PolicySpec) {
				s.Consistency, s.InstantRestore = "crash", &plan.InstantRestoreSpec{Prefix: "rp-"}
			}),
		},
		"Standard weekly": {
			`"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Weekly","scheduleRunDays":["Saturday","Sunday"],
			"scheduleRunTimes":["2024-04-28T16:30:00Z"]},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy",
			"weeklySchedule":{"daysOfTheWeek":["Saturday","Sunday"],"retentionTimes":["2024-04-28T16:30:00Z"],"retentionDuration":{"count":12,"durationType":"Weeks"}}},` + azuretest.PolicySettings,
			with(func(s *plan.PolicySpec) {
				s.Schedule = plan.ScheduleSpec{Frequency: "Weekly", At: "16:30", Days: []string{"Sunday", "Saturday"}}
				s.Retention = plan.RetentionSpec{Weeks: &plan.KeepSpec{Keep: 12, Days: []string{"Sunday", "Saturday"}}}
			}),
		},
		"Enhanced hourly": {
			`"policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly",
			"hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2024-04-28T08:00:00Z","scheduleWindowDuration":12}},` + azuretest.Keep30Days + "," + azuretest.PolicySettings,
			with(func(s *plan.PolicySpec) {
				s.Tier, s.Schedule = "Enhanced", plan.ScheduleSpec{Frequency: "Hourly", At: "08:00", Every: 4, Window: 12}
			}),
		},
		"Enhanced weekly, months and years": {
			`"policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Weekly",
			"weeklySchedule":{"scheduleRunDays":["Monday"],"scheduleRunTimes":["23:00:00Z"]}},
			"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":null,"weeklySchedule":{"daysOfTheWeek":["Monday"],"retentionDuration":{"count":8,"durationType":"Weeks"}},
			"monthlySchedule":{"retentionScheduleFormatType":"Daily","retentionScheduleDaily":{"daysOfTheMonth":[{"date":0,"isLast":true},{"date":15,"isLast":false},{"date":1,"isLast":false}]},
			"retentionTimes":["x"],"retentionDuration":{"count":60,"durationType":"Months"}},
			"yearlySchedule":{"retentionScheduleFormatType":"Weekly","monthsOfYear":["March","January"],"retentionScheduleWeekly":{"daysOfTheWeek":["Sunday"],"weeksOfTheMonth":["Last","First"]},
			"retentionTimes":["x"],"retentionDuration":{"count":7,"durationType":"Years"}}},` + azuretest.PolicySettings,
			with(func(s *plan.PolicySpec) {
				s.Tier, s.Schedule = "Enhanced", plan.ScheduleSpec{Frequency: "Weekly", At: "23:00", Days: []string{"Monday"}}
				s.Retention = plan.RetentionSpec{
					Weeks:  &plan.KeepSpec{Keep: 8, Days: []string{"Monday"}},
					Months: &plan.KeepSpec{Keep: 60, Dates: []int{1, 15, 0}},
					Years: &plan.KeepSpec{
						Keep: 7, Months: []string{"January", "March"}, Weeks: []string{"First", "Last"}, Days: []string{"Sunday"},
					},
				}
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var w Policy
			if err := json.Unmarshal([]byte(azuretest.Policy(c.properties)), &w); err != nil {
				t.Fatal(err)
			}
			got, err := w.ToPlan(vaultID)
			want := plan.Policy{ID: vaultID + "/backupPolicies/p", Name: "p", Vault: vaultID, Spec: c.want, Items: 3}
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Error(err, d)
			}
		})
	}
}

func TestPoliciesThatAreNotUnderstoodAreUnreadable(t *testing.T) {
	for name, properties := range map[string]string{
		"schedule kind":                       strings.Replace(azuretest.DailySchedule, `"SimpleSchedulePolicy"`, `"LogSchedulePolicy"`, 1) + "," + azuretest.Keep30Days,
		"no schedule":                         azuretest.Keep30Days,
		"frequency":                           strings.Replace(azuretest.DailySchedule, "Daily", "Minutely", 1) + "," + azuretest.Keep30Days,
		"two times":                           strings.Replace(azuretest.DailySchedule, `Z"]`, `Z","2024-04-28T18:30:00Z"]`, 1) + "," + azuretest.Keep30Days,
		"no time":                             strings.Replace(azuretest.DailySchedule, `2024-04-28T16:30:00Z`, `noon`, 1) + "," + azuretest.Keep30Days,
		"retention kind":                      azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, "LongTerm", "Simple", 1),
		"retention unit":                      azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, `"Days"`, `"Weeks"`, 1),
		"retention type":                      azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, `"count":30`, `"count":"30"`, 1),
		"says no time zone":                   azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"instantRpRetentionRangeInDays":2`,
		"says no instant restore":             azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"timeZone":"UTC"`,
		"says no instant restore that can be": azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"instantRpRetentionRangeInDays":31`,
		"an absurd retention":                 azuretest.DailySchedule + "," + strings.Replace(azuretest.Keep30Days, `:30,`, `:10000,`, 1),
		"no daily retention":                  azuretest.DailySchedule + `,"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":null}`,
		"a consistency it knows not":          azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"snapshotConsistencyType":"None"`,
		"an archive it knows not":             azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"Maybe"}}`,
		"an archive after no unit":            azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Invalid"}}`,
		"policy type":                         azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"policyType":"V3"`,
		"monthly format":                      azuretest.DailySchedule + `,"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","monthlySchedule":{"retentionScheduleFormatType":"Invalid","retentionDuration":{"count":1,"durationType":"Months"}}}`,
		"every second week": strings.NewReplacer(`"Daily"`, `"Weekly","scheduleRunDays":["Sunday"]`, `Frequency":0`, `Frequency":2`).Replace(azuretest.DailySchedule) +
			`,"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionTimes":["2024-04-28T16:30:00Z"],"retentionDuration":{"count":4,"durationType":"Weeks"}}},` + azuretest.PolicySettings,
		"says no count but one below none": azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":-1`,
		"says no count but one beyond all": azuretest.DailySchedule + "," + azuretest.Keep30Days + `,"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":3000000000`,
		"a day of no week":                 azuretest.DailySchedule + `,"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","weeklySchedule":{"daysOfTheWeek":["Caturday"],"retentionDuration":{"count":1,"durationType":"Weeks"}}}`,
	} {
		var w Policy
		if !strings.Contains(name, "says no") {
			properties += "," + azuretest.PolicySettings
		}
		if err := json.Unmarshal([]byte(azuretest.Policy(properties)), &w); err != nil {
			t.Fatal(name, err)
		}
		if got, err := w.ToPlan(vaultID); err != nil || got.Unreadable == "" {
			t.Errorf("%s: read as %+v, %v", name, got, err)
		}
	}
	id := azuretest.Policy(azuretest.DailySchedule)[:strings.Index(azuretest.Policy(azuretest.DailySchedule), `"name"`)]
	for properties, want := range map[string]string{
		`{"backupManagementType":"AzureWorkload","workLoadType":"SQLDataBase"}`: `it is a policy for "SQLDataBase", not for VMs`,
		`{"backupManagementType":"azureworkload"}`:                              `it is a policy for "azureworkload", not for VMs`,
		`null`:                               `properties is null`,
		`[]`:                                 `properties is []`,
		`{}`:                                 `backupManagementType is missing`,
		`{"backupManagementType":"Dancing"}`: `backupManagementType is "Dancing"`,
		`{"backupManagementType":["AzureIaasVM"]}`: `backupManagementType is ["AzureIaasVM"]`,
	} {
		var w Policy
		if err := json.Unmarshal([]byte(id+`"properties":`+properties+`}`), &w); err != nil {
			t.Fatal(properties, err)
		}
		if got, err := w.ToPlan(vaultID); err == nil || err.Error() != want {
			t.Errorf("%s: read as %+v, %v", properties, got, err)
		}
	}
}
