package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"
	dto "github.com/prometheus/client_model/go"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// describeRestores sums up restore tests: what is proven, and how fast; nothing where there are none.
func describeRestores(s *audit.RestoreSummary) []string {
	if s == nil {
		return nil
	}
	words := []string{formatPercent(s.Share) + " proven by a restore: " + formatNumber(s.VMs) + " of " + formatCount(s.Covered, "VM") + " that restore tests cover"}
	for _, n := range []struct {
		n    int
		what string
	}{{s.Due, "due"}, {s.Failed, "failed"}, {s.Unknown, "unknown"}} {
		if n.n > 0 {
			words = append(words, formatNumber(n.n)+" "+n.what)
		}
	}
	proven := strings.Join(words, ", ")
	if s.MedianSeconds == nil {
		return []string{proven}
	}
	return []string{proven, "a restore took " + formatSeconds(*s.MedianSeconds) + " at the median, " + formatSeconds(*s.SlowestSeconds) + " at the slowest; at that speed " +
		formatCount(s.FullVMs, "VM") + " with a recovery point take about " + formatSeconds(*s.FullSeconds) + ", " + formatNumber(s.InFlight) + " at a time"}
}

func formatSeconds(n int64) string { return formatDuration(time.Duration(n) * time.Second) }

// describeRestoreTest returns the result of a VM's restore test, in untrusted text; "" where none covers it.
func describeRestoreTest(vm audit.VM) string {
	if vm.RestoreTest == nil {
		return ""
	}
	words := "restore test " + vm.RestoreTest.Name + ": " + string(vm.RestoreTest.State)
	if vm.RestoreTest.Why != "" {
		words += " (" + vm.RestoreTest.Why + ")"
	}
	if p := vm.RestoreProven; p != nil {
		words += ", last restored " + p.Time.UTC().Format("2006-01-02")
		if p.Seconds > 0 {
			words += " in " + formatSeconds(p.Seconds)
		}
	}
	if f := vm.RestoreFailed; f != nil {
		words += ", failed " + f.Time.UTC().Format("2006-01-02") + " (" + strings.TrimSuffix(f.Code+": "+f.Message, ": ") + ")"
	}
	return words
}

// testColumns returns the columns of restore tests.
func testColumns() []csvColumn[audit.VM] {
	return []csvColumn[audit.VM]{
		{"restore_test", func(vm audit.VM) string { return cmp.Or(vm.RestoreTest, &audit.RestoreTest{}).Name }},
		{"restore_test_state", func(vm audit.VM) string { return string(cmp.Or(vm.RestoreTest, &audit.RestoreTest{}).State) }},
		{"restore_proven", func(vm audit.VM) string { return formatTime(&cmp.Or(vm.RestoreProven, &plan.RestoreProof{}).Time) }},
		{"restore_seconds", func(vm audit.VM) string {
			return formatOptionalSeconds(nonZero(cmp.Or(vm.RestoreProven, &plan.RestoreProof{}).Seconds))
		}},
		{"restore_failed", func(vm audit.VM) string { return formatTime(&cmp.Or(vm.RestoreFailed, &plan.RestoreFailure{}).Time) }},
		{"restore_failed_code", func(vm audit.VM) string { return cmp.Or(vm.RestoreFailed, &plan.RestoreFailure{}).Code }},
	}
}

