package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type backupFlags struct {
	scopeFlags
	azureFlags
	outputFlags
	retain  durationFlag
	wait    bool
	timeout time.Duration
}

func (a *app) backupCommand() *cobra.Command {
	var f backupFlags
	cmd := &cobra.Command{
		Use:   "backup VM…",
		Short: "Back machines up now",
		Long: "Starts an on-demand backup of each VM, given by name, RESOURCEGROUP/NAME or resource id. A VM of which a backup runs\n" +
			"already gets no second one. Without --wait it is done when Azure has accepted the job; with --wait the job is followed\n" +
			"through its tasks.\n\nExit codes: 0 done; 3 a backup failed, was not accepted, or did not end in time.",
		Args: withUsageError(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.backup(cmd.Context(), f, args) },
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.outputFlags.addFlags(cmd, report.ApplyFormats())
	cmd.Flags().Var(&f.retain, "retain", "how long the recovery point is kept, such as 30d (default: Azure's, 30 days)")
	cmd.Flags().BoolVar(&f.wait, "wait", false, "follow the jobs to their end")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 4*time.Hour, "how long --wait waits")
	return cmd
}

func (a *app) backup(ctx context.Context, f backupFlags, names []string) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	_, scope, s, err := a.connectForVMs(ctx, azure.CommandBackup, f.scopeFlags, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	o, vms, err := a.observeVMs(ctx, s, scope, "backing up", names)
	if err != nil {
		return err
	}
	run := report.Run{Title: "Backup"}
	for _, vm := range vms {
		run.Plan.Changes = append(run.Plan.Changes, newBackup(o, vm, time.Duration(f.retain)))
	}
	run.Plan.Gaps, run.Plan.Complete = o.Gaps, len(o.Gaps) == 0
	if len(o.Subscriptions) > 1 {
		run.Plan.Subscriptions = plan.SubscriptionNames(o, run.Plan.Changes, o.Gaps)
	}
	a.startBackups(ctx, s, f, &run)
	return f.write(a.Out, func(w io.Writer, format string) error {
		run.ExitCode = a.currentExitCode(ctx, f.failed)
		style := a.styleFor(w, false)
		style.Verbose = true // each backup was requested: none is only counted
		return report.WriteApply(w, format, run, style)
	})
}

// startBackups starts the backups of run.Plan, with --wait follows their jobs to the end, and records the results in run.
func (a *app) startBackups(ctx context.Context, s *session, f backupFlags, run *report.Run) {
	// Without Observed the engine lists the jobs first, and starts no second backup of a VM.
	o := apply.Options{Grace: time.Minute}
	a.runEngine(ctx, s, o, func() { a.log.Warn("interrupted: no more backups are started") }, run)
	if f.wait {
		ctx, cancel := context.WithCancelCause(ctx)
		if a.interrupts.isInterrupted() { // the jobs run on, and the results say so: not one has been seen to end
			cancel(errInterrupted)
		}
		a.awaitBackups(ctx, s, f.timeout, run)
		cancel(nil)
	}
	run.Finished, run.Requests, run.Throttled = s.Now(), s.Requests(), s.Throttled()
	a.reportResults(ctx, run)
}

// newBackup returns the change that backs a VM up now, blocked where no vault that was read backs it up.
func newBackup(o plan.Observed, vm string, retain time.Duration) plan.Change {
	c := plan.Change{
		ID: string(plan.Backup) + ":" + string(armid.Of(vm)), Action: plan.Backup, Target: vm,
		Reason: "asked", Because: "asked for on the command line", After: &plan.State{Retain: plan.Duration(retain)},
	}
	for _, it := range itemsOf(o, vm) {
		if it.SoftDeleted {
			continue
		}
		c.Vault, c.Item = it.Vault, it.ID
		if plan.IsActive(it.State) || it.Partial {
			return c
		}
	}
	c.Action, c.Wanted = plan.Blocked, plan.Backup
	c.Because = "no vault that was read backs it up"
	if len(o.Gaps) > 0 {
		c.Because += "; not all could be read: " + report.DescribeGap(o.Gaps[0])
	}
	return c
}
