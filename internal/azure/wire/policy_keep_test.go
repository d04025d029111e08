package wire

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

// A write replaces the fields that differ, however they are spelled, and nothing beside them.
func TestAWriteOfAPolicyKeepsWhatStandsBesideItsFields(t *testing.T) {
	is := plan.PolicySpec{
		Tier: plan.TierEnhanced, TimeZone: "UTC", InstantRestoreDays: 2, Schedule: plan.ScheduleSpec{Frequency: plan.FrequencyDaily, At: "22:00"},
		Retention: plan.RetentionSpec{Days: 30}, Archive: &plan.ArchiveSpec{Mode: plan.ArchiveAfter, After: 6, Unit: "Months"},
		InstantRestore: &plan.InstantRestoreSpec{Prefix: "a-"}, Consistency: plan.ConsistencyCrash,
	}
	want := is
	want.Archive = &plan.ArchiveSpec{Mode: plan.ArchiveAfter, After: 3, Unit: "Months"}
	want.InstantRestore = &plan.InstantRestoreSpec{Prefix: "b-"}
	want.InstantRestoreDays, want.Consistency = 5, ""
	for name, tt := range map[string]struct{ properties, sent string }{
		"other tiers and settings": {
			`{"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":6,"durationType":"Months"},"ColdRP":{"x":1}},
			 "instantRPDetails":{"azureBackupRGNamePrefix":"a-","aNewKey":1},"instantRpRetentionRangeInDays":2,"snapshotConsistencyType":"OnlyCrashConsistent"}`,
			`{"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"},"ColdRP":{"x":1}},
			 "instantRPDetails":{"azureBackupRGNamePrefix":"b-","aNewKey":1},"instantRpRetentionRangeInDays":5}`,
		},
		"other spellings": {
			`{"TieringPolicy":{"archivedRP":{"tieringMode":"TierAfter","duration":6,"durationType":"Months"}},
			 "InstantRPDetails":{"AzureBackupRGNamePrefix":"a-"},"InstantRpRetentionRangeInDays":2,"SnapshotConsistencyType":"OnlyCrashConsistent"}`,
			`{"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}},
			 "instantRPDetails":{"azureBackupRGNamePrefix":"b-"},"instantRpRetentionRangeInDays":5}`,
		},
		"null": {
			`{"tieringPolicy":null,"instantRPDetails":null}`,
			`{"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}},
			 "instantRPDetails":{"azureBackupRGNamePrefix":"b-"},"instantRpRetentionRangeInDays":5}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			properties := map[string]json.RawMessage{}
			if err := json.Unmarshal([]byte(tt.properties), &properties); err != nil {
				t.Fatal(err)
			}
			if err := MergePolicy(properties, is, want, time.Now()); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(properties)
			if err != nil {
				t.Fatal(err)
			}
			var want, sent any
			if err := errors.Join(json.Unmarshal([]byte(tt.sent), &want), json.Unmarshal(got, &sent)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, sent); d != "" {
				t.Errorf("(-want +sent):\n%s", d)
			}
		})
	}
}

// A retention that this program does not know was not shown in any plan, so no write may drop it. Those that it knows are
// as the file says.
func TestAWriteOfAPolicyKeepsARetentionThatIsNotKnown(t *testing.T) {
	is := plan.PolicySpec{
		Tier: plan.TierEnhanced, TimeZone: "UTC", InstantRestoreDays: 2, Schedule: plan.ScheduleSpec{Frequency: plan.FrequencyDaily, At: "22:00"},
		Retention: plan.RetentionSpec{Days: 30, Weeks: &plan.KeepSpec{Keep: 4, Days: []string{"Sunday"}}},
	}
	want := is
	want.Retention.Weeks = nil
	at := runTime("22:00", "2026-01-01")
	old, err := json.Marshal(newPolicyRetention(is.Retention, at))
	if err != nil {
		t.Fatal(err)
	}
	properties := map[string]json.RawMessage{"retentionPolicy": json.RawMessage(`{"decadeSchedule":{"keep":[1]},` + string(old[1:]))}
	if err := MergePolicy(properties, is, want, time.Now()); err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(properties["retentionPolicy"], &got); err != nil {
		t.Fatal(err)
	}
	if string(got["decadeSchedule"]) != `{"keep":[1]}` || got["weeklySchedule"] != nil || got["dailySchedule"] == nil {
		t.Errorf("sent %s", properties["retentionPolicy"])
	}
}
