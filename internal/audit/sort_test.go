package audit

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRowsAreSortedInPlaceAsACopyWouldBe(t *testing.T) {
	type row struct{ key, place int }
	rapid.Check(t, func(t *rapid.T) {
		var rows []row
		for i, key := range rapid.SliceOf(rapid.IntRange(0, 9)).Draw(t, "keys") {
			rows = append(rows, row{key, i})
		}
		byKey := func(a, b *row) int { return cmp.Compare(a.key, b.key) }
		want := slices.Clone(rows)
		slices.SortStableFunc(want, func(a, b row) int { return byKey(&a, &b) })
		sortInPlace(rows, byKey)
		if !slices.Equal(rows, want) {
			t.Errorf("got %v, want %v", rows, want)
		}
	})
}

// The cost of an audit per VM grows neither with the vaults nor with the other VMs. It is measured in memory, which is
// the same on every machine.
func TestAnAuditGrowsWithTheVMsAndTheVaultsNotWithTheirProduct(t *testing.T) {
	const n = 2000
	few, many, empty := bytesToAudit(n, 10), bytesToAudit(n, 1000), bytesToAudit(1000, 1000)-bytesToAudit(1000, 10)
	if grown := float64(many-empty) / float64(few); grown > 1.3 {
		t.Errorf("%d VMs take %d bytes in 10 vaults, and %.2f times that in 1000", n, few, grown)
	}
	if grown := float64(bytesToAudit(2*n, 10)) / float64(few); grown > 2.2 {
		t.Errorf("twice the VMs take %.2f times the memory", grown)
	}
}

func bytesToAudit(vms, vaults int) int64 {
	c, o, now := fleet(vms, vaults)
	for i := range o.VMs { // each VM needs the tier of its vaults' policies
		o.VMs[i].NeedsEnhanced = fmt.Sprintf("it has %d Ultra disks", i%3)
	}
	o.Items = o.Items[:vms/2] // VMs without an item could go to any vault
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	Assess(c, o, Options{Now: now})
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc) //nolint:gosec // less than 2^63
}
