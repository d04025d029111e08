package cli

import (
	"context"
	"errors"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
)

// runEngine executes run.Plan and sets run.Report. It sets the options that are the same in every command: the client's
// budget and clock, the interrupt, and an observer that shows the progress and also calls that of o. It calls
// onInterrupt at the first signal.
func (a *app) runEngine(ctx context.Context, s *session, o apply.Options, onInterrupt func(), run *report.Run) {
	show := a.newProgress(run.Plan)
	also := o.Observer
	s.SetApprovalTime(o.Approved)
	o.Budget, o.Seed, o.Now = s.Client, uint64(a.Now().UnixNano()), s.Now
	o.Observer = func(e apply.Event) {
		if also != nil {
			also(e)
		}
		a.telemetry.Event(e)
		show.observe(e)
	}
	var err error
	a.interrupts.drain(onInterrupt, func(asked <-chan struct{}) {
		o.Interrupt = asked
		run.Report, err = apply.Run(ctx, run.Plan, s.Client, o)
	})
	show.end()
	a.reportFault(err)
}

// warnOfInterrupt returns a function that warns, at the first signal, how long the command still waits; then says what
// becomes of the changes that run.
func (a *app) warnOfInterrupt(o apply.Options, then string) func() {
	return func() {
		a.log.Warn("interrupted: nothing new starts; waiting up to "+report.FormatDuration(o.Grace)+" for what runs", hintKey, "Ctrl-C again leaves at once; "+then)
	}
}

func engineLimits(l config.Limits) apply.Limits {
	return apply.Limits{
		Writes: l.Writes, Polls: l.Polls, Operations: max(0, int(l.Operations)), ItemTimeout: l.ItemTimeout, RunTimeout: l.RunTimeout,
		Restores: l.Restores, RestoreTimeout: l.RestoreTimeout,
	}
}

// reportFault reports a fault of this program that kept changes from being started. The engine's other errors are in
// its report, result by result.
func (a *app) reportFault(err error) {
	if internal, ok := errors.AsType[*apply.InternalError](err); ok {
		a.exitConditions[exitError] = true
		a.log.Error(oneLine(internal.Error()), hintArgs(hintsOf(internal))...)
	}
}
