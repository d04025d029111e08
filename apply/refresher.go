package apply

import (
	"context"
	"errors"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// vaultRefresher records which vaults were refreshed in this run, so that one refresh serves every change that was
// refused for lack of it. Safe for concurrent use.
type vaultRefresher struct {
	clock
	mu     mutex
	vaults map[armid.Key]*refreshCall
}

// refreshCall is the one refresh of a vault.
type refreshCall struct {
	done      chan struct{} // closed at its end; the other fields may be read after that
	abandoned bool          // it was cancelled with the change that started it
	at        time.Time
	err       error
}

// errAlreadyRefreshed means that the vault was already refreshed in this run, before the change was refused.
var errAlreadyRefreshed = errors.New("the vault was refreshed before")

// do runs f unless the vault's refresh was started before; then it waits for the end of that refresh. If it was
// abandoned, because the change that started it ran out of time, the next change that needs it starts it again.
func (rs *vaultRefresher) do(ctx context.Context, vault string, refused time.Time, f func() error) error {
	for {
		r, begun := rs.claim(armid.Of(vault))
		if !begun {
			r.err, r.at = f(), rs.now()
			if r.abandoned = r.err != nil && ctx.Err() != nil; r.abandoned {
				rs.forget(armid.Of(vault))
			}
			close(r.done)
			return r.err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		switch {
		case r.abandoned:
			continue
		case r.err == nil && !r.at.After(refused):
			return errAlreadyRefreshed
		}
		return r.err
	}
}

// claim returns the refresh of a vault; unless begun is true, the caller must execute it.
func (rs *vaultRefresher) claim(vault armid.Key) (r *refreshCall, begun bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r, begun = rs.vaults[vault]
	if !begun {
		r = &refreshCall{done: make(chan struct{})}
		rs.vaults[vault] = r
	}
	return r, begun
}

func (rs *vaultRefresher) forget(vault armid.Key) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.vaults, vault)
}

// markDone records a refresh that was a change of the plan.
func (rs *vaultRefresher) markDone(ctx context.Context, vault string) {
	_ = rs.do(ctx, vault, time.Time{}, func() error { return nil })
}

// refreshThenRetry refreshes the vault, once for all changes that need it, before the protect is repeated.
func (ex *execution) refreshThenRetry(ctx context.Context, refused error) (Result, bool) {
	ex.emit(Event{Kind: EventWaiting, Message: "the service does not know the VM yet; the vault is refreshed"})
	err := ex.withoutSlot(ctx, func() error {
		open, stop := ex.run.gate.context(ctx)
		defer stop()
		return ex.run.refreshes.do(open, ex.task.Vault, ex.sentAt, func() error { return ex.refreshVault(ctx) })
	})
	switch {
	case err == nil:
		return Result{}, false
	case ctx.Err() != nil || ex.run.gate.err() != nil:
		return ex.abortedResult(firstErr(context.Cause(ctx), ex.run.gate.err())), true
	case errors.Is(err, errAlreadyRefreshed):
		return ex.failedResult(refused), true
	}
	r := ex.resultOfError(refused)
	return ex.result(Failed, "", r.Message+"; then refreshing the vault failed: "+errText(err), r), true
}

// refreshVault executes a refresh that is no change of the plan.
func (ex *execution) refreshVault(ctx context.Context) error {
	c := plan.Change{ID: "refresh:" + string(armid.Of(ex.task.Vault)), Action: plan.Refresh, Target: ex.task.Vault, Vault: ex.task.Vault}
	r := &execution{run: ex.run, task: newTask(c), startedAt: ex.run.now(), isInternal: true, admitted: func() {}}
	if res := r.execute(ctx); !res.isSuccess() {
		return &ChangeError{res}
	}
	return nil
}
