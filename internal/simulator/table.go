package simulator

// table holds the records of one kind in insertion order, as the service's lists do. Rows never move, so a row number
// stays valid after writes: paging tokens contain one.
type table[R any] struct {
	rows   []*R
	byKey  map[string]int
	groups map[string][]int
	keyOf  func(*R) string
	// groupOf names the list a record is in: a vault's items, an item's recovery points.
	groupOf func(*R) string
}

func newTable[R any](keyOf, groupOf func(*R) string) *table[R] {
	return &table[R]{byKey: map[string]int{}, groups: map[string][]int{}, keyOf: keyOf, groupOf: groupOf}
}

func (t *table[R]) get(key string) *R {
	if i, ok := t.byKey[key]; ok {
		return t.rows[i]
	}
	return nil
}

// put adds r, or replaces the record of the same key in its place.
func (t *table[R]) put(r *R) {
	k := t.keyOf(r)
	if i, ok := t.byKey[k]; ok {
		t.rows[i] = r
		return
	}
	t.byKey[k] = len(t.rows)
	g := t.groupOf(r)
	t.groups[g] = append(t.groups[g], len(t.rows))
	t.rows = append(t.rows, r)
}

func (t *table[R]) del(key string) {
	if i, ok := t.byKey[key]; ok {
		t.rows[i] = nil
		delete(t.byKey, key)
	}
}

// all calls visit for each record from row on, in order, until it returns false.
func (t *table[R]) all(from int, visit func(row int, r *R) bool) {
	for i := from; i < len(t.rows); i++ {
		if r := t.rows[i]; r != nil && !visit(i, r) {
			return
		}
	}
}

// group calls visit for each record of one list from row on, in order, until it returns false.
func (t *table[R]) group(name string, from int, visit func(row int, r *R) bool) {
	for _, i := range t.groups[name] {
		if i < from {
			continue
		}
		if r := t.rows[i]; r != nil && !visit(i, r) {
			return
		}
	}
}

func (t *table[R]) count(name string) int {
	n := 0
	t.group(name, 0, func(int, *R) bool { n++; return true })
	return n
}

// clone copies the table but not the records, which never change.
func (t *table[R]) clone() *table[R] {
	c := newTable(t.keyOf, t.groupOf)
	for _, r := range t.rows {
		if r != nil {
			c.put(r)
		}
	}
	return c
}
