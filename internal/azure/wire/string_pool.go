package wire

import "github.com/azbackup/azbackup/plan"

// Tunable: maxWords is the highest number of texts, and of sets of tags, that a [StringPool] keeps: rows of an estate
// with more different ones share little.
const maxWords = 1 << 14

// StringPool keeps one copy of values that many rows of a list share: regions, states, policies, tags. It is for the
// reader of one list, not for concurrent use. A nil one shares nothing.
type StringPool struct {
	texts map[string]string
	tags  map[tagField]map[string]string
}

// NewStringPool returns an empty pool.
func NewStringPool() *StringPool {
	return &StringPool{texts: map[string]string{}, tags: map[tagField]map[string]string{}}
}

// intern returns s, or an equal text met before.
func (w *StringPool) intern(s string) string {
	if w == nil || s == "" {
		return s
	}
	if known, ok := w.texts[s]; ok {
		return known
	}
	if len(w.texts) < maxWords {
		w.texts[s] = s
	}
	return s
}

// internTags returns the tags of a row. They are shared between rows and must not be changed.
func (w *StringPool) internTags(t tagField) (map[string]string, bool) {
	if w == nil {
		return t.parse()
	}
	if known, ok := w.tags[t]; ok {
		return known, true
	}
	tags, ok := t.parse()
	if !ok {
		return nil, false
	}
	shared := tags
	if len(tags) > 0 {
		shared = make(map[string]string, len(tags))
		for name, value := range tags {
			shared[w.intern(name)] = w.intern(value)
		}
	}
	if len(w.tags) < maxWords {
		w.tags[t] = shared
	}
	return shared, true
}

// InternItem replaces the texts of an item by equal ones of other items, and keeps one copy of those that it has twice.
func (w *StringPool) InternItem(it *plan.Item) {
	it.PolicyID, it.PolicyName = w.intern(it.PolicyID), w.intern(it.PolicyName)
	it.State, it.LastBackupStatus, it.Health = w.intern(it.State), w.intern(it.LastBackupStatus), w.intern(it.Health)
}
