package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

func policyPath(name string) string { return testVault + "/backupPolicies/" + name }

func TestPolicyPutOfAnUnusedPolicyIs200AndRewritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{})
		a := c.do("PUT", policyPath("fresh"), `{"properties":`+strings.Replace(policyProps(""), "1999-04-28T16:30:00.000Z", "16:30:00Z", 1)+`}`, 200)
		today := c.s.clock.now().UTC().Format("2006-01-02")
		if got := string(rawjson.RawAt(a.body, "properties", "schedulePolicy", "scheduleRunTimes")); got != `["`+today+`T16:30:00Z"]` {
			t.Errorf("scheduleRunTimes %s", got)
		}
		if got := string(rawjson.RawAt(a.body, "properties", "protectedItemsCount")); got != "0" {
			t.Errorf("protectedItemsCount %s, want 0", got)
		}
		equalJSON(t, c.get(policyPath("fresh")).body, a.body)
		if d := c.do("DELETE", policyPath("fresh"), "", 200); len(d.body) != 0 {
			t.Errorf("DELETE answered %s", d.body)
		}
		c.do("DELETE", policyPath("fresh"), "", 204)
	})
}

func TestPolicyPutOfAUsedPolicyIs202WithAJobForEachItem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		c.protect("VM1", "daily")
		c.protect("VM2", "daily")
		if got := string(rawjson.RawAt(c.get(policyPath("daily")).body, "properties", "protectedItemsCount")); got != "2" {
			t.Errorf("protectedItemsCount %s, want 2", got)
		}
		changed := `{"properties":` + strings.Replace(policyProps(""), `"count":30`, `"count":60`, 1) + `}`
		a := c.do("PUT", policyPath("daily"), changed, 202)
		if !strings.Contains(a.header.Get("Azure-AsyncOperation"), "/backupPolicies/daily/operations/") || !strings.Contains(a.header.Get("Location"), "/backupPolicies/daily/operationResults/") {
			t.Errorf("headers %v", a.header)
		}
		end := c.follow(a)
		var jobs struct {
			Properties struct {
				ObjectType      string
				JobIDs          []string
				FailedJobsError map[string]string
			}
		}
		if err := json.Unmarshal(end.body, &jobs); err != nil || len(jobs.Properties.JobIDs) != 2 || jobs.Properties.ObjectType != "OperationStatusJobsExtendedInfo" || jobs.Properties.FailedJobsError == nil {
			t.Fatalf("status %s", end.body)
		}
		if j := c.get(testVault + "/backupJobs/" + jobs.Properties.JobIDs[1]); rawjson.TextAt(j.body, "properties", "status") != "Completed" {
			t.Errorf("job %s", j.body)
		}
		r := c.get(a.header.Get("Location"))
		if !strings.Contains(string(r.body), `"count":60`) {
			t.Errorf("result %s", r.body)
		}
		if d := c.do("DELETE", policyPath("daily"), "", 400); d.code() != "BMSUserErrorPolicyObjectInUse" {
			t.Errorf("DELETE: %s", d.body)
		}
	})
}

// A new policy may have any date; an update must not have a date in the future of the policy's zone.
func TestAnUpdateOfAPolicyWithATimeToComeIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{})
		body := func(at time.Time, zone string) string {
			props := strings.ReplaceAll(policyProps(""), "1999-04-28T16:30:00.000Z", at.Format("2006-01-02T15:04:05Z"))
			return `{"properties":` + strings.Replace(props, `"UTC"`, `"`+zone+`"`, 1) + `}`
		}
		now := c.s.clock.now().UTC().Truncate(30 * time.Minute)
		c.do("PUT", policyPath("fresh"), body(now.AddDate(1, 0, 0), "UTC"), 200)
		for _, zone := range []struct {
			name  string
			hours time.Duration
		}{
			{"UTC", 0},
			{"W. Europe Standard Time", 1},
			{"pacific standard time", -8},
			{"Line Islands Standard Time", 14},
			{"a zone that nobody knows", 0},
		} {
			local := now.Add(zone.hours * time.Hour)
			c.do("PUT", policyPath("fresh"), body(local, zone.name), 200)
			if a := c.do("PUT", policyPath("fresh"), body(local.Add(time.Hour), zone.name), 400); a.code() != "BMSUserErrorInvalidPolicyInput" {
				t.Errorf("%s: %s", zone.name, a.body)
			}
		}
		onlyRetention := strings.Replace(body(now, "UTC"), `"retentionTimes":["`+now.Format("2006-01-02"), `"retentionTimes":["2999-01-01`, 1)
		c.do("PUT", policyPath("fresh"), onlyRetention, 400)
		c.do("PUT", policyPath("fresh"), strings.ReplaceAll(body(now, "UTC"), now.Format("2006-01-02T"), ""), 200)
	})
}

