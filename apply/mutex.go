package apply

import "sync"

// mutex is the type of every lock of this package. In tests each of them yields right before it is locked and
// right after it is unlocked (Options.yield), so that other goroutines run in between. While one is held, no other is
// locked and no [Backend], [Observer] or [BudgetSource] is called.
type mutex struct {
	yield func() // nil outside of tests
	held  sync.Mutex
}

func newMutex(o Options) mutex { return mutex{yield: o.yield} }

// Lock implements [sync.Locker].
func (m *mutex) Lock() {
	if m.yield != nil {
		m.yield()
	}
	m.held.Lock()
}

// Unlock implements [sync.Locker].
func (m *mutex) Unlock() {
	m.held.Unlock()
	if m.yield != nil {
		m.yield()
	}
}
