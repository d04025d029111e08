package apply

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// refreshes remembers which vaults were refreshed in this run, so that one refresh serves every change that was
// refused for lack of it. Safe for concurrent use.
type refreshes struct {
	clock
	mu     sync.Mutex
	vaults map[armid.Key]*refreshed
}

// refreshed is the one refresh of a vault.
type refreshed struct {
	done chan struct{} // closed at its end; then the rest may be read
	at   time.Time
	err  error
}

// errInVain says that the vault had been refreshed before the change was refused: once more would not help.
var errInVain = errors.New("the vault was refreshed before")

// once runs f unless the vault's refresh was begun before; then it waits for that one's end.
func (rs *refreshes) once(ctx context.Context, vault string, refused time.Time, f func() error) error {
	rs.mu.Lock()
	r, begun := rs.vaults[armid.Of(vault)]
	if !begun {
		r = &refreshed{done: make(chan struct{})}
		rs.vaults[armid.Of(vault)] = r
	}
	rs.mu.Unlock()
	if !begun {
		r.err = f()
		r.at = rs.now()
		close(r.done)
		return r.err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if r.err == nil && !r.at.After(refused) {
		return errInVain
	}
	return r.err
}

// note remembers a refresh that the plan asked for.
func (rs *refreshes) note(ctx context.Context, vault string) {
	_ = rs.once(ctx, vault, time.Time{}, func() error { return nil })
}

// refreshFirst has the vault refreshed, once for all who need it, before the protect is repeated.
func (l *life) refreshFirst(ctx context.Context, refused error) (Result, bool) {
	l.say(Event{Kind: EventWaiting, Message: "the service does not know the VM yet; the vault is refreshed"})
	err := l.lend(ctx, func() error {
		open, stop := l.door.while(ctx)
		defer stop()
		return l.refreshes.once(open, l.Vault, l.sent, func() error { return l.refreshVault(ctx) })
	})
	switch {
	case err == nil:
		return Result{}, false
	case ctx.Err() != nil || l.door.closed() != nil:
		return l.gaveUp(err), true
	case errors.Is(err, errInVain):
		return l.failed(refused), true
	}
	r := l.fromError(refused)
	return l.result(Failed, "", r.Message+"; then refreshing the vault failed: "+text(err), r), true
}

// refreshVault carries out a refresh that is no change of the plan.
func (l *life) refreshVault(ctx context.Context) error {
	c := plan.Change{ID: "refresh:" + string(armid.Of(l.Vault)), Action: plan.Refresh, Target: l.Vault, Vault: l.Vault}
	r := &life{run: l.run, task: newTask(c), started: l.now(), inner: true, placed: func() {}}
	if res := r.carryOut(ctx); !res.ok() {
		return &ChangeError{res}
	}
	return nil
}
