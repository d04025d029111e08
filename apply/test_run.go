package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/deadline"
	"github.com/azbackup/azbackup/plan"
)

// A restore test (docs/design.md §12) is a restore with steps around it:
//
//	validate ─► restore ─► check ─► clean-up
//
// The service's own check comes first; its findings are shown, but only the restore decides. A disk is deleted only where
// [plan.CleanUp] allows it, and everything else that the test leaves is in its result. Each step has a deadline of its
// own.

// StepName is a step of a restore test. The set is closed.
type StepName string

// The steps, in their order.
const (
	StepValidate StepName = "validate"
	StepRestore  StepName = "restore"
	StepCheck    StepName = "check"
	StepCleanUp  StepName = "clean-up"
)

// Step is how one step of a restore test ended.
type Step struct {
	Name    StepName `json:"name"`
	Outcome Outcome  `json:"outcome"`
	Seconds int64    `json:"seconds"` // how long the step took
	Message string   `json:"message,omitempty"`
}

// LeftBehind is something that a restore test made, or may yet make, and did not remove.
type LeftBehind struct {
	// Kind is "disk" (ID is its id), "staging" (ID is the storage account and the container, as far as known) or
	// "restore" (ID is that of a job or an operation that may still run).
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Why  string `json:"why"`
}

// The kinds of [LeftBehind].
const (
	LeftDisk    = "disk"
	LeftStaging = "staging"
	LeftRestore = "restore"
)

// Made is what the restore of a test made.
type Made struct {
	Disks    []string // ids
	Template string   // the URI of the template that rebuilds the VM
	Staging  string   // the storage account and the container in it that hold the template
	Seconds  int64    // how long the job ran
}

// The deadlines of the steps besides the restore, which has [Limits.RestoreTimeout].
const (
	validateTimeout = 5 * time.Minute
	checkTimeout    = 10 * time.Minute
	cleanUpTimeout  = 10 * time.Minute
)

// CodeRestoreTest is the code of a restore test whose restore was done and whose check failed.
const CodeRestoreTest = "RestoreTestFailed"

// testRun is one restore test in progress.
type testRun struct {
	ex      *execution
	backend TestBackend
	order   *plan.RestoreOrder

	point    plan.RecoveryPoint // as read before the restore; empty = it could not be read
	existing map[armid.Key]bool // the disks of the group right before the restore
	job      plan.RestoreJob    // as read after its end; empty = it could not be read
	isOurs   bool               // the service named the job as that of this run's request
	found    []plan.Disk        // the disks that carry the job's name
	want     int                // the number of disks that the job made; 0 = not known
	isClean  bool               // no more disks carry the job's name than it made
	steps    []Step
	left     []LeftBehind
	made     Made
}

// executeTest runs a restore test. Its restore is executed like any other; ctx has no deadline but the run's.
func (ex *execution) executeTest(ctx context.Context) Result {
	c := ex.task.Change
	t := &testRun{ex: ex, order: c.RestoreOrder, existing: map[armid.Key]bool{}}
	backend, ok := ex.run.backend.(TestBackend)
	switch {
	case !ok:
		return ex.result(Failed, "", "this backend runs no restore tests", Result{})
	case c.Test == nil || t.order == nil || c.Test.Group == "" || !armid.Same(c.Test.Group, t.order.Into):
		return ex.result(Failed, "", "the change does not say in which group of the file it restores", Result{})
	}
	t.backend = backend
	res := t.execute(ctx)
	res.Steps, res.LeftBehind, res.Made = t.steps, t.left, &t.made
	if res.LeftBehind == nil {
		res.LeftBehind = []LeftBehind{}
	}
	return res
}

func (t *testRun) execute(ctx context.Context) Result {
	if err := t.awaitIdle(ctx); err != nil {
		return t.ex.abortedResult(err)
	}
	t.step(ctx, StepValidate, validateTimeout, t.validate)
	var res Result
	t.step(ctx, StepRestore, t.ex.run.opt.Limits.RestoreTimeout, func(ctx context.Context) (Outcome, string) {
		res = t.restore(ctx)
		return res.Outcome, strings.TrimPrefix(res.Code+": "+res.Message, ": ")
	})
	if res.Outcome != Done {
		t.reportUnfinished(ctx, res)
		return res
	}
	outcome := t.step(ctx, StepCheck, checkTimeout, t.check)
	checked := t.steps[len(t.steps)-1].Message
	t.reportStaging()
	if t.step(ctx, StepCleanUp, cleanUpTimeout, t.cleanUp) != Done {
		checked = strings.TrimPrefix(checked+"; "+t.steps[len(t.steps)-1].Message, "; ")
	}
	switch outcome {
	case Done:
		return t.ex.result(Done, "", checked, res)
	case Failed:
		return t.ex.result(Failed, CodeRestoreTest, checked, res)
	default:
		return t.ex.result(outcome, "", checked, res)
	}
}

