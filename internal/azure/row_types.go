package azure

import (
	"reflect"
	"sync"
)

// rowTypes keeps how types are decoded, so that each is looked into once and not for every list. It is safe for
// concurrent use; a nil one keeps nothing.
type rowTypes struct {
	mu    sync.Mutex
	known map[reflect.Type]*rowType
}

func newRowTypes() *rowTypes { return &rowTypes{known: map[reflect.Type]*rowType{}} }

// of returns how to decode t.
func (k *rowTypes) of(t reflect.Type) *rowType {
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
