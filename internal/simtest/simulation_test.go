package simtest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

var (
	seeds             = flag.Int("seeds", 60, "how many seeds to run")
	first             = flag.Uint64("first", 1, "the first seed")
	seed              = flag.Uint64("seed", 0, "run this seed alone, and tell what happens")
	concurrentClients = flag.Bool("concurrent-clients", true, "in half of the seeds another client changes what it likes at any request")
)

func TestMain(m *testing.M) {
	// One thread: then a seed determines nearly everything, and a failure is reproducible.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400) // a seed needs little memory, and garbage collection took a fifth of its time
	m.Run()
}

// TestSimulation applies random files to random estates, with random faults, until nothing is left to do, and checks
// the invariants of docs/design.md §6 and §10 after every step.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		runSeed(t, *seed, true)
		return
	}
	if *jobs > 1 {
		runProcesses(t)
		return
	}
	var sum summary
	for n := range uint64(*seeds) {
		if *tell {
			fmt.Printf("begins seed %d\n", *first+n)
		}
		sum = sum.plus(runSeed(t, *first+n, false))
		if t.Failed() {
			break
		}
	}
	t.Log(sum)
	if *tell {
		raw, err := json.Marshal(sum)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("summary %s\n", raw)
	}
}

func runSeed(t *testing.T, n uint64, loud bool) (sum summary) {
	t.Helper()
	s := newScenario(n)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p := newPlay(t, s, loud)
		p.run()
		sum = p.summary(time.Since(began))
		if len(p.v.list) > 0 {
			t.Errorf("seed %d: run `go test ./internal/simtest -run TestSimulation -seed %d`:\n  %s", n, n, strings.Join(p.v.list, "\n  "))
		}
	})
	return sum
}

// play is the run of a scenario.
type play struct {
	*scenario
	t        *testing.T
	loud     bool
	mainPath *mainPath
	wire     *wire
	read     func(any)
	stats    func() simulator.Stats
	v        *violations
	gaps     map[int]bool // walks with failed reads: they may repeat a write whose effect they could not read
	runs     map[int]*run // by walk; not of two at once
	// concurrent is the other client; judge receives the effects of both.
	concurrent      *concurrentClient
	approvals       *approvalChecker
	sendIdleRequest func() // a request of no program, at which the other client can act
}

func newPlay(t *testing.T, s *scenario, loud bool) *play {
	t.Helper()
	p := &play{scenario: s, t: t, loud: loud, v: &violations{}, gaps: map[int]bool{}, runs: map[int]*run{}, concurrent: newConcurrentClient(s), approvals: newApprovalChecker(s.estate)}
	server := serve(t, s.estate, simulator.Options{Settings: s.settings, ConcurrentClients: p.actionsBefore, Effects: p.effect})
	p.wire = &wire{inner: server.Transport(), requestsLeft: -1}
	p.mainPath = newMainPath(t, s.yaml, p.wire)
	p.mainPath.approve = p.approve
	p.sendIdleRequest = func() { readAdmin(t, server, "stats", &struct{}{}) }
	p.concurrent.tell = p.logf
	p.read = func(into any) { readState(t, server, into) }
	p.stats = server.Stats
	if loud {
		fmt.Fprintln(os.Stderr, s.yaml)
		for _, f := range s.settings.Faults {
			fmt.Fprintf(os.Stderr, "%+v\n", f)
		}
	}
	return p
}

// finalRuns is how many runs without a cut must do.
const finalRuns = 7