// step runs a step within its time limit and records how it ended.
func (t *testRun) step(ctx context.Context, name StepName, limit time.Duration, run func(context.Context) (Outcome, string)) Outcome {
	t.ex.emit(Event{Kind: EventProgress, Message: string(name)})
	began := t.ex.run.now()
	limited, cancel := t.limit(ctx, name, limit)
	outcome, message := run(limited)
	cancel()
	t.steps = append(t.steps, Step{Name: name, Outcome: outcome, Seconds: int64(t.ex.run.since(began).Seconds()), Message: message})
	return outcome
}

// limit returns the context of a step. The operator sets the limit of the restore, and all time counts towards it. The time
// for which quotas hold requests back does not count towards the limits of the other steps.
func (t *testRun) limit(ctx context.Context, name StepName, limit time.Duration) (context.Context, context.CancelFunc) {
	cause := &limitError{limitOfStep(name), limit}
	if name == StepRestore {
		return context.WithTimeoutCause(ctx, limit, cause)
	}
	return deadline.WithTimeout(ctx, t.ex.run.now, limit, cause)
}

// limitOfStep returns what the time limit of a step is called.
func limitOfStep(name StepName) string { return "the step " + string(name) }

// stopped returns the outcome of a step whose context ended before it.
func stopped(cause error) (Outcome, string) {
	if _, limit := errors.AsType[*limitError](cause); limit {
		return TimedOut, errText(cause)
	}
	return Interrupted, errText(cause)
}

// awaitIdle waits for the job that ran on the item when the plan was made.
func (t *testRun) awaitIdle(ctx context.Context) error {
	limit := t.ex.run.opt.Limits.ItemTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &limitError{"the wait for the item's job", limit})
	defer cancel()
	return t.ex.waitForRunningJob(ctx)
}

// validate has the service check whether the restore would work. Its findings stop nothing: only the restore decides.
func (t *testRun) validate(ctx context.Context) (Outcome, string) {
	if err := t.ex.run.gate.err(); err != nil {
		return NotStarted, errText(err)
	}
	t.point, _ = t.backend.RecoveryPoint(ctx, t.order.Point.ID) // without it, less is compared, and the check says so
	op, err := t.backend.StartValidation(ctx, t.ex.task.Change)
	if err != nil {
		return describeNoValidation(ctx, err)
	}
	pause := max(op.RetryAfter, time.Second)
	for {
		if err := sleep(ctx, pause); err != nil {
			return stopped(err)
		}
		v, err := t.backend.PollValidation(ctx, op)
		switch {
		case err != nil && (ctx.Err() != nil || !isTransient(err)):
			return describeNoValidation(ctx, err)
		case err != nil || !v.Done:
			pause = min(max(pause*3/2, v.RetryAfter), time.Minute)
			continue
		case len(v.Findings) == 0:
			return Done, "nothing was found"
		}
		var words []string
		for _, f := range v.Findings {
			words = append(words, strings.TrimSpace(cmp.Or(f.Code, "a finding")+": "+f.Message+" "+strings.Join(f.Recommendations, " ")))
		}
		return Failed, "the service found: " + strings.Join(words, "; ")
	}
}

// describeNoValidation returns the outcome of a check that the service ended without a verdict. The check was never
// recorded: a service that does not know it answers 404 (docs/azure.md §19).
func describeNoValidation(ctx context.Context, err error) (Outcome, string) {
	if ctx.Err() != nil {
		return stopped(context.Cause(ctx))
	}
	e, ok := errors.AsType[*Error](err)
	switch {
	case ok && e.Status == statusNotFound:
		return NotStarted, "the service does not offer this check here"
	case ok && e.Status == statusForbidden:
		return NotStarted, "it was refused: " + describeErr(err)
	}
	return Failed, "it gave no verdict: " + describeErr(err)
}

// isTransient reports whether a failed request may succeed when it is sent again.
func isTransient(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && !e.Ended && (e.Unknown || policyOf(e).class == transient || e.Status == statusTooManyRequests)
}

// restore requests the restore and follows its job to its end. Right before each request it reads the group and its disks.
func (t *testRun) restore(ctx context.Context) Result {
	for {
		if res, hasEnded := t.ex.checkPrecondition(ctx); hasEnded {
			return res
		}
		if err := checkTestGroup(ctx, t.backend, t.order.Into); err != nil {
			return t.notRestored(ctx, err)
		}
		disks, err := retryRead(ctx, func() ([]plan.Disk, error) { return t.backend.Disks(ctx, t.order.Into) })
		if err != nil {
			return t.notRestored(ctx, err)
		}
		for _, d := range disks {
			t.existing[armid.Of(d.ID)] = true
		}
		err = t.ex.send(ctx)
		switch {
		case errors.Is(err, errListTooOld):
			continue
		case err == nil:
			t.isOurs = true
			return t.recordOrigin(t.ex.awaitOperation(ctx))
		}
		if res, hasEnded := t.ex.handleError(ctx, err); hasEnded {
			return t.recordOrigin(res)
		}
	}
}

