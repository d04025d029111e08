package report

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// The numbers beside the chart are true of the ages that they sum up, however few there are.
func TestAgesAreNotSummedUpAsYoungerThanTheyAre(t *testing.T) {
	const hour, day = 3600, 24 * 3600
	for name, tt := range map[string]struct {
		ages []int64
		want []string // median, 95 %, oldest
	}{
		"none":                {nil, nil},
		"one":                 {[]int64{hour}, []string{"1 h", "1 h", "1 h"}},
		"one of two is old":   {[]int64{hour, 90 * day}, []string{"1 h", "90 d", "90 d"}},
		"one of ten is old":   {append(slices.Repeat([]int64{hour}, 9), 90*day), []string{"1 h", "90 d", "90 d"}},
		"one of 20 is old":    {append(slices.Repeat([]int64{hour}, 19), 90*day), []string{"1 h", "1 h", "90 d"}},
		"two of 22 are old":   {append(slices.Repeat([]int64{hour}, 20), 90*day, 90*day), []string{"1 h", "90 d", "90 d"}},
		"all nearly 25 hours": {slices.Repeat([]int64{25*hour - 60}, 3), []string{"24 h", "24 h", "24 h"}},
		"minutes, days":       {[]int64{59, 47*hour + 59}, []string{"0 min", "47 h", "47 h"}},
	} {
		var got []string
		for _, f := range ageStats(tt.ages) {
			got = append(got, f.Value)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A machine of which nothing is known is none that can be restored.
func TestThePageSaysAllOnlyWhereItMeansAll(t *testing.T) {
	for name, tt := range map[string]struct {
		s    audit.Summary
		want string
	}{
		"all":              {audit.Summary{VMs: 3, Covered: 3, Counted: 3, Complete: true}, "All 3 virtual machines can be restored from a fresh backup."},
		"one is unknown":   {audit.Summary{VMs: 3, Covered: 2, Counted: 2}, "All 2 virtual machines that are counted can be restored from a fresh backup."},
		"one is excluded":  {audit.Summary{VMs: 2, Covered: 1, Counted: 1, Complete: true}, "All 1 virtual machine that is counted can be restored from a fresh backup."},
		"one is not fresh": {audit.Summary{VMs: 3, Covered: 1, Counted: 2}, "1 of 2 virtual machines can be restored from a fresh backup; 1 cannot."},
		"none is counted":  {audit.Summary{VMs: 1}, "No virtual machine could be counted."},
	} {
		if got := htmlSentence(audit.Result{Summary: tt.s}); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A machine that waits for its first backup is protected, and not backed up; and where something was not read, it is not
// known that there is nothing to do.
func TestThePageCallsNothingBackedUpThatIsNot(t *testing.T) {
	r := audit.Result{
		VMs:     []audit.VM{{ID: vm("rg", "new"), State: audit.Pending}},
		Summary: audit.Summary{VMs: 1, Counted: 1, States: map[audit.State]int{audit.Pending: 1}, Complete: true},
	}
	words := func(r audit.Result) string {
		var b strings.Builder
		if err := AuditHTML(&b, r); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if page := words(r); !strings.Contains(page, "<b>1</b> protected, but not freshly backed up<") || !strings.Contains(page, "Nothing to do: ") {
		t.Error("the key does not count the machine as protected, or there is something to do")
	}
	r.Gaps = []plan.Gap{{Kind: plan.GapVaults, Code: "AuthorizationFailed"}}
	if page := words(r); strings.Contains(page, "Nothing to do") || !strings.Contains(page, "No findings in what could be read.") {
		t.Error("there is nothing to do, and a read failed")
	}
}

// The baseline of a shard is of all shards: the coverage of one did not move from there.
func TestAShardShowsNoTrendFromTheCoverageOfAll(t *testing.T) {
	before, after := 0.4, 0.9
	r := audit.Result{
		Shard:    &config.Shard{Index: 1, Count: 2},
		Summary:  audit.Summary{VMs: 10, Covered: 9, Counted: 10, Coverage: &after, Complete: true},
		Baseline: &audit.Comparison{Before: &before, After: &after},
	}
	for _, format := range []string{"text", "markdown", "html"} {
		var shard, all strings.Builder
		whole := r
		whole.Shard = nil
		if err := errors.Join(WriteAudit(&shard, format, r, Style{}), WriteAudit(&all, format, whole, Style{})); err != nil {
			t.Fatal(err)
		}
		const trend, apart = "40.0 % → 90.0 %", "40.0 % in all shards, 90.0 % in this one"
		if strings.Contains(shard.String(), trend) || !strings.Contains(shard.String(), apart) || strings.Contains(shard.String(), "50.0 points") {
			t.Errorf("%s: a shard shows a trend", format)
		}
		if !strings.Contains(all.String(), trend) || format == "html" && !strings.Contains(all.String(), "50.0 points") {
			t.Errorf("%s: the whole shows no trend", format)
		}
	}
}

// Machines that were not read at all are left out of the number, too.
func TestNothingIsSaidToBeLeftOutWhereAReadFailed(t *testing.T) {
	share := 1.0
	s := audit.Summary{VMs: 5, Covered: 5, Counted: 5, Coverage: &share, Gaps: 1, States: map[audit.State]int{audit.Protected: 5}}
	r := audit.Result{Summary: s, Gaps: []plan.Gap{{Kind: plan.GapVMs, Code: "AuthorizationFailed"}}}
	for _, format := range []string{"text", "markdown", "junit"} {
		var b strings.Builder
		if err := WriteAudit(&b, format, r, Style{}); err != nil {
			t.Fatal(err)
		}
		if said := strings.ToLower(b.String()); !strings.Contains(said, "nothing left out of what could be read") {
			t.Errorf("%s:\n%s", format, b.String())
		}
	}
	if s.Gaps = 0; describeLeftOut(s) != "nothing left out" {
		t.Error(describeLeftOut(s))
	}
}
