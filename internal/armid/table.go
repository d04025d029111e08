package armid

import (
	"hash/maphash"
	"math"
)

// Table numbers the resources that ids name, from 0 on. Unlike a map by [Key] it keeps no folded copy of the ids, which
// in a large estate are a good part of all that is in memory. It is not for concurrent use.
type Table struct {
	seed  maphash.Seed
	mask  uint64           // of hashes: all bits, but in tests
	last  map[uint64]int32 // the resource added last, by the hash of its key
	other []int32          // by resource: the one with the same hash that was added before; -1 = none
	ids   []string         // by resource, as it was first spelled
}

// NewTable returns an empty table with room for n resources.
func NewTable(n int) *Table {
	return &Table{
		seed: maphash.MakeSeed(), mask: math.MaxUint64,
		last: make(map[uint64]int32, n), other: make([]int32, 0, n), ids: make([]string, 0, n),
	}
}

// Len returns the number of resources.
func (t *Table) Len() int { return len(t.ids) }

// ID returns the id of a resource, as it was first spelled.
func (t *Table) ID(i int) string { return t.ids[i] }

// Find returns the number of the resource that id names, or -1.
func (t *Table) Find(id string) int {
	i, _ := t.find(id)
	return i
}

// Add returns the number of the resource that id names; it adds a new one.
func (t *Table) Add(id string) (i int, isNew bool) {
	i, hash := t.find(id)
	if i >= 0 {
		return i, false
	}
	before, has := t.last[hash]
	if !has {
		before = -1
	}
	i = len(t.ids)
	t.last[hash] = int32(i) //nolint:gosec // there is no memory for more
	t.other, t.ids = append(t.other, before), append(t.ids, id)
	return i, true
}

func (t *Table) find(id string) (i int, hash uint64) {
	var room [longestKey]byte
	hash = maphash.Bytes(t.seed, AppendKey(room[:0], id)) & t.mask
	at, has := t.last[hash]
	for ; has && at >= 0; at = t.other[at] {
		if Same(t.ids[at], id) {
			return int(at), hash
		}
	}
	return -1, hash
}

// longestKey is the length up to which a key is built on the stack; a longer one is allocated.
const longestKey = 512

// Get returns the value of a map under the key of an id, as m[Of(id)] does, without an allocation.
func Get[V any](m map[Key]V, id string) (v V, ok bool) {
	if len(m) == 0 {
		return v, false
	}
	var room [longestKey]byte
	v, ok = m[Key(AppendKey(room[:0], id))]
	return v, ok
}
