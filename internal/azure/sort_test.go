package azure

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/internal/armid"
)

func TestSortingByIDKeepsTheOrderOfTheSame(t *testing.T) {
	type row struct {
		id string
		at int
	}
	rapid.Check(t, func(t *rapid.T) {
		var rows []row
		for i, id := range rapid.SliceOf(rapid.StringOfN(rapid.SampledFrom([]rune("aAbB")), 0, 2, -1)).Draw(t, "ids") {
			rows = append(rows, row{id, i})
		}
		want := slices.Clone(rows)
		slices.SortStableFunc(want, func(a, b row) int { return cmp.Or(armid.Compare(a.id, b.id), strings.Compare(a.id, b.id)) })
		if sortByID(rows, func(r *row) string { return r.id }); !slices.Equal(want, rows) {
			t.Errorf("%v, expected %v", rows, want)
		}
	})
}
