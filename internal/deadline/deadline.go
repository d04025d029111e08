// Package deadline has time limits that do not count the time for which a quota holds work back. An hourly quota may
// hold a request back for most of an hour: the operator is informed of it, and it is no sign that anything hangs. A
// limit of some minutes that counted this time would cut the work in the middle. A limit that the operator sets counts
// all time: it is a [context.WithTimeoutCause].
package deadline

import (
	"context"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/crash"
)

// limit is the time limit of a context. Safe for concurrent use.
type limit struct {
	parent *limit
	held   func() // of [OnHold], which has no limit; else nil
	now    func() time.Time

	mu    sync.Mutex
	timer *time.Timer
	left  time.Duration // of the limit, at since
	since time.Time
	holds int // how many requests are held back; the limit does not run while there are any
}

type key struct{}

func limitOf(ctx context.Context) *limit {
	l, _ := ctx.Value(key{}).(*limit)
	return l
}

// WithTimeout returns a context that ends with cause once d has passed, without the time for which [Hold] stopped it.
// now returns the time; only differences of its times matter. The context has no [context.Context.Deadline], because
// that could not move; [EndsWithin] takes its place. cancel releases the resources of the context.
func WithTimeout(ctx context.Context, now func() time.Time, d time.Duration, cause error) (_ context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	l := &limit{parent: limitOf(ctx), now: now, left: d, since: now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(d, func() {
		defer crash.ExitOnPanic()
		end(cause)
	})
	return context.WithValue(ctx, key{}, l), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.timer.Stop()
		end(nil)
	}
}

// OnHold returns a context that calls held, once, when a quota first holds something of it back. held must not block.
func OnHold(ctx context.Context, held func()) context.Context {
	return context.WithValue(ctx, key{}, &limit{parent: limitOf(ctx), held: sync.OnceFunc(held)})
}

// Hold stops the limits of ctx until release is called; only the first call of release has an effect. Several holds may
// overlap. It is safe for concurrent use.
func Hold(ctx context.Context) (release func()) {
	for l := limitOf(ctx); l != nil; l = l.parent {
		l.hold()
	}
	return sync.OnceFunc(func() {
		for l := limitOf(ctx); l != nil; l = l.parent {
			l.release()
		}
	})
}

func (l *limit) hold() {
	if l.held != nil {
		l.held()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds++; l.holds == 1 && l.timer.Stop() {
		l.left -= l.now().Sub(l.since)
	}
}

func (l *limit) release() {
	if l.held != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds--; l.holds == 0 {
		l.since = l.now()
		l.timer.Reset(max(0, l.left))
	}
}

// EndsWithin reports whether a limit of ctx ends within d if nothing holds it back.
func EndsWithin(ctx context.Context, d time.Duration) bool {
	for l := limitOf(ctx); l != nil; l = l.parent {
		if l.endsWithin(d) {
			return true
		}
	}
	return false
}

func (l *limit) endsWithin(d time.Duration) bool {
	if l.held != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.left
	if l.holds == 0 {
		left -= l.now().Sub(l.since)
	}
	return left < d
}