func TestBadPoliciesGetTheOpaqueError(t *testing.T) {
	weekly := `{"backupManagementType":"AzureIaasVM","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Weekly","scheduleRunDays":["Sunday"],"scheduleRunTimes":["1999-04-28T16:30:00Z"]},` +
		`"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionTimes":["1999-04-28T16:30:00Z"],"retentionDuration":{"count":4,"durationType":"Weeks"}}},"instantRpRetentionRangeInDays":5,"timeZone":"UTC"}`
	hourly := `{"backupManagementType":"AzureIaasVM","policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"1999-04-28T08:00:00Z","scheduleWindowDuration":12}},` +
		`"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["1999-04-28T08:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}},"instantRpRetentionRangeInDays":2,"timeZone":"UTC"}`
	monthly := `"monthlySchedule":{"retentionScheduleFormatType":"Daily","retentionScheduleDaily":{"daysOfTheMonth":[{"date":1,"isLast":false}]},"retentionTimes":["1999-04-28T16:30:00Z"],"retentionDuration":{"count":60,"durationType":"Months"}}}`
	daily := policyProps("")
	c := serve(t, estate(t), Options{})
	for _, good := range []string{
		daily, weekly, hourly, policyProps("V2"), strings.Replace(daily, `"Days"}}}`, `"Days"}},`+monthly, 1),
		strings.Replace(strings.Replace(daily, `"Days"}}}`, `"Days"}},`+monthly, 1), `"timeZone"`, `"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierRecommended","duration":0,"durationType":"Invalid"}},"timeZone"`, 1),
	} {
		c.do("PUT", policyPath("good"), `{"properties":`+good+`}`, 200)
		c.do("DELETE", policyPath("good"), "", 200)
	}
	for name, bad := range map[string]string{
		"too few days":                       strings.Replace(daily, `"count":30`, `"count":6`, 1),
		"too many days":                      strings.Replace(daily, `"count":30`, `"count":10000`, 1),
		"a quarter past":                     strings.ReplaceAll(daily, "16:30", "16:15"),
		"retention at another time":          strings.Replace(daily, "16:30", "17:30", 1),
		"two times":                          strings.Replace(daily, `["1999-04-28T16:30:00.000Z"]`, `["1999-04-28T16:30:00Z","1999-04-28T18:30:00Z"]`, 1),
		"instant days of V1":                 strings.Replace(daily, `Days":2`, `Days":6`, 1),
		"V1 type with a V2 schedule":         strings.Replace(policyProps("V2"), `"policyType":"V2",`, "", 1),
		"crash consistency of V1":            strings.Replace(daily, `"timeZone"`, `"snapshotConsistencyType":"OnlyCrashConsistent","timeZone"`, 1),
		"no daily retention":                 strings.Replace(daily, `"dailySchedule"`, `"other"`, 1),
		"weekly with other days":             strings.Replace(weekly, `"daysOfTheWeek":["Sunday"]`, `"daysOfTheWeek":["Monday"]`, 1),
		"weekly with daily retention":        strings.Replace(weekly, `"weeklySchedule"`, `"dailySchedule":{"retentionTimes":["1999-04-28T16:30:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}},"weeklySchedule"`, 1),
		"weekly with four instant days":      strings.Replace(weekly, `Days":5`, `Days":4`, 1),
		"weekly with monthly by date":        strings.Replace(weekly, `"Weeks"}}}`, `"Weeks"}},`+monthly, 1),
		"hourly every five":                  strings.Replace(hourly, `"interval":4`, `"interval":5`, 1),
		"hourly in a window of thirteen":     strings.Replace(hourly, `Duration":12`, `Duration":13`, 1),
		"the 29th":                           strings.Replace(strings.Replace(daily, `"Days"}}}`, `"Days"}},`+monthly, 1), `"date":1`, `"date":29`, 1),
		"recommended tier of short points":   strings.Replace(daily, `"timeZone"`, `"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierRecommended"}},"timeZone"`, 1),
		"a tier that leaves less than six":   strings.Replace(strings.Replace(daily, `"Days"}}}`, `"Days"}},`+strings.Replace(monthly, "60", "8", 1), 1), `"timeZone"`, `"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}},"timeZone"`, 1),
		"no management type":                 strings.Replace(daily, `"backupManagementType":"AzureIaasVM",`, "", 1),
		"retention in weeks on the day list": strings.Replace(daily, `"durationType":"Days"`, `"durationType":"Weeks"`, 1),
	} {
		if a := c.do("PUT", policyPath("bad"), `{"properties":`+bad+`}`, 400); a.code() != "BMSUserErrorInvalidPolicyInput" {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if a := c.do("PUT", policyPath("1bad"), `{"properties":`+daily+`}`, 400); a.code() != "BMSUserErrorInvalidPolicyInput" {
		t.Errorf("bad name: %s", a.body)
	}
	if a := c.do("PUT", policyPath("enhanced"), `{"properties":`+daily+`}`, 400); a.code() != "BMSUserErrorInvalidPolicyInput" {
		t.Errorf("V2 to V1: %s", a.body)
	}
}

func TestImmutableVaultRefusesShorterRetention(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0)}}})
	c.do("PATCH", testVault, `{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked"}}}}`, 202)
	c.do("PUT", policyPath("daily"), `{"properties":`+strings.Replace(policyProps(""), `"count":30`, `"count":40`, 1)+`}`, 200)
	if a := c.do("PUT", policyPath("daily"), `{"properties":`+policyProps("")+`}`, 400); a.code() != "UserErrorOperationDeniedOnImmutableItem" {
		t.Errorf("%s", a.body)
	}
}

func TestDailyLimitsHold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: settings.Settings{DailyLimits: true}})
		for range 50 {
			c.do("PUT", policyPath("daily"), `{"properties":`+policyProps("")+`}`, 200)
		}
		c.do("PUT", policyPath("daily"), `{"properties":`+policyProps("")+`}`, 429)
		time.Sleep(25 * time.Hour)
		c.do("PUT", policyPath("daily"), `{"properties":`+policyProps("")+`}`, 200)
	})
}
