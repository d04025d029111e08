package audit

import (
	"cmp"
	"slices"
)

// sortInPlace sorts rows that are too large to be moved at every comparison and too many to be copied. It sorts their
// indexes, then moves each row once. Equal rows keep their order.
func sortInPlace[T any](all []T, compare func(a, b *T) int) {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(compare(&all[i], &all[j]), cmp.Compare(i, j)) })
	for start := range order {
		if order[start] == start {
			continue
		}
		first, at := all[start], start
		for order[at] != start {
			next := order[at]
			all[at], order[at] = all[next], at
			at = next
		}
		all[at], order[at] = first, at
	}
}
