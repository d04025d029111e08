package wire

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

// Azure refuses an update with a time in the future of the policy's own zone (docs/azure.md §32). 23:30 comes last on
// every day, and noon UTC is another day's hour in most zones.
func TestPolicyTimesAreWrittenWithADayThatIsOverEverywhere(t *testing.T) {
	zones := []*time.Location{time.FixedZone("UTC-12", -12*3600), time.UTC, time.FixedZone("UTC+14", 14*3600)}
	dated := regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}`)
	for name, before := range azuretest.PolicySpecs() {
		for change, alter := range map[string]func(*plan.PolicySpec){
			"the time": func(s *plan.PolicySpec) { s.Schedule.At = "23:30" },
			"the zone": func(s *plan.PolicySpec) { s.TimeZone = "Dateline Standard Time" },
			"neither":  func(s *plan.PolicySpec) { s.InstantRestoreDays = 4 },
			"the retention": func(s *plan.PolicySpec) {
				s.Retention.Years = &plan.KeepSpec{Keep: 9, Months: []string{"May"}, Weeks: []string{"First"}, Days: []string{"Sunday"}}
			},
			"nothing, as a new": nil,
		} {
			for _, hour := range []int{0, 6, 12, 18, 23} {
				t.Run(fmt.Sprintf("%s, %s, at %d", name, change, hour), func(t *testing.T) {
					now := time.Date(2026, 12, 1, hour, 15, 0, 0, time.UTC)
					properties := map[string]json.RawMessage{}
					after := before
					if alter != nil {
						// The service writes today's date into what it stores, and so does this document.
						at := now.AddDate(0, 0, 1).Format(time.DateOnly) + "T" + before.Schedule.At + ":00Z"
						for k, v := range map[string]any{
							"schedulePolicy": newPolicySchedule(before, at), "retentionPolicy": newPolicyRetention(before.Retention, at), "timeZone": before.TimeZone,
						} {
							raw, err := json.Marshal(v)
							if err != nil {
								t.Fatal(err)
							}
							properties[k] = raw
						}
						alter(&after)
					}
					from := before
					if alter == nil {
						from = plan.PolicySpec{}
					}
					if err := MergePolicy(properties, from, after, now); err != nil {
						t.Fatal(err)
					}
					text := string(properties["schedulePolicy"]) + string(properties["retentionPolicy"])
					times := dated.FindAllString(text, -1)
					if len(times) < 2 {
						t.Fatalf("no times in %s", text)
					}
					for _, written := range times {
						for _, zone := range zones {
							at, err := time.ParseInLocation("2006-01-02T15:04", written, zone)
							if err != nil {
								t.Fatal(err)
							}
							if at.After(now) {
								t.Errorf("%s is still to come in %s at %s: %s", written, zone, now, text)
							}
						}
					}
				})
			}
		}
	}
}

func TestPolicyTimesThatAreOverGoBackAsTheyCame(t *testing.T) {
	raw := json.RawMessage(`{ "scheduleRunTimes":["2024-04-28T16:30:00.000Z"], "odd":[1.50, "23:00:00Z", "2099-x", null] }`)
	got, err := clampDates("2026-11-29", raw)
	if err != nil || string(got) != string(raw) {
		t.Errorf("%s, %v", got, err)
	}
	got, err = clampDates("2024-04-27", raw)
	if want := `{"odd":[1.50,"23:00:00Z","2099-x",null],"scheduleRunTimes":["2024-04-27T16:30:00.000Z"]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}
