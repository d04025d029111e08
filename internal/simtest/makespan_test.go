package simtest

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
)

// row is one line of the table: a fleet, the simulated service, and the target.
type row struct {
	name      string
	n, vaults int
	settings  simulator.Settings
	writes    tokens // ARM's, from which the bound is reckoned
	target    float64
	requests  float64 // the most a VM; 0 = not bounded
	throttled int     // the maximum number of 429 replies, which reveal the quota
}

// tokens is a bucket of burst requests that refills at a rate per second.
type tokens struct{ burst, refill int }

// fleet returns an estate of n unprotected VMs in one subscription and region, and the file that distributes them over
// vaults.
func fleet(n, vaults int) (estateFile, yaml string) {
	e := &estate{subscriptions: []string{subscriptionID(1)}}
	yaml = "version: 1\nsubscriptions: [" + subscriptionID(1) + "]\nvaults:\n"
	for v := range vaults {
		id := armid.Vault(subscriptionID(1), "rg-backup", fmt.Sprintf("vault%02d", v))
		e.addVault(id, "westeurope")
		e.addPolicy(id, "daily", 30)
		yaml += fmt.Sprintf("  - {name: vault%02d, resourceGroup: rg-backup, location: westeurope}\n", v)
	}
	for i := range n {
		e.addVM(armid.VM(subscriptionID(1), "rg-app", fmt.Sprintf("vm%05d", i)), "westeurope", map[string]string{"env": "prod"})
	}
	yaml += "policies:\n  - {name: daily}\nvms:\n  - {name: all, match: {tags: {env: prod}}, policy: daily, spread: true}\n" +
		"settings: {refresh: never, guards: {maxChanges: 100000}}\n"
	return e.json(), yaml
}

// measurement is one line of the table.
type measurement struct {
	makespan, bound time.Duration
	start           time.Duration // from the first read to the first write
	requests        int           // from the first write to the last confirmation
	writes, reads   int
	pages           int // of the lists that show all items
	throttled       int
	done            int
}

// requestLog keeps the simulator's log, and the arrival time of each request by the test's clock.
type requestLog struct {
	mu      sync.Mutex
	entries []loggedRequest
}

type loggedRequest struct {
	simulator.Entry
	came time.Time
}

func (w *requestLog) log(e simulator.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, loggedRequest{e, time.Now().Add(-e.Took)})
}

// measure runs one apply. The makespan is the time from the first write to the last confirmation; discovery comes
// before it, and there is no refresh and no policy to write.
//
// The bound is max over i of (t_i + d_i). Writes are numbered in the order in which this run sent them. t_i is the
// earliest moment at which ARM's bucket, full at the first write, admits the i-th of them: 0 for the first 200, then a
// tenth of a second more for each (docs/azure.md §12), unless the row has another bucket. d_i is the service's time
// for the i-th, from the arrival of the request to the end of its operation, including the 50 ms until its reply. No
// run that sends the writes in this order can observe the end of its last operation earlier, not even with unlimited
// connections and advance knowledge of every end. The round trip of the confirming poll is not in the bound.
func measure(t *testing.T, r row) measurement {
	t.Helper()
	var m measurement
	synctest.Test(t, func(t *testing.T) {
		estateFile, yaml := fleet(r.n, r.vaults)
		w := &requestLog{}
		server := serve(t, estateFile, simulator.Options{Settings: r.settings, Log: w.log})
		road := newMainPath(t, yaml, server.Transport())
		var first, last time.Time
		began := time.Now()
		done, err := road.apply(t.Context(), t, apply.Options{Observer: func(e apply.Event) {
			switch e.Kind {
			case apply.EventStarted:
				if first.IsZero() {
					first = time.Now()
				}
			case apply.EventFinished:
				last = time.Now()
			default:
			}
		}})
		if err != nil {
			t.Errorf("%v", err)
		}
		m.pages = r.vaults * ((r.n/r.vaults + simulator.DefaultPages()["items"] - 1) / simulator.DefaultPages()["items"])
		m.done = done.report.Summary[apply.Done]
		m.makespan, m.start = last.Sub(first), first.Sub(began)
		m.throttled = server.Stats().Throttled()
		ends := readOperationEnds(t, server)
		i := 0
		for _, e := range w.entries {
			if e.came.Before(first) || e.Kind == "simulator" {
				continue
			}
			m.requests++
			if e.Method == "GET" {
				m.reads++
				continue
			}
			if e.Status == 429 {
				continue
			}
			m.writes++
			if e.Status != 202 {
				continue
			}
			i++
			goes := time.Duration(max(0, i-r.writes.burst)) * time.Second / time.Duration(r.writes.refill)
			m.bound = max(m.bound, goes+ends(e.Entry).Sub(e.Time))
		}
	})
	return m
}

// readOperationEnds reads from the simulator's jobs when each operation ended, and returns it for the write that started it.
func readOperationEnds(t testing.TB, server *simulator.Server) func(simulator.Entry) time.Time {
	t.Helper()
	var state struct {
		Jobs []struct {
			Properties struct {
				ContainerName string    `json:"containerName"`
				EndTime       time.Time `json:"endTime"`
			} `json:"properties"`
		} `json:"jobs"`
	}
	readState(t, server, &state)
	ended := map[string]time.Time{}
	for _, j := range state.Jobs {
		ended[strings.ToLower(j.Properties.ContainerName)] = j.Properties.EndTime
	}
	return func(e simulator.Entry) time.Time {
		_, rest, _ := strings.Cut(strings.ToLower(e.Path), "/protectioncontainers/")
		container, _, _ := strings.Cut(rest, "/")
		_, name, _ := strings.Cut(container, ";")
		at, ok := ended[name]
		if !ok {
			t.Errorf("no job for %s", e.Path)
		}
		return at
	}
}

