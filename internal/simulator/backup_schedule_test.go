package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

func scheduled() settings.Settings {
	s := quick()
	s.ScheduledBackups = true
	s.Durations["scheduleDelay"] = settings.Fixed(time.Minute)
	return s
}

func TestScheduledBackupsHappenAsTheClockPasses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: scheduled()})
		c.protect("VM1", "daily")
		c.protect("VM2", "enhanced")
		time.Sleep(6*time.Hour + 29*time.Minute) // from 10:00, when the estate was taken
		if rows, _ := c.all(testVault + "/backupJobs?$filter=operation%20eq%20'Backup'"); len(rows) != 0 {
			t.Errorf("%d backups before their time", len(rows))
		}
		time.Sleep(3*24*time.Hour + 10*time.Minute)
		if rows, _ := c.all(testVault + "/backupJobs?$filter=operation%20eq%20'Backup'"); len(rows) != 8 {
			t.Errorf("%d backups, want 4 of each of two items", len(rows))
		}
		p := c.props("vm1")
		if rawjson.TextAt(p, "protectionState") != "Protected" || !strings.HasPrefix(rawjson.TextAt(p, "lastRecoveryPoint"), "2024-05-16T16:31:00") {
			t.Errorf("%s", p)
		}
		time.Sleep(60 * 24 * time.Hour)
		if n := len(values(c.get(itemPath("vm1") + "/recoveryPoints"))); n != 30 {
			t.Errorf("%d recovery points, want the policy's 30", n)
		}
	})
}

func TestShorterRetentionPrunesWithinADay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: scheduled()})
		c.protect("VM1", "daily")
		time.Sleep(20 * 24 * time.Hour)
		if n := len(values(c.get(itemPath("vm1") + "/recoveryPoints"))); n != 20 {
			t.Fatalf("%d recovery points, want 20", n)
		}
		c.follow(c.do("PUT", policyPath("daily"), `{"properties":`+strings.Replace(policyProps(""), `"count":30`, `"count":7`, 1)+`}`, 202))
		time.Sleep(25 * time.Hour)
		if n := len(values(c.get(itemPath("vm1") + "/recoveryPoints"))); n != 7 {
			t.Errorf("%d recovery points, want 7", n)
		}
	})
}

func TestStoppedItemTakesNoBackupsAndKeepsItsPoints(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: scheduled()})
		c.protect("VM1", "daily")
		time.Sleep(24 * time.Hour)
		c.follow(c.do("PUT", itemPath("vm1"), stateBody("VM1", "ProtectionStopped", ""), 202))
		time.Sleep(90 * 24 * time.Hour)
		if n := len(values(c.get(itemPath("vm1") + "/recoveryPoints"))); n != 1 {
			t.Errorf("%d recovery points, want 1", n)
		}
		c.protect("VM1", "daily")
		if rawjson.TextAt(c.props("vm1"), "protectionState") != "Protected" {
			t.Errorf("resumed: %s", c.props("vm1"))
		}
	})
}

func TestWithoutTheSettingNothingRunsByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick()})
		c.protect("VM1", "daily")
		time.Sleep(10 * 24 * time.Hour)
		if rows, _ := c.all(testVault + "/backupJobs"); len(rows) != 1 {
			t.Errorf("%d jobs, want the first one alone", len(rows))
		}
	})
}

func TestMonthlyPointsOutliveDailyOnes(t *testing.T) {
	spec, err := rules.ReadPolicy(rawjson.Parse([]byte(`{"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-01-01T16:30:00Z"]},` +
		`"retentionPolicy":{"dailySchedule":{"retentionDuration":{"count":7}},"weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionDuration":{"count":4}},` +
		`"monthlySchedule":{"retentionScheduleFormatType":"Weekly","retentionScheduleWeekly":{"daysOfTheWeek":["Sunday"],"weeksOfTheMonth":["First","Last"]},"retentionDuration":{"count":12}},` +
		`"yearlySchedule":{"monthsOfYear":["January"],"retentionScheduleFormatType":"Daily","retentionScheduleDaily":{"daysOfTheMonth":[{"isLast":true}]},"retentionDuration":{"count":3}}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]string{
		"2024-01-10": "2024-01-17", // a Wednesday
		"2024-01-14": "2024-02-11", // the second Sunday
		"2024-01-07": "2025-01-07", // the first
		"2024-01-28": "2025-01-28", // the last
		"2024-01-31": "2027-01-31", // the end of January
	} {
		at, _ := time.Parse(time.DateOnly, day)
		if got := spec.Expiry(at.Add(16*time.Hour + 30*time.Minute)).Format(time.DateOnly); got != want {
			t.Errorf("a point of %s expires %s, want %s", day, got, want)
		}
	}
}

func TestEveryHourlyRunIsInItsWindow(t *testing.T) {
	spec, _ := rules.ReadPolicy(rawjson.Parse([]byte(`{"policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"1999-04-28T08:00:00Z","scheduleWindowDuration":12}}}`)))
	var runs []string
	for m := range 48 {
		at := time.Date(2026, 1, 1, m/2, m%2*30, 0, 0, time.UTC)
		if spec.RunsAt(at) {
			runs = append(runs, at.Format("15:04"))
		}
	}
	if got := strings.Join(runs, " "); got != "08:00 12:00 16:00 20:00" {
		t.Errorf("runs at %s", got)
	}
}

func TestJobThatRanWhenTheEstateWasTakenBlocksAndEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		job := `"jobs":[{"id":"` + testVault + `/backupJobs/j1","name":"j1","type":"x","properties":{"jobType":"AzureIaaSVMJob","containerName":"iaasvmcontainerv2;rg-app;vm1",` +
			`"operation":"ConfigureBackup","status":"InProgress","startTime":"1999-12-31T23:59:00Z","entityFriendlyName":"VM1","backupManagementType":"AzureIaasVM"}}]`
		c := serve(t, estate(t, job), Options{Settings: quick()})
		c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 409)
		time.Sleep(11 * time.Second)
		if j := c.get(testVault + "/backupJobs/j1"); rawjson.TextAt(j.body, "properties", "status") != "Completed" {
			t.Errorf("%s", j.body)
		}
		c.protect("VM1", "daily")
	})
}

func TestSpeedMakesTimeRunAndShortensRetryAfter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), Options{Settings: quick(), Speed: 60})
		a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After %s", a.header.Get("Retry-After"))
		}
		time.Sleep(time.Second)
		c.get(itemPath("vm1"))
	})
}

func TestStateAndStatsAreServed(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.get(itemPath("vm1"))
	saved := c.do("GET", c.base+"/_simulator/state", "", 200)
	e, err := state.Read(strings.NewReader(string(saved.body)))
	if err != nil {
		t.Fatal(err)
	}
	serve(t, e, Options{}).get(itemPath("vm1"))
	stats := c.do("GET", c.base+"/_simulator/stats", "", 200)
	if rawjson.Number(stats.body, "requests", "item.put") != 1 || rawjson.Number(stats.body, "writes") != 1 || rawjson.Number(stats.body, "reads") != 1 {
		t.Errorf("%s", stats.body)
	}
}

func TestLogHasALineForEachRequest(t *testing.T) {
	var lines []Entry
	c := serve(t, estate(t), Options{Settings: at0(), Log: func(e Entry) { lines = append(lines, e) }})
	c.get(testVault)
	c.do("GET", testVault+"/backupJobs/x", "", 404)
	if len(lines) != 2 || lines[0].Kind != "vault.get" || lines[1].Status != 404 || lines[1].Code != "BMSUserErrorJobNotFound" {
		t.Errorf("%+v", lines)
	}
}
