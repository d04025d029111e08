package apply_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// lookedAt is a backend that records when each operation was accepted and polled, by a list of its vault or directly.
type lookedAt struct {
	*fake
	list, poll func() time.Duration // how long a request takes, on top of the fake's latency

	mu  sync.Mutex
	ops map[string]*looks // by change
}

type looks struct {
	vault    string
	accepted time.Time
	at       []time.Time
}

func (b *lookedAt) Start(ctx context.Context, c plan.Change) (apply.Operation, error) {
	op, err := b.fake.Start(ctx, c)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.ops[c.ID] = &looks{vault: c.Vault, accepted: b.now()}
	}
	return op, err
}

func (b *lookedAt) List(ctx context.Context, vault string) (apply.Snapshot, error) {
	b.mu.Lock()
	for _, op := range b.ops {
		if armid.Same(op.vault, vault) {
			op.at = append(op.at, b.now())
		}
	}
	b.mu.Unlock()
	s, err := b.fake.List(ctx, vault)
	_ = sleep(ctx, b.list())
	return s, err
}

func (b *lookedAt) Poll(ctx context.Context, o apply.Operation) (apply.Progress, error) {
	b.mu.Lock()
	if op := b.ops[o.Change]; op != nil {
		op.at = append(op.at, b.now())
	}
	b.mu.Unlock()
	p, err := b.fake.Poll(ctx, o)
	_ = sleep(ctx, b.poll())
	return p, err
}

// TestNoLookWaitsForNothing checks that after a due poll that came before an operation's end the next one follows
// within a quarter of the operation's age, whatever its kind, the service's Retry-After, the durations of other
// operations and the order of events, as long as reads are not scarce.
func TestNoLookWaitsForNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ms := func(name string, least, most int) time.Duration {
			return time.Duration(rapid.IntRange(least, most).Draw(rt, name)) * time.Millisecond
		}
		vaults := rapid.IntRange(1, 3).Draw(rt, "vaults")
		actions := []plan.Action{plan.Protect, plan.Modify, plan.Resume, plan.Stop, plan.Undelete}
		var changes []plan.Change
		few := map[plan.Action]int{} // of a kind
		for i := range rapid.IntRange(1, 24).Draw(rt, "changes") {
			action := rapid.SampledFrom(actions).Draw(rt, "action")
			if few[action]++; few[action] > 7 {
				continue
			}
			c := itemChangeIn(fmt.Sprint("v", i%vaults), action, fmt.Sprint("x", i))
			if len(changes) > 0 && rapid.IntRange(0, 3).Draw(rt, "behind another") == 0 {
				c.Needs = []string{rapid.SampledFrom(changes).Draw(rt, "which").ID}
			}
			changes = append(changes, c)
		}
		around := []int{300, 2000, 5000, 12000, 13900, 24000, 31000, 36000, 71000, 200000} // just after the checkpoints as well
		durations := make([]time.Duration, 6)
		for i := range durations {
			durations[i] = time.Duration(rapid.SampledFrom(around).Draw(rt, "about"))*time.Millisecond + ms("and", 0, 700)
		}
		retryAfter := time.Duration(rapid.SampledFrom([]int{0, 1, 2, 10, 60}).Draw(rt, "Retry-After")) * time.Second
		latency, slow := ms("latency", 1, 300), ms("slower", 0, 400)
		readsPerHour := rapid.SampledFrom([]int{0, 100000}).Draw(rt, "reads an hour")
		hideJobs := rapid.IntRange(0, 4).Draw(rt, "hide jobs") == 0
		pauses := randomPauses(rt)
		synctest.Test(t, func(t *testing.T) {
			az := newFake()
			az.latency, az.retryAfter, az.readsPerHour, az.hideJobs = latency, retryAfter, readsPerHour, hideJobs
			az.duration = func(_ plan.Change, n int) time.Duration { return durations[n%len(durations)] }
			p := planOf(changes...)
			az.seed(p)
			var n atomic.Int64
			extra := func() time.Duration { return slow * time.Duration(n.Add(1)%3) / 2 }
			b := &lookedAt{fake: az, list: extra, poll: extra, ops: map[string]*looks{}}
			rec := &recorder{t: rt}
			rep, err := apply.Run(t.Context(), p, b, apply.WithYield(apply.Options{
				Observed: time.Now(), Budget: az, Observer: rec.observe,
			}, func() { pauses(time.Millisecond) }))
			checkReport(rt, p, rep, err)
			for _, c := range changes {
				op, ends := b.ops[c.ID], rec.at(apply.EventFinished, c.ID)
				if op == nil {
					continue
				}
				checkGaps(rt, c.ID, op, ends[0], dueBy(c.Action), 2*(latency+slow)+100*time.Millisecond)
			}
		})
	})
}

// dueBy returns the age by which the first poll of an operation is due, as long as no more than a few were observed in
// a run: the age at which most of its kind were recorded to have ended, or an observed one close to it. patience is how
// long that poll may wait for others, to share its requests.
func dueBy(a plan.Action) time.Duration {
	if a == plan.Protect {
		return 36 * time.Second * 9 / 8
	}
	return 12 * time.Second * 9 / 8
}

const maxBatchDelay = 10 * time.Second

// checkGaps checks the rule for one operation. slack is the time of an operation's answer and of the list in flight,
// which is not the engine's wait.
func checkGaps(t failer, id string, op *looks, end time.Time, first, slack time.Duration) {
	t.Helper()
	last, looked := op.accepted, false
	seen := slices.DeleteFunc(slices.Clone(op.at), func(at time.Time) bool { return at.After(end) })
	for _, at := range append(seen, end) {
		age := last.Sub(op.accepted)
		gap := at.Sub(last)
		looked = looked || age >= first
		most := max(age/4, time.Second)
		if !looked {
			most = max(most, first+maxBatchDelay-age)
		}
		if gap > most+slack {
			t.Errorf("%s, accepted at %v, was looked at at the age of %v and then %v later, want within %v", id, op.accepted, age, gap, most+slack)
		}
		last = at
	}
}
