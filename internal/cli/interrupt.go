package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/azbackup/azbackup/internal/crash"
)

// errInterrupted is the cause of a context cancelled by a signal.
var errInterrupted = errors.New("interrupted")

// interruptSignals returns the signals that end a command early: Ctrl-C, SIGTERM, and SIGHUP, by which a terminal that is closed
// tells. A process that was started with SIGHUP ignored, as nohup does it, goes on without its terminal.
func interruptSignals() <-chan os.Signal {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	return signals
}

// interrupts ends a command early at a signal: gracefully at the first signal while [interrupts.drain] runs, else at
// once. It is safe for concurrent use.
type interrupts struct {
	cancel context.CancelCauseFunc

	mu            sync.Mutex
	isGraceful    bool
	wasSignalled  bool
	stopRequested chan struct{} // closed by the first signal while graceful
	onInterrupt   func()
}

// newInterrupts handles signals until ctx ends. The returned context ends at once at an interrupt, with [errInterrupted].
func newInterrupts(ctx context.Context, signals <-chan os.Signal) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &interrupts{cancel: cancel, stopRequested: make(chan struct{})}
	go func() {
		defer crash.ExitOnPanic()
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				// The shell and the kernel both tell of a terminal that is closed; nobody means "at once" by the second.
				if s != syscall.SIGHUP || !i.isInterrupted() {
					i.handleSignal()
				}
			}
		}
	}()
	return ctx, i
}

func (i *interrupts) handleSignal() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.isGraceful && !i.wasSignalled {
		i.wasSignalled = true
		close(i.stopRequested)
		i.onInterrupt()
		return
	}
	i.wasSignalled = true
	i.cancel(errInterrupted)
}

// drain runs f. A first signal meanwhile closes the channel that f gets, and then calls onAsk; a second one ends the
// context.
func (i *interrupts) drain(onAsk func(), f func(asked <-chan struct{})) {
	i.set(true, onAsk)
	defer i.set(false, nil)
	f(i.stopRequested)
}

func (i *interrupts) set(graceful bool, onAsk func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.isGraceful, i.onInterrupt = graceful, onAsk
}

// isInterrupted reports whether a signal arrived.
func (i *interrupts) isInterrupted() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.wasSignalled
}
