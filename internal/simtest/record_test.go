package simtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/tools/baseline"
)

var (
	record = flag.String("record", "", "write what the runs of the README came to into this `FILE`, for internal/tools/bench")
	check  = flag.Bool("check", false, "compare how long runs take, and with how many requests, with the baseline")
	accept = flag.Bool("accept", false, "write how long runs take, and with how many requests, into the baseline")
)

// recordedRun is what a run came to, as internal/tools/bench reads it.
type recordedRun struct {
	Profile             string
	VMs, Vaults         int
	Makespan, Bound     float64
	Requests, Throttled int
}

func writeRecord(t *testing.T, all ...recordedRun) {
	t.Helper()
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*record, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRecordOfRuns measures the README's figures of runs in virtual time.
func TestRecordOfRuns(t *testing.T) {
	if *record == "" {
		t.Skip("-record names no file")
	}
	var all []recordedRun
	for _, r := range rows() {
		if !strings.HasPrefix(r.name, "real, 150/h") {
			continue
		}
		m := measure(t, r)
		if m.done != r.n {
			t.Errorf("%s: %d of %d done", r.name, m.done, r.n)
		}
		all = append(all, recordedRun{r.name, r.n, r.vaults, m.makespan.Seconds(), m.bound.Seconds(), m.requests, m.throttled})
	}
	writeRecord(t, all...)
}

// TestRecordOfRestores measures the README's figures of restores in virtual time.
func TestRecordOfRestores(t *testing.T) {
	if *record == "" {
		t.Skip("-record names no file")
	}
	m := measureRestores(t, 300, 20, "1100")
	if m.done != 300 || m.wrong > 0 {
		t.Errorf("%+v", m)
	}
	writeRecord(t, recordedRun{"restores", 300, 1, m.makespan.Seconds(), m.bound.Seconds(), m.requests, m.throttled})
}

// A run takes no longer than the baseline, relative to the bound, and sends no more requests.
func TestNoRunTakesLongerThanItDid(t *testing.T) {
	if !*check && !*accept {
		t.Skip("make bench-check compares; make bench-baseline accepts")
	}
	var values []baseline.Value
	for _, r := range rows() {
		if r.n > 1000 || r.n > 100 && (r.vaults == 1 || r.name != "real, 150/h, others 50/h") {
			continue
		}
		m := measure(t, r)
		name := fmt.Sprintf("%s, %d VMs in %d vaults: ", r.name, r.n, r.vaults)
		values = append(values,
			baseline.Value{Name: name + "time over the bound", Is: m.makespan.Seconds() / m.bound.Seconds(), May: 0.01},
			baseline.Value{Name: name + "requests a VM", Is: float64(m.requests) / float64(r.n), May: 0.02},
			baseline.Value{Name: name + "answers of 429", Is: float64(m.throttled)})
	}
	baseline.Check(t, "testdata/baseline.json", values, *accept)
}
