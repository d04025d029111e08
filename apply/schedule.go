package apply

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// task is one change on its way to its result.
type task struct {
	plan.Change
	parents  []*task
	children []*task
	waiting  int // parents without a result
	rank     int // place in the order of writing; lower goes first
	lane     lane
	result   *Result // nil until the change is over
}

// lane is something that takes one change at a time: the settings of a vault, or its policies. Both are
// written as whole documents without a check for what others write meanwhile (azure-api.md §7.1, §8.1).
type lane struct {
	vault armid.Key
	kind  string // "" = the change needs no lane
}

func laneOf(c plan.Change) lane {
	switch c.Action {
	case plan.CreateVault, plan.UpdateVault:
		return lane{armid.Of(c.Vault), "settings"}
	case plan.CreatePolicy, plan.UpdatePolicy:
		return lane{armid.Of(c.Vault), "policies"}
	default:
		return lane{}
	}
}

// schedule knows which changes have a result, which may start, and which of those goes next. Safe for
// concurrent use.
type schedule struct {
	mu      sync.Mutex
	tasks   []*task // in plan order
	ready   byRank
	busy    map[lane]bool
	queued  map[lane][]*task // ready but for the lane
	running int
	left    int
	leftIn  map[armid.Key]int // by vault
	changed chan struct{}     // has a token when next may have something new to say
}

func newSchedule(changes []plan.Change, usual *usual) *schedule {
	s := &schedule{
		busy: map[lane]bool{}, queued: map[lane][]*task{},
		left: len(changes), leftIn: map[armid.Key]int{}, changed: make(chan struct{}, 1),
	}
	byID := make(map[string]*task, len(changes))
	for _, c := range changes {
		t := &task{Change: c, lane: laneOf(c)}
		s.tasks = append(s.tasks, t)
		byID[c.ID] = t
		s.leftIn[armid.Of(c.Vault)]++
	}
	for _, t := range s.tasks {
		for _, id := range t.Needs {
			// A need that is not in the plan was met before: a saved plan that is carried on lacks what is done.
			if parent := byID[id]; parent != nil && parent != t {
				t.parents = append(t.parents, parent)
				t.waiting++
				parent.children = append(parent.children, t)
			}
		}
	}
	rankTasks(s.tasks, usual)
	for _, t := range s.tasks {
		if t.waiting == 0 {
			s.enqueue(t)
		}
	}
	return s
}

// rankTasks decides the order of writing among changes that may start: the longest pole first. Among equals,
// subscriptions take turns, because each has a write quota of its own, and within a subscription the vaults
// come one after the other, so that the operations of a vault end together and few sweeps confirm them (doc.go).
func rankTasks(tasks []*task, usual *usual) {
	poles := make(map[*task]time.Duration, len(tasks))
	turns := make(map[*task]int, len(tasks))
	first := map[armid.Key]int{} // vault → where the plan first names it
	for i, t := range tasks {
		if _, seen := first[armid.Of(t.Vault)]; !seen {
			first[armid.Of(t.Vault)] = i
		}
	}
	order := slices.Clone(tasks)
	for _, t := range order {
		pole(t, usual, poles)
	}
	slices.SortStableFunc(order, func(a, b *task) int {
		return cmp.Or(cmp.Compare(poles[b], poles[a]), cmp.Compare(first[armid.Of(a.Vault)], first[armid.Of(b.Vault)]))
	})
	type queue struct {
		pole         time.Duration
		subscription string
	}
	length := map[queue]int{}
	for _, t := range order {
		q := queue{poles[t], string(armid.Of(armid.SubscriptionOf(t.Vault)))}
		turns[t] = length[q]
		length[q]++
	}
	slices.SortStableFunc(order, func(a, b *task) int {
		return cmp.Or(cmp.Compare(poles[b], poles[a]), cmp.Compare(turns[a], turns[b]))
	})
	for i, t := range order {
		t.rank = i
	}
}

