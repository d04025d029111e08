package cli

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/azbackup/azbackup/internal/crash"
)

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// interrupts turns signals into the two ways a command can end early: gracefully, while changes run, or at
// once.
type interrupts struct {
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	graceful bool
	seen     bool
	asked    chan struct{} // closed by the first signal while graceful
	onAsk    func()
}

// newInterrupts follows signals until ctx ends.
func newInterrupts(ctx context.Context, signals <-chan os.Signal) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &interrupts{cancel: cancel, asked: make(chan struct{})}
	go func() {
		defer crash.ExitOnPanic()
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				i.signal()
			}
		}
	}()
	return ctx, i
}

func (i *interrupts) signal() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.graceful && !i.seen {
		i.seen = true
		close(i.asked)
		i.onAsk()
		return
	}
	i.seen = true
	i.cancel(errInterrupted)
}

// whileGraceful runs f; a first signal meanwhile closes the channel f is given, after calling onAsk.
func (i *interrupts) whileGraceful(onAsk func(), f func(asked <-chan struct{})) {
	i.set(true, onAsk)
	defer i.set(false, nil)
	f(i.asked)
}

func (i *interrupts) set(graceful bool, onAsk func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.graceful, i.onAsk = graceful, onAsk
}

// happened says that a signal came.
func (i *interrupts) happened() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.seen
}
