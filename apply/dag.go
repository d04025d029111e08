package apply

import (
	"container/heap"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// task is the node of one change in the graph.
type task struct {
	plan.Change
	vault, subscription armid.Key
	children            []*task
	pendingDeps         int // the number of parents without a result
	priority            int // place in the order of writes; lower first
	lock                lockKey
	running             bool
	result              *Result // nil until the change has ended
}

// lockKey names a document that one change at a time may write: the settings of a vault, or its policies. Both are
// written as whole documents without a check for concurrent writes (docs/azure.md §7.1, §8.1).
type lockKey struct {
	vault armid.Key
	kind  string // "" = the change needs no lock
}

func newTask(c plan.Change) *task {
	t := &task{Change: c, vault: armid.Of(c.Vault), subscription: armid.Of(armid.SubscriptionOf(c.Vault))}
	switch c.Action {
	case plan.CreateVault, plan.UpdateVault:
		t.lock = lockKey{t.vault, "settings"}
	case plan.CreatePolicy, plan.UpdatePolicy:
		t.lock = lockKey{t.vault, "policies"}
	default:
	}
	return t
}

// workQueue is the graph of the changes: it knows which of them have a result, run, or may start, and which starts next.
// It is plain data, without waits. It is not safe for concurrent use.
//
// A change is in exactly one state: it waits for parents, it is ready, it waits for a lock, it runs, or it has its
// result. While a change waits for a lock, the lock's holder runs or another change that needs the lock is ready; so
// while nothing runs and nothing is ready, nothing waits for a lock.
type workQueue struct {
	tasks            []*task // in plan order
	ready            byPriority
	locked           map[lockKey]bool
	waiters          map[lockKey]*byPriority // ready but for the lock
	running          int
	inFlight         map[armid.Key]*vaultInFlight
	remaining        int // changes without a result
	others           int // those of them that are no restore tests; tests start when it is 0
	tests, maxTests  int // the number of restore tests that run, and the most that may
	remainingByVault map[armid.Key]int
	bySubscription   map[armid.Key]unfinishedWork
}

// unfinishedWork counts changes without a result, and the vaults they are in.
type unfinishedWork struct{ changes, vaults int }

// vaultInFlight counts the running changes of a vault that its lists confirm.
type vaultInFlight struct {
	subscription armid.Key
	changes      int
}

// newWorkQueue returns the queue of a plan that [plan.Validate] accepts. Nothing is ready before [workQueue.open].
func newWorkQueue(changes []plan.Change, durations *durationEstimator, maxTests int) *workQueue {
	q := &workQueue{
		maxTests: maxTests,
		locked:   map[lockKey]bool{}, waiters: map[lockKey]*byPriority{}, inFlight: map[armid.Key]*vaultInFlight{},
		remaining: len(changes), remainingByVault: map[armid.Key]int{}, bySubscription: map[armid.Key]unfinishedWork{},
	}
	byID := make(map[string]*task, len(changes))
	for _, c := range changes {
		t := newTask(c)
		q.tasks = append(q.tasks, t)
		byID[c.ID] = t
		q.count(t, 1)
		if t.Action != plan.RestoreTest {
			q.others++
		}
	}
	for _, t := range q.tasks {
		for _, id := range t.Needs {
			t.pendingDeps++ // never 0 where there is no such change: an unmet need starts nothing
			if parent := byID[id]; parent != nil {
				parent.children = append(parent.children, t)
			}
		}
	}
	assignPriorities(q.tasks, durations)
	return q
}

// open makes the changes without needs ready, except those that have a result already.
func (q *workQueue) open() {
	for _, t := range q.tasks {
		if t.pendingDeps == 0 && t.result == nil {
			heap.Push(&q.ready, t)
		}
	}
}

// start returns the next change that is ready, whose lock is free and that may admits, and counts it as running; nil where
// there is none. may is called once for each vault; a nil may admits all.
func (q *workQueue) start(may func(*task) bool) *task {
	var refused []*task
	defer func() {
		for _, t := range refused {
			heap.Push(&q.ready, t)
		}
	}()
	admitted := map[armid.Key]bool{}
	for len(q.ready) > 0 {
		t := heap.Pop(&q.ready).(*task)
		if t.Action == plan.RestoreTest && (q.others > 0 || q.tests >= q.maxTests) {
			refused = append(refused, t)
			continue
		}
		if may != nil && isListed(t.Action) {
			ok, known := admitted[t.vault]
			if !known {
				ok = may(t)
				admitted[t.vault] = ok
			}
			if !ok {
				refused = append(refused, t)
				continue
			}
		}
		if t.lock.kind != "" {
			if q.locked[t.lock] {
				if q.waiters[t.lock] == nil {
					q.waiters[t.lock] = &byPriority{}
				}
				heap.Push(q.waiters[t.lock], t)
				continue
			}
			q.locked[t.lock] = true
		}
		t.running = true
		q.running++
		q.countInFlight(t, 1)
		return t
	}
	return nil
}

// complete records the result of a change and its consequences: it releases the change's slot and lock, and the
// changes that need it become ready or, where it is not done, end too. It returns the results recorded, parents
// before children; none when the change had its result.
func (q *workQueue) complete(t *task, res Result) []Result {
	if t.running {
		t.running = false
		q.running--
		q.countInFlight(t, -1)
		q.unlock(t.lock)
	}
	if t.result != nil {
		return nil
	}
	recorded := []Result{res}
	q.record(t, res)
	for hasEnded := []*task{t}; len(hasEnded) > 0; hasEnded = hasEnded[1:] {
		parent := hasEnded[0]
		for _, child := range parent.children {
			child.pendingDeps--
			switch {
			case child.result != nil:
			case !parent.result.isSuccess():
				q.record(child, blockedResult(child.Change, parent.Change, parent.result.Outcome))
				recorded = append(recorded, *child.result)
				hasEnded = append(hasEnded, child)
			case child.pendingDeps == 0:
				heap.Push(&q.ready, child)
			}
		}
	}
	return recorded
}

func (q *workQueue) record(t *task, res Result) {
	t.result = &res
	q.remaining--
	if t.Action != plan.RestoreTest {
		q.others--
	}
	q.count(t, -1)
}

// count adds n, 1 or -1, to the changes without a result of a task's vault and subscription.
func (q *workQueue) count(t *task, n int) {
	work := q.bySubscription[t.subscription]
	work.changes += n
	before := q.remainingByVault[t.vault]
	q.remainingByVault[t.vault] = before + n
	if before == 0 || before+n == 0 {
		work.vaults += n
	}
	q.bySubscription[t.subscription] = work
}

// countInFlight adds n, 1 or -1, to the running restore tests, and to the running changes of a task's vault that its lists
// confirm.
func (q *workQueue) countInFlight(t *task, n int) {
	if t.Action == plan.RestoreTest {
		q.tests += n
	}
	if !isListed(t.Action) {
		return
	}
	v := q.inFlight[t.vault]
	if v == nil {
		v = &vaultInFlight{subscription: t.subscription}
		q.inFlight[t.vault] = v
	}
	v.changes += n
}

// unlock releases a lock and makes the next change that needs it ready.
func (q *workQueue) unlock(key lockKey) {
	if key.kind == "" {
		return
	}
	delete(q.locked, key)
	if waiting := q.waiters[key]; waiting != nil && len(*waiting) > 0 {
		heap.Push(&q.ready, heap.Pop(waiting))
	}
}

// isStuck reports whether changes are left that can never become ready.
func (q *workQueue) isStuck() bool {
	return q.remaining > 0 && q.running == 0 && len(q.ready) == 0
}

// unfinished returns the changes without a result, in plan order.
func (q *workQueue) unfinished() []*task {
	var left []*task
	for _, t := range q.tasks {
		if t.result == nil {
			left = append(left, t)
		}
	}
	return left
}

// byPriority is a heap of tasks.
type byPriority []*task

func (h byPriority) Len() int           { return len(h) }
func (h byPriority) Less(i, j int) bool { return h[i].priority < h[j].priority }
func (h byPriority) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byPriority) Push(x any)        { *h = append(*h, x.(*task)) }
func (h *byPriority) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	return t
}
