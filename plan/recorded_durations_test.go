package plan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

// The numbers are those of docs/azure.md §1, §4, §6, §7, §33.10 and §33.48, in seconds.
func TestForecastsAndPollsCountWithTheRecordedDurations(t *testing.T) {
	for action, want := range map[plan.Action]struct {
		median time.Duration
		ends   []time.Duration
	}{
		plan.Protect:      {36, []time.Duration{36, 71, 324}},
		plan.Modify:       {12, []time.Duration{12, 31}},
		plan.Resume:       {12, []time.Duration{12, 31}},
		plan.Stop:         {11, []time.Duration{12, 14}},
		plan.Undelete:     {13, []time.Duration{12, 14}},
		plan.Backup:       {2, []time.Duration{2, 13}},
		plan.Restore:      {90, []time.Duration{72, 90}},
		plan.RestoreTest:  {90, []time.Duration{72, 90}},
		plan.Refresh:      {12, []time.Duration{12, 75}},
		plan.CreatePolicy: {1, []time.Duration{1, 12}},
		plan.UpdatePolicy: {12, []time.Duration{12, 31}},
		plan.CreateVault:  {60, []time.Duration{10, 60}},
		plan.UpdateVault:  {60, []time.Duration{10, 60}},
		plan.Blocked:      {0, []time.Duration{10, 60}},
		plan.Unchanged:    {0, []time.Duration{10, 60}},
		plan.Excluded:     {0, []time.Duration{10, 60}},
	} {
		got := plan.RecordedDurationOf(action)
		ends := slices.Clone(want.ends)
		for i := range ends {
			ends[i] *= time.Second
		}
		if d := cmp.Diff(plan.RecordedDuration{Median: want.median * time.Second, Ends: ends}, got); d != "" {
			t.Errorf("%s: %s", action, d)
		}
	}
}
