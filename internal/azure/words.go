package azure

import "github.com/azbackup/azbackup/plan"

// maxWords bounds the texts and the sets of tags that [words] keeps: an estate with more different ones than this has
// little to share.
const maxWords = 1 << 14

// words keeps one copy of what many rows of a list say alike: regions, states, policies, tags. It is for the reader of one
// list, not for concurrent use. A nil one shares nothing.
type words struct {
	texts map[string]string
	tags  map[tagField]map[string]string
}

func newWords() *words {
	return &words{texts: map[string]string{}, tags: map[tagField]map[string]string{}}
}

// text is s, or an equal text that was met before.
func (w *words) text(s string) string {
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

// tagsOf are the tags that a row says. They are shared between rows and must not be changed.
func (w *words) tagsOf(t tagField) (map[string]string, bool) {
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
			shared[w.text(name)] = w.text(value)
		}
	}
	if len(w.tags) < maxWords {
		w.tags[t] = shared
	}
	return shared, true
}

// item shares what an item says as others do, and what it says twice.
func (w *words) item(it *plan.Item) {
	it.PolicyID, it.PolicyName = w.text(it.PolicyID), w.text(it.PolicyName)
	it.State, it.LastBackupStatus, it.Health = w.text(it.State), w.text(it.LastBackupStatus), w.text(it.Health)
}
