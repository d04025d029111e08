package apply

import (
	"context"
	"errors"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// execution runs one change from dispatch to result.
type execution struct {
	run        *executor
	task       *task
	poller     *vaultPoller
	startedAt  time.Time
	admitted   func() // called once the change has a write slot, or waits for something else
	hasSlot    bool   // the change holds an operation slot
	isInternal bool   // the change is not one of the plan, and has no result in the report

	sentAt             time.Time // when the last write was sent
	mayHaveTakenEffect bool      // that write may have had an effect
	op                 Operation // the write that was accepted
	acceptedAt         time.Time // by our clock; zero until then
	lastErr            error     // the last failure
	attempts           int       // refused writes that were, or may be, repeated
	limitedAttempts    int       // those of them whose error allows only a few repeats
	refreshTried       bool      // a refresh was tried
	keptNote           string    // names the disk filter that was kept, though it differs from the plan's
	isJobInferred      bool      // the job of op may be another client's
}

// execute executes the change. ctx is cancelled, with a cause, by the item timeout, the run timeout or an abort.
func (ex *execution) execute(ctx context.Context) Result {
	switch {
	case ex.task.Action == plan.RestoreTest:
		return ex.executeTest(ctx)
	case ex.task.Action == plan.Restore && ex.task.Adopted != nil:
		return ex.followAdopted(ctx)
	}
	if err := ex.waitForRunningJob(ctx); err != nil {
		return ex.abortedResult(err)
	}
	for {
		if res, hasEnded := ex.checkPrecondition(ctx); hasEnded {
			return res
		}
		err := ex.send(ctx)
		switch {
		case errors.Is(err, errListTooOld):
			continue
		case err == nil && ex.op.Already:
			return ex.result(AlreadyDone, "", "it is as wanted", Result{})
		case err == nil:
			return ex.awaitOperation(ctx)
		}
		if res, hasEnded := ex.handleError(ctx, err); hasEnded {
			return res
		}
	}
}

// waitForRunningJob waits for the job that ran on the item when the plan was made. A job that the lists do not show any more is
// over only if its own document says so: the pages of the jobs in progress shift while others end, and miss jobs that run.
func (ex *execution) waitForRunningJob(ctx context.Context) error {
	if ex.poller == nil || ex.task.WaitsFor == "" {
		return nil
	}
	ex.emit(Event{Kind: EventWaiting, Job: ex.task.WaitsFor, Message: "another operation is running on it"})
	return ex.withoutSlot(ctx, func() error {
		for since := ex.startedAt; ; {
			var job plan.Job
			var isListed bool
			err := ex.waitForSnapshot(ctx, since, func(k *vaultSnapshot) bool {
				since = k.at.Add(1)
				job, isListed = k.findJob(ex.task.Change, ex.task.WaitsFor)
				return !isListed || !job.IsRunning()
			})
			if err != nil || isListed {
				return err
			}
			isOver, err := ex.readWhetherJobIsOver(ctx)
			if isOver { // the lists may be older than its end, and not show what it did
				err = ex.waitForSnapshot(ctx, ex.run.now(), func(*vaultSnapshot) bool { return true })
			}
			if err != nil || isOver {
				return err
			}
		}
	})
}

// readWhetherJobIsOver reads the job that the change waits for. Where it runs, or that is not known for now, it returns
// after a pause.
func (ex *execution) readWhetherJobIsOver(ctx context.Context) (bool, error) {
	ctx, stop := ex.run.gate.context(ctx)
	defer stop()
	isRunning, err := ex.run.backend.IsJobRunning(ctx, ex.task.Vault+"/backupJobs/"+bareJob(ex.task.WaitsFor))
	switch {
	case err == nil && !isRunning:
		return true, nil
	case err != nil && !isTransient(err):
		return false, err
	case err != nil:
		ex.lastErr = err
	}
	return false, sleep(ctx, minSparingInterval)
}

// planObservedAt returns when the jobs were read for the plan: jobs that started later are missing from it.
func (ex *execution) planObservedAt() time.Time {
	if ex.run.opt.Observed.IsZero() {
		return ex.run.startedAt.Add(-clockSlack)
	}
	return ex.run.opt.Observed.Add(-clockSlack)
}

// send sends the change's one write. It releases the write slot when the service has answered.
func (ex *execution) send(ctx context.Context) error {
	open, stop := ex.run.gate.context(ctx)
	defer stop()
	err := withSlot(open, ex.run.writeSlots, func() (err error) {
		ex.admitted()
		if err = ex.checkBeforeSend(ctx); err != nil {
			return err
		}
		if err = ex.run.emitWith(ex.event(Event{Kind: EventStarted}), ex.run.gate.err); err != nil {
			return err
		}
		if err = ex.checkBeforeSend(ctx); err != nil { // the observer may have taken long
			return err
		}
		ex.sentAt, ex.mayHaveTakenEffect = ex.run.now(), true
		ex.op, err = ex.run.backend.Start(ctx, ex.task.Change)
		return err
	})
	if err != nil {
		return err
	}
	ex.adoptWritten(ex.op.After)
	if !ex.op.Already {
		ex.trackOperation(ex.op)
	}
	return nil
}

// checkBeforeSend returns why the write may not be sent now, or nil.
func (ex *execution) checkBeforeSend(ctx context.Context) error {
	if ex.poller != nil && ex.poller.lastListedAt().Before(ex.minSnapshotTime().Add(-maxQueueTime)) {
		return firstErr(context.Cause(ctx), ex.run.gate.err(), errListTooOld)
	}
	return firstErr(context.Cause(ctx), ex.run.gate.err())
}

// trackOperation records the accepted operation; the change waits for its end from then on.
func (ex *execution) trackOperation(op Operation) {
	ex.op, ex.acceptedAt = op, ex.run.now()
	ex.run.mu.Lock()
	ex.run.acceptedCount++
	ex.run.mu.Unlock()
	if ex.op.Accepted.IsZero() {
		ex.op.Accepted = ex.acceptedAt
	}
	ex.emit(Event{Kind: EventAccepted, Operation: op.ID, RequestID: op.RequestID})
}

// handleError classifies a failed write; hasEnded reports that res is the change's result, else the write is repeated.
func (ex *execution) handleError(ctx context.Context, err error) (res Result, hasEnded bool) {
	if _, is := errors.AsType[*UnsentError](err); is {
		ex.mayHaveTakenEffect = false
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		if ctx.Err() != nil || ex.run.gate.err() != nil {
			return ex.abortedResult(err), true
		}
		ex.mayHaveTakenEffect = false // not sent: refused before, or not signed in
		return ex.failedResult(err), true
	}
	ex.lastErr = err
	if e.Unknown {
		return ex.recoverUnknownWrite(ctx)
	}
	ex.mayHaveTakenEffect = false
	r := policyOf(e)
	again := r.tries == 0 || ex.limitedAttempts < r.tries
	if r.tries > 0 {
		ex.limitedAttempts++
	}
	switch {
	case e.Code == CodeChangedMeanwhile:
		return ex.changedMeanwhileResult(ctx, *e), true
	case r.class == conflict && again:
		return ex.waitForConflict(ctx, r)
	case r.class == transient && again:
		return ex.retryAfterBackoff(ctx, r, e.RetryAfter)
	case r.class == needsRefresh && ex.task.Action == plan.Protect && !ex.refreshTried && !ex.run.opt.NoRefresh:
		ex.refreshTried = true
		return ex.refreshThenRetry(ctx, err)
	}
	return ex.failedResult(err), true
}

// retryAfterBackoff waits before the write is repeated: as long as the service asks, or else as the policy has it. true =
// the change has ended instead, because its time limit comes sooner or the wait was cancelled.
func (ex *execution) retryAfterBackoff(ctx context.Context, r errorPolicy, retryAfter time.Duration) (Result, bool) {
	d := retryAfter
	if d <= 0 {
		d = ex.run.backoff(r.wait, ex.attempts)
	}
	ex.attempts++
	if endsWithin(ctx, d) {
		return ex.result(TimedOut, "", "the service asks to wait "+d.String()+", which is longer than there is time", ex.resultOfError(ex.lastErr)), true
	}
	ex.emitRetry(d)
	if err := ex.withoutSlot(ctx, func() error { return ex.pause(ctx, d) }); err != nil {
		return ex.abortedResult(err), true
	}
	return Result{}, false
}

// waitForConflict waits for the end of a conflicting operation on the item or the vault, and lists the vault again. A
// conflict also means that another client is at work there, so the write is repeated only after that list. true = the
// change has ended instead.
func (ex *execution) waitForConflict(ctx context.Context, r errorPolicy) (Result, bool) {
	d := ex.run.backoff(r.wait, ex.attempts)
	ex.attempts++
	ex.emitRetry(d)
	met := ex.run.now()
	err := ex.withoutSlot(ctx, func() error {
		if err := ex.pause(ctx, d); err != nil || ex.poller == nil {
			return err
		}
		return ex.waitForSnapshot(ctx, met, func(k *vaultSnapshot) bool {
			s, _ := k.phase(ex.task.Change, k.at, "")
			return s != phaseInProgress
		})
	})
	if err != nil {
		return ex.abortedResult(err), true
	}
	if ex.task.Action == plan.Backup {
		if j, is := ex.poller.lastSnapshot().backupJob(ex.task.Change, ex.planObservedAt()); is {
			return ex.result(AlreadyDone, "", "a backup of it is running", Result{Job: j.ID}), true
		}
	}
	return Result{}, false
}

// waitForSnapshot waits for a snapshot, begun after since, for which ok is true. No write is in flight, so an
// interrupt ends the wait.
func (ex *execution) waitForSnapshot(ctx context.Context, since time.Time, ok func(*vaultSnapshot) bool) error {
	ex.admitted()
	ctx, stop := ex.run.gate.context(ctx)
	defer stop()
	began, from, often, seldom := ex.run.now(), ex.run.now(), time.Duration(0), time.Duration(0)
	if k := ex.poller.lastSnapshot(); k != nil && !k.at.Before(since) {
		if ok(k) {
			return nil
		}
		from, often, seldom = k.at, pollIntervalAfter(0), minSparingInterval
	}
	for {
		due, sparingDue := pollSchedule{due: from.Add(often)}, pollSchedule{due: from.Add(seldom)}
		s, err := ex.poller.next(ctx, pollRequest{since: since, isRequired: true, reschedule: func(sparing bool) pollSchedule {
			if sparing {
				return sparingDue
			}
			return due
		}})
		if err != nil {
			return err
		}
		if s.snapshot != nil && ok(s.snapshot) {
			return nil
		}
		if s.err != nil {
			ex.lastErr = s.err
			if e, is := errors.AsType[*Error](s.err); !is || policyOf(e).class == permanent {
				return s.err
			}
		}
		from, often = ex.run.now(), min(pollIntervalAfter(ex.run.since(began)), maxPollInterval)
		seldom = min(max(seldom*3/2, minSparingInterval), maxPollInterval)
	}
}

// Tunable: minSparingInterval is the gap after the first unsuccessful poll where reads are scarce; maxPollInterval is the
// longest gap.
const (
	minSparingInterval = 5 * time.Second
	maxPollInterval    = 30 * time.Second
)