func (p *play) run() {
	p.concurrent.active = p.hasConcurrentClient
	for _, c := range p.cuts {
		p.runUntilKilled(c)
		time.Sleep(c.pause)
	}
	if p.interrupt > 0 {
		p.runToEnd(p.interruptible())
	}
	if p.isTwoAtOnce {
		p.runTwoAtOnce()
	}
	var last *run
	for n := range finalRuns {
		busy := p.concurrent.active
		last = p.runToEnd(apply.Options{})
		p.concurrent.active = p.hasConcurrentClient && n == 0 // not during the last walks
		if last == nil {
			continue
		}
		if busy {
			time.Sleep(15 * time.Minute)
			continue
		}
		after, err := p.mainPath.plan(p.t.Context(), p.t)
		if err != nil {
			continue
		}
		p.checkAfter(p.v, last, after)
		if len(after.plan.Actionable()) == 0 && after.plan.Complete {
			break
		}
		time.Sleep(15 * time.Minute)
	}
	if last == nil {
		p.v.add("no run got as far as a plan")
		return
	}
	var all map[string]json.RawMessage
	p.read(&all)
	var st state
	decode(all["protectedItems"], &st.Items)
	decode(all["jobs"], &st.Jobs)
	p.checkEnd(p.v, &st, last)
	p.checkHistory(p.v, &st, slices.DeleteFunc(p.wire.requests(-1), func(q sent) bool { return p.gaps[q.walk] }))
	for walk, r := range p.runs {
		p.checkWaited(p.v, &st, r, p.wire.requests(walk))
	}
	p.checkThrottling()
	p.approvals.hidden = map[string]bool{}
	for _, m := range p.machines {
		p.approvals.hidden[string(armid.Of(m.id))] = m.isHidden
	}
	p.approvals.check(p.v, p.wire.requests(-1))
	p.approvals.checkMirror(p.v, all)
}

// checkThrottling checks that the only 429 replies were injected or unforeseeable.
func (p *play) checkThrottling() {
	answered := p.stats()
	throttled := answered.Throttled()
	for _, f := range p.settings.Faults {
		if f.Status == 429 {
			throttled -= answered.Faults[f.Name]
		}
	}
	requests := p.wire.requests(-1)
	if policyWritesAccepted(requests) < plan.PolicyWritesPerDay {
		// The other client used up the day's writes of policies, of which no answer says how many are left.
		throttled -= answered.Codes["BMSUserErrorPolicyWritesPerDayExceeded"]
	}
	if throttled -= len(unforeseen(requests)); throttled > 0 {
		p.v.add("%d answers of 429 by our own doing", throttled)
	}
}

// policyWritesAccepted counts the writes of policies among requests that the service accepted.
func policyWritesAccepted(requests []sent) (n int) {
	for _, q := range requests {
		if q.method == http.MethodPut && strings.Contains(q.path, "/backuppolicies/") && q.status/100 == 2 {
			n++
		}
	}
	return n
}

func (p *play) interruptible() apply.Options {
	asked := make(chan struct{})
	time.AfterFunc(p.interrupt, func() { close(asked) })
	return apply.Options{Interrupt: asked, Grace: p.grace}
}

// runUntilKilled runs the program until it is cut.
func (p *play) runUntilKilled(c cut) {
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	p.wire.begin(c.n, c.effect, cancel)
	w, err := p.mainPath.apply(ctx, p.t, apply.Options{Observer: p.tell})
	p.wire.cutNow()
	p.gaps[p.wire.walk], p.runs[p.wire.walk] = !w.plan.Complete, w
	p.logf("— killed at request %d: %v", c.n, err)
	p.checkRequests(p.v, w, p.wire.requests(p.wire.walk))
}

// runToEnd runs the program to its end; nil when it did not get as far as a plan.
func (p *play) runToEnd(o apply.Options) *run {
	var events []apply.Event
	o.Observer = func(e apply.Event) {
		events = append(events, e)
		p.tell(e)
	}
	p.wire.begin(-1, true, nil)
	w, err := p.mainPath.apply(p.t.Context(), p.t, o)
	if w.report.Results == nil {
		p.logf("— no plan: %v", err)
		return nil
	}
	p.logf("— %v complete %v: %v", w.report.Summary, w.plan.Complete, err)
	p.gaps[p.wire.walk], p.runs[p.wire.walk] = !w.plan.Complete, w
	p.checkWalk(p.v, w, events, p.wire.requests(p.wire.walk))
	return w
}

// runTwoAtOnce runs two programs at once, as two machines would.
func (p *play) runTwoAtOnce() {
	p.wire.begin(-1, true, nil)
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() {
			time.Sleep(time.Duration(i) * time.Duration(p.seed%40) * time.Second)
			w, err := p.mainPath.apply(p.t.Context(), p.t, apply.Options{})
			if w.report.Results == nil && errors.Is(err, context.Canceled) {
				p.v.add("machine %d: %v", i, err)
			}
		})
	}
	both.Wait()
}

func (p *play) tell(e apply.Event) {
	if p.loud && e.Kind != apply.EventHeartbeat {
		fmt.Fprintf(os.Stderr, "%s %-9s %-60.60s %s %s %s\n", e.Time.Format("15:04:05.000"), e.Kind, e.Change, e.Outcome, e.Code, e.Message)
	}
}
