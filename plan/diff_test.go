package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

func TestDisksEqual(t *testing.T) {
	in := func(luns ...int) *plan.Disks { return &plan.Disks{Include: true, LUNs: luns} }
	out := func(luns ...int) *plan.Disks { return &plan.Disks{LUNs: luns} }
	for _, tt := range []struct {
		a, b *plan.Disks
		want bool
	}{
		{nil, nil, true},
		{nil, out(), true},
		{nil, in(), false},
		{in(), in(), true},
		{in(1, 2), in(2, 1), true},
		{in(1), out(1), false},
		{out(1), out(2), false},
		{in(1, 1), in(1), true},
	} {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("%v and %v: got %t", tt.a, tt.b, got)
		}
	}
}

func TestDiffSpecSpeaksTheWordsOfTheFile(t *testing.T) {
	before := plan.PolicySpec{
		Tier: "Standard", TimeZone: "UTC", Schedule: plan.ScheduleSpec{Frequency: "Weekly", At: "22:00", Days: []string{"Monday", "Sunday"}},
		InstantRestoreDays: 5, Retention: plan.RetentionSpec{Weeks: &plan.KeepSpec{Keep: 12, Days: []string{"Monday", "Sunday"}}},
	}
	after := plan.PolicySpec{
		Tier: "Enhanced", TimeZone: "W. Europe Standard Time", Schedule: plan.ScheduleSpec{Frequency: "Hourly", At: "08:00", Every: 4, Window: 12},
		InstantRestoreDays: 7, Consistency: "crash",
		Retention: plan.RetentionSpec{
			Days: 30, Months: &plan.KeepSpec{Keep: 36, Dates: []int{0, 15, 1}},
			Years: &plan.KeepSpec{Keep: 7, Months: []string{"July", "January"}, Weeks: []string{"Last", "First"}, Days: []string{"Sunday"}},
		},
		Archive: &plan.ArchiveSpec{Mode: "TierAfter", After: 3, Unit: "Months"}, InstantRestore: &plan.InstantRestoreSpec{Prefix: "rp-", Suffix: "-weu"},
	}
	want := []plan.Field{
		{Path: "tier", Before: "Standard", After: "Enhanced"},
		{Path: "timeZone", Before: "UTC", After: "W. Europe Standard Time"},
		{Path: "schedule", Before: "weekly on Sunday, Monday at 22:00", After: "every 4h from 08:00 for 12h"},
		{Path: "instantRestoreDays", Before: "5", After: "7"},
		{Path: "retention.days", After: "30"},
		{Path: "retention.weeks", Before: "keep 12; Sunday, Monday"},
		{Path: "retention.months", After: "keep 36; on 1, 15, last"},
		{Path: "retention.years", After: "keep 7; January, July; First, Last; Sunday"},
		{Path: "archive", After: "after 3 months"},
		{Path: "consistency", After: "crash"},
		{Path: "instantRestoreGroup", After: "rp-*-weu"},
	}
	if diff := cmp.Diff(want, plan.DiffSpec(before, after)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if d := plan.DiffSpec(after, after); d != nil {
		t.Errorf("a policy differs from itself: %v", d)
	}
}

func TestDiffVaultSeesOnlyWhatTheFileSays(t *testing.T) {
	before := plan.VaultSettings{Redundancy: "GeoRedundant", SoftDeleteDays: new(14), Tags: map[string]string{"Owner": "a", "other": "b"}}
	after := plan.VaultSettings{SoftDeleteDays: new(30), PublicNetworkAccess: new(false), Tags: map[string]string{"owner": "a", "empty": ""}}
	want := []plan.Field{
		{Path: "softDeleteDays", Before: "14", After: "30"},
		{Path: "publicNetworkAccess", After: "false"},
		{Path: "tags.empty"}, // a tag without a value is a tag
	}
	if diff := cmp.Diff(want, plan.DiffVault(before, after)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if d := plan.DiffVault(before, plan.VaultSettings{}); d != nil {
		t.Errorf("a file that says nothing differs: %v", d)
	}
}
