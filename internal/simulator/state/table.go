package state

// Table holds the records of one kind in insertion order, as the service's lists do. Rows never move, so a row number
// stays valid after writes: paging tokens contain one.
type Table[R any] struct {
	Rows   []*R
	byKey  map[string]int
	groups map[string][]int
	keyOf  func(*R) string
	// groupOf names the list a record is in: a vault's items, an item's recovery points.
	groupOf func(*R) string
}

func newTable[R any](keyOf, groupOf func(*R) string) *Table[R] {
	return &Table[R]{byKey: map[string]int{}, groups: map[string][]int{}, keyOf: keyOf, groupOf: groupOf}
}

// Get returns the record of a key, or nil.
func (t *Table[R]) Get(key string) *R {
	if i, ok := t.byKey[key]; ok {
		return t.Rows[i]
	}
	return nil
}

// put adds r, or replaces the record of the same key in its place.
func (t *Table[R]) put(r *R) {
	k := t.keyOf(r)
	if i, ok := t.byKey[k]; ok {
		t.Rows[i] = r
		return
	}
	t.byKey[k] = len(t.Rows)
	g := t.groupOf(r)
	t.groups[g] = append(t.groups[g], len(t.Rows))
	t.Rows = append(t.Rows, r)
}

func (t *Table[R]) del(key string) {
	if i, ok := t.byKey[key]; ok {
		t.Rows[i] = nil
		delete(t.byKey, key)
	}
}

// All calls visit for each record from row on, in order, until it returns false.
func (t *Table[R]) All(from int, visit func(row int, r *R) bool) {
	for i := from; i < len(t.Rows); i++ {
		if r := t.Rows[i]; r != nil && !visit(i, r) {
			return
		}
	}
}

// Group calls visit for each record of one list from row on, in order, until it returns false.
func (t *Table[R]) Group(name string, from int, visit func(row int, r *R) bool) {
	for _, i := range t.groups[name] {
		if i < from {
			continue
		}
		if r := t.Rows[i]; r != nil && !visit(i, r) {
			return
		}
	}
}

// Count returns the number of records in a list.
func (t *Table[R]) Count(name string) int {
	n := 0
	t.Group(name, 0, func(int, *R) bool { n++; return true })
	return n
}

// clone copies the table but not the records, which never change.
func (t *Table[R]) clone() *Table[R] {
	c := newTable(t.keyOf, t.groupOf)
	for _, r := range t.Rows {
		if r != nil {
			c.put(r)
		}
	}
	return c
}
