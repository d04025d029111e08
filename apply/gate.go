package apply

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/deadline"
)

// gate reports whether anything new may start. It closes once, at an interrupt or at the end of the run's context. It is
// safe for concurrent use.
type gate struct {
	open  context.Context //nolint:containedctx // it is the gate
	close context.CancelCauseFunc
}

func newGate(ctx context.Context) *gate {
	d := &gate{}
	d.open, d.close = context.WithCancelCause(ctx)
	return d
}

// err returns why nothing new may start, or nil.
func (d *gate) err() error { return context.Cause(d.open) }

// context returns a context that ends with ctx, and also when the gate closes, with the gate's cause. stop releases it.
func (d *gate) context(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(d.open, func() {
		defer crash.ExitOnPanic()
		cancel(d.err())
	})
	return ctx, func() {
		unhook()
		cancel(nil)
	}
}

// pause waits for d before the next request; an interrupt ends it.
func (ex *execution) pause(ctx context.Context, d time.Duration) error {
	ctx, stop := ex.run.gate.context(ctx)
	defer stop()
	return sleep(ctx, d)
}

// withoutSlot releases the operation slot while the change waits for something else, and acquires one again afterwards.
func (ex *execution) withoutSlot(ctx context.Context, wait func() error) error {
	if !ex.hasSlot {
		return wait()
	}
	ex.admitted()
	ex.hasSlot = false
	ex.run.operationSlots.Release(1)
	if err := wait(); err != nil {
		return err
	}
	if err := ex.run.operationSlots.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	ex.hasSlot = true
	return nil
}

// backoff returns how long to wait before repeat number n, counted from 0: first, then each time half as long again, up to
// a minute. A random tenth at most is added, so that the repeats of many changes do not coincide.
func (r *executor) backoff(first time.Duration, n int) time.Duration {
	d := first
	for range min(n, 10) {
		d = min(d*3/2, time.Minute)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return d + time.Duration(r.random.Float64()*float64(d)/10)
}

// withSlot runs f in a slot, or returns why ctx ended before there was one.
func withSlot(ctx context.Context, slots *semaphore.Weighted, f func() error) error {
	if slots.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	defer slots.Release(1)
	return f()
}

// withReadSlot is [withSlot] for reads. The slot is free for others once a quota holds f back: else a subscription whose quota
// is used up for an hour would take all slots, and nothing could be confirmed in any other.
func (r *executor) withReadSlot(ctx context.Context, f func(context.Context) error) error {
	if r.readSlots.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	release := sync.OnceFunc(func() { r.readSlots.Release(1) })
	defer release()
	return f(deadline.OnHold(ctx, release))
}
