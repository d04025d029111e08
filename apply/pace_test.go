package apply_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// TestARunIsAsFastAsTheQuotasAllow compares the makespan with the bound that the write quota and the operations set:
// max over i of (t_i + d_i), where t_i is when the bucket (200 at once, then 10 a second) lets the i-th write go and
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