const jobsRead = "Microsoft.RecoveryServices/vaults/backupJobs/read"

// rows returns the rows of the table. "plain" has only ARM's buckets; "real" has the recorded limits (docs/azure.md
// §4, §12). "behind" has operations that end just after the ages at which polls are worthwhile.
func rows() []row {
	arm := tokens{200, 10}
	var all []row
	for _, size := range []struct{ n, vaults int }{{10, 1}, {100, 1}, {1000, 1}, {1000, 5}, {5000, 20}} {
		target, requests := 1.05, 1.2
		if size.n < 100 {
			target, requests = 1.10, 0
		}
		all = append(all, row{"plain", size.n, size.vaults, world(1, "1100", 5*time.Second), arm, target, requests, 0})
		for _, quota := range []string{"150", "1100"} {
			for _, others := range []int{0, 50} {
				s := world(-1, quota, 0)
				s.OtherClients, s.Limits = others, nil
				s.Distributions = map[string]simulator.Distribution{"protect": {
					{Share: 0.90, Takes: simulator.Duration(36 * time.Second)},
					{Share: 0.09, Takes: simulator.Duration(71 * time.Second)},
					{Share: 0.01, Takes: simulator.Duration(324 * time.Second)},
				}}
				all = append(all, row{fmt.Sprintf("real, %s/h, others %d/h", quota, others), size.n, size.vaults, s, arm, target, requests, 0})
			}
		}
	}
	for _, behind := range []time.Duration{36300 * time.Millisecond, 71300 * time.Millisecond, 324300 * time.Millisecond} {
		for _, retryAfter := range []int{1, 60, -1} {
			all = append(all, row{
				fmt.Sprintf("behind %v, Retry-After %d", behind, retryAfter), 49, 3,
				world(retryAfter, "1100", behind), arm, 1.26, 0, 0,
			})
		}
	}
	free := world(1, "1100", 5*time.Second)
	free.Limits["arm-writes"] = 1 << 20
	small := world(1, "1100", 5*time.Second)
	small.Limits["arm-writes"], small.Limits["arm-writes-refill"] = 10, 4
	return append(all,
		row{"a bucket of 10, 4 a second", 100, 1, small, tokens{10, 4}, 1.05, 0, 3},
		row{"no quota", 1000, 1, free, tokens{1 << 20, 10}, 1.5, 1.2, 0},
	)
}

// world returns a service with 50 ms latency. takes = the duration of a protect.
func world(retryAfter int, quota string, takes time.Duration) simulator.Settings {
	return simulator.Settings{
		Latency: simulator.Fixed(50 * time.Millisecond), RetryAfter: &retryAfter, UnsignedURLs: true, Quota: quota,
		Limits:    map[string]int{"": 1 << 30, jobsRead: 1 << 30},
		Durations: map[string]simulator.Range{"protect": simulator.Fixed(takes)},
	}
}

// TestARunIsAsFastAsTheQuotasAllow prints the table of `make bench` with -table, and otherwise measures a part of it.
func TestARunIsAsFastAsTheQuotasAllow(t *testing.T) {
	for _, r := range rows() {
		if r.n > 100 && !*table {
			continue
		}
		m := measure(t, r)
		ratio := m.makespan.Seconds() / m.bound.Seconds()
		each := float64(m.requests) / float64(r.n)
		line := fmt.Sprintf("%-30s %4d VMs in %2d vaults: makespan %7.2f s, bound %7.2f s, ratio %.3f (target %.2f); %.3f requests/VM, %3d reads for %2d pages; %d times 429 (target %d)",
			r.name, r.n, r.vaults, m.makespan.Seconds(), m.bound.Seconds(), ratio, r.target, each, m.reads, m.pages, m.throttled, r.throttled)
		if *table {
			fmt.Fprintln(os.Stdout, line)
		} else {
			t.Log(line)
		}
		if m.done != r.n || math.Round(ratio*1000)/1000 > r.target || (r.requests > 0 && each > r.requests) || m.throttled > r.throttled {
			t.Errorf("missed, with %d done: %s", m.done, line)
		}
	}
}

// The reads of a vault go on beside the list of the VMs, which takes a request a page, and beside those of other vaults.
func TestTheReadsBeforeTheFirstWriteGoOnSideBySide(t *testing.T) {
	const roundTrip = 50 * time.Millisecond
	for _, c := range []struct {
		vaults, vmPages int
		most            time.Duration
	}{
		{1, 1, 3 * roundTrip}, // the vaults, jobs, items
		{5, 1, 3 * roundTrip},
		{5, 5, 6 * roundTrip}, // the vaults, the pages of VMs
	} {
		const vms = 100
		s := world(1, "1100", 5*time.Second)
		s.Pages = map[string]int{"vms": vms / c.vmPages}
		m := measure(t, row{name: "start", n: vms, vaults: c.vaults, settings: s, writes: tokens{200, 10}})
		// The hourly quotas of the lists of vaults are known from the answer to the first of them, which goes alone.
		hourly := roundTrip * time.Duration(min(c.vaults-1, 1))
		if m.done != vms || m.start > c.most+hourly {
			t.Errorf("%d vaults, %d pages of VMs: %d done, the first write after %v, want %v at most", c.vaults, c.vmPages, m.done, m.start, c.most+hourly)
		}
	}
}

var table = flag.Bool("table", false, "measure every size, and print the table")
