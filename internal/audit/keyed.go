package audit

import (
	"slices"

	"github.com/azbackup/azbackup/internal/armid"
)

// keyed is a value beside its folded id.
type keyed[T any] struct {
	key   armid.Key
	value *T
}

// sortKeyed sorts a copy of all. Ids are folded once, not in each comparison: that was most of the time of a large
// audit.
func sortKeyed[T any](all []T, id func(*T) string, compare func(a, b keyed[T]) int) []T {
	entries := make([]keyed[T], len(all))
	for i := range all {
		entries[i] = keyed[T]{armid.Of(id(&all[i])), &all[i]}
	}
	slices.SortStableFunc(entries, compare)
	sorted := make([]T, len(all))
	for i, e := range entries {
		sorted[i] = *e.value
	}
	return sorted
}
