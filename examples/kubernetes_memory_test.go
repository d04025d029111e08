package examples

import (
	"encoding/json"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
)

// A Job's memory is what was measured, and more: a limit that is too low ends a run in its middle.
func TestJobsMayUseMoreMemoryThanWasMeasured(t *testing.T) {
	var results struct {
		Rows map[string]struct{ Figures map[string]float64 }
	}
	if err := json.Unmarshal(readFile(t, "../internal/tools/bench/results.json"), &results); err != nil {
		t.Fatal(err)
	}
	measured := func(row, figure string) float64 {
		mb := results.Rows[row].Figures[figure]
		if mb == 0 {
			t.Fatalf("row %s has no %q", row, figure)
		}
		return mb * 1e6
	}
	const (
		limit   = 1.5 // over what was measured
		request = 1.0
		unasked = 0 // a request that is for smaller estates than the one that was measured
	)
	jobs := map[string]struct{ bytes, request float64 }{
		"azbackup-audit":       {measured("organisation-shards", "MB"), request},
		"azbackup-audit-merge": {measured("organisation-shards", "MB for the merge"), request},
		"azbackup-apply":       {measured("organisation-plan", "MB"), request},
		"azbackup-apply-merge": {measured("organisation-shards", "MB for the merge"), unasked},
		"azbackup":             {measured("organisation-plan", "MB"), unasked},
	}
	for _, file := range []string{"kubernetes/shards.yaml", "kubernetes/cronjob.yaml"} {
		for _, o := range manifests(t, file) {
			cron, ok := o.(*batchv1.CronJob)
			if !ok {
				continue
			}
			want, known := jobs[cron.Name]
			if !known {
				t.Errorf("%s: nothing was measured for %s", file, cron.Name)
			}
			delete(jobs, cron.Name)
			for _, c := range cron.Spec.JobTemplate.Spec.Template.Spec.Containers {
				if got := c.Resources.Limits.Memory().AsApproximateFloat64(); got < limit*want.bytes {
					t.Errorf("%s, %s: the limit is %.0f MB, measured were %.0f MB", file, cron.Name, got/1e6, want.bytes/1e6)
				}
				if got := c.Resources.Requests.Memory().AsApproximateFloat64(); got < want.request*want.bytes {
					t.Errorf("%s, %s: the request is %.0f MB, measured were %.0f MB", file, cron.Name, got/1e6, want.bytes/1e6)
				}
			}
		}
	}
	if len(jobs) > 0 {
		t.Errorf("there are no Jobs %v", jobs)
	}
}
