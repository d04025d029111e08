package apply

import (
	"slices"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// usual knows how long operations take: at first what was recorded of the service, then what this run has seen.
// Safe for concurrent use.
type usual struct {
	mu   mutex
	seen map[plan.Action][]time.Duration // sorted
}

func newUsual(o Options) *usual {
	return &usual{mu: newMutex(o), seen: map[plan.Action][]time.Duration{}}
}

// recorded are the ages at which operations of a kind were found to end in bulk: most of them at the first one,
// nearly all of the rest at the last (azure-api.md §1, §4, §6, §7.1; FACTS 10). Looking between them is dear
// and rarely finds anything.
func recorded(a plan.Action) []time.Duration {
	s := time.Second
	switch a {
	case plan.Protect:
		return []time.Duration{36 * s, 71 * s, 324 * s}
	case plan.Modify, plan.Resume:
		return []time.Duration{12 * s, 31 * s}
	case plan.Stop, plan.Undelete:
		return []time.Duration{12 * s, 14 * s}
	case plan.Backup:
		return []time.Duration{2 * s, 13 * s}
	case plan.Refresh:
		return []time.Duration{12 * s, 75 * s}
	case plan.CreatePolicy:
		return []time.Duration{1 * s, 12 * s}
	case plan.UpdatePolicy:
		return []time.Duration{12 * s, 31 * s}
	default: // vaults
		return []time.Duration{10 * s, 60 * s}
	}
}

// typical is how long an operation of this kind most likely takes.
func (u *usual) typical(a plan.Action) time.Duration {
	return recorded(a)[0]
}

// learn adds a duration that was seen.
func (u *usual) learn(a plan.Action, d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i, _ := slices.BinarySearch(u.seen[a], d)
	u.seen[a] = slices.Insert(u.seen[a], i, d)
}

// marks are the ages at which it pays to look: the quantiles of what was seen, then what was recorded beyond.
func (u *usual) marks(a plan.Action) (marks []time.Duration, learned bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := u.seen[a]
	if n := len(seen); n > 0 {
		marks = append(marks, seen[(n-1)*3/4], seen[(n-1)*19/20], seen[n-1])
	}
	for _, m := range recorded(a) {
		if len(seen) == 0 || m > seen[len(seen)-1]*9/8 {
			marks = append(marks, m)
		}
	}
	return marks, len(seen) > 0
}

// next is the age at which an operation that was not over at age is to be looked at again, and whether it is
// likely to be over then. hint is the service's Retry-After, 0 without one: it is followed where it is shorter
// than what is usual, as long as nothing better is known.
//
// Between the marks the gaps grow by a quarter of the age, so that an operation with a duration of its own is
// noticed at most that much too late; sparing leaves those looks out, and those that a hint asks for.
func (u *usual) next(a plan.Action, age, hint time.Duration, sparing bool) (at time.Duration, likely bool) {
	marks, learned := u.marks(a)
	if hint > 0 && !learned && !sparing && age+hint < marks[0] {
		return age + max(hint, age/10), true
	}
	between := age + min(max(age/4, hint, time.Second), 2*time.Minute)
	for _, m := range marks {
		if m > age && (age < marks[0] || sparing || m <= between+between/8) {
			return m, true
		}
	}
	return between, false
}
