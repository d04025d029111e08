package apply_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// The number of chains, and the seed of the first one: a failure names the seed of its chain.
var (
	chains    = flag.Int("chains", 300, "how many random chains run in real time")
	chainSeed = flag.Uint64("chain-seed", 0, "seed of the first chain; 0 draws one")
)

// instant is a backend that executes each change at once, apart from random short delays, refuses some writes, and
// lists every item as desired.
type instant struct {
	plan  plan.Plan
	seed  uint64
	calls atomic.Uint64
}

// pauseRandomly sleeps or spins for a moment of real time, or does neither.
func pauseRandomly(r *rand.Rand) {
	switch n := r.IntN(8); {
	case n == 0:
		time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond)
	case n < 3:
		for until := time.Now().Add(time.Duration(r.IntN(20)) * time.Microsecond); time.Now().Before(until); {
			// busy, like an encoder
		}
	}
}

func (b *instant) random() *rand.Rand { return rand.New(rand.NewPCG(b.seed, b.calls.Add(1))) }

func (b *instant) Start(_ context.Context, c plan.Change) (apply.Operation, error) {
	r := b.random()
	pauseRandomly(r)
	if r.IntN(12) == 0 {
		return apply.Operation{}, &apply.Error{Op: "writing", Status: 400, Code: "ScopeLocked", Message: "scripted"}
	}
	return apply.Operation{Change: c.ID, Vault: c.Vault, Action: c.Action, Target: c.Target, After: c.After}, nil
}

func (b *instant) List(_ context.Context, vault string) (apply.Snapshot, error) {
	pauseRandomly(b.random())
	s := apply.Snapshot{Requests: 2}
	for _, c := range b.plan.Changes {
		if c.Item != "" && armid.Same(c.Vault, vault) {
			s.Items = append(s.Items, plan.Item{
				ID: c.Item, Vault: vault, VM: c.Target, Container: containerName(c), State: plan.StateProtected, PolicyID: c.After.Policy,
			})
		}
	}
	return s, nil
}

func (b *instant) ListJobs(ctx context.Context, vault string) (apply.Snapshot, error) {
	return b.List(ctx, vault)
}

func (b *instant) IsJobRunning(context.Context, string) (bool, error) { return false, nil }

func (b *instant) Poll(context.Context, apply.Operation) (apply.Progress, error) {
	pauseRandomly(b.random())
	return apply.Progress{Done: true}, nil
}

// randomChains draws a small plan, each change of which may need some of those before it.
func randomChains(r *rand.Rand) plan.Plan {
	var changes []plan.Change
	vaults, updated := 1+r.IntN(3), map[string]bool{}
	for i := range 2 + r.IntN(9) {
		vault := fmt.Sprint("v", r.IntN(vaults))
		v := vaultID(vault)
		c := plan.Change{Action: plan.UpdatePolicy, Target: armid.Policy(v, fmt.Sprint("p", i)), Vault: v}
		switch n := r.IntN(6); {
		case n == 0 && !updated[v]:
			c.Action, c.Target, updated[v] = plan.UpdateVault, v, true
		case n < 3:
			c = itemChangeIn(vault, plan.Modify, fmt.Sprint("vm", i))
		}
		c.ID = fmt.Sprintf("%s:%d", c.Action, i)
		for _, before := range changes {
			if r.IntN(3) == 0 {
				c.Needs = append(c.Needs, before.ID)
			}
		}
		changes = append(changes, c)
	}
	return plan.Plan{Changes: changes}
}

func TestChainsInRealTimeAreCarriedOutToTheEnd(t *testing.T) {
	first := *chainSeed
	if first == 0 {
		first = rand.Uint64() >> 1
	}
	n := uint64(*chains)
	if testing.Short() {
		n = min(n, 50)
	}
	t.Logf("seed %d", first)
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		if runChain(t, seed); t.Failed() {
			t.Errorf("again with: go test ./apply -run RealTime -args -chains 1 -chain-seed %d", seed)
		}
	}
}

// runChain runs the chain of a seed. The seed determines the plan, the faults and the pauses; the scheduler
// of the machine determines the rest.
func runChain(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	p := randomChains(r)
	rec := &recorder{t: t}
	var interrupt chan struct{}
	stopAfter := 0
	if r.IntN(8) == 0 {
		interrupt, stopAfter = make(chan struct{}), 1+r.IntN(12)
	}
	turns := &instant{seed: seed ^ 1<<63}
	rep, err := apply.Run(t.Context(), p, &instant{plan: p, seed: seed}, apply.WithYield(apply.Options{
		Limits:    apply.Limits{Writes: 1 + r.IntN(4), Polls: 1 + r.IntN(3), Operations: 1 + r.IntN(6)},
		Interrupt: interrupt, Grace: time.Minute,
		Observer: func(e apply.Event) {
			pauseRandomly(r)
			rec.observe(e)
			if stopAfter--; stopAfter == 0 {
				close(interrupt)
			}
		},
	}, func() {
		if turns.random().IntN(3) == 0 {
			runtime.Gosched()
		}
	}))
	checkReport(t, p, rep, err)
	checkOrder(t, p, rec)
	results := map[string]apply.Result{}
	for _, res := range rep.Results {
		results[res.ID] = res
	}
	for _, c := range p.Changes {
		checkConsequence(t, c, results)
	}
	if internal, is := errors.AsType[*apply.InternalError](err); is {
		t.Error(internal)
	}
	ended := rep.Summary[apply.Done] + rep.Summary[apply.AlreadyDone] + rep.Summary[apply.Failed] + rep.Summary[apply.Blocked]
	if interrupt == nil && ended != len(p.Changes) {
		t.Errorf("%d of %d changes ended: %v", ended, len(p.Changes), rep.Summary)
	}
}
