package simtest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// massRestore is one run of many restores.
type massRestore struct {
	makespan, bound time.Duration
	requests        int // while the run was followed, the writes included
	done, throttled int
	wrong           int // restores of another point than the last good one
	atOnce          int // jobs that ran at the same time, at most
}

// measureRestores restores VMs with inFlight restores at once. The bound is the time in which the jobs, in the order in
// which they were started and as long as each took, fill that many slots without a pause.
func measureRestores(t *testing.T, vms, inFlight int, quota string) massRestore {
	t.Helper()
	var m massRestore
	synctest.Test(t, func(t *testing.T) {
		attack := time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)
		r := newRestoringWith(t, vms, simulator.Settings{Quota: quota, Latency: simulator.Fixed(50 * time.Millisecond)}, attack)
		before, began := r.sim.Stats().Total(), time.Now()
		rep := r.run(t, inFlight)
		m.makespan, m.requests = time.Since(began), r.sim.Stats().Total()-before
		m.done, m.throttled = rep.Summary[apply.Done], r.sim.Stats().Throttled()
		jobs := r.jobs(t)
		slices.SortFunc(jobs, func(a, b plan.Job) int { return a.Start.Compare(b.Start) })
		slots := make([]time.Duration, inFlight)
		for _, j := range jobs {
			slices.Sort(slots)
			slots[0] += j.End.Sub(j.Start)
		}
		m.bound = slices.Max(slots)
		m.atOnce = countAtOnce(jobs)
		m.wrong = r.countRestoresOfOtherPoints(t, "1/1/2000 12:00:00 AM")
	})
	return m
}

// countAtOnce returns how many of the jobs ran at the same time, at most.
func countAtOnce(jobs []plan.Job) int {
	most := 0
	for _, j := range jobs {
		n := 0
		for _, other := range jobs {
			if !other.Start.After(j.Start) && other.End.After(j.Start) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// countRestoresOfOtherPoints returns how many restores took another point than that of a time, as jobs write it.
func (r *restoring) countRestoresOfOtherPoints(t *testing.T, point string) int {
	t.Helper()
	var state struct {
		Jobs []struct {
			Properties struct {
				ExtendedInfo struct {
					Bag map[string]string `json:"propertyBag"`
				} `json:"extendedInfo"`
			} `json:"properties"`
		} `json:"jobs"`
	}
	readState(t, r.sim, &state)
	n := 0
	for _, j := range state.Jobs {
		if j.Properties.ExtendedInfo.Bag["Recovery point time "] != point {
			n++
		}
	}
	return n
}

// A vault of which every last point is encrypted comes back from the points before. Many restores are followed by the jobs of their vault: their number of reads grows with time, not with the restores.
// Of 150 reads an hour about 128 are left for sweeps in these 31 minutes (a tenth stays for other reads, a twentieth for the end
// of the window), one each 14 s: each end is noticed 7 s late on average, and there are 15 rounds of 111 s. So 1.05 cannot be had
// there by lists of jobs.
func TestAnEncryptedVaultComesBackAsFastAsItsSlotsAllow(t *testing.T) {
	for _, tt := range []struct {
		quota           string
		ratio, requests float64 // at most; requests for each restore
	}{{"1100", 1.05, 2.6}, {"150", 1.12, 1.5}} {
		m := measureRestores(t, 300, 20, tt.quota)
		ratio, each := m.makespan.Seconds()/m.bound.Seconds(), float64(m.requests)/300
		t.Logf("quota %s: %s, bound %s, ratio %.3f, %.2f requests a restore, %d times 429, %d at once", tt.quota, m.makespan, m.bound, ratio, each, m.throttled, m.atOnce)
		if m.done != 300 || m.wrong > 0 || m.atOnce != 20 || ratio > tt.ratio || each > tt.requests || m.throttled > 0 {
			t.Errorf("quota %s: %+v", tt.quota, m)
		}
	}
}
