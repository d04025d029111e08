package apply_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// The chains that are run, and the seed of the first one: a failure names the seed of the chain it was found in.
var (
	chains    = flag.Int("chains", 300, "how many random chains run in real time")
	chainSeed = flag.Uint64("chain-seed", 0, "seed of the first chain; 0 draws one")
)

// instant is a backend that carries out everything at once, but for a moment now and then.
type instant struct {
	seed  uint64
	calls atomic.Uint64
}

// dawdle takes a moment of real time, or gives others their turn, or does neither.
func dawdle(r *rand.Rand) {
	switch n := r.IntN(8); {
	case n == 0:
		time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond)
	case n < 3:
		for until := time.Now().Add(time.Duration(r.IntN(20)) * time.Microsecond); time.Now().Before(until); {
			// busy, as an encoder is
		}
	}
}

func (b *instant) random() *rand.Rand { return rand.New(rand.NewPCG(b.seed, b.calls.Add(1))) }

func (b *instant) Start(_ context.Context, c plan.Change) (apply.Operation, error) {
	dawdle(b.random())
	return apply.Operation{Change: c.ID, Vault: c.Vault, Action: c.Action, Target: c.Target, After: c.After}, nil
}

func (b *instant) List(context.Context, string) (apply.Snapshot, error) {
	dawdle(b.random())
	return apply.Snapshot{Requests: 2}, nil
}

func (b *instant) Poll(context.Context, apply.Operation) (apply.Progress, error) {
	dawdle(b.random())
	return apply.Progress{Done: true}, nil
}

// randomChains draws a small plan of vaults and policies, each of which may need some of those before it.
func randomChains(r *rand.Rand) plan.Plan {
	var changes []plan.Change
	vaults, updated := 1+r.IntN(3), map[string]bool{}
	for i := range 2 + r.IntN(9) {
		v := vaultID(fmt.Sprint("v", r.IntN(vaults)))
		c := plan.Change{Action: plan.UpdatePolicy, Target: armid.Policy(v, fmt.Sprint("p", i)), Vault: v}
		if r.IntN(4) == 0 && !updated[v] {
			c.Action, c.Target, updated[v] = plan.UpdateVault, v, true
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
	for seed := first; seed < first+uint64(*chains) && !t.Failed(); seed++ {
		r := rand.New(rand.NewPCG(seed, 2))
		p := randomChains(r)
		rec := &recorder{t: t}
		rep, err := apply.Run(t.Context(), p, &instant{seed: seed}, apply.Options{
			Limits:   apply.Limits{Writes: 1 + r.IntN(4), Polls: 1 + r.IntN(3), Operations: 1 + r.IntN(6)},
			Observed: time.Now(),
			Observer: func(e apply.Event) {
				dawdle(r)
				rec.observe(e)
			},
		})
		checkReport(t, p, rep, err)
		checkOrder(t, p, rec)
		if n := rep.Summary[apply.Done]; n != len(p.Changes) {
			t.Errorf("%d of %d changes are done: %v", n, len(p.Changes), err)
		}
		if t.Failed() {
			t.Errorf("run it again with: go test ./apply -run RealTime -args -chains 1 -chain-seed %d", seed)
		}
	}
}
