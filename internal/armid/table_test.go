package armid

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestATableNumbersResourcesByTheirKeys(t *testing.T) {
	for name, mask := range map[string]uint64{"a hash of its own": math.MaxUint64, "one hash for all": 0, "two hashes": 1} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				table, want := NewTable(0), map[Key]int{}
				table.mask = mask
				ids := rapid.SliceOf(rapid.StringOfN(rapid.SampledFrom([]rune("aAb/;%3B é")), 0, 4, -1)).Draw(t, "ids")
				for _, id := range ids {
					number, known := want[Of(id)]
					if !known {
						number = -1
					}
					if got := table.Find(id); got != number {
						t.Fatalf("Find(%q) = %d, expected %d", id, got, number)
					}
					if !known {
						number = len(want)
						want[Of(id)] = number
					}
					if got, isNew := table.Add(id); got != number || isNew == known {
						t.Fatalf("Add(%q) = %d, %t; expected %d, %t", id, got, isNew, number, !known)
					}
					if v, ok := Get(want, id); !ok || v != number || !Same(table.ID(number), id) {
						t.Fatalf("Get(%q) = %d, %t; ID(%d) = %q", id, v, ok, number, table.ID(number))
					}
				}
				if table.Len() != len(want) {
					t.Fatalf("%d resources, expected %d", table.Len(), len(want))
				}
			})
		})
	}
}

func TestAKeyIsTheIDInLowerCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringOfN(rapid.SampledFrom([]rune("aAbB/;%3bB !0éÉİK\ufffd\u2003")), 0, 12, -1).Draw(t, "id")
		id += string(rapid.SliceOfN(rapid.Byte(), 0, 2).Draw(t, "bytes"))
		want := strings.ReplaceAll(strings.ToLower(strings.TrimRight(strings.TrimSpace(id), "/")), "%3b", ";")
		if got := string(Of(id)); got != want {
			t.Errorf("Of(%q) = %q, expected %q", id, got, want)
		}
		if got := string(AppendKey([]byte("x"), id)); got != "x"+want {
			t.Errorf("AppendKey(%q) = %q, expected %q", id, got, "x"+want)
		}
	})
}

func TestAskingForAnIDMakesNoGarbage(t *testing.T) {
	table, m := NewTable(1), map[Key]int{Of(vmID): 7}
	table.Add(vmID)
	if n := testing.AllocsPerRun(10, func() {
		table.Find(vmID)
		table.Add(vmID)
		Get(m, vmID)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
