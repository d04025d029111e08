package apply

import (
	"cmp"
	"slices"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// assignPriorities sets the order of writes among changes that may start: the longest critical path first. Among
// equals, subscriptions take turns, because each has a write quota of its own, and within a subscription the vaults
// follow one after the other, so that the operations of a vault end together and few sweeps confirm them (doc.go).
func assignPriorities(tasks []*task, durations *durationEstimator) {
	paths := criticalPaths(tasks, durations)
	turns := make(map[*task]int, len(tasks))
	first := map[armid.Key]int{} // vault → its first position in the plan
	for i, t := range tasks {
		if _, seen := first[t.vault]; !seen {
			first[t.vault] = i
		}
	}
	order := slices.Clone(tasks)
	slices.SortStableFunc(order, func(a, b *task) int {
		return cmp.Or(cmp.Compare(paths[b], paths[a]), cmp.Compare(first[a.vault], first[b.vault]))
	})
	type line struct {
		path         time.Duration
		subscription armid.Key
	}
	length := map[line]int{}
	for _, t := range order {
		l := line{paths[t], t.subscription}
		turns[t] = length[l]
		length[l]++
	}
	slices.SortStableFunc(order, func(a, b *task) int {
		return cmp.Or(compareAdopted(a, b), cmp.Compare(paths[b], paths[a]), cmp.Compare(turns[a], turns[b]))
	})
	for i, t := range order {
		t.priority = i
	}
}

// compareAdopted orders the restores that the plan adopted first: their jobs run already, whether they have a slot or not.
func compareAdopted(a, b *task) int {
	started := func(t *task) int {
		if t.RestoreOrder != nil && t.Adopted != nil {
			return 0
		}
		return 1
	}
	return cmp.Compare(started(a), started(b))
}

// criticalPaths returns, for each change, its expected duration plus that of the longest chain of changes that need it.
func criticalPaths(tasks []*task, durations *durationEstimator) map[*task]time.Duration {
	paths := make(map[*task]time.Duration, len(tasks))
	parents := make(map[*task]int, len(tasks))
	order := make([]*task, 0, len(tasks)) // parents before children
	for _, t := range tasks {
		if parents[t] = t.pendingDeps; t.pendingDeps == 0 {
			order = append(order, t)
		}
	}
	for i := 0; i < len(order); i++ {
		for _, child := range order[i].children {
			if parents[child]--; parents[child] == 0 {
				order = append(order, child)
			}
		}
	}
	for _, t := range slices.Backward(order) {
		var behind time.Duration
		for _, child := range t.children {
			behind = max(behind, paths[child])
		}
		paths[t] = durations.expected(t.Action) + behind
	}
	return paths
}