// pole is how long a change and the longest chain behind it usually take.
func pole(t *task, usual *usual, known map[*task]time.Duration) time.Duration {
	if d, ok := known[t]; ok {
		return d
	}
	known[t] = 0 // a circle ends here; next finds it
	var behind time.Duration
	for _, child := range t.children {
		behind = max(behind, pole(child, usual, known))
	}
	known[t] = usual.typical(t.Action) + behind
	return known[t]
}

// next returns the change to start next. It waits until there is one, and returns nil when there will be none
// or ctx has ended.
func (s *schedule) next(ctx context.Context) *task {
	for {
		s.mu.Lock()
		if ctx.Err() != nil || s.left == 0 || (s.running == 0 && len(s.ready) == 0) {
			s.mu.Unlock()
			return nil
		}
		if len(s.ready) > 0 {
			t := heap.Pop(&s.ready).(*task)
			if t.result != nil { // settled without having been started
				s.mu.Unlock()
				continue
			}
			s.running++
			s.mu.Unlock()
			return t
		}
		s.mu.Unlock()
		select {
		case <-s.changed:
		case <-ctx.Done():
		}
	}
}

// finish records a result and lets the children go: to the ready ones when every parent is done, to blocked
// when one is not. told is called for each result, before any child can start.
func (s *schedule) finish(t *task, res Result, told func(Result)) {
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
	s.settle(t, res, told)
	s.mu.Lock()
	s.vacate(t.lane)
	s.mu.Unlock()
	s.wake()
}

// settle records results for t and, where it is not done, for all that hangs on it.
func (s *schedule) settle(t *task, res Result, told func(Result)) {
	s.mu.Lock()
	if t.result != nil {
		s.mu.Unlock()
		return
	}
	t.result = &res
	s.left--
	s.leftIn[armid.Of(t.Vault)]--
	s.mu.Unlock()
	told(res)
	for _, child := range t.children {
		if !res.ok() {
			s.settle(child, blockedBy(child.Change, res), told)
			continue
		}
		s.mu.Lock()
		child.waiting--
		if child.waiting == 0 && child.result == nil {
			s.enqueue(child)
		}
		s.mu.Unlock()
	}
}

// rest returns the changes without a result, in plan order.
func (s *schedule) rest() []*task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.tasks), func(t *task) bool { return t.result != nil })
}

// counts returns how many changes are over, running, and there at all.
func (s *schedule) counts() (done, running, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tasks) - s.left, s.running, len(s.tasks)
}

// remaining is how many changes of a subscription have no result, and in how many vaults.
func (s *schedule) remaining(subscription string) (changes, vaults int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for vault, n := range s.leftIn {
		if n > 0 && strings.EqualFold(armid.SubscriptionOf(string(vault)), subscription) {
			changes += n
			vaults++
		}
	}
	return changes, vaults
}

func (s *schedule) enqueue(t *task) {
	if t.lane.kind != "" {
		if s.busy[t.lane] {
			s.queued[t.lane] = append(s.queued[t.lane], t)
			return
		}
		s.busy[t.lane] = true
	}
	heap.Push(&s.ready, t)
}

// vacate lets the next change into a lane.
func (s *schedule) vacate(l lane) {
	if l.kind == "" {
		return
	}
	s.busy[l] = false
	waiting := s.queued[l]
	if len(waiting) == 0 {
		return
	}
	slices.SortFunc(waiting, func(a, b *task) int { return cmp.Compare(a.rank, b.rank) })
	s.queued[l] = waiting[1:]
	s.enqueue(waiting[0])
}

func (s *schedule) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// byRank is a heap of tasks.
type byRank []*task

func (h byRank) Len() int           { return len(h) }
func (h byRank) Less(i, j int) bool { return h[i].rank < h[j].rank }
func (h byRank) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byRank) Push(x any)        { *h = append(*h, x.(*task)) }
func (h *byRank) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	return t
}
