package plan

import (
	"slices"
	"testing"

	"github.com/azbackup/azbackup/config"
)

func TestADiskThatIsTooLargeCountsWhereItWouldBeBackedUp(t *testing.T) {
	without := &Disks{LUNs: []int{1}}
	of := func(state string, disks *Disks) *Item { return &Item{ID: state, State: state, Disks: disks} }
	with := func(it *Item, set func(*Item)) *Item { set(it); return it }
	unreadable := func(it *Item) { it.Unreadable = "a filter of another form" }
	stopped := StateProtectionStopped
	for name, tt := range map[string]struct {
		rule   *config.Rule
		items  []*Item
		counts bool
	}{
		"without an item":                         {nil, nil, true},
		"by the active item's filter":             {nil, []*Item{of(StateProtected, without)}, false},
		"by an active item without a filter":      {nil, []*Item{of(StateProtected, nil)}, true},
		"the active item before a stopped one":    {nil, []*Item{of(stopped, without), of(StateProtected, nil)}, true},
		"by the first of two active ones":         {nil, []*Item{with(of(StateProtected, nil), func(it *Item) { it.ID = "z" }), of(StateProtected, without)}, false},
		"by the first of two, which comes first":  {nil, []*Item{of(StateProtected, without), with(of(StateProtected, nil), func(it *Item) { it.ID = "z" })}, false},
		"by a stopped item's filter":              {nil, []*Item{of(stopped, without)}, false},
		"by a stopped item without a filter":      {nil, []*Item{of(stopped, nil)}, true},
		"by any of two stopped ones":              {nil, []*Item{of(stopped, nil), of(stopped, without)}, false},
		"by any of two stopped ones, turned":      {nil, []*Item{of(stopped, without), of(stopped, nil)}, false},
		"not by a soft-deleted item":              {nil, []*Item{with(of(stopped, without), func(it *Item) { it.SoftDeleted = true })}, true},
		"unknown where the filter was not read":   {nil, []*Item{with(of(stopped, nil), func(it *Item) { it.Partial = true })}, false},
		"unknown where the item is not readable":  {nil, []*Item{with(of(stopped, nil), unreadable)}, false},
		"unknown though the item may be active":   {nil, []*Item{with(of(StateProtected, nil), unreadable)}, false},
		"unknown before another that backs it up": {nil, []*Item{with(of(StateProtected, nil), unreadable), of(stopped, nil)}, false},
		"by the disks of the rule":                {&config.Rule{Disks: &config.Disks{Kind: config.DisksExclude, LUNs: []int{1}}}, []*Item{of(StateProtected, nil)}, false},
		"by a rule without disks as the item is":  {&config.Rule{}, []*Item{of(StateProtected, without)}, false},
	} {
		vm := VM{LargeDisks: []int{1}}
		if why := vm.WhyUnprotectable(tt.rule, slices.Values(tt.items)); (why != "") != tt.counts {
			t.Errorf("%s: counts is %t: %s", name, why != "", why)
		}
	}
}
