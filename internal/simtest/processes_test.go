package simtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	jobs = flag.Int("jobs", 1, "how many processes run seeds at once; each runs on one thread")
	tell = flag.Bool("json", false, "tell each seed and the summary, to the process that started this one")
)

const (
	chunk       = 40 // seeds of a process
	maxFailures = 20 // failed seeds after which no more are run
)

// span is a stretch of seeds.
type span struct {
	first uint64
	count int
}

// TestEverySeedIsRunWhoeverFails checks that a failed seed does not stop the others.
func TestEverySeedIsRunWhoeverFails(t *testing.T) {
	f := &pool{run: func(s span) (summary, string) {
		for n := s.first; n < s.first+uint64(s.count); n++ {
			if n == 3 || n == 58 {
				return summary{}, fmt.Sprintf("seed %d: run it", n)
			}
		}
		return summary{Seeds: s.count}, ""
	}}
	f.runAll(span{1, 100}, 3, 16)
	if f.sum.Seeds != 98 || len(f.failures) != 2 {
		t.Errorf("%+v", f)
	}
}

// pool runs seeds in several processes.
type pool struct {
	run func(span) (sum summary, failure string)

	mu       sync.Mutex
	sum      summary
	failures []string
}

// runAll runs a range of seeds, several at a time in each of several processes.
func (f *pool) runAll(s span, processes, chunk int) {
	work := make(chan span)
	var busy sync.WaitGroup
	for range processes {
		busy.Go(func() {
			for part := range work {
				f.runPart(part)
			}
		})
	}
	for s.count > 0 && !f.hasEnoughFailures() {
		part := span{s.first, min(chunk, s.count)}
		work <- part
		s.first, s.count = s.first+uint64(part.count), s.count-part.count
	}
	close(work)
	busy.Wait()
}

func (f *pool) hasEnoughFailures() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.failures) >= maxFailures
}

// runPart runs a span, and where a seed of it fails the seeds before and behind that.
func (f *pool) runPart(s span) {
	if s.count <= 0 {
		return
	}
	sum, failure := f.run(s)
	f.mu.Lock()
	f.sum = f.sum.plus(sum)
	if failure != "" {
		f.failures = append(f.failures, failure)
	}
	f.mu.Unlock()
	failed, is := failedSeed(failure)
	if failure == "" || !is || failed < s.first || failed >= s.first+uint64(s.count) {
		return
	}
	before := int(failed - s.first) //nolint:gosec // a part of a chunk
	f.runPart(span{s.first, before})
	f.runPart(span{failed + 1, s.count - before - 1})
}

// failedSeed returns the seed in the output of a failed process, or in the partial output of one that the runtime
// ended.
func failedSeed(output string) (uint64, bool) {
	found := regexp.MustCompile(`seed (\d+): run|begins seed (\d+)\n`).FindAllStringSubmatch(output, -1)
	if found == nil {
		return 0, false
	}
	last := found[len(found)-1]
	n, err := strconv.ParseUint(last[1]+last[2], 10, 64)
	return n, err == nil
}

// runProcesses runs the seeds in processes and logs the rate.
func runProcesses(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := &pool{run: func(s span) (summary, string) {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestSimulation$", "-test.timeout=0", "-json", //nolint:gosec // this program
			fmt.Sprintf("-concurrent-clients=%v", *concurrentClients), fmt.Sprintf("-first=%d", s.first), fmt.Sprintf("-seeds=%d", s.count))
		out, err := cmd.CombinedOutput()
		var sum summary
		for line := range strings.Lines(string(out)) {
			if rest, is := strings.CutPrefix(line, "summary "); is {
				_ = json.Unmarshal([]byte(rest), &sum) // a line of this test's own
			}
		}
		if err != nil {
			return summary{}, fmt.Sprintf("%v\n%s", err, out)
		}
		return sum, ""
	}}
	began := time.Now()
	f.runAll(span{*first, *seeds}, *jobs, chunk)
	for _, failure := range f.failures {
		t.Error(regexp.MustCompile(`(?m)^(begins seed|=== RUN).*\n`).ReplaceAllString(failure, ""))
	}
	took := time.Since(began)
	t.Logf("%v; %v in %d processes: %.0f seeds a minute", f.sum, took.Round(time.Second), *jobs, float64(f.sum.Seeds)/took.Minutes())
}
