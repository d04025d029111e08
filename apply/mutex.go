package apply

import "sync"

// mutex is every lock of this package. Tests have each of them give others their turn right before it is taken and
// right after it is given back (Options.yield), so that they see what can happen in between. None is taken, and nothing
// foreign is called, while another is held.
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