func formatOptionalSeconds(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// restoreFamilies returns the samples of restore tests. The time of the oldest proof is per vault and policy: it is 0
// where a VM has no proof, and leaves out VMs whose test is unknown or cannot run yet. The duration of the slowest
// restore, in seconds, and the number of VMs per state count these VMs too.
func restoreFamilies(r audit.Result) []*dto.MetricFamily {
	if r.Summary.RestoreProven == nil {
		return nil
	}
	type key struct{ subscription, vault, policy string }
	oldest, slowest, states := map[key]float64{}, map[key]int64{}, map[plan.TestState]int{}
	for _, vm := range r.VMs {
		if vm.RestoreTest == nil {
			continue
		}
		states[vm.RestoreTest.State]++
		k := key{escapeInvisible(armid.SubscriptionOf(vm.Vault)), escapeInvisible(lastName(vm.Vault)), escapeInvisible(vm.Policy)}
		at := 0.0
		if p := vm.RestoreProven; p != nil {
			at = unixSeconds(p.Time)
			slowest[k] = max(slowest[k], p.Seconds)
		}
		if s := vm.RestoreTest.State; s == plan.TestUnknown || s == plan.TestWaiting {
			continue
		}
		if before, ok := oldest[k]; !ok || at < before {
			oldest[k] = at
		}
	}
	byName := func(a, b key) int {
		return cmp.Or(cmp.Compare(a.subscription, b.subscription), cmp.Compare(a.vault, b.vault), cmp.Compare(a.policy, b.policy))
	}
	var times, seconds, vms []*dto.Metric
	for _, k := range slices.SortedFunc(maps.Keys(oldest), byName) {
		times = append(times, newSample(oldest[k], "subscription", k.subscription, "vault", k.vault, "policy", k.policy))
	}
	for _, k := range slices.SortedFunc(maps.Keys(slowest), byName) {
		seconds = append(seconds, newSample(float64(slowest[k]), "subscription", k.subscription, "vault", k.vault, "policy", k.policy))
	}
	for _, s := range testStates() {
		vms = append(vms, newLabelledMetric("state", string(s), states[s]))
	}
	return []*dto.MetricFamily{
		newGauge("azbackup_restore_proven_timestamp_seconds",
			"When a restore test last restored the VM where that is the longest ago, of the VMs that tests cover; 0 where one was never restored.", times...),
		newGauge("azbackup_restore_proven_seconds", "How long the slowest of the last restores of VMs by restore tests took.", seconds...),
		newGauge("azbackup_audit_restore_test_vms", "VMs that restore tests cover, by state of the test.", vms...),
	}
}

func testStates() []plan.TestState {
	return []plan.TestState{plan.TestProven, plan.TestDue, plan.TestRunning, plan.TestWaiting, plan.TestUnknown}
}

// junitRestores returns a test case for each restore test of a VM: it fails where a finding about it reaches the result's
// FailOn, is an error where its state is unknown, and is skipped while the test cannot run yet.
func junitRestores(r audit.Result) junitSuite {
	at := map[armid.Key][]audit.Finding{}
	for _, f := range r.Findings {
		if f.IsOfRestoreTest() {
			at[armid.Of(f.Target)] = append(at[armid.Of(f.Target)], f)
		}
	}
	names := namesakesOfAudit(r, func(yield func(string) bool) {
		for _, vm := range r.VMs {
			if vm.RestoreTest != nil && !yield(vm.ID) {
				return
			}
		}
	})
	return junitSuite{newSuite("restore tests", r), func(yield func(junit.Testcase) bool) {
		for _, vm := range r.VMs {
			t := vm.RestoreTest
			if t == nil {
				continue
			}
			c := junit.Testcase{Name: escapeInvisible(vm.ResourceGroup + "/" + names.testName(vm)), Classname: escapeInvisible("restore-test." + t.Name), Status: string(t.State)}
			if p := vm.RestoreProven; p != nil && t.State == plan.TestProven {
				c.Time = strconv.FormatInt(p.Seconds, 10)
			}
			findings, words := at[armid.Of(vm.ID)], describeRestoreTest(vm)
			switch {
			case t.State == plan.TestUnknown:
				c.Error = junitResult("unknown", words, findings)
			case hasAtLeast(findings, r.Made.FailOn):
				c.Failure = junitResult(string(t.State), words, findings)
			case t.State == plan.TestRunning || t.State == plan.TestWaiting:
				c.Skipped = &junit.Result{Message: escapeInvisible(words)}
			case len(findings) > 0:
				c.SystemOut = &junit.Output{Data: junitText(findings)}
			}
			if !yield(c) {
				return
			}
		}
	}}
}
