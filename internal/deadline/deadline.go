// Package deadline bounds how long work may take, without the time that it is held back by a quota. A quota of requests an
// hour holds a request back for most of an hour, which is said to the operator and is no sign that anything hangs: a limit of
// some minutes that counted it would cut the work in the middle. A limit that the operator set counts all time; that is what
// [context.WithTimeoutCause] is for.
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

// WithTimeout returns a context that ends with cause once d has passed, the time not counted in which [Hold] held it back. now
// returns the time; only differences of its times count. The context has no [context.Context.Deadline], which could not move:
// [EndsWithin] tells. Calling cancel releases what belongs to the context.
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

// Hold stops the limits of ctx until release is called, which has an effect once.
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds++; l.holds == 1 && l.timer.Stop() {
		l.left -= l.now().Sub(l.since)
	}
}

func (l *limit) release() {
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
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.left
	if l.holds == 0 {
		left -= l.now().Sub(l.since)
	}
	return left < d
}
