package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

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

const (
	// leaveDelay is how long a command that was told to leave at once may take for its reports. A further signal ends the process
	// then: an open or a write that nobody takes, as of a FIFO without a reader, heeds no context. A command that has done
	// nothing yet has leaveDelayBefore.
	leaveDelay       = 5 * time.Second
	leaveDelayBefore = time.Second
	// tellDelay is how long an interrupt waits to be told: stderr may be what nobody takes.
	tellDelay = time.Second
)

// interrupts ends a command early at a signal: gracefully at the first signal while [interrupts.drain] runs, else at
// once. It is safe for concurrent use.
type interrupts struct {
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed by end

	mu            sync.Mutex
	isGraceful    bool
	wasSignalled  bool
	hasDrained    bool
	stopRequested chan struct{} // closed by the first signal while graceful
	onInterrupt   func()
}

// newInterrupts handles signals until end is called. The returned context ends at once at an interrupt, with
// [errInterrupted]. Where the process has to be ended, terminal is told.
func newInterrupts(ctx context.Context, signals <-chan os.Signal, terminal io.Writer) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &interrupts{cancel: cancel, ended: make(chan struct{}), stopRequested: make(chan struct{})}
	go func() {
		defer crash.ExitOnPanic()
		var late <-chan time.Time
		isStuck := false
		for {
			select {
			case <-i.ended:
				return
			case <-late:
				isStuck = true
			case s := <-signals:
				// The shell and the kernel both tell of a terminal that is closed; nobody means "at once" by the second.
				if s == syscall.SIGHUP && i.isInterrupted() {
					continue
				}
				if isStuck {
					inTime(func() {
						fmt.Fprintln(terminal, "error: interrupted: something that was to be read or written did not end, and is left")
					})
					os.Exit(exitInterrupted) //nolint:forbidigo // nothing else ends it
				}
				i.handleSignal()
				if ctx.Err() != nil && late == nil {
					late = time.After(i.leaveDelay())
				}
			}
		}
	}()
	return ctx, i
}

// inTime runs f, and waits for it no longer than [tellDelay].
func inTime(f func()) {
	done := make(chan struct{})
	go func() {
		defer crash.ExitOnPanic()
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(tellDelay):
	}
}

// end ends the context, and handles no signals any more.
func (i *interrupts) end() {
	i.cancel(nil)
	close(i.ended)
}

func (i *interrupts) handleSignal() {
	if tell := i.take(); tell != nil {
		inTime(tell)
	}
}

// take records a signal, and returns what tells of it: where it asks for a graceful end.
func (i *interrupts) take() (tell func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.isGraceful && !i.wasSignalled {
		i.wasSignalled = true
		close(i.stopRequested)
		return i.onInterrupt
	}
	i.wasSignalled = true
	i.cancel(errInterrupted)
	return nil
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
	i.isGraceful, i.onInterrupt, i.hasDrained = graceful, onAsk, true
}

func (i *interrupts) leaveDelay() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.hasDrained {
		return leaveDelay
	}
	return leaveDelayBefore
}

// isInterrupted reports whether a signal arrived.
func (i *interrupts) isInterrupted() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.wasSignalled
}
