package wire

import (
	"reflect"
	"sync"
)

// RowTypes keeps how types are decoded, so that each is looked into once and not for every list. It is safe for
// concurrent use; a nil one keeps nothing.
type RowTypes struct {
	mu    sync.Mutex
	known map[reflect.Type]*rowType
}

// NewRowTypes returns an empty store, for all lists of a run.
func NewRowTypes() *RowTypes { return &RowTypes{known: map[reflect.Type]*rowType{}} }

// of returns how to decode t.
func (k *RowTypes) of(t reflect.Type) *rowType {
	if k == nil {
		return newRowType(t, "")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	made := k.known[t]
	if made == nil {
		made = newRowType(t, "")
		k.known[t] = made
	}
	return made
}