// recordOrigin records whether the job of a restore is known to be this run's. It is not where the answer to the request was
// lost or did not name the job: a job of the same VM may be another client's then.
func (t *testRun) recordOrigin(res Result) Result {
	t.isOurs = t.isOurs && !t.ex.isJobInferred && t.ex.op.ID != ""
	return res
}

// notRestored returns the result of a restore that was not requested, because its group or the disks in it could not be
// read, or the group does not allow tests any more.
func (t *testRun) notRestored(ctx context.Context, err error) Result {
	t.ex.lastErr = err
	if ctx.Err() != nil {
		return t.ex.abortedResult(context.Cause(ctx))
	}
	return t.ex.failedResult(err)
}

// checkTestGroup reads the group of the tests, and fails where it does not allow them.
func checkTestGroup(ctx context.Context, b RestoreReader, id string) error {
	const op = "reading the group of the tests"
	type reading struct {
		group  plan.ResourceGroup
		exists bool
	}
	r, err := retryRead(ctx, func() (r reading, err error) {
		r.group, r.exists, err = b.ResourceGroup(ctx, id)
		return r, err
	})
	switch {
	case err != nil:
		return err
	case !r.exists:
		return &Error{Op: op, Code: CodeChangedMeanwhile, Message: "the resource group of the tests does not exist any more"}
	case !r.group.AllowsRestoreTests():
		return &Error{Op: op, Code: CodeChangedMeanwhile, Message: "the resource group of the tests does not carry the tag " + plan.TagTestsAllowed + ": " + plan.TestsAllowed + " any more"}
	}
	return nil
}

// reportUnfinished records what a restore that is not known to have completed may leave behind.
func (t *testRun) reportUnfinished(ctx context.Context, res Result) {
	if !t.ex.mayHaveTakenEffect && t.ex.op.ID == "" && res.Job == "" {
		return
	}
	t.reportStaging()
	job := bareJob(cmp.Or(res.Job, t.ex.jobID()))
	if res.Outcome != Failed {
		t.reportLate(job, "it may still run")
		return
	}
	ctx, cancel := deadline.WithTimeout(ctx, t.ex.run.now, validateTimeout, &limitError{"listing what is left", validateTimeout})
	defer cancel()
	disks, err := retryRead(ctx, func() ([]plan.Disk, error) { return t.backend.Disks(ctx, t.order.Into) })
	why := "it failed; disks that it left and that are listed later"
	if err != nil {
		why = "it failed, and whether it left disks could not be read: " + describeErr(err) + "; such disks"
	}
	t.left = append(t.left, LeftBehind{Kind: LeftRestore, ID: job, Why: why + " carry the tag " + plan.TagRestoreJob + " with its name, and stay until somebody deletes them"})
	for _, d := range disks {
		if job != "" && strings.EqualFold(d.Job, job) {
			t.left = append(t.left, LeftBehind{Kind: LeftDisk, ID: d.ID, Why: "its restore did not complete"})
		}
	}
}

// reportLate records a restore whose disks are not listed yet, but may be later.
func (t *testRun) reportLate(job, why string) {
	t.left = append(t.left, LeftBehind{
		Kind: LeftRestore, ID: cmp.Or(job, t.ex.task.ID),
		Why: fmt.Sprintf("%s; the disks that it makes in %s carry the tag %s: azbackup restore-test --clean-up removes them", why, lastOf(t.order.Into), plan.TagRestoreJob),
	})
}

// reportStaging records what the service leaves in the staging account, which this program cannot remove (docs/azure.md
// §25.1).
func (t *testRun) reportStaging() {
	t.made.Staging = strings.TrimSuffix(cmp.Or(t.job.Account, armid.DisplayName(t.order.Staging))+"/"+t.job.Blobs, "/")
	why := "what the service writes to it stays: the template, its settings"
	if t.order.Point.Tier != plan.TierInstant {
		why += ", and the disks as files where the point came from the vault"
	}
	t.left = append(t.left, LeftBehind{Kind: LeftStaging, ID: t.made.Staging, Why: why + "; azbackup cannot remove it"})
}

// retryRead repeats a read that fails for a while: six attempts at most, with growing pauses of about a minute in all.
func retryRead[T any](ctx context.Context, read func() (T, error)) (T, error) {
	for pause := 2 * time.Second; ; pause *= 2 {
		v, err := read()
		if err == nil || ctx.Err() != nil || !isTransient(err) || pause > time.Minute || endsWithin(ctx, pause) {
			return v, err
		}
		if stop := sleep(ctx, pause); stop != nil {
			return v, err
		}
	}
}
