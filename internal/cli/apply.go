package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/report"
)

type applyFlags struct {
	configFlags
	azureFlags
	planFlagSet
	shardFlag
	outputFlags
	approvalFlags
	lockFile string
	eventLog string
	notifyFlags
	grace    time.Duration
	detailed bool
}

func (a *app) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply [PLANFILE]",
		Short: "Make what exists what the config says",
		Long: "Plans, asks, and does it. Without a terminal it needs --auto-approve, --expect or a plan that azbackup\n" +
			"plan --out saved: of a saved plan, what is not done yet is done, and nothing else. What was approved and cannot be\n" +
			"done any more, because somebody changed what is there, is not written: it fails (3), and where nothing is left\n" +
			"that can be done, the plan is refused (6). What is new is listed and left.\n\n" +
			"A plan that is older than --max-age when you say yes is made again, and shown as a difference: only where nothing\n" +
			"changed does it go on without asking.\n\n" +
			"Ctrl-C lets nothing new start and waits for what runs, up to --grace; a second Ctrl-C leaves at once.\n" +
			"A run that was cut at any point can be run again.\n\n" +
			"Exit codes: 0 done; 2 something new is left (of a saved plan, with --detailed-exitcode); 3 something is not done; 4 not signed in; 5 something could not be read; 6 refused;\n" +
			"7 another run holds the lock; 130 interrupted. See azbackup help exit-codes.",
		Args: withUsageError(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.planFile = strings.Join(args, "")
			return a.apply(cmd.Context(), f)
		},
	}
	f.configFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.planFlagSet.addFlags(cmd)
	f.shardFlag.addFlags(cmd)
	f.outputFlags.addFlags(cmd, report.ApplyFormats())
	f.approvalFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.lockFile, "lock-file", "", "`FILE` that keeps a second run off this machine (default in the user's cache folder, one per config; each shard has its own beside it)")
	cmd.Flags().StringVar(&f.eventLog, "journal", "", "append a JSON line per event to `FILE`")
	f.notifyFlags.addFlags(cmd, "where something is not done")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when all of a saved plan is done and something new is left")
	cmd.Flags().DurationVar(&f.grace, "grace", 2*time.Minute, "how long Ctrl-C waits for what runs")
	return cmd
}

func (a *app) apply(ctx context.Context, f applyFlags) error {
	if err := f.validate(); err != nil {
		return err
	}
	read := append(f.paths(), f.planFile, f.simulate)
	if err := errors.Join(checkApart("--journal", f.eventLog, read...), f.checkApart(append(read, f.eventLog)...)); err != nil {
		return err
	}
	hook, err := f.notifyFlags.parse()
	if err != nil {
		return err
	}
	run := report.Run{Report: apply.Report{Started: a.Now().UTC()}}
	run.LastSuccess = readLastSuccess(f.path("prometheus"))
	ended, err := a.runApply(ctx, f, &run)
	if n := applyNotification(run, err); n != nil {
		defer func() {
			n.ExitCode = a.currentExitCode(ctx, errors.Join(err, f.failed))
			a.notify(ctx, hook, *n)
		}()
	}
	if ended {
		return errors.Join(err, f.write(a.Out, func(w io.Writer, format string) error {
			run.ExitCode = a.currentExitCode(ctx, errors.Join(err, f.failed)) // each file records whether stdout and those before it took the result
			return report.WriteApply(w, format, run, a.styleFor(w, false))
		}))
	}
	if exitCodeOf(err) == exitLocked {
		return err // the run that holds the lock writes the files
	}
	if run.Finished.IsZero() {
		run.Finished = a.Now().UTC()
	}
	if err != nil {
		run.Error, run.Hints = oneLine(err.Error()), hintsOf(err)
	}
	return errors.Join(err, f.writeOnly([]string{"json", "prometheus"}, a.Out, func(w io.Writer, format string) error {
		run.ExitCode = a.currentExitCode(ctx, errors.Join(err, f.failed))
		return report.WriteApply(w, format, run, report.Style{})
	}))
}

// reportResults adds advice to the results and sets the exit conditions that follow from them.
func (a *app) reportResults(ctx context.Context, run *report.Run) {
	good, denied, failed := 0, 0, 0
	for i := range run.Results {
		r := &run.Results[i]
		if r.Hint == "" {
			r.Hint = apply.HintFor(r.Code)
		}
		switch r.Outcome {
		case apply.Done, apply.AlreadyDone:
			good++
			// A restore test that proved its point, but left disks behind, counts as unfinished.
			a.exitConditions[exitUnfinished] = a.exitConditions[exitUnfinished] || slices.ContainsFunc(r.LeftBehind, func(l apply.LeftBehind) bool { return l.Kind == apply.LeftDisk })
			continue
		case apply.Failed:
			failed++
		default:
		}
		a.exitConditions[exitUnfinished] = true
		switch {
		case isSignedOut(r.Code):
			a.exitConditions[exitDenied] = true
		case r.Code == "AuthorizationFailed":
			denied++
		}
	}
	if good == 0 && denied > 0 && denied == failed {
		a.exitConditions[exitDenied] = true
	}
	if a.interrupts.isInterrupted() || errors.Is(context.Cause(ctx), errInterrupted) {
		a.exitConditions[exitInterrupted] = true
	}
}

// isSignedOut reports whether a code means that Azure does not accept the identity any more: the codes of a 401, and
// that of a request for which no token could be obtained.
func isSignedOut(code string) bool {
	switch code {
	case "NotSignedIn", "AuthenticationFailed", "ExpiredAuthenticationToken", "InvalidAuthenticationToken", "InvalidAuthenticationTokenTenant":
		return true
	}
	return false
}

// currentExitCode returns the exit code that the process would have if the command ended now with err. An interrupt counts
// from then on, so that the process ends as its files say.
func (a *app) currentExitCode(ctx context.Context, err error) int {
	if errors.Is(context.Cause(ctx), errInterrupted) {
		a.exitConditions[exitInterrupted] = true
	}
	v := exitConditions{exitError: a.stdout.writeError() != nil}
	if err != nil {
		v[exitCodeOf(err)] = true
	}
	for code, holds := range a.exitConditions {
		v[code] = v[code] || holds
	}
	return v.code()
}

// readLastSuccess returns when a run last succeeded, from the metrics file at path; zero = not known, as of a pipe or a
// terminal: it holds no metrics, and to read it would wait for what nobody writes.
func readLastSuccess(path string) time.Time {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return time.Time{}
	}
	f, err := os.Open(path)
	if err != nil {
		return time.Time{}
	}
	defer f.Close()
	return report.LastSuccess(f)
}
