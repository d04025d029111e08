package apply_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// TestARunIsAsFastAsTheQuotasAllow compares the makespan with the bound that the write quota and the operations set:
// max over i of (t_i + d_i), where t_i is when the bucket (200 at once, then 10 a second) admits the i-th write and
// d_i is how long its operation takes.
func TestARunIsAsFastAsTheQuotasAllow(t *testing.T) {
	plain := func(az *fake) {
		az.duration = func(plan.Change, int) time.Duration { return 5 * time.Second }
		az.retryAfter = time.Second
	}
	recorded := func(readsPerHour int) func(az *fake) {
		return func(az *fake) {
			az.readsPerHour = readsPerHour
			az.duration = func(_ plan.Change, n int) time.Duration {
				switch h := (uint32(n)*2654435761 + 12345) % 100; {
				case h < 90:
					return 36 * time.Second
				case h < 99:
					return 71 * time.Second
				}
				return 324 * time.Second
			}
		}
	}
	for _, tc := range []struct {
		name      string
		world     func(*fake)
		n, vaults int
		ratio     float64
		requests  float64 // per VM; 0 = not bounded
	}{
		{"plain", plain, 10, 1, 1.10, 0},
		{"plain", plain, 100, 1, 1.055, 1.2},
		{"plain", plain, 1000, 1, 1.05, 1.2},
		{"plain", plain, 1000, 5, 1.05, 1.2},
		{"150 reads an hour", recorded(150), 10, 1, 1.10, 0},
		{"150 reads an hour", recorded(150), 100, 1, 1.05, 1.2},
		{"150 reads an hour", recorded(150), 1000, 1, 1.05, 1.2},
		{"100 reads an hour", recorded(100), 1000, 5, 1.05, 1.2},
		{"1100 reads an hour", recorded(1100), 1000, 1, 1.05, 1.2},
	} {
		t.Run(fmt.Sprintf("%s, %d in %d", tc.name, tc.n, tc.vaults), func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				az.writeTokens = 200
				tc.world(az)
				var changes []plan.Change
				for i := range tc.n {
					changes = append(changes, itemChangeIn(fmt.Sprint("v", i%tc.vaults), plan.Protect, fmt.Sprint("vm", i)))
				}
				began := time.Now()
				rep, _ := carryOut(t, az, planOf(changes...), apply.Options{Budget: az})
				if rep.Summary[apply.Done] != tc.n {
					t.Errorf("summary %v", rep.Summary)
				}
				var bound time.Duration
				for i := range tc.n {
					goes := time.Duration(max(0, i+1-200)) * time.Second / 10
					bound = max(bound, goes+az.duration(plan.Change{}, i))
				}
				ratio := time.Since(began).Seconds() / bound.Seconds()
				requests := float64(len(az.starts)+az.listRequests+az.polls) / float64(tc.n)
				t.Logf("makespan %v, ratio %.3f, %.3f requests per VM, %d lists in %d requests, %d polls",
					time.Since(began), ratio, requests, az.lists, az.listRequests, az.polls)
				if ratio > tc.ratio {
					t.Errorf("ratio %.3f, want at most %.3f", ratio, tc.ratio)
				}
				if tc.requests > 0 && requests > tc.requests {
					t.Errorf("%.3f requests per VM, want at most %.3f", requests, tc.requests)
				}
			})
		})
	}
}

func TestConfirmingCostsReadsByThePagesNotByTheVMs(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.pageSize = 1000
		reads := map[int]int{}
		for _, n := range []int{50, 400} {
			az.listRequests, az.polls = 0, 0
			var changes []plan.Change
			for i := range n {
				changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", n, "-", i)))
			}
			carryOut(t, az, planOf(changes...), apply.Options{})
			reads[n] = az.listRequests + az.polls
		}
		if reads[400] > 2*reads[50] {
			t.Errorf("reads by number of VMs: %v", reads)
		}
	})
}

// A quarter of a budget is reserved for other clients, and three sweeps of each vault for its slow operations; the rest
// of the scarcer budget is shared by the remaining work.
func TestTheScarcerReadsAreTheMoreOperationsShareASweep(t *testing.T) {
	for _, c := range []struct {
		name                  string
		cost, changes, vaults int
		items, jobs           int // reads left, -1 = no limit
		operations            int
		scarcity, sweeps      float64
	}{
		{"no limit: ten operations a request", 2, 1000, 1, -1, -1, 20, 1, math.Inf(1)},
		{"no limit, ten pages each", 20, 1000, 1, -1, -1, 200, 1, math.Inf(1)},
		{"plenty", 2, 1000, 1, 152, -1, 20, 1, 152*0.75 - 3},
		{"plenty for the last one", 2, 1, 1, 152, 152, 20, 1, 111},
		{"sweeps of ten pages", 20, 100, 1, 160, 160, 200, 1, 12 - 3},
		{"two vaults", 20, 100, 2, 160, 160, 200, 1, 12 - 6},
		{"the scarcer of two counts", 2, 1000, 1, 160, 16, 111, 1000.0 / 9 / 20, 9},
		{"the scarcer of two counts, whichever", 2, 1000, 1, 16, 160, 111, 1000.0 / 9 / 20, 9},
		{"nothing left", 2, 1000, 1, 0, -1, 1000, 50, -3},
		{"less than a sweep left", 2, 1000, 1, 5, -1, 1000, 50, 0.75},
	} {
		operations, scarcity, sweeps := apply.ShareOfASweep(c.cost, c.changes, c.vaults, map[apply.ReadKind]int{apply.ReadItems: c.items, apply.ReadJobs: c.jobs})
		if operations != c.operations || scarcity != c.scarcity || sweeps != c.sweeps {
			t.Errorf("%s: %d operations, scarcity %v, %v sweeps, want %d, %v, %v", c.name, operations, scarcity, sweeps, c.operations, c.scarcity, c.sweeps)
		}
	}
}
